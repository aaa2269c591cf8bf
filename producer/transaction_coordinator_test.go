package producer_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

var coordinatorAPIs = map[string]int16{
	"FindCoordinator": brokertest.FindCoordinator, "InitProducerId": brokertest.InitProducerID,
	"AddPartitionsToTxn": brokertest.AddPartitionsToTxn, "AddOffsetsToTxn": brokertest.AddOffsetsToTxn,
	"TxnOffsetCommit": brokertest.TxnOffsetCommit, "EndTxn": brokertest.EndTxn,
}

// ofOldAlone are the requests that the new protocol does without.
func (s speech) lacks(api int16) bool {
	return s.isNew && (api == brokertest.AddPartitionsToTxn || api == brokertest.AddOffsetsToTxn)
}

// story initialises a producer, and commits one transaction, aborts one, and commits another, each with a record and an
// offset.
func story(t *testing.T, c *brokertest.Cluster, p *producer.Producer) {
	t.Helper()
	if err := p.InitTransactions(t.Context()); err != nil {
		t.Fatalf("InitTransactions: %v", err)
	}
	for i, end := range []func(*testing.T, *producer.Producer){commit, abort, commit} {
		begin(t, p)
		send(t, p, record(fmt.Sprint(i)))
		if err := p.SendOffsetsToTransaction(t.Context(), offsets(int64(i)), groupG); err != nil {
			t.Fatalf("offsets: %v", err)
		}
		end(t, p)
	}
	time.Sleep(time.Minute)
	wantVisible(t, c, "0 2")
	if got := groupOffset(c); got != 2 {
		t.Errorf("the group has offset %d, want 2", got)
	}
	soundLog(t, c)
}

// The coordinator, of the transaction and of the group, moves just before any request to it.
func TestTheCoordinatorMoves(t *testing.T) {
	for name, api := range coordinatorAPIs {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t, brokertest.Brokers(3))
				var moves atomic.Int32
				c.Control(func(r *brokertest.Request) *brokertest.Action {
					if n := moves.Load(); r.APIKey == api && n < 9 && moves.CompareAndSwap(n, n+1) && n%2 == 0 {
						c.MoveCoordinator("tx", r.Broker%3+1)
						c.MoveCoordinator("g", r.Broker%3+1)
					}
					return nil
				})
				story(t, c, uninitialised(t, c))
				if moves.Load() == 0 && !s.lacks(api) {
					t.Error("nothing has moved")
				}
			})
		})
	}
}

// Every code that asks for patience, in the answer to every request, with and without effect, and every way in which an
// answer can be lost.
func TestCoordinatorsThatAskForPatience(t *testing.T) {
	faults := map[string]*brokertest.Action{
		"dropped": brokertest.Drop(), "answer lost": brokertest.HandleThenDrop(), "never answered": brokertest.HandleThenSwallow(),
		"late": brokertest.Pass().Delayed(40 * time.Second), "garbage": brokertest.Truncated(3),
	}
	for _, code := range []protocol.ErrorCode{
		protocol.CoordinatorLoadInProgress, protocol.CoordinatorNotAvailable, protocol.NotCoordinator,
		protocol.ConcurrentTransactions, protocol.RequestTimedOut,
	} {
		faults[code.Name()] = brokertest.Error(code)
		faults[code.Name()+", with effect"] = brokertest.AppendThenError(code)
	}
	for apiName, api := range coordinatorAPIs {
		for fault, action := range faults {
			t.Run(apiName+"/"+fault, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					c := s.cluster(t)
					p := uninitialised(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour })
					for skip := range 3 {
						c.On(api).Skip(skip).Do(action)
					}
					story(t, c, p)
				})
			})
		}
	}
}

// The coordinator's broker is gone for a while, at a bad time. With others, one of them takes over.
func TestTheCoordinatorIsUnreachable(t *testing.T) {
	for _, brokers := range []int{1, 3} {
		for name, api := range coordinatorAPIs {
			t.Run(fmt.Sprint(name, "/", brokers), func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					c := s.cluster(t, brokertest.Brokers(brokers))
					var once atomic.Bool
					down := make(chan int32, 1)
					c.Control(func(r *brokertest.Request) *brokertest.Action {
						if r.APIKey == api && once.CompareAndSwap(false, true) {
							down <- r.Broker
							return brokertest.HandleThenSwallow()
						}
						return nil
					})
					go func() {
						select {
						case broker := <-down:
							c.StopBroker(broker)
							time.Sleep(7 * time.Second)
							if err := c.StartBroker(broker); err != nil {
								t.Error(err)
							}
						case <-time.After(time.Minute):
						}
					}()
					story(t, c, uninitialised(t, c))
					if !once.Load() && !s.lacks(api) {
						t.Error("nothing has happened")
					}
				})
			})
		}
	}
}

// A coordinator that is slow with its markers has the next transaction wait, and no longer than needed.
func TestTheNextTransactionWaitsForMarkers(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		const slow = 300 * time.Millisecond
		c := s.cluster(t, brokertest.MarkerDelay(slow))
		p := transactional(t, c)
		at := time.Now()
		for i := range 10 {
			transaction(t, p, fmt.Sprint(i))
		}
		// A wait for markers ends at most one backoff late, and that is at most a third of the wait itself here.
		if took := time.Since(at); took < 9*slow || took > 10*(slow+130*time.Millisecond) {
			t.Errorf("ten transactions took %v, want about nine times %v", took, slow)
		}
		next := transactional(t, c) // fences, and waits for the last one
		transaction(t, next, "next")
		time.Sleep(slow)
		wantVisible(t, c, "0 1 2 3 4 5 6 7 8 9 next")
		soundLog(t, c)
	})
}

// A search for a coordinator that nobody answers sensibly ends with the caller's patience, and says why.
func TestFindCoordinatorThatNamesNobody(t *testing.T) {
	for name, edit := range map[string]func(*protocol.FindCoordinatorResponse){
		"no node":     func(r *protocol.FindCoordinatorResponse) { r.Coordinators[0].NodeID = -1 },
		"another key": func(r *protocol.FindCoordinatorResponse) { r.Coordinators[0].Key = "another" },
		"no answer":   func(r *protocol.FindCoordinatorResponse) { r.Coordinators = nil },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := speeches[0].cluster(t)
				p := uninitialised(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 5 * time.Second })
				c.On(brokertest.FindCoordinator).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
					if r := resp.(*protocol.FindCoordinatorResponse); r.Coordinators[0].ErrorCode == protocol.NoError {
						edit(r)
					}
				}))
				err := p.InitTransactions(t.Context())
				wantTold(t, "InitTransactions", err, openRetry)
				if err == nil || !strings.Contains(err.Error(), "names no coordinator") {
					t.Errorf("the error is %v, want the reason in it", err)
				}
				c.ClearFaults()
				if err := p.InitTransactions(t.Context()); err != nil {
					t.Errorf("InitTransactions, called again: %v", err)
				}
				transaction(t, p, "a")
				wantVisible(t, c, "a")
			})
		})
	}
}

// Answers that a coordinator cannot give end the producer: no panic, no endless loop.
func TestImpossibleAnswersOfCoordinators(t *testing.T) {
	t.Run("InitProducerId without an id", func(t *testing.T) {
		inEachProtocol(t, func(t *testing.T, s speech) {
			c := s.cluster(t)
			p := uninitialised(t, c)
			c.On(brokertest.InitProducerID).Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
				resp.(*protocol.InitProducerIDResponse).ProducerID = -1
			}))
			wantTold(t, "InitTransactions", p.InitTransactions(t.Context()), openNew)
			wantTold(t, "InitTransactions again", p.InitTransactions(t.Context()), openNew)
		})
	})
	t.Run("AddPartitionsToTxn that lacks a partition", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c := speeches[1].cluster(t)
			p := transactional(t, c)
			c.On(brokertest.AddPartitionsToTxn).Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
				resp.(*protocol.AddPartitionsToTxnResponse).ResultsByTopic = nil
			}))
			begin(t, p)
			if _, err := p.SendSync(t.Context(), record("a")); err == nil || producer.MayBeWritten(err) {
				t.Errorf("the record is told %v, want that it is not written", err)
			}
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), abortedNew)
			transaction(t, transactional(t, c), "b")
			wantVisible(t, c, "b")
		})
	})
}

// Refusals of InitTransactions say what has to be put right, and once it is the same producer can go on.
func TestInitTransactionsIsRefused(t *testing.T) {
	for code, want := range map[protocol.ErrorCode]string{
		protocol.TransactionalIDAuthorizationFailed: openFix, protocol.InvalidTransactionTimeout: openFix,
		protocol.ClusterAuthorizationFailed: openFix, protocol.UnknownServerError: openRetry,
	} {
		for _, api := range []int16{brokertest.FindCoordinator, brokertest.InitProducerID} {
			if api == brokertest.FindCoordinator && code != protocol.TransactionalIDAuthorizationFailed {
				continue
			}
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				p := uninitialised(t, c)
				c.On(api).Do(brokertest.Error(code))
				err := p.InitTransactions(t.Context())
				wantTold(t, "InitTransactions", err, want)
				if !isCode(err, code) {
					t.Errorf("InitTransactions says %v, want %v", err, code)
				}
				wantTold(t, "BeginTransaction", p.BeginTransaction(t.Context()), refused)
				story(t, c, p)
			})
		}
	}
	t.Run("a timeout that brokers do not allow", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c := speeches[0].cluster(t)
			p := uninitialised(t, c, func(cfg *producer.Config) { cfg.TransactionTimeout = time.Hour })
			err := p.InitTransactions(t.Context())
			wantTold(t, "InitTransactions", err, openFix)
		})
	})
}

// The last epochs: the new protocol gives another producer id with the end of a transaction, the old with InitProducerId.
func TestTheLastEpochs(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		if err := transactional(t, c).Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !c.SetProducerEpoch("tx", 32763) {
			t.Fatal("the epoch cannot be set")
		}
		p := transactional(t, c)
		var want []string
		ids := map[int64]bool{}
		for i := range 6 {
			transaction(t, p, fmt.Sprint(i))
			want = append(want, fmt.Sprint(i))
			tx, _ := c.Transaction("tx")
			ids[tx.ProducerID] = true

			begin(t, p) // a gap makes the old protocol ask for an epoch, too
			send(t, p, record(fmt.Sprint("lost", i)))
			c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRecord))
			if _, err := p.SendSync(t.Context(), record(fmt.Sprint("bad", i))); !errors.Is(err, protocol.InvalidRecord) {
				t.Errorf("the faulty record is told %v", err)
			}
			abort(t, p)
		}
		transaction(t, p, "last")
		wantVisible(t, c, strings.Join(append(want, "last"), " "))
		if len(ids) != 2 {
			t.Errorf("%d producer ids were in use, want 2", len(ids))
		}
		soundLog(t, c)
	})
}
