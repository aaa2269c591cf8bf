package txn

import (
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/protocol"
)

// Outcome says what has become of a transaction.
type Outcome uint8

// The outcomes of a transaction.
const (
	// Open: it has not ended. Nothing of it is visible, and nothing will be unless it is committed.
	Open Outcome = iota
	// Committed: all of it is, or is about to be, visible to read_committed consumers.
	Committed
	// Aborted: nothing of it is or ever will be visible to read_committed consumers.
	Aborted
	// Unknown: a commit was asked for, and no answer has told whether it was done. It is one or the other as a whole.
	Unknown
)

func (o Outcome) String() string {
	names := [...]string{"open", "committed", "aborted", "unknown"}
	if int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// Next is what the caller of a transactional method may do after its error. Anything else is refused, or would be wrong.
type Next uint8

// What to do next.
const (
	// RetryCall: call the same method again. What it began goes on meanwhile.
	RetryCall Next = iota
	// Abort: call AbortTransaction unless the outcome is Aborted already, and begin another transaction.
	Abort
	// NewProducer: close this producer. Another one with the same transactional id can go on, unless it is the one that has
	// fenced this one.
	NewProducer
	// FixConfiguration: a setting or a permission has to be put right first. If InitTransactions or BeginTransaction says so,
	// it may then be called again. If another call does, a new producer is needed, and Begin says that. Abort ends what is
	// open, and can be called again if that is refused.
	FixConfiguration
)

func (n Next) String() string {
	names := [...]string{"call it again", "abort the transaction", "make a new producer", "put the configuration right"}
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("Next(%d)", uint8(n))
}

// ErrFenced says that another producer with the same transactional id has taken over. In the old protocol it may also mean that
// the transaction has timed out: the coordinator's answer is the same. It is final.
var ErrFenced = errors.New("the producer is fenced")

// An uncommittable error is the error of records whose transaction can no longer be committed, and may not have been aborted
// yet. It is an ErrAborted.
type uncommittable struct{ err error }

func (d *uncommittable) Error() string {
	return "its transaction cannot be committed: " + d.err.Error()
}
func (d *uncommittable) Unwrap() []error { return []error{ErrAborted, d.err} }

// Error is what a transactional call fails with.
type Error struct {
	Call            string // the method, as "CommitTransaction"
	TransactionalID string
	Outcome         Outcome // of the transaction that the call was about
	Next            Next
	Err             error // the cause; errors.Is and As reach a broker's code through it
}

func (e *Error) Error() string {
	fate := e.fate()
	if fate != "" {
		fate += "; "
	}
	next := e.Next.String()
	switch {
	case e.Outcome == Aborted && e.Next == Abort:
		next = "begin another transaction"
	case e.Next == NewProducer && errors.Is(e.Err, ErrFenced):
		next = "close this producer, and make a new producer unless another has taken its place"
	}
	return fmt.Sprintf("%s (%sto do: %s)", e.failure(), fate, next)
}

// WithoutNext is the text of the error without what to do next, for where another error says that.
func (e *Error) WithoutNext() string {
	if fate := e.fate(); fate != "" {
		return fmt.Sprintf("%s (%s)", e.failure(), fate)
	}
	return e.failure()
}

func (e *Error) failure() string {
	return fmt.Sprintf("%s of %s: %v", e.Call, protocol.Quoted(e.TransactionalID), e.Err)
}

// fate says what has become of the transaction, "" if it has not ended.
func (e *Error) fate() string {
	switch e.Outcome {
	case Committed:
		return "the transaction is committed"
	case Aborted:
		return "nothing of the transaction will be visible"
	case Unknown:
		return "it is not known whether the transaction was committed"
	}
	return ""
}

func (e *Error) Unwrap() error { return e.Err }

// StateError says that a transactional method was called in a state in which it cannot be. The call has changed nothing.
type StateError struct {
	Call string // the method
	Rule string // what is wrong, and what to do instead
}

func (e *StateError) Error() string { return e.Call + ": " + e.Rule }
