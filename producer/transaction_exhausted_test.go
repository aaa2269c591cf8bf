package producer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// TestTheNextProducerIDIsKnownAMomentLater has epochs run out while the coordinator takes its time to complete transactions.
// EndTxn tells the next producer id at once, and brokers refuse it with INVALID_PRODUCER_ID_MAPPING until the end is complete:
// that is no reason to end the producer, be the next transaction committed, aborted or empty.
func TestTheNextProducerIDIsKnownAMomentLater(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *producer.Producer){
		"commit": func(t *testing.T, p *producer.Producer) {
			begin(t, p)
			send(t, p, record("second"))
			commit(t, p)
		},
		"offsets first": func(t *testing.T, p *producer.Producer) {
			begin(t, p)
			offsets := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "t", Partition: 0}: {Offset: 1}}
			if err := p.SendOffsetsToTransaction(t.Context(), offsets, producer.ConsumerGroupMetadata{GroupID: "g"}); err != nil {
				t.Fatal(err)
			}
			send(t, p, record("second"))
			commit(t, p)
		},
		"abort, then commit": func(t *testing.T, p *producer.Producer) {
			begin(t, p)
			p.Send(t.Context(), record("dropped"))
			time.Sleep(10 * time.Millisecond) // it is refused, and waits to be sent again
			abort(t, p)
			transaction(t, p, "second")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.MarkerDelay(300*time.Millisecond))
				p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID, cfg.Linger = "tx", 0 })
				if err := p.InitTransactions(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !c.SetProducerEpoch("tx", 32764) {
					t.Fatal("the epoch is not set")
				}
				// The producer learns of the epoch as one that was idle for long would: by asking anew.
				p = start(t, c, func(cfg *producer.Config) { cfg.TransactionalID, cfg.Linger = "tx", 0 })
				if err := p.InitTransactions(t.Context()); err != nil {
					t.Fatal(err)
				}
				before, _ := c.Transaction("tx")
				for i := 0; ; i++ {
					if i == 10 {
						t.Fatal("the epochs do not run out")
					}
					transaction(t, p, fmt.Sprint("first ", i))
					if now, _ := c.Transaction("tx"); now.Epoch >= 32766 {
						break // the next end gives another id
					}
				}
				end(t, p)
				end(t, p)
				time.Sleep(time.Second)
				after, _ := c.Transaction("tx")
				if after.ProducerID == before.ProducerID {
					t.Errorf("the producer id is still %d: the test has not come to its point", after.ProducerID)
				}
				seconds := 0
				for _, r := range c.Committed("t", 0) {
					if string(r.Value) == "second" {
						seconds++
					}
				}
				if seconds != 2 {
					t.Errorf("%d of the later records are visible, want both", seconds)
				}
			})
		})
	}
}

// exhausted starts a cluster and a producer whose last transaction has used up the epochs of its id. The coordinator has
// given the next id, and takes its time to complete that transaction.
func exhausted(t *testing.T) (*brokertest.Cluster, *producer.Producer) {
	t.Helper()
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
	transaction(t, transactional(t, c), "before")
	if !c.SetProducerEpoch("tx", 32764) {
		t.Fatal("the epoch is not set")
	}
	p := transactional(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
	first, _ := c.Transaction("tx")
	for i := 0; ; i++ {
		if now, _ := c.Transaction("tx"); now.Epoch >= 32766 {
			break // the next end gives another id
		}
		transaction(t, p, fmt.Sprint("first ", i))
	}
	c.HoldMarkers(true)
	transaction(t, p, "last")
	if now, _ := c.Transaction("tx"); now.ProducerID != first.ProducerID || now.State != brokertest.StatePrepareCommit {
		t.Fatalf("the coordinator says %+v, want that the last transaction is being completed", now)
	}
	return c, p
}

// A topic is made again before the next transaction. Every partition adopts the id that EndTxn has given, at 0, so that the
// gap in its numbers is no reason to ask for another. The coordinator would not know who asks, and call the producer fenced.
func TestATopicIsMadeAgainWhileTheNextProducerIDIsNotKnown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := exhausted(t)
		if err := c.RecreateTopic("t"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second) // the producer has heard of it
		c.ForgetRequests()
		begin(t, p)
		f := p.Send(t.Context(), record("next"))
		time.Sleep(time.Second)
		c.HoldMarkers(false)
		if _, err := f.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		commit(t, p)
		wantVisible(t, c, "next")
		if n := len(asked(c, brokertest.InitProducerID)); n > 0 {
			t.Errorf("another epoch was asked for %d times, want none", n)
		}
	})
}

// Where an epoch of the next id has to be asked for, since the cluster has gone back to the old protocol and on again, the
// coordinator says PRODUCER_FENCED until it knows that id.
func TestAnEpochIsNeededWhileTheNextProducerIDIsNotKnown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := exhausted(t)
		for level := int16(1); level <= 2; level++ {
			if err := c.SetFeature("transaction.version", level); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second) // the producer has heard of it
			if level == 1 {
				transaction(t, p) // an empty one
			}
		}
		c.ForgetRequests()
		go func() {
			time.Sleep(10 * time.Second)
			c.HoldMarkers(false)
		}()
		transaction(t, p, "next")
		if n := len(asked(c, brokertest.InitProducerID)); n < 3 {
			t.Errorf("an epoch was asked for %d times, want until the coordinator knew the id", n)
		}
		soundLog(t, c)
	})
}
