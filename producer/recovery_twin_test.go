package producer_test

import (
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A proxy forgets all connections, and what is asked first meets that on one of a broker's two connections. What is asked next,
// on the other one, does not wait for a request timeout of its own: the first record of a topic waits for the one of its
// look-up alone.
func TestOneSilenceIsPaidForOnce(t *testing.T) {
	for _, how := range []brokertest.Outage{brokertest.Silent, brokertest.Dropping} {
		bubble(t, func(t *testing.T) {
			_, p := cutUnseen(t, how, 1, "")
			sent := time.Now()
			send(t, p, producer.Record{Topic: "u", Partition: producer.OnPartition(0), Value: []byte("a")})
			if took, want := time.Since(sent), 30*time.Second+500*time.Millisecond; took > want {
				t.Errorf("outage %d: the first record of a topic is acknowledged %v after it was sent, want at most %v", how, took, want)
			}
		})
	}
}

// The same in a transaction: its records wait for the request timeout of the Produce that was sent into the silence, and its
// commit for no other one.
func TestACommitWaitsForNoSecondSilence(t *testing.T) {
	for _, how := range []brokertest.Outage{brokertest.Silent, brokertest.Dropping} {
		bubble(t, func(t *testing.T) {
			c, p := cutUnseen(t, how, 3, "tx")
			sent := time.Now()
			if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
				_, err := tx.SendSync(t.Context(), record("a"))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if took, want := time.Since(sent), 30*time.Second+500*time.Millisecond; took > want {
				t.Errorf("outage %d: the transaction ends %v after its beginning, want at most %v", how, took, want)
			}
			if err := c.Verify(nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// A broker that is slow on one connection, and answers on the other, keeps the other: it has shown that it is there.
func TestATwinThatAnswersIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		// With idempotence a producer that has lost touch makes sure who is there, over a connection that is new.
		p := start(t, c, func(cfg *producer.Config) { cfg.EnableIdempotence = false })
		send(t, p, record("first"))
		ping := func() {
			t.Helper()
			if err := p.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ping()
		c.On(brokertest.Produce).Do(brokertest.Swallow())
		f := p.Send(t.Context(), record("second"))
		time.Sleep(20 * time.Second)
		ping()
		before := c.Dials(1)
		if _, err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		ping()
		if n := c.Dials(1) - before; n != 1 {
			t.Errorf("%d dials after a request has timed out, want 1: that for the connection that was lost", n)
		}
	})
}

// A push of metrics that nobody answers is no reason to doubt the connection for records.
func TestMetricsThatAreNotAnsweredCostRecordsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, 10*time.Second)
		c.On(brokertest.PushTelemetry).Always().Do(brokertest.HandleThenSwallow())
		p := start(t, c)
		send(t, p, record("first"))
		if err := p.Ping(t.Context()); err != nil { // over the other connection, on which metrics are pushed
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // a push has timed out
		before := c.Dials(1)
		send(t, p, record("second"))
		if n := c.Dials(1) - before; n > 0 {
			t.Errorf("a record takes %d dials, want none", n)
		}
	})
}

// cutUnseen returns a producer that has sent to topic t, 8 s after the beginning of an outage of 25 s that it has not noticed.
func cutUnseen(t *testing.T, how brokertest.Outage, brokers int, transactionalID string) (*brokertest.Cluster, *producer.Producer) {
	t.Helper()
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(brokers), brokertest.Topic("t", 3), brokertest.Topic("u", 3))
	p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = transactionalID })
	if transactionalID == "" {
		send(t, p, record("first"))
		if err := p.Ping(t.Context()); err != nil { // over the other connection
			t.Fatal(err)
		}
	} else {
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		transaction(t, p, "first")
	}
	for id := range int32(brokers) {
		c.Break(id+1, how)
		time.AfterFunc(25*time.Second, func() { c.Mend(id + 1) })
	}
	time.Sleep(8 * time.Second)
	return c, p
}
