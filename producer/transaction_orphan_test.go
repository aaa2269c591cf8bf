package producer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// wantTransaction demands that the coordinator has the transaction in that state.
func wantTransaction(t *testing.T, c *brokertest.Cluster, want brokertest.TransactionState) {
	t.Helper()
	if tx, _ := c.Transaction("tx"); tx.State != want {
		t.Errorf("the coordinator says %v, want %v", tx.State, want)
	}
}

// wantLeftOpen demands that err says that the transaction stays open for now, and until when.
func wantLeftOpen(t *testing.T, what string, err error) {
	t.Helper()
	wantTold(t, what, err, abortedFix)
	for _, word := range []string{"could not be aborted", "transaction.timeout.ms (1m0s)", protocol.TransactionalIDAuthorizationFailed.Name()} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s says %v, want %q in it", what, err, word)
		}
	}
}

// EndTxn is refused for want of a permission. Nothing of the transaction is committed then, and consumers wait until it is
// aborted: so an abort, and Close, ask for that again, and as often as they are called.
func TestARefusedEndTxnIsAskedForAgain(t *testing.T) {
	for name, f := range map[string]func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()){
		"commit, allowed, abort": func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()) {
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
			allow()
			abort(t, p)
		},
		"commit, abort, abort, allowed, abort": func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()) {
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
			wantLeftOpen(t, "AbortTransaction", p.AbortTransaction(t.Context()))
			wantLeftOpen(t, "AbortTransaction", p.AbortTransaction(t.Context()))
			allow()
			abort(t, p)
			wantTold(t, "AbortTransaction after that", p.AbortTransaction(t.Context()), abortedFix)
		},
		"abort, allowed, abort": func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()) {
			wantTold(t, "AbortTransaction", p.AbortTransaction(t.Context()), abortedFix)
			allow()
			abort(t, p)
		},
		"commit, allowed, close": func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()) {
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
			allow()
		},
		"commit, abort, allowed, close": func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()) {
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
			wantLeftOpen(t, "AbortTransaction", p.AbortTransaction(t.Context()))
			allow()
		},
		"an abort that nobody waits for": func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()) {
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
			allow()
			c.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(5 * time.Second))
			wantTold(t, "AbortTransaction", p.AbortTransaction(within(t, time.Second)), abortedRetry)
			time.Sleep(10 * time.Second)
			abort(t, p)
		},
		"the coordinator moves": func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()) {
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
			allow()
			c.MoveCoordinator("tx", 2)
			c.On(brokertest.FindCoordinator).Do(brokertest.Error(protocol.UnknownServerError))
			abort(t, p)
		},
		"the search for the coordinator is refused": func(t *testing.T, c *brokertest.Cluster, p *producer.Producer, allow func()) {
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
			allow()
			c.MoveCoordinator("tx", 2)
			c.On(brokertest.FindCoordinator).Do(brokertest.Error(protocol.TransactionalIDAuthorizationFailed))
			wantTold(t, "AbortTransaction", p.AbortTransaction(t.Context()), abortedFix)
			abort(t, p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t, brokertest.Brokers(2))
				c.MoveCoordinator("tx", 1)
				p := transactional(t, c)
				begin(t, p)
				send(t, p, record("a"))
				fault := c.On(brokertest.EndTxn).Always().Do(brokertest.Error(protocol.TransactionalIDAuthorizationFailed))
				f(t, c, p, func() { fault.Stop() })
				if err := p.Close(t.Context()); err != nil {
					t.Errorf("Close: %v", err)
				}
				wantTransaction(t, c, brokertest.StateCompleteAbort)
				wantVisible(t, c, "")
				transaction(t, transactional(t, c), "next")
				wantVisible(t, c, "next")
			})
		})
	}
}

// Close asks once, and says what it had to leave open; it does not wait for permissions.
func TestCloseSaysThatItMayNotAbort(t *testing.T) {
	for name, before := range map[string]func(*testing.T, *producer.Producer){
		"a transaction is open": func(*testing.T, *producer.Producer) {},
		"its commit was refused": func(t *testing.T, p *producer.Producer) {
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedFix)
		},
		"its commit is being refused": func(t *testing.T, p *producer.Producer) {
			go p.CommitTransaction(t.Context())
			time.Sleep(time.Millisecond)
		},
		"its abort was refused": func(t *testing.T, p *producer.Producer) {
			wantTold(t, "AbortTransaction", p.AbortTransaction(t.Context()), abortedFix)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				p := transactional(t, c)
				begin(t, p)
				send(t, p, record("a"))
				c.On(brokertest.EndTxn).Always().Do(brokertest.Error(protocol.TransactionalIDAuthorizationFailed).Delayed(10 * time.Millisecond))
				before(t, p)
				at := time.Now()
				err := p.Close(t.Context())
				wantTold(t, "Close", err, abortedFix)
				if err == nil || !strings.Contains(err.Error(), "transaction.timeout.ms (1m0s)") || !errors.Is(err, protocol.TransactionalIDAuthorizationFailed) {
					t.Errorf("Close says %v, want why, and what becomes of the transaction", err)
				}
				if took := time.Since(at); took > 100*time.Millisecond {
					t.Errorf("Close took %v, want no wait for permissions", took)
				}
				wantTransaction(t, c, brokertest.StateOngoing)
				honest(t, c, false, err)
			})
		})
	}
}

// Transact aborts what it may not commit, and where it may not do that either, its error says so.
func TestTransactWhoseCommitIsRefused(t *testing.T) {
	for _, times := range []int{1, 2} {
		inEachProtocol(t, func(t *testing.T, s speech) {
			c := s.cluster(t)
			p := transactional(t, c)
			c.On(brokertest.EndTxn).Times(times).Do(brokertest.Error(protocol.TransactionalIDAuthorizationFailed))
			err := p.Transact(t.Context(), func(tx *producer.Tx) error {
				tx.Send(t.Context(), record("a"))
				return nil
			})
			wantTold(t, "Transact", err, abortedFix)
			if times == 1 {
				wantTransaction(t, c, brokertest.StateCompleteAbort)
				return
			}
			wantLeftOpen(t, "Transact", err)
			abort(t, p)
			wantTransaction(t, c, brokertest.StateCompleteAbort)
		})
	}
}

// A commit that may have been done is not aborted, though a later attempt was refused (pitfall 15).
func TestNothingIsAbortedThatMayBeCommitted(t *testing.T) {
	for name, first := range map[string]*brokertest.Action{"done": brokertest.HandleThenDrop(), "not done": brokertest.Drop()} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				p := transactional(t, c)
				begin(t, p)
				send(t, p, record("a"))
				c.On(brokertest.EndTxn).Do(first)
				c.On(brokertest.EndTxn).Do(brokertest.Error(protocol.TransactionalIDAuthorizationFailed))
				wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), unknownFix)
				wantTold(t, "AbortTransaction", p.AbortTransaction(t.Context()), unknownFix)
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
				for _, r := range asked(c, brokertest.EndTxn) {
					if !r.Message.(*protocol.EndTxnRequest).Committed {
						t.Error("an abort was asked for")
					}
				}
			})
		})
	}
}

// No transaction is open while BeginTransaction waits for a new epoch. What refuses that can be put right, and the call made
// again.
func TestBeginIsRefusedAnEpochAndCalledAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[1].cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
		transaction(t, p, "a")
		if err := c.SetFeature("transaction.version", 2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		c.On(brokertest.InitProducerID).Do(brokertest.Error(protocol.TransactionalIDAuthorizationFailed))
		err := p.BeginTransaction(t.Context())
		wantTold(t, "BeginTransaction", err, openFix)
		want(t, "BeginTransaction", err, []string{"InitProducerId", "broker 1"}, protocol.TransactionalIDAuthorizationFailed)
		transaction(t, p, "b")
		wantVisible(t, c, "a b")
	})
}

// A proxy hides the newer EndTxn just when the answer to one was lost. The older one is asked for then, so that nothing stays
// open, and what it is refused with is no proof that anybody was fenced.
func TestTheNewEndTxnIsHiddenAfterItsAnswerWasLost(t *testing.T) {
	for name, first := range map[string]*brokertest.Action{"done": brokertest.HandleThenDrop(), "not done": brokertest.Drop()} {
		for way, wants := range map[string]map[string]string{
			"commit": {"done": unknownNew, "not done": ok}, "abort": {"done": ok, "not done": ok},
		} {
			t.Run(name+"/"+way, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := speeches[0].cluster(t)
					proxy := newProxy(c, 1)
					p := transactional(t, c)
					begin(t, p)
					send(t, p, record("a"))
					proxy.hides.Store(&map[int16]int16{brokertest.EndTxn: 4})
					c.On(brokertest.EndTxn).Do(first)
					call := map[string]func() error{
						"commit": func() error { return p.CommitTransaction(t.Context()) },
						"abort":  func() error { return p.AbortTransaction(t.Context()) },
					}[way]
					err := call()
					wantTold(t, way, err, wants[name])
					if errors.Is(err, producer.ErrFenced) {
						t.Errorf("%s says %v, and nobody was fenced", way, err)
					}
					want := brokertest.StateCompleteCommit
					if way == "abort" {
						want = brokertest.StateCompleteAbort
						if name == "done" {
							want = brokertest.StateEmpty // a new epoch was given after it
						}
					}
					wantTransaction(t, c, want)
					if err == nil {
						transaction(t, p, "next")
						soundLog(t, c)
					}
				})
			})
		}
	}
}
