package producertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/producer"
)

// A transaction is what a Tx of a double has behind it.
type transaction struct {
	p      *Producer
	number int64
}

func (t transaction) Send(ctx context.Context, rec producer.Record) producer.Future {
	return t.p.send(ctx, &entry{rec: rec, txn: t.number, call: "Send"})
}

func (t transaction) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	t.p.sendFunc(ctx, &entry{rec: rec, txn: t.number, call: "SendFunc", done: done})
}

func (t transaction) SendSync(ctx context.Context, rec producer.Record) (producer.RecordMetadata, error) {
	return t.p.sendSync(ctx, &entry{rec: rec, txn: t.number, call: "SendSync"})
}

func (t transaction) TrySend(rec producer.Record, done producer.Callback) error {
	return t.p.trySend(&entry{rec: rec, txn: t.number, call: "TrySend", done: done})
}

func (t transaction) SendOffsets(ctx context.Context, offsets map[producer.TopicPartition]producer.OffsetAndMetadata, group producer.ConsumerGroupMetadata) error {
	return t.p.sendOffsets(ctx, offsets, group, t.number)
}

// Transact is that of producer.Producer.
func (p *Producer) Transact(ctx context.Context, f func(tx *producer.Tx) error, options ...producer.TransactOption) error {
	retries := double.Retries(options)
	if !p.transacting.CompareAndSwap(false, true) {
		return double.ErrOverlap
	}
	defer p.transacting.Store(false)
	if !p.initialised.Load() {
		if err := p.InitTransactions(ctx); err != nil {
			return double.InTransact(err)
		}
		p.initialised.Store(true)
	}
	for {
		lost, err := p.transactOnce(ctx, f)
		if !lost || retries <= 0 || ctx.Err() != nil {
			return err
		}
		retries--
	}
}

// transactOnce runs f in one transaction. lost says that the cluster has lost it, and that it is aborted.
func (p *Producer) transactOnce(ctx context.Context, f func(tx *producer.Tx) error) (lost bool, err error) {
	number, err := p.begin(ctx)
	if err != nil {
		return false, double.InTransact(err)
	}
	returned := false
	defer func() {
		if !returned { // a panic, or runtime.Goexit
			_ = p.abortAnyway(ctx)
		}
	}()
	err = f(producer.NewTx(transaction{p, number}))
	returned = true
	if err == nil {
		err = p.tooLate(ctx)
	}
	if err == nil {
		if err = p.CommitTransaction(ctx); err == nil {
			return false, nil
		}
		err = double.InTransact(err)
		var failure *producer.TransactionError
		if !errors.As(err, &failure) {
			return false, err
		}
		switch failure.Next {
		case producer.NextAbort:
		case producer.NextFixConfiguration: // nothing can be done but to abort
			if aborted := p.abortAnyway(ctx); aborted != nil && failure.Outcome == producer.OutcomeAborted && !sameCause(aborted, failure) {
				err = double.AbortFailed(err, aborted, false)
			}
			return false, err
		default:
			return false, err
		}
	}
	lost = p.mustAbort(err)
	if aborted := p.abortAnyway(ctx); aborted != nil {
		return false, double.AbortFailed(err, aborted, true)
	}
	if failure, ok := err.(*producer.TransactionError); ok && failure.Outcome == producer.OutcomeOpen {
		settled := *failure
		settled.Outcome, settled.Next = producer.OutcomeAborted, producer.NextAbort
		err = &settled
	}
	return lost, err
}

// tooLate is why a transaction is aborted whose function has come to its end after that of ctx.
func (p *Producer) tooLate(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return &producer.TransactionError{
		Call: "Transact", TransactionalID: p.cfg.TransactionalID, Outcome: producer.OutcomeOpen, Next: producer.NextAbort,
		Err: fmt.Errorf("ctx ended before the commit was asked for: %w", cause.Of(ctx)),
	}
}

// says reports whether err is the refusal of a producer that has failed with that.
func sameCause(err error, failed *producer.TransactionError) bool {
	var again *producer.TransactionError
	return errors.As(err, &again) && again.Err == failed.Err
}

// mustAbort reports whether err is told of an open transaction that can only be aborted, for a reason that another one need not
// meet.
func (p *Producer) mustAbort(err error) bool {
	p.mu.Lock()
	refusal := p.tx.Refusal("Transact")
	p.mu.Unlock()
	var failure *producer.TransactionError
	if !errors.As(double.Outward(refusal), &failure) || failure.Next != producer.NextAbort || !errors.Is(err, failure.Err) {
		return false
	}
	return double.Passes(failure.Err)
}

// abortAnyway aborts the transaction, even if ctx has ended.
func (p *Producer) abortAnyway(ctx context.Context) error {
	if err := p.AbortTransaction(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("the abort failed: %w", err)
	}
	return nil
}
