package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/cause"
)

// placeWithRoom appends a record that does not fit its batch's last chunk.
func (p *Producer) placeWithRoom(ctx context.Context, w *wait, q *accumulator.Queue, e *entry, block bool) error {
	if w == nil {
		w = &wait{p: p, ctx: ctx, block: block}
		defer w.end()
	}
	return p.appendWithRoom(w, q, e)
}

// appendWithRoom appends a record that does not fit its batch's last chunk: it
// reserves a chunk first, waiting for memory if need be.
func (p *Producer) appendWithRoom(w *wait, q *accumulator.Queue, e *entry) error {
	for {
		now := time.Now()
		p.clock.Publish(now)
		chunk, err := p.chunk(w, q, q.Room(&e.Entry, now))
		if err != nil {
			return err
		}
		if w.waited() {
			now = time.Now()
		}
		if !e.stamped {
			e.Timestamp = now.UnixMilli()
		}
		var status accumulator.Status
		if chunk == nil {
			status = q.Append(&e.Entry, p.clock.Millis(now))
		} else {
			status = q.AppendWith(&e.Entry, chunk, now)
		}
		switch status {
		case accumulator.Appended:
			return nil
		case accumulator.Refused:
			if err := q.Err(); err != nil {
				return err
			} // else it has been opened again meanwhile
		}
	}
}

// chunk reserves n bytes for q. It returns no chunk after a wait for another
// caller, who has brought one: the record may fit by now.
func (p *Producer) chunk(w *wait, q *accumulator.Queue, n int) (*accumulator.Chunk, error) {
	memory := p.sender.Memory()
	chunk, err := memory.TryChunk(n)
	if err == nil {
		return chunk, nil
	}
	if !errors.Is(err, accumulator.ErrNoRoom) {
		var large *accumulator.TooLargeError
		if errors.As(err, &large) {
			return nil, &RecordTooLargeError{Size: int(large.Size), Limit: large.Limit, Key: "buffer.memory"}
		}
		return nil, err
	}
	if !w.block {
		return nil, ErrBufferFull
	}
	ctx, alarm := w.memory()
	waited, err := w.takeTurn(ctx, alarm, q)
	if err == nil && !waited {
		chunk, err = memory.Chunk(ctx, alarm, n)
	}
	if errors.Is(err, accumulator.ErrNoRoom) {
		err = w.cause()
		return nil, fmt.Errorf("%w: %w", ErrBufferFull, p.sender.Explain(err))
	}
	return chunk, err
}

// A wait bounds what one Send may wait for, all together.
type wait struct {
	p      *Producer
	ctx    context.Context
	block  bool
	cancel context.CancelFunc // set once it has begun to wait for metadata
	timer  *time.Timer        // set once it has begun to wait for memory alone
	turn   chan struct{}      // of the queue that it waits for memory for; see accumulator.Queue.Turn
}

// begin returns a context that ends with the caller's or with max.block.
func (w *wait) begin() context.Context {
	if w.cancel == nil {
		w.ctx, w.cancel = cause.Within(w.ctx, w.p.cfg.MaxBlock, w.tooLong())
	}
	return w.ctx
}

// memory is begin for one who waits for memory, maybe once for every chunk: it makes no context.
func (w *wait) memory() (context.Context, <-chan time.Time) {
	if w.cancel != nil {
		return w.ctx, nil
	}
	if w.timer == nil {
		w.timer = w.p.takeTimer(w.p.cfg.MaxBlock)
	}
	return w.ctx, w.timer.C
}

// takeTurn waits until no other caller waits for memory for q, or until ctx ends
// or alarm goes, which is an ErrNoRoom. It reports whether one did.
func (w *wait) takeTurn(ctx context.Context, alarm <-chan time.Time, q *accumulator.Queue) (waited bool, err error) {
	if w.turn != nil {
		return false, nil
	}
	turn := q.Turn()
	select {
	case turn <- struct{}{}:
		w.turn = turn
		return false, nil
	default:
	}
	select {
	case turn <- struct{}{}:
		w.turn = turn
		return true, nil
	case <-ctx.Done():
	case <-alarm:
	}
	return true, accumulator.ErrNoRoom
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

func (w *wait) waited() bool { return w.cancel != nil || w.timer != nil }

// cause is why the wait has ended without success.
func (w *wait) cause() error {
	if err := cause.Of(w.ctx); err != nil {
		return err
	}
	return w.tooLong()
}

func (w *wait) end() {
	if w.turn != nil {
		<-w.turn
	}
	if w.cancel != nil {
		w.cancel()
	}
	if w.timer != nil {
		w.timer.Stop()
		w.p.timers.Put(w.timer)
		w.timer = nil
	}
}
