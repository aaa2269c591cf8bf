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

// What can become of EndTxn and of its answer, and what is said of it: the outcome of a transaction is never told wrong
// (pitfall 15). With effect means that the coordinator has done it, whatever it answers.
var endings = []struct {
	name   string
	faults []*brokertest.Action // of the first EndTxn, the second, …
	commit string
	abort  string
}{
	{"answered", nil, ok, ok},
	{"lost before it takes effect", actions(brokertest.Drop()), ok, ok},
	{"reset before it takes effect", actions(brokertest.Reset(), brokertest.Reset()), ok, ok},
	{"answer lost", actions(brokertest.HandleThenDrop()), ok, ok},
	{"answer lost three times", actions(brokertest.HandleThenDrop(), brokertest.HandleThenDrop(), brokertest.HandleThenDrop()), ok, ok},
	{"answer never comes", actions(brokertest.HandleThenSwallow()), ok, ok},
	{"request never taken up", actions(brokertest.Swallow()), ok, ok},
	{"answer is half a frame", actions(brokertest.HalfFrame()), ok, ok},
	{"answer comes after request.timeout", actions(brokertest.Pass().Delayed(45 * time.Second)), ok, ok},

	{"no coordinator", actions(brokertest.Error(protocol.CoordinatorNotAvailable)), ok, ok},
	{"no coordinator, with effect", actions(brokertest.AppendThenError(protocol.CoordinatorNotAvailable)), ok, ok},
	{"not coordinator", actions(brokertest.Error(protocol.NotCoordinator)), ok, ok},
	{"not coordinator, with effect", actions(brokertest.AppendThenError(protocol.NotCoordinator)), ok, ok},
	{"loading", actions(brokertest.Error(protocol.CoordinatorLoadInProgress)), ok, ok},
	{"loading, with effect", actions(brokertest.AppendThenError(protocol.CoordinatorLoadInProgress)), ok, ok},
	{"concurrent", actions(brokertest.Error(protocol.ConcurrentTransactions)), ok, ok},
	{"concurrent, with effect", actions(brokertest.AppendThenError(protocol.ConcurrentTransactions)), ok, ok},
	{"timed out", actions(brokertest.Error(protocol.RequestTimedOut)), ok, ok},
	{"timed out, with effect", actions(brokertest.AppendThenError(protocol.RequestTimedOut)), ok, ok},

	{"abortable", actions(brokertest.Error(protocol.TransactionAbortable)), openAbort, abortedNew},
	{"fenced", actions(brokertest.Error(protocol.ProducerFenced)), abortedNew, abortedNew},
	{"old epoch", actions(brokertest.Error(protocol.InvalidProducerEpoch)), abortedNew, abortedNew},
	{"invalid state", actions(brokertest.Error(protocol.InvalidTxnState)), abortedNew, abortedNew},
	{"no such mapping", actions(brokertest.Error(protocol.InvalidProducerIDMapping)), abortedNew, abortedNew},
	{"not authorised", actions(brokertest.Error(protocol.TransactionalIDAuthorizationFailed)), abortedFix, abortedFix},
	{"server error", actions(brokertest.Error(protocol.UnknownServerError)), unknownNew, abortedNew},
	{"server error, with effect", actions(brokertest.AppendThenError(protocol.UnknownServerError)), unknownNew, abortedNew},
	{"unheard-of code", actions(brokertest.Error(999)), unknownNew, abortedNew},
	{"unheard-of code, with effect", actions(brokertest.AppendThenError(999)), unknownNew, abortedNew},

	// The second answer is a definite one, and yet it does not tell what became of the first request.
	{"lost, then fenced", actions(brokertest.Drop(), brokertest.Error(protocol.ProducerFenced)), unknownNew, abortedNew},
	{"lost with effect, then fenced", actions(brokertest.HandleThenDrop(), brokertest.Error(protocol.ProducerFenced)), unknownNew, abortedNew},
	{"not coordinator with effect, then fenced", actions(brokertest.AppendThenError(protocol.NotCoordinator), brokertest.Error(protocol.ProducerFenced)), unknownNew, abortedNew},
	{"loading with effect, then fenced", actions(brokertest.AppendThenError(protocol.CoordinatorLoadInProgress), brokertest.Error(protocol.ProducerFenced)), unknownNew, abortedNew},
	{"concurrent with effect, then fenced", actions(brokertest.AppendThenError(protocol.ConcurrentTransactions), brokertest.Error(protocol.ProducerFenced)), unknownNew, abortedNew},
	{"timed out with effect, then old epoch", actions(brokertest.AppendThenError(protocol.RequestTimedOut), brokertest.Error(protocol.InvalidProducerEpoch)), unknownNew, abortedNew},
	{"lost with effect, then abortable", actions(brokertest.HandleThenDrop(), brokertest.Error(protocol.TransactionAbortable)), unknownNew, abortedNew},
	{"lost with effect, then not authorised", actions(brokertest.HandleThenDrop(), brokertest.Error(protocol.TransactionalIDAuthorizationFailed)), unknownFix, abortedFix},
	{"lost with effect, then no such mapping", actions(brokertest.HandleThenDrop(), brokertest.Error(protocol.InvalidProducerIDMapping)), unknownNew, abortedNew},
}

func actions(a ...*brokertest.Action) []*brokertest.Action { return a }

func TestOutcomesAreNeverWrong(t *testing.T) {
	for _, e := range endings {
		for _, committing := range []bool{true, false} {
			name, want := e.name+"/commit", e.commit
			if !committing {
				name, want = e.name+"/abort", e.abort
			}
			t.Run(name, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					c := s.cluster(t)
					p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour })
					begin(t, p)
					send(t, p, record("a"))
					for _, f := range e.faults {
						c.On(brokertest.EndTxn).Do(f)
					}
					call := p.AbortTransaction
					if committing {
						call = p.CommitTransaction
					}
					err := call(t.Context())
					wantTold(t, "the call", err, want)
					if n := c.PendingFaults(); n != 0 {
						t.Errorf("%d faults did not happen", n)
					}
					honest(t, c, committing, err)
					goesOn(t, c, p, err)
					soundLog(t, c)
				})
			})
		}
	}
}

// goesOn does what the error of a call says may be done next, and demands that it works.
func goesOn(t *testing.T, c *brokertest.Cluster, p *producer.Producer, err error) {
	t.Helper()
	before := visible(c)
	var failure *producer.TransactionError
	if errors.As(err, &failure) {
		switch failure.Next {
		case producer.NextAbort:
			abortLater := p.AbortTransaction(t.Context())
			if abortLater != nil && !errors.Is(abortLater, producer.ErrFenced) { // it has timed out by now
				t.Errorf("the abort that was asked for: %v", abortLater)
			}
			if abortLater != nil {
				return
			}
		case producer.NextNewProducer, producer.NextFixConfiguration:
			if failure.Next == producer.NextFixConfiguration && failure.Outcome == producer.OutcomeAborted {
				switch err := p.AbortTransaction(t.Context()); {
				case errors.Is(err, producer.ErrFenced): // it has timed out by now, and every call says so (pitfall 18)
					errors.As(err, &failure)
				case err != nil:
					t.Errorf("the abort: %v", err)
				}
			}
			at := time.Now()
			for what, err := range map[string]error{
				"InitTransactions": p.InitTransactions(t.Context()), "BeginTransaction": p.BeginTransaction(t.Context()),
				"CommitTransaction": p.CommitTransaction(t.Context()), "AbortTransaction": p.AbortTransaction(t.Context()),
				"Send":                     func() error { _, err := p.SendSync(t.Context(), record("late")); return err }(),
				"SendOffsetsToTransaction": p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG),
			} {
				next, outcome := failure.Next, failure.Outcome
				switch what {
				case "BeginTransaction", "Send", "SendOffsetsToTransaction":
					if outcome != producer.OutcomeAborted { // what comes later is no part of a transaction that may be committed
						outcome = producer.OutcomeOpen
					}
				}
				if what == "InitTransactions" || what == "BeginTransaction" { // nothing that is put right lets it begin anything
					next = producer.NextNewProducer
				}
				var again *producer.TransactionError
				if !errors.As(err, &again) || again.Next != next || again.Outcome != outcome {
					t.Errorf("afterwards %s says %v, want the outcome %v, and what was said before: %v", what, err, outcome, failure)
				}
			}
			if took := time.Since(at); took != 0 {
				t.Errorf("calls to a dead producer took %v, want nothing", took)
			}
			if err := p.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
			p = transactional(t, c)
		}
	}
	transaction(t, p, "next")
	wantVisible(t, c, strings.TrimSpace(before+" next"))
}

// An answer that the coordinator cannot give ends the producer with an error that is true.
func TestImpossibleEndTxnAnswers(t *testing.T) {
	for name, edit := range map[string]func(req *protocol.EndTxnRequest, resp *protocol.EndTxnResponse){
		"no producer id": func(_ *protocol.EndTxnRequest, resp *protocol.EndTxnResponse) { resp.ProducerID = -1 },
		"no epoch":       func(_ *protocol.EndTxnRequest, resp *protocol.EndTxnResponse) { resp.ProducerEpoch = -1 },
		"the same epoch": func(req *protocol.EndTxnRequest, resp *protocol.EndTxnResponse) {
			resp.ProducerEpoch = req.ProducerEpoch
		},
	} {
		for _, committing := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := speeches[0].cluster(t)
					p := transactional(t, c)
					begin(t, p)
					send(t, p, record("a"))
					c.On(brokertest.EndTxn).Do(brokertest.Edit(func(r *brokertest.Request, resp protocol.Response) {
						edit(r.Message.(*protocol.EndTxnRequest), resp.(*protocol.EndTxnResponse))
					}))
					want, call := committedNew, p.CommitTransaction
					if !committing {
						want, call = abortedNew, p.AbortTransaction
					}
					err := call(t.Context())
					wantTold(t, "the call", err, want)
					honest(t, c, committing, err)
					goesOn(t, c, p, err)
				})
			})
		}
	}
}

// A commit that outlasts its call: nothing but the same call will do, and that tells the truth, whether the commit ends
// while somebody waits or not.
func TestACommitOutlastsItsCall(t *testing.T) {
	for _, waits := range []bool{true, false} {
		for _, committing := range []bool{true, false} {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Second })
				begin(t, p)
				send(t, p, record("a"))
				c.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(10 * time.Second))
				call, other, unfinished := p.CommitTransaction, p.AbortTransaction, unknownRetry
				if !committing {
					call, other, unfinished = other, call, abortedRetry
				}
				err := call(t.Context())
				wantTold(t, "the call that max.block ends", err, unfinished)
				if !errors.Is(err, producer.ErrMaxBlock) {
					t.Errorf("error = %v, want that max.block passed", err)
				}
				wantTold(t, "the other call", other(t.Context()), refused)
				wantTold(t, "BeginTransaction", p.BeginTransaction(t.Context()), refused)
				if _, err := p.SendSync(t.Context(), record("b")); told(err) != refused || producer.MayBeWritten(err) {
					t.Errorf("a record is told %v, want that no transaction is open", err)
				}
				wantTold(t, "the call that its context ends", call(within(t, 100*time.Millisecond)), unfinished)
				if waits {
					for err = call(t.Context()); told(err) == unfinished; err = call(t.Context()) {
					}
				} else {
					time.Sleep(20 * time.Second)
					if committing {
						wantTold(t, "BeginTransaction, with an outcome that nobody knows", p.BeginTransaction(t.Context()), refused)
						wantTold(t, "the other call", other(t.Context()), refused)
					}
					err = call(t.Context())
				}
				wantTold(t, "the same call", err, ok)
				wantTold(t, "once more", call(t.Context()), refused)
				honest(t, c, committing, err)
				if n := c.Count(brokertest.EndTxn); n != 1 {
					t.Errorf("EndTxn was sent %d times, want once", n)
				}
				goesOn(t, c, p, nil)
				soundLog(t, c)
			})
		}
	}
}

// A commit whose outcome was never told does not get lost when it failed meanwhile.
func TestACommitFailsWhileNobodyWaits(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		begin(t, p)
		send(t, p, record("a"))
		c.On(brokertest.EndTxn).Do(brokertest.Error(protocol.ProducerFenced).Delayed(10 * time.Second))
		wantTold(t, "the call", p.CommitTransaction(within(t, time.Second)), unknownRetry)
		time.Sleep(20 * time.Second)
		err := p.CommitTransaction(t.Context())
		wantTold(t, "the same call", err, abortedNew)
		if !errors.Is(err, producer.ErrFenced) {
			t.Errorf("error = %v, want ErrFenced", err)
		}
		honest(t, c, true, err)
	})
}

// Once a commit is in doubt for good, later input is not: no transaction was begun for it, and its function has not run.
func TestWhatComesAfterACommitInDoubtIsNotInDoubt(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		c.On(brokertest.EndTxn).Do(brokertest.Error(protocol.ErrorCode(9999)))
		run := 0
		transact := func() *producer.TransactionError {
			err := p.Transact(t.Context(), func(tx *producer.Tx) error {
				run++
				tx.SendFunc(t.Context(), record("a"), nil)
				return nil
			})
			failure, _ := errors.AsType[*producer.TransactionError](err)
			if failure == nil {
				t.Fatalf("Transact: %v, want a TransactionError", err)
			}
			return failure
		}
		if first := transact(); first.Outcome != producer.OutcomeUnknown || first.Next != producer.NextNewProducer {
			t.Fatalf("the first is %v, %v: %v", first.Outcome, first.Next, first)
		}
		if second := transact(); second.Outcome != producer.OutcomeOpen || second.Next != producer.NextNewProducer || run != 1 {
			t.Errorf("the second is %v, %v, and functions ran %d times: %v", second.Outcome, second.Next, run, second)
		}
	})
}
