package producer

import (
	"context"
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// Tx is an open transaction, as Transact hands it to its function. Its methods are those of Producer, and safe for concurrent
// use. Its records belong to this transaction alone, and are refused once it has ended.
type Tx struct {
	p      *Producer // nil: the transaction is that of over
	over   TransactionSender
	number int64
}

// Send is Producer.Send. The future need not be waited for: if the record fails, or is not taken, the commit fails.
func (tx *Tx) Send(ctx context.Context, rec Record) Future {
	if tx.p == nil {
		return tx.over.Send(ctx, rec)
	}
	return tx.p.send(ctx, &rec, tx.number, "Send")
}

// SendFunc is Producer.SendFunc.
func (tx *Tx) SendFunc(ctx context.Context, rec Record, done Callback) {
	if tx.p == nil {
		tx.over.SendFunc(ctx, rec, done)
		return
	}
	tx.p.sendFunc(ctx, &rec, done, tx.number)
}

// SendSync is Producer.SendSync.
func (tx *Tx) SendSync(ctx context.Context, rec Record) (RecordMetadata, error) {
	if tx.p == nil {
		return tx.over.SendSync(ctx, rec)
	}
	return tx.p.send(ctx, &rec, tx.number, "SendSync").Wait(ctx)
}

// TrySend is Producer.TrySend.
func (tx *Tx) TrySend(rec Record, done Callback) error {
	if tx.p == nil {
		return tx.over.TrySend(rec, done)
	}
	return tx.p.trySend(&rec, done, tx.number)
}

// Topic is Producer.Topic for records of this transaction alone. They are refused once it has ended.
func (tx *Tx) Topic(name string) *Topic {
	if tx.p == nil {
		return NewTopic(tx.over, name)
	}
	return &Topic{p: tx.p, name: name, txn: tx.number}
}

// SendOffsets is Producer.SendOffsetsToTransaction.
func (tx *Tx) SendOffsets(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) error {
	if tx.p == nil {
		return tx.over.SendOffsets(ctx, offsets, group)
	}
	return tx.p.sendOffsets(ctx, offsets, group, tx.number)
}

// TransactOption changes what one call of Transact does.
type TransactOption func(*transactOptions)

type transactOptions struct{ retries int }

func chosen(options []TransactOption) (o transactOptions) {
	for _, option := range options {
		option(&o)
	}
	return o
}

// TransactRetries lets Transact run its function again, up to n times more, if the cluster has lost the transaction and it was
// aborted. Reasons are a record that could not be delivered, or a transaction that took longer than TransactionTimeout. Without
// it the function runs once. An error that the function makes itself is no such reason, nor is an error that a new transaction
// would meet again.
func TransactRetries(n int) TransactOption { return func(o *transactOptions) { o.retries = n } }

// Transact runs f in a transaction. It commits when f returns nil, and aborts when f returns an error or panics, or when ctx
// ends before the commit. The first call also does what InitTransactions does. f may send from any number of goroutines.
// Transact must not be called inside f, nor by two goroutines at a time; nor may another transaction method.
//
// Transact returns nil if the transaction is committed. Otherwise it returns one of these:
//
//   - An error of f, as it is. The transaction is aborted. If the abort failed as well, that error is joined to it. errors.As
//     then finds the *TransactionError of the abort first, since that says what to do next.
//   - A *TransactionError, whose Outcome and Next say what has become of the transaction, and what to do. That goes for the end
//     of ctx, too. NextAbort with OutcomeAborted means that the abort is done: call Transact again if you like.
//   - A *TransactionError with OutcomeUnknown and NextRetryCall: ctx or max.block ended while the commit was not answered. Call
//     CommitTransaction, not Transact, until it tells the outcome.
//   - A *TransactionStateError, if calls overlap or the producer has no transactional id; ErrClosed after Close.
//
// A panic of f is passed on after the abort. max.block bounds the abort. ctx does not, since it may be what has ended.
//
// f runs once, unless TransactRetries allows more.
func (p *Producer) Transact(ctx context.Context, f func(tx *Tx) error, options ...TransactOption) error {
	o := chosen(options)
	if !p.transacting.CompareAndSwap(false, true) {
		return errOverlap
	}
	defer p.transacting.Store(false)
	if err := p.initOnce(ctx); err != nil {
		return inTransact(err)
	}
	for {
		lost, err := p.transactOnce(ctx, f)
		if !lost || o.retries <= 0 || ctx.Err() != nil {
			return err
		}
		o.retries--
	}
}

var errOverlap = &TransactionStateError{Call: callTransact, Rule: "another Transact of this producer has not returned, and a producer has one " +
	"transaction at a time: calls overlap, or this one was made inside of the other's function. Give each goroutine a producer " +
	"with a transactional.id of its own, or call one after the other"}

// callTransact is Transact's name in errors.
const callTransact = "Transact"

// inTransact names Transact in the error of a method that Transact has called, unless the caller has to call that method again.
func inTransact(err error) error {
	failed, ok := err.(*TransactionError)
	switch {
	case ok && failed.Next == NextRetryCall && failed.Call == txn.CallCommit:
		return fmt.Errorf("%s: %w", callTransact, err)
	case !ok && errors.Is(err, ErrClosed):
		return fmt.Errorf("%s: %w", callTransact, ErrClosed)
	}
	return calledBy(callTransact, err)
}

// tooLate returns why a transaction is aborted, if ctx has ended before its function returned.
func (p *Producer) tooLate(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return &TransactionError{
		Call: callTransact, TransactionalID: p.cfg.TransactionalID, Outcome: OutcomeOpen, Next: NextAbort,
		Err: fmt.Errorf("ctx ended before the commit was asked for: %w", nested(p.sender.Explain(cause.Of(ctx)))),
	}
}

// initOnce is InitTransactions, unless that has succeeded before.
func (p *Producer) initOnce(ctx context.Context) error {
	if p.initialised.Load() {
		return nil
	}
	if err := p.InitTransactions(ctx); err != nil {
		return err
	}
	p.initialised.Store(true)
	return nil
}

// transactOnce runs f in one transaction. lost says that the cluster has lost it, and that it is aborted.
func (p *Producer) transactOnce(ctx context.Context, f func(tx *Tx) error) (lost bool, err error) {
	number, err := p.begin(ctx)
	if err != nil {
		return false, inTransact(err)
	}
	tx := &Tx{p: p, number: number}
	returned := false
	defer func() {
		if !returned { // a panic, or runtime.Goexit
			_ = p.abortAnyway(ctx)
		}
	}()
	err = f(tx)
	returned = true
	if err == nil {
		err = p.tooLate(ctx)
	}
	if err == nil {
		if err = p.CommitTransaction(ctx); err == nil {
			return false, nil
		}
		err = inTransact(err)
		var failure *TransactionError
		if !errors.As(err, &failure) {
			return false, err
		}
		switch failure.Next {
		case NextAbort:
		case NextFixConfiguration: // only an abort can be done
			if aborted := p.abortAnyway(ctx); aborted != nil && failure.Outcome == OutcomeAborted && !sameCause(aborted, failure) {
				err = abortFailed(err, aborted, false)
			}
			return false, err
		default:
			return false, err
		}
	}
	lost = p.mustAbort(err)
	if aborted := p.abortAnyway(ctx); aborted != nil {
		return false, abortFailed(err, aborted, true)
	}
	if failure, ok := err.(*TransactionError); ok && failure.Outcome == OutcomeOpen {
		settled := *failure
		settled.Outcome, settled.Next = OutcomeAborted, NextAbort // the abort is done: another transaction can begin
		err = &settled
	}
	return lost, err
}

// sameCause reports whether err and failed are refusals for the same cause.
func sameCause(err error, failed *TransactionError) bool {
	var again *TransactionError
	return errors.As(err, &again) && again.Err == failed.Err
}

// mustAbort reports whether err says that the open transaction can only be aborted, for a reason that another transaction need
// not meet.
func (p *Producer) mustAbort(err error) bool {
	var failure *TransactionError
	if !errors.As(outward(p.sender.SettledTransaction().Refusal), &failure) || failure.Next != NextAbort || !errors.Is(err, failure.Err) {
		return false
	}
	return passes(failure.Err)
}

// passes reports whether the reason for which a transaction has failed may be gone when the next one comes to it.
func passes(err error) bool {
	if _, refused := errors.AsType[*AdmissionError](err); refused {
		var noTopic *UnknownTopicError
		var noPartition *NoSuchPartitionError
		missing := errors.As(err, &noTopic) || errors.As(err, &noPartition) // though it was waited for
		return !missing && (errors.Is(err, ErrMaxBlock) || errors.Is(err, ErrBufferFull))
	}
	if errors.Is(err, ErrDeliveryTimeout) || errors.Is(err, ErrTopicRecreated) {
		return true
	}
	var code protocol.ErrorCode
	if !errors.As(err, &code) {
		return false
	}
	switch code.Class() {
	case protocol.ClassAbortable, protocol.ClassSequence, protocol.ClassRetriable, protocol.ClassRefreshRetriable:
		return true
	}
	return code == protocol.InvalidProducerEpoch || code == protocol.InvalidTxnState
}

// abortAnyway aborts the transaction, even if ctx has ended.
func (p *Producer) abortAnyway(ctx context.Context) error {
	if err := p.AbortTransaction(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("the abort failed: %w", err)
	}
	return nil
}
