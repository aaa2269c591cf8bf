package producer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

var errShift = errors.New("the shift is over")

// The end of a wait matches the context's own error and its cause, and says what kept the call from its end: the last
// failure, or the request that has no answer, with the broker.
func TestTheEndOfATransactionalWaitSaysWhatStoodInItsWay(t *testing.T) {
	for name, f := range map[string]struct {
		fault func(*brokertest.Cluster)
		want  []string
	}{
		"silent": {func(c *brokertest.Cluster) { c.Pause(1) }, []string{"192.0.2.1:9092"}},
		"the coordinator is silent": {
			func(c *brokertest.Cluster) { c.On(brokertest.InitProducerID).Always().Do(brokertest.Swallow()) },
			[]string{"InitProducerId has no answer yet", "192.0.2.1:9092"},
		},
		"hangs up": {
			func(c *brokertest.Cluster) { c.On(brokertest.InitProducerID).Always().Do(brokertest.Drop()) },
			[]string{"InitProducerId", "broker 1", "192.0.2.1:9092"},
		},
		"hangs up at first": {
			func(c *brokertest.Cluster) { c.On(brokertest.ApiVersions).Always().Do(brokertest.Drop()) },
			[]string{"ApiVersions", "192.0.2.1:9092"},
		},
		"refuses": {
			func(c *brokertest.Cluster) {
				c.On(brokertest.InitProducerID).Always().Do(brokertest.Error(protocol.CoordinatorLoadInProgress))
			},
			[]string{"InitProducerId", "broker 1", "COORDINATOR_LOAD_IN_PROGRESS"},
		},
		"knows no coordinator": {
			func(c *brokertest.Cluster) {
				c.On(brokertest.FindCoordinator).Always().Do(brokertest.Error(protocol.CoordinatorNotAvailable))
			},
			[]string{"FindCoordinator", "192.0.2.1:9092", "COORDINATOR_NOT_AVAILABLE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := speeches[0].cluster(t)
				p := uninitialised(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 10 * time.Second })
				f.fault(c)
				wants := func(err error, targets ...error) {
					t.Helper()
					wantTold(t, "InitTransactions", err, openRetry)
					for _, target := range targets {
						if !errors.Is(err, target) {
							t.Errorf("InitTransactions says %v, want that %v matches", err, target)
						}
					}
					for _, want := range f.want {
						if err == nil || !strings.Contains(err.Error(), want) {
							t.Errorf("InitTransactions says %v, want %q in it", err, want)
						}
					}
				}
				ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, errShift)
				defer cancel()
				wants(p.InitTransactions(ctx), errShift, context.DeadlineExceeded)
				err := p.InitTransactions(t.Context())
				wants(err, producer.ErrMaxBlock)
				if name != "silent" && errors.Is(err, context.DeadlineExceeded) { // a dial has a deadline of its own
					t.Errorf("InitTransactions says %v, want no deadline: it is not the caller's that has passed", err)
				}
				c.ClearFaults()
				c.Resume(1)
			})
		})
	}
}

// Transact whose ctx ends says so, with the cause, and that the transaction was aborted.
func TestTransactEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t)
		p := transactional(t, c)
		ctx, cancel := context.WithCancelCause(t.Context())
		err := p.Transact(ctx, func(tx *producer.Tx) error {
			tx.SendSync(ctx, record("a"))
			cancel(errShift)
			return nil
		})
		for _, target := range []error{errShift, context.Canceled} {
			if !errors.Is(err, target) {
				t.Errorf("Transact says %v, want that %v matches", err, target)
			}
		}
		if err == nil || !strings.Contains(err.Error(), `Transact of "tx"`) {
			t.Errorf("Transact says %v, want what has ended", err)
		}
		wantTold(t, "Transact", err, "aborted, abort the transaction") // which has been done
		if tx, _ := c.Transaction("tx"); tx.State != brokertest.StateCompleteAbort {
			t.Errorf("the coordinator says %v, want that it was aborted", tx.State)
		}
	})
}

// It says, too, what the records of the transaction were waiting for.
func TestTransactEndsWithItsContextWhileItsLeaderIsFrozen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t, brokertest.Brokers(2))
		if err := c.MoveLeader("t", 0, 1); err != nil {
			t.Fatal(err)
		}
		c.MoveCoordinator("tx", 2)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxBlock, cfg.RequestTimeout = 10*time.Second, 5*time.Second })
		warm(t, p, "t")
		c.Pause(1)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, errShift)
		defer cancel()
		err := p.Transact(ctx, func(tx *producer.Tx) error {
			tx.Send(t.Context(), record("a"))
			<-ctx.Done()
			return nil
		})
		want(t, "Transact", err, []string{`Transact of "tx"`, "t-0: not connected to its leader, broker 1 at 192.0.2.1:9092"}, errShift, context.DeadlineExceeded)
		wantTold(t, "Transact", err, "aborted, abort the transaction")
		c.Resume(1)
	})
}

// A transaction that has outlived its timeout is told with both durations, whatever code it is told with.
func TestATransactionPastItsTimeoutSaysHowLongItWas(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t, brokertest.Topic("u", 1))
		p := transactional(t, c, func(cfg *producer.Config) { cfg.TransactionTimeout = 10 * time.Second })
		begin(t, p)
		send(t, p, record("a"))
		time.Sleep(15 * time.Second)
		c.ExpireTransactions()
		_, recordErr := p.SendSync(t.Context(), producer.Record{Topic: "u", Value: []byte("late")})
		for what, err := range map[string]error{"the record": recordErr, "CommitTransaction": p.CommitTransaction(t.Context())} {
			if err == nil || !strings.Contains(err.Error(), "15") || !strings.Contains(err.Error(), "transaction.timeout.ms (10s)") {
				t.Errorf("%s is told %v, want how long the transaction was open, and how long it may be", what, err)
			}
		}
	})
}

// Two goroutines that call Transact are told that they do, and the first one's transaction is not touched.
func TestTransactsThatOverlapAreToldSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t)
		p := transactional(t, c)
		inside, goOn := make(chan bool), make(chan bool)
		said := make(chan error, 1)
		nothing := func(*producer.Tx) error { t.Error("it runs"); return nil }
		go func() {
			said <- p.Transact(t.Context(), func(tx *producer.Tx) error {
				tx.Send(t.Context(), record("a"))
				close(inside)
				<-goOn
				overlaps(t, "Transact inside of Transact", p.Transact(t.Context(), nothing))
				return nil
			})
		}()
		<-inside
		overlaps(t, "Transact", p.Transact(t.Context(), nothing))
		overlaps(t, "BeginTransaction", p.BeginTransaction(t.Context()))
		close(goOn)
		if err := <-said; err != nil {
			t.Errorf("the first Transact says %v", err)
		}
		synctest.Wait()
		wantVisible(t, c, "a")
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error { tx.Send(t.Context(), record("b")); return nil }); err != nil {
			t.Error(err)
		}
		wantVisible(t, c, "a b")
	})
}

func overlaps(t *testing.T, what string, err error) {
	t.Helper()
	wantTold(t, what, err, refused)
	if err == nil || !strings.Contains(err.Error(), "overlap") || strings.HasPrefix(what, "Transact") && !strings.Contains(err.Error(), "another Transact") {
		t.Errorf("%s says %v, want that calls overlap", what, err)
	}
}
