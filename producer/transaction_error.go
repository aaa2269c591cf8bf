package producer

import "github.com/epistle-kafka/epistle/txn"

var (
	// ErrFenced: another producer with the same transactional id has taken over, or on brokers before transaction.version 2
	// the transaction has outlived TransactionTimeout. It is final, and all calls fail with it.
	ErrFenced = txn.ErrFenced
	// ErrTransactionAborted: the record's transaction was aborted, or can only be, before the record was acknowledged.
	ErrTransactionAborted = txn.ErrAborted
)

// A TransactionError is what a transactional method fails with. It tells what has become of the transaction, and what the
// caller may do next.
type TransactionError struct {
	Call            string // the method, such as "CommitTransaction"
	TransactionalID string
	Outcome         TransactionOutcome // of the transaction that the call was about
	Next            NextStep           // anything else is refused, or would be wrong
	Err             error              // the cause; errors.Is finds a broker's protocol.ErrorCode in it, among others
}

func (e *TransactionError) Error() string {
	return (&txn.Error{
		Call: e.Call, TransactionalID: e.TransactionalID, Outcome: txn.Outcome(e.Outcome), Next: txn.Next(e.Next), Err: e.Err,
	}).Error()
}

// Unwrap returns the cause.
func (e *TransactionError) Unwrap() error { return e.Err }

// A TransactionStateError says that a transactional method was called when it cannot be. Nothing has changed by the call.
type TransactionStateError struct {
	Call string // the method
	Rule string // what is wrong, and what to do instead
}

func (e *TransactionStateError) Error() string {
	return (&txn.StateError{Call: e.Call, Rule: e.Rule}).Error()
}

// TransactionOutcome says what has become of a transaction.
type TransactionOutcome uint8

// The outcomes of a transaction.
const (
	// OutcomeOpen: it has not ended, or there is none. Nothing of it is visible unless it is committed.
	OutcomeOpen TransactionOutcome = iota
	// OutcomeCommitted: all of it is, or is about to be, visible to read_committed consumers.
	OutcomeCommitted
	// OutcomeAborted: nothing of it is or ever will be visible to read_committed consumers.
	OutcomeAborted
	// OutcomeUnknown: a commit was asked for, and no answer has told whether it was done. It is one or the other as a whole.
	OutcomeUnknown
)

// String returns the outcome as error texts and logs name it: open, committed, aborted or unknown.
func (o TransactionOutcome) String() string { return txn.Outcome(o).String() }

// NextStep is what the caller may do after a TransactionError.
type NextStep uint8

// The next steps.
const (
	// NextRetryCall: call the same method again. What it began goes on meanwhile.
	NextRetryCall NextStep = iota
	// NextAbort: call AbortTransaction, and begin another transaction. Transact has called it when the outcome is
	// OutcomeAborted.
	NextAbort
	// NextNewProducer: close this producer. Another one with the same transactional id can go on, unless it is what has
	// fenced this one.
	NextNewProducer
	// NextFixConfiguration: a setting or a permission has to be put right first. If InitTransactions or BeginTransaction says
	// so, it may then be called again. If another call does, a new producer is needed, and BeginTransaction says that; before,
	// AbortTransaction or Close aborts what is open, so that consumers need not wait until it has timed out. If that is
	// refused, too, AbortTransaction can be called again. Transact has called it once, and says if it was refused.
	NextFixConfiguration
)

// String returns the step in words, such as "abort the transaction".
func (n NextStep) String() string { return txn.Next(n).String() }
