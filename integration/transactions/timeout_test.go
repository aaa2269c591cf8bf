package transactions_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A latecomer is what a producer does after its transaction was aborted by the coordinator, and what it has to be told.
type latecomer struct {
	name     string
	do       func(t *testing.T, ctx context.Context, e *entry, p *producer.Producer) error
	new, old end // by protocol
}

// An end is what becomes of the producer. In the old protocol the coordinator cannot tell one that is late from one that
// another has replaced.
type end uint8

const (
	goesOn end = iota // the call succeeds
	aborts            // the call says to abort, which succeeds
	isDead            // a new producer is needed, but none has fenced this one
	fenced            // either the call says so, or to abort, which then says so
)

func (e end) String() string {
	return [...]string{"success", "an error that says to abort", "one that says to make a new producer", "one that says fenced"}[e]
}

var latecomers = []latecomer{
	{"commit", func(_ *testing.T, ctx context.Context, _ *entry, p *producer.Producer) error {
		return p.CommitTransaction(ctx)
	}, isDead, fenced},
	{"abort", func(_ *testing.T, ctx context.Context, _ *entry, p *producer.Producer) error {
		return p.AbortTransaction(ctx)
	}, goesOn, fenced},
	{"go on and commit", func(t *testing.T, ctx context.Context, e *entry, p *producer.Producer) error {
		e.send(ctx, p, e.size-e.sent)
		return p.CommitTransaction(ctx)
	}, aborts, fenced},
	{"go on and abort", func(t *testing.T, ctx context.Context, e *entry, p *producer.Producer) error {
		e.send(ctx, p, e.size-e.sent)
		if len(e.errors(t)) == 0 {
			t.Error("records were acknowledged in a transaction that was aborted")
		}
		return p.AbortTransaction(ctx)
	}, goesOn, fenced},
}

// timeouts leaves transactions open for longer than transaction.timeout, until the coordinator has aborted them. They are
// not visible, nobody is told otherwise, and with what the error says to do next the work goes on.
func timeouts(t *testing.T, s *site) {
	isNew := s.newProtocol(t)
	for _, l := range latecomers {
		want := l.old
		if isNew {
			want = l.new
		}
		t.Run(l.name, func(t *testing.T) {
			t.Parallel() // each waits for the coordinator
			b, id, ctx := newBook(t, s, 1), unique(t), soon(t)
			p := s.make(t, id, impatient)
			do(t, p.InitTransactions(ctx))
			b.write(t, p, 10, true)
			e := b.open(20)
			do(t, p.BeginTransaction(ctx))
			e.send(ctx, p, 10)
			do(t, p.Flush(ctx))
			e.written(t)
			s.awaitAbort(t, id)

			p = s.survivor(t, ctx, id, p, l.do(t, ctx, e, p), want)
			b.check(t)
			b.write(t, p, 10, true)
			b.check(t)
		})
	}
	t.Run("Transact again", func(t *testing.T) {
		t.Parallel()
		transactAgain(t, s, isNew)
	})
}

func impatient(cfg *producer.Config) { cfg.TransactionTimeout = 500 * time.Millisecond }

// survivor demands that err is what has to be told, does what it says, and returns a producer that can go on.
func (s *site) survivor(t *testing.T, ctx context.Context, id string, p *producer.Producer, err error, want end) *producer.Producer {
	t.Helper()
	if err != nil {
		f := failure(t, "the late call", err)
		if f.Outcome != producer.OutcomeAborted && f.Outcome != producer.OutcomeOpen {
			t.Errorf("the outcome is said to be %v, want aborted or open: %v", f.Outcome, err)
		}
		if f.Next == producer.NextAbort && want != isDead {
			if err = p.AbortTransaction(ctx); err == nil && want == aborts {
				return p
			}
		}
	}
	switch {
	case want == goesOn && err == nil:
		return p
	case want == isDead && err != nil && !errors.Is(err, producer.ErrFenced) && failure(t, "the late call", err).Next == producer.NextNewProducer:
	case want == fenced:
		expectFenced(t, "the late call", err)
	default:
		t.Fatalf("the late call ends with %v, want %v", err, want)
	}
	next := s.make(t, id)
	do(t, next.InitTransactions(ctx))
	return next
}

// transactAgain has a function take too long the first time it is run, and Transact run it again where the producer may.
func transactAgain(t *testing.T, s *site, isNew bool) {
	b, id, ctx := newBook(t, s, 1), unique(t), soon(t)
	p := s.make(t, id, impatient)
	err := p.Transact(ctx, func(tx *producer.Tx) error {
		e := b.open(20)
		e.send(ctx, tx, 10)
		if e.number == 0 {
			e.written(t)
			s.awaitAbort(t, id)
		}
		e.send(ctx, tx, 10)
		if e.number == 1 {
			e.outcome = producer.OutcomeCommitted
		}
		return nil
	}, producer.TransactRetries(1))
	if isNew {
		do(t, err)
	} else {
		expectFenced(t, "Transact", err)
	}
	if runs := len(b.entries); isNew != (runs == 2) {
		t.Errorf("the function was run %d times; the protocol is new: %v", runs, isNew)
	}
	b.check(t)
}

// awaitAbort waits until the coordinator has aborted the transaction of an id by itself.
func (s *site) awaitAbort(t *testing.T, id string) {
	t.Helper()
	await(t, func(ctx context.Context) string {
		described, err := s.admin.Client().DescribeTransactions(ctx, id)
		do(t, err)
		const aborted = "CompleteAbort"
		if state := described[id].State; state != aborted {
			return fmt.Sprintf("the transaction of %s is in state %s, want %s", id, state, aborted)
		}
		return ""
	})
}
