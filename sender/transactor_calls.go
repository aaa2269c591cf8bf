package sender

import (
	"context"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/overdue"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// A txnCall is a caller that waits for a transactional method.
type txnCall struct {
	txn.Op
	name      string
	start     func(*transactor, *txnCall)
	since     time.Time          // when it began
	ended     chan struct{}      // closed when err is set
	callbacks *accumulator.Group // ends when the callbacks of records that ended before have returned
	err       error
	number    int64 // of the last transaction
}

// calling: a caller begins to wait.
type calling struct{ call *txnCall }

// leaving: that caller no longer waits.
type leaving struct {
	call *txnCall
	left chan struct{} // closed when the two are set
	how  txn.Outcome   // of the transaction that the call was about, as far as can be said
	why  error         // what has kept the call from ending; nil if nothing is known
}

func (e calling) apply(c *core) { c.txn.call(e.call) }

// call starts a call, and tells its caller when it has ended.
func (t *transactor) call(call *txnCall) {
	c := t.c
	call.since = c.now
	call.Done = func(err error) {
		t.moved() // a caller that is told that it may send must be able to
		call.err, call.number = err, t.Last()
		call.callbacks = accumulator.NewGroup()
		c.out.after(call.callbacks)
		close(call.ended)
	}
	if c.closing {
		call.Done(fmt.Errorf("%s: %w", call.name, ErrClosed))
		return
	}
	call.start(t, call)
	t.moved()
}

func (e *leaving) apply(c *core) { c.txn.leave(e) }

// leave ends the waiting of a caller.
func (t *transactor) leave(e *leaving) {
	select {
	case <-e.call.ended: // both at once
	default:
		if e.why = t.obstacle(e.call.since); e.call.name != txn.CallInit && e.call.name != txn.CallBegin {
			e.how = t.InDoubt()
		}
		t.Leave(&e.call.Op)
	}
	close(e.left)
}

// transact has the loop start a call, and waits for its end.
func (s *Sender) transact(ctx context.Context, call *txnCall) error {
	call.ended = make(chan struct{})
	if s.closing.Load() {
		return fmt.Errorf("%s: %w", call.name, ErrClosed)
	}
	s.inbox.put(calling{call})
	overdue.Await(ctx, call.ended, s.stopped)
	select {
	case <-call.ended:
		return call.err
	case <-s.stopped:
		return s.stoppedCall(call)
	case <-ctx.Done():
	}
	e := &leaving{call: call, left: make(chan struct{})}
	s.inbox.put(e)
	select {
	case <-e.left:
	case <-s.stopped:
		return s.stoppedCall(call)
	}
	select {
	case <-call.ended:
		return call.err
	default:
	}
	err := cause.Of(ctx)
	if e.why != nil {
		err = fmt.Errorf("%w; %w", err, e.why)
	}
	return &txn.Error{Call: call.name, TransactionalID: s.cfg.TransactionalID, Outcome: e.how, Next: txn.RetryCall, Err: err}
}

// stoppedCall returns the error of a call that the loop may not have seen.
func (s *Sender) stoppedCall(call *txnCall) error {
	select {
	case <-call.ended:
		return call.err
	default:
		return fmt.Errorf("%s: %w", call.name, ErrClosed)
	}
}

// spoiled: a record of a transaction was not taken.
type spoiled struct {
	number int64
	err    error
}

func (e spoiled) apply(c *core) { c.txn.spoil(e) }

func (t *transactor) spoil(e spoiled) {
	if t.Number() == e.number {
		t.Fail(e.err)
		t.moved()
	}
}

// FailTransaction makes the transaction of that number one that can only be aborted, if it is open still.
func (s *Sender) FailTransaction(number int64, err error) { s.inbox.put(spoiled{number, err}) }

// Transaction returns what records have to say of the open transaction; nil without a transactional id.
func (s *Sender) Transaction() *Transaction { return s.published.txn.Load() }

// settled: all events before it are applied.
type settled struct{ done chan struct{} }

func (e settled) apply(*core) { close(e.done) }

// SettledTransaction is Transaction once the loop has taken in all outcomes that the caller has seen: a record gets its outcome
// a moment before its transaction hears of it.
func (s *Sender) SettledTransaction() *Transaction {
	e := settled{make(chan struct{})}
	s.inbox.put(e)
	select {
	case <-e.done:
	case <-s.stopped:
	}
	return s.Transaction()
}

// InitTransactions gets a producer id and epoch for the transactional id, for as long as ctx allows, and so fences every
// producer that had it. A transaction that such a producer has left open is aborted or completed first.
func (s *Sender) InitTransactions(ctx context.Context) error {
	return s.transact(ctx, &txnCall{name: txn.CallInit, start: func(t *transactor, call *txnCall) { t.Init(&call.Op) }})
}

// BeginTransaction begins a transaction. It waits only if a new epoch is needed first. It returns the transaction's number, for
// Entry.Txn.
func (s *Sender) BeginTransaction(ctx context.Context) (number int64, err error) {
	call := &txnCall{name: txn.CallBegin, start: func(t *transactor, call *txnCall) { t.speakAgain(); t.Begin(&call.Op) }}
	err = s.transact(ctx, call)
	return call.number, err
}

// SendOffsets makes a consumer group's offsets part of the open transaction. The topics' ids are filled in where they are
// known.
func (s *Sender) SendOffsets(ctx context.Context, group txn.Group, offsets []protocol.TxnOffsetCommitTopic) error {
	return s.transact(ctx, &txnCall{
		name: txn.CallOffsets, Op: txn.Op{Group: group, Offsets: offsets},
		start: func(t *transactor, call *txnCall) {
			for i := range call.Offsets {
				if topic := t.c.meta.Topic(call.Offsets[i].Name); topic != nil {
					call.Offsets[i].TopicID = topic.ID
				}
			}
			t.SendOffsets(t.c.now, &call.Op)
			t.c.urge() // the commit comes next as a rule: the records need not linger meanwhile
		},
	})
}

// EndTransaction commits or aborts the open transaction. It returns when the coordinator has ended it and the callbacks of its
// records have returned; for the callbacks it waits no longer than ctx allows.
func (s *Sender) EndTransaction(ctx context.Context, commit bool) error {
	call := &txnCall{name: txn.CallAbort, start: func(t *transactor, call *txnCall) { t.Abort(&call.Op) }}
	if commit {
		call.name, call.start = txn.CallCommit, func(t *transactor, call *txnCall) { t.Commit(&call.Op) }
	}
	err := s.transact(ctx, call)
	if call.callbacks != nil {
		_ = s.await(ctx, call.callbacks.Done()) // the outcome is known, and callbacks that are late change nothing of it
	}
	return err
}
