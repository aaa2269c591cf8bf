package producertest

import (
	"context"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/txn"
)

// InitTransactions is that of producer.Producer.
func (p *Producer) InitTransactions(ctx context.Context) error {
	return p.transactional(ctx, CallInitTransactions, func(op *txn.Op) { p.tx.Init(op) })
}

// BeginTransaction is that of producer.Producer.
func (p *Producer) BeginTransaction(ctx context.Context) error {
	_, err := p.begin(ctx)
	return err
}

func (p *Producer) begin(ctx context.Context) (number int64, err error) {
	err = p.transactional(ctx, CallBeginTransaction, func(op *txn.Op) {
		if p.faults.has(CallBeginTransaction) && p.tx.CanBegin() {
			p.tx.Renew() // else nobody is asked
		}
		done := op.Done
		op.Done = func(err error) { number = p.tx.Last(); done(err) }
		p.tx.Begin(op)
	})
	return number, err
}

// SendOffsetsToTransaction is that of producer.Producer.
func (p *Producer) SendOffsetsToTransaction(ctx context.Context, offsets map[producer.TopicPartition]producer.OffsetAndMetadata, group producer.ConsumerGroupMetadata) error {
	return p.sendOffsets(ctx, offsets, group, 0)
}

// sendOffsets is SendOffsetsToTransaction for the transaction with that number; 0 for whichever is open.
func (p *Producer) sendOffsets(ctx context.Context, offsets Offsets, group producer.ConsumerGroupMetadata, number int64) error {
	if err := p.takesOffsets(number); err != nil {
		return err
	}
	g, topics, err := double.Offsets(offsets, group)
	if err != nil {
		return fmt.Errorf("%s: %w", CallSendOffsets, err)
	}
	if p.tx != nil && len(topics) == 0 {
		return nil
	}
	return p.transactional(ctx, CallSendOffsets, func(op *txn.Op) {
		op.Group, op.Offsets = g, topics
		p.tx.SendOffsets(time.Now(), op)
	})
}

// takesOffsets returns why the transaction with that number takes none, before they are looked at.
func (p *Producer) takesOffsets(number int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return fmt.Errorf("%s: %w", CallSendOffsets, producer.ErrClosed)
	}
	if number == 0 {
		return nil
	}
	if err := p.admitTo(&entry{txn: number}); err != nil {
		return double.CalledBy(string(CallSendOffsets), err)
	}
	return nil
}

// CommitTransaction is that of producer.Producer. It waits for records that wait for their completion.
func (p *Producer) CommitTransaction(ctx context.Context) error {
	return p.endTransaction(ctx, CallCommitTransaction, true)
}

// AbortTransaction is that of producer.Producer. Records that wait for their completion fail with
// producer.ErrTransactionAborted.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	return p.endTransaction(ctx, CallAbortTransaction, false)
}

func (p *Producer) endTransaction(ctx context.Context, call Call, commit bool) error {
	var told []*entry
	err := p.transactional(ctx, call, func(op *txn.Op) {
		if p.faults.has(call) && p.tx.CanAbort() {
			p.tx.Joined() // else nobody is asked to end a transaction that has nothing
		}
		done := op.Done
		op.Done = func(err error) {
			if err == nil {
				p.settle(commit) // if it had nothing, nobody was asked
			}
			told = p.untold()
			done(err)
		}
		if commit {
			p.tx.Commit(op)
		} else {
			p.tx.Abort(op)
		}
	})
	_ = p.awaitAll(ctx, told) // the outcome is known, and callbacks that are late change nothing of it
	return err
}

// transactional makes a call of package txn, and waits for its end within ctx and max.block.
func (p *Producer) transactional(ctx context.Context, call Call, start func(*txn.Op)) error {
	if p.tx == nil {
		return double.NotTransactional(string(call))
	}
	c := &waitingCall{p: p, call: call, told: make(chan struct{})}
	c.op.Done = func(err error) { c.err = err; close(c.told) }
	left, err := c.begin(ctx, start)
	p.run()
	if left {
		return err
	}
	ctx, cancel := cause.Within(ctx, p.cfg.MaxBlock, p.tooLong())
	defer cancel()
	select {
	case <-c.told:
	default:
		select {
		case <-c.told:
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if left, err := c.leave(func() error { return fmt.Errorf("%w%s", cause.Of(ctx), p.waiting(p.pending)) }); left {
		return err
	}
	return double.Outward(c.err)
}

// A waitingCall is a caller of a transactional method.
type waitingCall struct {
	p    *Producer
	call Call
	op   txn.Op
	told chan struct{} // closed when err is set, under Producer.mu
	err  error
}

// begin starts the call. It reports whether its caller has left already, and with what error.
func (c *waitingCall) begin(ctx context.Context, start func(*txn.Op)) (left bool, err error) {
	p := c.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return true, fmt.Errorf("%s: %w", c.call, producer.ErrClosed)
	}
	p.unhold(c.call)
	p.tx.Pass(time.Now())
	start(&c.op)
	if ended := cause.Of(ctx); ended != nil {
		left, err = c.leave(func() error { return ended })
	}
	p.moved()
	if !left && p.held != nil {
		left, err = c.leave(func() error {
			return fmt.Errorf("%w; the answer to %s was lost", p.tooLong(), p.held.Request.API().Name)
		})
	}
	return left, err
}

// leave ends the waiting of a call that has not been told, and returns with what error. What it began goes on.
func (c *waitingCall) leave(why func() error) (left bool, err error) {
	select {
	case <-c.told:
		return false, nil
	default:
	}
	how := txn.Open
	if c.call != CallInitTransactions && c.call != CallBeginTransaction {
		how = c.p.tx.InDoubt()
	}
	c.p.tx.Leave(&c.op)
	return true, double.Outward(&txn.Error{
		Call: string(c.call), TransactionalID: c.p.cfg.TransactionalID, Outcome: how, Next: txn.RetryCall, Err: why(),
	})
}
