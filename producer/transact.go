package producer

import (
	"context"
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/protocol"
)

// Tx is an open transaction, as Transact hands it to its function. Its methods are those of Producer, for records of this
// transaction alone: they are refused once it has ended. They are safe for concurrent use.
type Tx struct {
	p      *Producer
	number int64
}

// Send is Producer.Send. There is no need to wait for the future: the commit fails if the record does, also one that was
// not taken.
func (tx *Tx) Send(ctx context.Context, rec Record) Future { return tx.p.send(ctx, &rec, tx.number) }

// SendFunc is Producer.SendFunc.
func (tx *Tx) SendFunc(ctx context.Context, rec Record, done Callback) {
	tx.p.sendFunc(ctx, &rec, done, tx.number)
}

// SendSync is Producer.SendSync.
func (tx *Tx) SendSync(ctx context.Context, rec Record) (RecordMetadata, error) {
	return tx.Send(ctx, rec).Wait(ctx)
}

// TrySend is Producer.TrySend.
func (tx *Tx) TrySend(rec Record, done Callback) error { return tx.p.trySend(&rec, done, tx.number) }

// SendOffsets is Producer.SendOffsetsToTransaction.
func (tx *Tx) SendOffsets(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) error {
	if _, err := tx.p.admitTo(tx.number); err != nil {
		return err
	}
	return tx.p.SendOffsetsToTransaction(ctx, offsets, group)
}

// TransactOption is a choice made for one Transact.
type TransactOption func(*transactOptions)

type transactOptions struct{ retries int }

// Retries has Transact run its function again, up to n times more, when the transaction was aborted because the cluster
// lost it: a record that could not be delivered, a transaction that took longer than TransactionTimeout. An error that is
// the function's own is not such a reason, nor is anything that a new transaction would meet again.
func Retries(n int) TransactOption { return func(o *transactOptions) { o.retries = n } }

// Transact runs f in a transaction: it commits when f returns nil, and aborts when f returns an error or panics, or when
// ctx ends. The first call also does what InitTransactions does. One transaction at a time: Transact, and all that belongs
// to transactions, must not be called from several goroutines at once, nor inside f; f may send from as many as it likes.
//
// An error of f is returned as it is, joined with that of the abort if that failed as well; errors.As finds the latter
// first, since what it says is what to do next. A panic of f is passed on after the abort. The abort is bounded by
// max.block alone, and not by ctx, which may be what has ended. A commit whose answer has not come when ctx or max.block
// ends is an error that says Unknown: CommitTransaction takes it up again.
//
// f may run more than once only with Retries.
func (p *Producer) Transact(ctx context.Context, f func(tx *Tx) error, options ...TransactOption) error {
	var o transactOptions
	for _, option := range options {
		option(&o)
	}
	if !p.transacting.CompareAndSwap(false, true) {
		return errOverlap
	}
	defer p.transacting.Store(false)
	if err := p.initOnce(ctx); err != nil {
		return err
	}
	for {
		lost, err := p.transactOnce(ctx, f)
		if !lost || o.retries <= 0 || ctx.Err() != nil {
			return err
		}
		o.retries--
	}
}

var errOverlap = &TransactionStateError{Call: "Transact", Rule: "another Transact of this producer has not returned, and a producer has one " +
	"transaction at a time: calls overlap, or this one was made inside of the other's function. Give each goroutine a producer " +
	"with a transactional.id of its own, or call one after the other"}

// tooLate is why a transaction is aborted whose function has come to its end after that of ctx.
func (p *Producer) tooLate(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("Transact of %s: ctx ended before the commit was asked for: %w", protocol.Quoted(p.cfg.TransactionalID), p.sender.Explain(cause.Of(ctx)))
}

// initOnce is InitTransactions unless that has been done.
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
		return false, err
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
		var failure *TransactionError
		if !errors.As(err, &failure) {
			return false, err
		}
		switch failure.Next {
		case AbortIt:
		case FixConfiguration: // nothing can be done but to abort, and where not even that can, err says why
			_ = p.abortAnyway(ctx)
			return false, err
		default:
			return false, err
		}
	}
	lost = p.lostIt(err)
	if aborted := p.abortAnyway(ctx); aborted != nil {
		// What to do next the abort says: errors.As finds it before err, which comes first in the text.
		return false, fmt.Errorf("%[2]w; %[1]w", aborted, err)
	}
	if failure, ok := err.(*TransactionError); ok && failure.Outcome == Open {
		settled := *failure
		settled.Outcome, settled.Next = Aborted, AbortIt // which has been done: another can be begun
		err = &settled
	}
	return lost, err
}

// lostIt reports whether err is told of an open transaction that can only be aborted, for a reason that another one need not
// meet.
func (p *Producer) lostIt(err error) bool {
	var failure *TransactionError
	if !errors.As(p.sender.SettledTransaction().Refusal, &failure) || failure.Next != AbortIt || !errors.Is(err, failure.Err) {
		return false
	}
	return passes(failure.Err)
}

// passes reports whether what has failed a transaction may be over when the next one comes to it.
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
