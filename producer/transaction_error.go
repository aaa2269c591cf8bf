package producer

import "github.com/epistle-kafka/epistle/txn"

var (
	// ErrFenced: another producer with the same transactional id has taken over. On brokers before transaction.version 2 it may
	// also mean that the transaction took longer than TransactionTimeout. It is final: all later calls fail with it.
	ErrFenced = txn.ErrFenced
	// ErrTransactionAborted: the record's transaction was aborted, or can only be aborted, before the record was acknowledged.
	ErrTransactionAborted = txn.ErrAborted
)

// A TransactionError is what a transaction method fails with. It tells what has become of the transaction, and what to do next.
type TransactionError struct {
	Call            string // the method, such as "CommitTransaction"
	TransactionalID string
	Outcome         TransactionOutcome // what has become of the transaction that the call was about
	Next            NextStep           // what to do; anything else is refused, or would be wrong
	Err             error              // the cause; errors.Is finds a broker's protocol.ErrorCode in it, among others
}

func (e *TransactionError) Error() string { return e.inner().Error() }

func (e *TransactionError) inner() *txn.Error {
	return &txn.Error{
		Call: e.Call, TransactionalID: e.TransactionalID, Outcome: txn.Outcome(e.Outcome), Next: txn.Next(e.Next), Err: e.Err,
	}
}

// Unwrap returns the cause.
func (e *TransactionError) Unwrap() error { return e.Err }

// A TransactionStateError says that a transaction method, or Send, was called when it cannot be. The call has changed nothing.
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
	// OutcomeOpen: the transaction has not ended, or there is none. Nothing of it is visible to read_committed consumers.
	OutcomeOpen TransactionOutcome = iota
	// OutcomeCommitted: all of it is, or is about to be, visible to read_committed consumers.
	OutcomeCommitted
	// OutcomeAborted: nothing of it is or ever will be visible to read_committed consumers.
	OutcomeAborted
	// OutcomeUnknown: a commit was asked for, and no answer has told whether it was done. The transaction is committed or
	// aborted, as a whole.
	OutcomeUnknown
)

// String returns the outcome as error texts and logs name it: open, committed, aborted or unknown.
func (o TransactionOutcome) String() string { return txn.Outcome(o).String() }

// NextStep is what the caller may do after a TransactionError.
type NextStep uint8

// The next steps.
const (
	// NextRetryCall: call the same method again, after Transact the one that Call names. What it began goes on meanwhile.
	NextRetryCall NextStep = iota
	// NextAbort: call AbortTransaction, then begin another transaction. If Outcome is OutcomeAborted, Transact has aborted it
	// already.
	NextAbort
	// NextNewProducer: close this producer, and make another. If ErrFenced is the reason, another instance may have the id, and
	// a new producer would shut that out in turn.
	NextNewProducer
	// NextFixConfiguration: put a setting or a permission right that the error names. If InitTransactions or BeginTransaction
	// says so, it can then be called again. If any other call does, make a new producer: BeginTransaction says that, too. Abort
	// or close the old one before, so that consumers need not wait until its transaction has timed out. If the abort is
	// refused, it can be called again. Transact has aborted once itself, and its error says if that was refused.
	NextFixConfiguration
)

// String returns the step in words, such as "abort the transaction".
func (n NextStep) String() string { return txn.Next(n).String() }
