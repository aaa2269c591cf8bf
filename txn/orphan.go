package txn

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// An orphan is a transaction whose producer is Fatal, and that EndTxn can still abort: a setting or a permission was wrong.
// Whoever asks for that is told what comes of it. A refusal that can be put right leaves it an orphan.

// abortOrphan is Abort when the producer is Fatal.
func (t *Txn) abortOrphan(op *Op) {
	switch {
	case t.orphaned:
		if !t.burying { // what has gone wrong before is not about this attempt
			t.burying, t.failures, t.notBefore, t.trouble = true, 0, time.Time{}, nil
		}
		t.endings = append(t.endings, op)
	case t.unclaimed:
		t.unclaimed = false
		op.Done(nil)
	default:
		op.Done(t.dead(CallAbort))
	}
}

// bury ends an attempt to abort an orphan: with err, or nil if it is aborted.
func (t *Txn) bury(next Next, err error) {
	t.burying = false
	if err == nil {
		t.orphaned, t.unclaimed = false, len(t.endings) == 0
		t.finishEndings(nil)
		return
	}
	t.orphaned = next == FixConfiguration
	t.finishEndings(t.failure(CallAbort, t.fatal.Outcome, next, err))
}

// buryAs is bury for the code that s, an EndTxn or an InitProducerId in its place, was answered with for good.
func (t *Txn) buryAs(s *Step, code protocol.ErrorCode) {
	if code == protocol.NoError {
		t.bury(NewProducer, nil)
		return
	}
	next, err := nextAfter(code), fmt.Errorf("the transaction could not be aborted: %w", t.Overdue(s.answered(code)))
	switch {
	case fenced(code):
		err = t.fencing(code)
	case next == FixConfiguration:
		err = t.lasting(err)
	}
	t.bury(next, err)
}

// LeaveOpen gives an orphan up, whose abort was refused with err, an Error, and returns that as the error of the call of that name.
func (t *Txn) LeaveOpen(call string, err error) error {
	t.orphaned, t.burying = false, false
	refused := *err.(*Error)
	refused.Call = call
	return &refused
}

// burials reports whether the answer to s counts for a producer that is Fatal.
func (t *Txn) burials(s *Step) bool {
	switch s.kind {
	case end, initID:
		return t.burying
	case find:
		return t.burying && s.key.kind == protocol.CoordinatorKeyTransaction
	}
	return false
}
