package producer_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Retries is for what another transaction may not meet. What only a human can put right is said at once.
func TestRetriesAreForWhatPasses(t *testing.T) {
	for name, test := range map[string]struct {
		record  producer.Record
		prepare func(*brokertest.Cluster)
		runs    int
	}{
		"the broker wants an abort": {producer.Record{Topic: "a"}, func(c *brokertest.Cluster) {
			c.On(brokertest.Produce).Do(brokertest.Error(protocol.TransactionAbortable))
		}, 2},
		"not delivered in time": {producer.Record{Topic: "a"}, func(c *brokertest.Cluster) {
			c.On(brokertest.Produce).Times(4).Do(brokertest.Swallow())
		}, 2},
		"no permission":      {producer.Record{Topic: "a"}, func(c *brokertest.Cluster) { c.DenyWrite("a") }, 1},
		"too large":          {producer.Record{Topic: "a", Value: make([]byte, 2<<20)}, func(*brokertest.Cluster) {}, 1},
		"no such partition":  {producer.Record{Topic: "a", Partition: producer.OnPartition(7)}, func(*brokertest.Cluster) {}, 1},
		"no topic":           {producer.Record{Topic: "b"}, func(*brokertest.Cluster) {}, 1},
		"too large by topic": {producer.Record{Topic: "a", Value: make([]byte, 2000)}, func(c *brokertest.Cluster) { c.SetTopicMaxBytes("a", 1000) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Topic("a", 1))
				test.prepare(c)
				p := start(t, c, func(cfg *producer.Config) {
					cfg.TransactionalID = "x"
					// Both beyond delivery.timeout, or the call or the transaction would end before.
					cfg.MaxBlock, cfg.TransactionTimeout = 5*time.Minute, 10*time.Minute
				})
				runs := 0
				err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					runs++
					tx.Send(t.Context(), test.record)
					return nil
				}, producer.TransactRetries(3))
				if runs != test.runs || (err == nil) != (test.runs > 1) {
					t.Errorf("the function ran %d times and ended in %v, want %d", runs, err, test.runs)
				}
				var failure *producer.TransactionError
				if err != nil && (!errors.As(err, &failure) || failure.Outcome != producer.OutcomeAborted || !strings.Contains(err.Error(), "begin another transaction")) {
					t.Errorf("Transact = %v, want an error that says aborted: it has done that", err)
				}
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
