package producer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A mishap is one that the page has a row for.
type mishap struct {
	row  string // what its first column has
	is   error  // what errors.Is finds; nil: nothing in particular
	make func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error
}

// oneRecord is a transaction's function.
func oneRecord(ctx context.Context) func(tx *producer.Tx) error {
	return func(tx *producer.Tx) error {
		tx.Send(ctx, producer.Record{Topic: "orders", Value: []byte("a")})
		return nil
	}
}

var mishaps = []mishap{
	{"A record could not be delivered within `delivery.timeout.ms`", producer.ErrDeliveryTimeout, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		c.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
		return p.Transact(t.Context(), oneRecord(t.Context()))
	}},
	{"A record was refused: too large, invalid, not allowed", protocol.TopicAuthorizationFailed, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		c.DenyWrite("orders")
		return p.Transact(t.Context(), oneRecord(t.Context()))
	}},
	{"The consumer is out of its group", protocol.IllegalGeneration, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		c.SetGroup("billing", 5, "consumer-1")
		return Pass(t.Context(), p, []Polled{{Topic: "orders"}}, producer.ConsumerGroupMetadata{GroupID: "billing", MemberID: "consumer-1", GenerationID: 4})
	}},
	{"`ctx` ended in the function", context.Canceled, func(t *testing.T, _ *brokertest.Cluster, p *producer.Producer) error {
		ctx, cancel := context.WithCancel(t.Context())
		return p.Transact(ctx, func(tx *producer.Tx) error {
			defer cancel()
			_, err := tx.SendSync(ctx, producer.Record{Topic: "orders", Value: []byte("a")})
			return err
		})
	}},
	{"The function returned an error, or panicked", errOwn, func(t *testing.T, _ *brokertest.Cluster, p *producer.Producer) error {
		return p.Transact(t.Context(), func(tx *producer.Tx) error {
			tx.Send(t.Context(), producer.Record{Topic: "orders", Value: []byte("a")})
			return errOwn
		})
	}},
	{"The commit was not answered within `max.block.ms`, or before `ctx` ended", nil, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		c.On(brokertest.EndTxn).Always().Do(brokertest.HandleThenSwallow())
		return p.Transact(t.Context(), oneRecord(t.Context()))
	}},
	{"No coordinator was found within `max.block.ms`, before anything was sent", nil, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		c.On(brokertest.FindCoordinator).Always().Do(brokertest.Error(protocol.CoordinatorNotAvailable))
		return p.Transact(t.Context(), oneRecord(t.Context()))
	}},
	{"Another instance has started with this id", producer.ErrFenced, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		return p.Transact(t.Context(), func(tx *producer.Tx) error {
			if _, err := tx.SendSync(t.Context(), producer.Record{Topic: "orders", Value: []byte("a")}); err != nil {
				return err
			}
			return once(t, c, "tx").InitTransactions(t.Context())
		})
	}},
	{"The transaction took longer than `transaction.timeout.ms`", nil, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		return p.Transact(t.Context(), func(tx *producer.Tx) error {
			_, err := tx.SendSync(t.Context(), producer.Record{Topic: "orders", Value: []byte("a")})
			time.Sleep(longerThanAnyTx)
			return err
		})
	}},
	{"The cluster has forgotten the id, after `transactional.id.expiration.ms` (7 days) without a transaction", protocol.InvalidProducerIDMapping, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		if err := p.Transact(t.Context(), oneRecord(t.Context())); err != nil {
			t.Error(err)
		}
		time.Sleep(longerThanAnyTx)
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidProducerIDMapping))
		return p.Transact(t.Context(), oneRecord(t.Context()))
	}},
	{"This client may not have the id", protocol.TransactionalIDAuthorizationFailed, func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) error {
		c.AllowTransactionalID("tx", false)
		return p.Transact(t.Context(), oneRecord(t.Context()))
	}},
	{"A call out of turn, such as a `Transact` inside of another", nil, func(t *testing.T, _ *brokertest.Cluster, p *producer.Producer) (err error) {
		_ = p.Transact(t.Context(), func(*producer.Tx) error {
			err = p.Transact(t.Context(), oneRecord(t.Context()))
			return nil
		})
		return err
	}},
}

// verdicts are the names of what an error says.
func verdicts(err error) string {
	outcomes := map[producer.TransactionOutcome]string{
		producer.OutcomeOpen: "OutcomeOpen", producer.OutcomeCommitted: "OutcomeCommitted",
		producer.OutcomeAborted: "OutcomeAborted", producer.OutcomeUnknown: "OutcomeUnknown",
	}
	steps := map[producer.NextStep]string{
		producer.NextRetryCall: "NextRetryCall", producer.NextAbort: "NextAbort",
		producer.NextNewProducer: "NextNewProducer", producer.NextFixConfiguration: "NextFixConfiguration",
	}
	if failed, ok := errors.AsType[*producer.TransactionError](err); ok {
		return fmt.Sprintf("`%s`, `%s`", outcomes[failed.Outcome], steps[failed.Next])
	}
	if _, ok := errors.AsType[*producer.TransactionStateError](err); ok {
		return "`TransactionStateError`"
	}
	return "that error"
}

// The page's rows are what a producer says: each mishap is made, and what its error says is compared with the row.
func TestErrorsOfExactlyOnce(t *testing.T) {
	page, err := os.ReadFile(exactlyOnce)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| ([^|]+) \\| ((?:`Outcome|`Transaction|that error)[^|]*) \\| ").FindAllStringSubmatch(string(page), -1) {
		rows[row[1]] = row[2]
	}
	for _, m := range mishaps {
		t.Run(m.row, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := ordersAndOthers(t)
				p := once(t, c, "tx", func(cfg *producer.Config) { cfg.RequestTimeout, cfg.DeliveryTimeout = 5*time.Second, 20*time.Second })
				err := m.make(t, c, p)
				if err == nil || m.is != nil && !errors.Is(err, m.is) {
					t.Errorf("the error is %v, want %v", err, m.is)
				}
				if got := verdicts(err); got != rows[m.row] {
					t.Errorf("the error says %s, and the page %s: %v", got, rows[m.row], err)
				}
				c.ClearFaults()
			})
		})
		delete(rows, m.row)
	}
	for row := range rows {
		t.Errorf("nothing shows what the page says of: %s", row)
	}
}

// Committed, called for as long as it says again, commits work once, or says why not.
func TestWhatMayBeDoneAgain(t *testing.T) {
	for name, f := range map[string]struct {
		fault func(c *brokertest.Cluster)
		calls int
		want  string // that is committed
	}{
		"nothing fails": {func(*brokertest.Cluster) {}, 1, "a"},
		"the cluster lost it": {func(c *brokertest.Cluster) {
			c.On(brokertest.Produce).Do(brokertest.Error(protocol.TransactionAbortable))
		}, 2, "a"},
		"no coordinator": {func(c *brokertest.Cluster) {
			c.On(brokertest.FindCoordinator).Times(15).Do(brokertest.Swallow())
		}, 2, "a"},
		"the commit is answered late": {func(c *brokertest.Cluster) {
			c.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(2 * time.Minute))
		}, 1, "a"},
		"the request to commit is lost": {func(c *brokertest.Cluster) { c.On(brokertest.EndTxn).Times(20).Do(brokertest.Swallow()) }, 1, "a"},
		"its answer is lost":            {func(c *brokertest.Cluster) { c.On(brokertest.EndTxn).Times(20).Do(brokertest.HandleThenSwallow()) }, 1, "a"},
		"not allowed":                   {func(c *brokertest.Cluster) { c.AllowTransactionalID("tx", false) }, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := ordersAndOthers(t)
				p := once(t, c, "tx", func(cfg *producer.Config) {
					cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.TransactionTimeout = 5*time.Second, 20*time.Second, 10*time.Minute
				})
				f.fault(c)
				calls := 0
				for again := true; again && calls < 5; calls++ {
					var err error
					if again, err = Committed(t.Context(), p, oneRecord(t.Context())); (err == nil) != (f.want != "") && !again {
						t.Errorf("Committed says %v", err)
					}
				}
				if got := visibleIn(c, "orders", 0); got != f.want || calls != f.calls {
					t.Errorf("%q is committed after %d calls, want %q after %d", got, calls, f.want, f.calls)
				}
			})
		})
	}
}
