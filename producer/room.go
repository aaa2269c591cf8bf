package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/sender"
)

// placeWithRoom appends a record that does not fit into the last chunk of its batch. It waits for memory if need be.
func (p *Producer) placeWithRoom(ctx context.Context, w *wait, q *accumulator.Queue, e *entry, block bool) error {
	if w == nil {
		w = &wait{p: p, ctx: ctx, block: block, admits: true}
		defer w.end()
	}
	var await accumulator.Wait
	if w.block {
		await = w.forMemory
	}
	now := time.Now()
	p.clock.Publish(now)
	e.Restamp = !e.stamped
	if err := q.Append(&e.Entry, now, await); err != nil {
		return w.noRoom(err)
	}
	return nil
}

// A wait bounds all that one call may wait for together.
type wait struct {
	p      *Producer
	ctx    context.Context
	block  bool
	admits bool               // the call sends a record
	cancel context.CancelFunc // set once it has begun to wait for metadata
	timer  *time.Timer        // set once it has begun to wait for memory alone
	waited sender.Wait        // for metrics
}

// begin returns a context that ends with the caller's or with max.block.
func (w *wait) begin() context.Context {
	if w.cancel == nil {
		w.ctx, w.cancel = cause.Within(w.ctx, w.p.cfg.MaxBlock, w.tooLong())
	}
	return w.ctx
}

// forMemory is the way in which queues wait for memory. A call may wait for memory alone, maybe once for every chunk, so no
// context is made for it.
func (w *wait) forMemory(ready <-chan struct{}) (now time.Time, ok bool) {
	var alarm <-chan time.Time
	if w.cancel == nil {
		if w.timer == nil {
			w.timer = w.p.takeTimer(w.p.cfg.MaxBlock)
		}
		alarm = w.timer.C
	}
	began := time.Now()
	w.p.sender.Waiting(1)
	select {
	case <-ready:
		ok = true
	case <-w.ctx.Done():
	case <-alarm:
	}
	now = time.Now()
	w.p.sender.Waiting(-1)
	w.waited.ForMemory = true
	w.waited.Memory += now.Sub(began)
	w.p.clock.Publish(now)
	return now, ok
}

// noRoom returns the error of a record for which there was no room, because of err.
func (w *wait) noRoom(err error) error {
	var large *accumulator.TooLargeError
	switch {
	case errors.As(err, &large):
		return &RecordTooLargeError{Size: int(large.Size), Limit: large.Limit, Key: "buffer.memory"}
	case !errors.Is(err, accumulator.ErrNoRoom):
		return err // the queue or the memory is closed
	case !w.block:
		return ErrBufferFull
	}
	return fmt.Errorf("%w: %w", ErrBufferFull, w.p.sender.Explain(w.cause()))
}

// takeTimer returns a timer that goes after d.
func (p *Producer) takeTimer(d time.Duration) *time.Timer {
	t, ok := p.timers.Get().(*time.Timer)
	if !ok {
		return time.NewTimer(d)
	}
	t.Reset(d)
	return t
}

func (w *wait) tooLong() error { return fmt.Errorf("%w (%v)", ErrMaxBlock, w.p.cfg.MaxBlock) }

// cause returns why the wait has ended without success.
func (w *wait) cause() error {
	if err := cause.Of(w.ctx); err != nil {
		return err
	}
	return w.tooLong()
}

func (w *wait) end() {
	if w.cancel != nil {
		w.cancel()
	}
	if w.timer != nil {
		w.timer.Stop()
		w.p.timers.Put(w.timer)
		w.timer = nil
	}
	w.p.sender.Waited(w.waited, w.admits)
}

// forMetadata counts the time since began as a wait for a topic.
func (w *wait) forMetadata(began time.Time) {
	w.waited.ForMetadata = true
	w.waited.Metadata += time.Since(began)
}
