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

// Flush is that of producer.Producer: it waits until every record that was sent before has its outcome and its callback has
// returned. With Manual, somebody else has to complete the records meanwhile.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	fault, waits := p.faults.take(CallFlush), p.untold()
	p.mu.Unlock()
	p.run()
	err := fault
	if err == nil {
		err = p.awaitAll(ctx, waits)
	}
	if err == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &producer.FlushError{Waiting: p.undelivered(waits), Err: fmt.Errorf("%w%s", err, p.waiting(waits))}
}

// Close is that of producer.Producer: it refuses further records, aborts an open transaction, and waits as Flush does. If ctx
// ends first, the records that are left fail with producer.ErrClosed, and the error is a *producer.CloseError that counts them.
func (p *Producer) Close(ctx context.Context) error {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return nil
	}
	err := p.faults.take(CallClose)
	p.closing = true
	if p.tx != nil {
		p.unhold(CallClose)
		if p.tx.CanAbort() {
			p.tx.Abort(&txn.Op{Done: func(err error) {
				if err == nil {
					p.settle(false)
				}
			}})
		}
	}
	p.moved()
	waits := p.untold()
	p.mu.Unlock()
	p.run()
	if err == nil {
		err = p.awaitAll(ctx, waits)
	}
	return p.closed(err)
}

// closed ends what Close has not waited for, because of err, and all that goes on by itself.
func (p *Producer) closed(err error) error {
	p.mu.Lock()
	if p.ended { // by another Close, which tells of it
		p.mu.Unlock()
		return nil
	}
	lost := p.undelivered(p.pending)
	why := p.waiting(p.pending)
	for len(p.pending) > 0 {
		p.finish(p.pending[0], p.unanswered(fmt.Errorf("%w%s", producer.ErrClosed, why)))
	}
	if p.tx != nil && !p.tx.Idle() {
		gaveUp := double.Outward(p.tx.GiveUp(txn.CallClose, fmt.Errorf("the transaction has not ended: %w", producer.ErrClosed)))
		if err == nil {
			err = gaveUp
		} else {
			err = fmt.Errorf("%w: %w", err, gaveUp)
		}
	}
	p.ended = true
	p.moved()
	p.mu.Unlock()
	p.run()
	if err == nil {
		return nil
	}
	return &producer.CloseError{Lost: lost, Err: fmt.Errorf("%w%s", err, why)}
}

// untold are the records whose callbacks have not returned.
func (p *Producer) untold() []*entry {
	var all []*entry
	if p.calling != nil {
		all = append(all, p.calling)
	}
	all = append(all, p.calls...)
	return append(all, p.pending...)
}

// awaitAll waits until the callbacks of records have returned. It ends with ctx, or with ErrCallback if one callback has been
// running for max.block.
func (p *Producer) awaitAll(ctx context.Context, records []*entry) error {
	for {
		p.mu.Lock()
		for len(records) > 0 && records[0].told {
			records = records[1:]
		}
		changed, late := p.changed, time.NewTimer(time.Until(p.callingAt.Add(max(p.cfg.MaxBlock, time.Second))))
		if p.calling == nil {
			late.Stop()
		}
		p.mu.Unlock()
		if len(records) == 0 {
			late.Stop()
			return nil
		}
		select {
		case <-changed:
			late.Stop()
		case <-ctx.Done():
			late.Stop()
			return cause.Of(ctx)
		case <-late.C:
			return producer.ErrCallback
		}
	}
}
