package txn

import (
	"fmt"

	"github.com/epistle-kafka/epistle/protocol"
)

// An orphan is a transaction whose producer is Dead, and that EndTxn can still abort: a setting or a permission was wrong.
// Whoever asks for that is told what comes of it. A refusal that can be put right leaves it an orphan.

// bury ends an attempt to abort an orphan: with err, or nil if it is aborted.
func (t *Txn) bury(next Next, err error) {
	if err == nil {
		t.ended()
		return
	}
	m := die
	if next == FixConfiguration {
		m = refuse
	}
	t.move(m)
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
	t.move(die)
	refused := *err.(*Error)
	refused.Call = call
	return &refused
}

// burials reports whether the answer to s counts for a producer that is Dead.
func (t *Txn) burials(s *Step) bool {
	if t.state != AbortingOrphan {
		return false
	}
	switch s.kind {
	case end, initID:
		return true
	case find:
		return s.key.kind == protocol.CoordinatorKeyTransaction
	}
	return false
}
