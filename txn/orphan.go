package txn

import (
	"fmt"

	"github.com/epistle-kafka/epistle/protocol"
)

// An orphan is a transaction whose producer is Dead, and which EndTxn can still abort: a setting or a permission was wrong.
// Whoever asks for the abort is told how it ends. After a refusal that can be put right it is an orphan again.

// endOrphan ends an attempt to abort an orphan: with err, or nil if it is aborted.
func (t *Txn) endOrphan(next Next, err error) {
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

// endOrphanBy is endOrphan for the final code with which s was answered. s is an EndTxn, or an InitProducerId in its place.
func (t *Txn) endOrphanBy(s *Step, code protocol.ErrorCode) {
	if code == protocol.NoError {
		t.endOrphan(NewProducer, nil)
		return
	}
	next, err := nextAfter(code), fmt.Errorf("the transaction could not be aborted: %w", t.Overdue(s.answered(code)))
	switch {
	case fenced(code): // from here on every call says so, as of any producer that is fenced (pitfall 18)
		err = t.fencing(code)
		t.fatal = t.failure(CallAbort, t.fatal.Outcome, next, err)
	case next == FixConfiguration:
		err = t.lasting(err)
	}
	t.endOrphan(next, err)
}

// LeaveOpen gives up an orphan whose abort was refused with err, an Error. It returns that as the error of the call of that
// name.
func (t *Txn) LeaveOpen(call string, err error) error {
	t.move(die)
	refused := *err.(*Error)
	refused.Call = call
	return &refused
}

// forOrphan reports whether the answer to s counts for a producer that is Dead.
func (t *Txn) forOrphan(s *Step) bool {
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
