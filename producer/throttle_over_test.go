package producer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// How long a broker is quiet at first, and for how long who waits for it waits in all.
const (
	quietAtFirst = 30 * time.Second
	waitsInAll   = 40 * time.Second
)

// A waitForQuiet is a call that waits for the end of a throttling, and then for a broker that says nothing.
type waitForQuiet struct {
	name string
	says string // what stands in the way in the end
	call func(t *testing.T, c *brokertest.Cluster) error
}

func briefly(cfg *producer.Config) { cfg.DeliveryTimeout, cfg.MaxBlock = waitsInAll, waitsInAll }

// quietFor has the next answer to an API ask for quiet, and silences another API after it.
func quietFor(c *brokertest.Cluster, apiKey, silent int16) {
	c.On(apiKey).Do(asksForQuiet(quietAtFirst))
	c.On(silent).Always().Do(brokertest.Swallow())
}

// throttledProducing is a producer that a leader has just throttled.
func throttledProducing(t *testing.T, c *brokertest.Cluster) *producer.Producer {
	p := start(t, c, briefly)
	quietFor(c, brokertest.Produce, brokertest.Produce)
	send(t, p, record("first"))
	return p
}

// throttledAsking is one whose broker has throttled it on the connection for all but records.
func throttledAsking(t *testing.T, c *brokertest.Cluster) *producer.Producer {
	p := start(t, c, briefly)
	warm(t, p, "t") // by the bootstrap server
	quietFor(c, brokertest.Metadata, brokertest.Metadata)
	warm(t, p, "v") // by the broker
	return p
}

// throttledEnding is one with an open transaction, whose coordinator has throttled it.
func throttledEnding(t *testing.T, c *brokertest.Cluster) *producer.Producer {
	cfg := producer.DefaultConfig(c.Bootstrap()...)
	cfg.DialContext, cfg.TransactionalID = c.DialContext, "tx"
	briefly(&cfg)
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	if err := p.InitTransactions(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin(t, p)
	send(t, p, record("a"))
	quietFor(c, brokertest.TxnOffsetCommit, brokertest.EndTxn)
	if err := p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG); err != nil {
		t.Fatal(err)
	}
	return p
}

var waitsForQuiet = []waitForQuiet{
	{"SendSync", "no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		_, err := throttledProducing(t, c).SendSync(t.Context(), record("a"))
		return err
	}},
	{"Flush", "no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		p := throttledProducing(t, c)
		p.Send(t.Context(), record("a"))
		return p.Flush(within(t, 35*time.Second))
	}},
	{"SendSync to a broker that has gone away", "connection refused", func(t *testing.T, c *brokertest.Cluster) error {
		p := throttledProducing(t, c)
		time.AfterFunc(quietAtFirst, func() { c.StopBroker(1) })
		_, err := p.SendSync(t.Context(), record("a"))
		_ = c.StartBroker(1)
		return err
	}},
	{"SendSync without a producer id", "InitProducerId has no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		p := start(t, c, briefly)
		c.On(brokertest.InitProducerID).Times(2).Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			r := resp.(*protocol.InitProducerIDResponse) // of the bootstrap server, and of the broker
			r.ErrorCode, r.ProducerID, r.ThrottleTime = protocol.CoordinatorLoadInProgress, -1, quietAtFirst
		}))
		c.On(brokertest.InitProducerID).Always().Do(brokertest.Swallow())
		_, err := p.SendSync(t.Context(), record("a"))
		return err
	}},
	{"Partitions", "Metadata has no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		_, err := throttledAsking(t, c).Partitions(t.Context(), "u")
		return err
	}},
	{"Ping", "Metadata has no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		return throttledAsking(t, c).Ping(within(t, waitsInAll))
	}},
	{"InitTransactions", "InitProducerId has no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		p := uninitialised(t, c, briefly)
		quietFor(c, brokertest.FindCoordinator, brokertest.InitProducerID)
		return p.InitTransactions(t.Context())
	}},
	{"SendOffsetsToTransaction", "TxnOffsetCommit has no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		p := uninitialised(t, c, briefly)
		quietFor(c, brokertest.InitProducerID, brokertest.TxnOffsetCommit)
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		begin(t, p)
		return p.SendOffsetsToTransaction(within(t, 35*time.Second), offsets(1), groupG)
	}},
	{"SendOffsetsToTransaction, which is given up", "not taken within delivery.timeout (40s): ", func(t *testing.T, c *brokertest.Cluster) error {
		p := uninitialised(t, c, briefly, func(cfg *producer.Config) { cfg.MaxBlock = time.Minute })
		quietFor(c, brokertest.InitProducerID, brokertest.TxnOffsetCommit)
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		begin(t, p)
		return p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG)
	}},
	{"CommitTransaction", "EndTxn has no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		return throttledEnding(t, c).CommitTransaction(t.Context())
	}},
	{"CommitTransaction that waits for a record", "no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		p := transactional(t, c, briefly)
		begin(t, p)
		quietFor(c, brokertest.Produce, brokertest.Produce)
		send(t, p, record("a"))
		p.Send(t.Context(), record("b"))
		return p.CommitTransaction(within(t, 35*time.Second))
	}},
	{"Close of a transaction", "EndTxn has no answer yet from broker 1 at ", func(t *testing.T, c *brokertest.Cluster) error {
		return throttledEnding(t, c).Close(within(t, 35*time.Second))
	}},
}

// A throttling is over, and its broker has been tried since and is silent, or gone. Who has waited for the end of the
// throttling most of the time is told of it, behind what stands in the way now.
func TestAThrottlingThatIsOverIsTold(t *testing.T) {
	for _, w := range waitsForQuiet {
		t.Run(w.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("u", 1), brokertest.Topic("v", 1))
				err := w.call(t, c)
				c.ClearFaults()
				want(t, w.name, err, []string{w.says, "before that, ", " throttled this client for 30", "; check its quotas"})
				t.Log(err)
				throttled := wantThrottled(t, w.name, err)
				if off := (throttled.Lasted - quietAtFirst).Abs(); off > time.Second || throttled.Asked != quietAtFirst || throttled.Addr == "" {
					t.Errorf("%+v, want the broker that has asked for 30 s of quiet, and has got them", throttled)
				}
			})
		})
	}
}

// One who begins to wait when the throttling is nearly over has waited for the silence.
func TestAThrottlingThatWasShortIsNoReason(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := throttledProducing(t, c)
		time.Sleep(20 * time.Second)
		_, err := p.SendSync(t.Context(), record("a"))
		if throttled := (*producer.ThrottleError)(nil); !errors.Is(err, producer.ErrDeliveryTimeout) || errors.As(err, &throttled) {
			t.Errorf("got %v, want a delivery timeout, of which the broker was throttled for a quarter", err)
		}
		c.ClearFaults()
	})
}
