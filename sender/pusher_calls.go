package sender

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/overdue"
	"github.com/epistle-kafka/epistle/internal/telemetry"
	"github.com/epistle-kafka/epistle/protocol"
)

var (
	// ErrTelemetryOff: enable.metrics.push is false.
	ErrTelemetryOff = errors.New("enable.metrics.push is false: brokers are told no metrics, and give no instance id")
	// ErrNoTelemetry: brokers take no metrics.
	ErrNoTelemetry = errors.New("the brokers take no metrics of clients, and give no instance id: none that is connected has a receiver of them (KIP-714)")
)

// An identifying is a caller that waits for the instance id.
type identifying struct {
	done  chan struct{} // closed when id or err is set
	id    protocol.UUID
	err   error
	since time.Time // when it began
}

func (e *identifying) end(err error) {
	e.err = err
	close(e.done)
}

func (e *identifying) apply(c *core) {
	p := c.pusher
	e.since = c.now
	p.callers = append(p.callers, e)
	p.reporter.Hurry(c.now)
	p.endCallers()
}

// endCallers ends the wait for the instance id, if it is there or will never come.
func (p *pusher) endCallers() {
	id, refused := p.reporter.InstanceID(), p.reporter.Status().Refused
	if id == (protocol.UUID{}) && refused == nil {
		return
	}
	for _, e := range p.callers {
		e.id = id
		if id != (protocol.UUID{}) {
			refused = nil
		}
		e.end(refused)
	}
	p.callers = nil
}

// unidentifying: such a caller no longer waits.
type unidentifying struct {
	caller *identifying
	left   chan struct{} // closed when why is set
	why    error
}

func (e *unidentifying) apply(c *core) {
	c.pusher.callers = slices.DeleteFunc(c.pusher.callers, func(o *identifying) bool { return o == e.caller })
	e.why = c.hindrance("", e.caller.since)
	close(e.left)
}

// ClientInstanceID returns the id under which brokers know this client's metrics (KIP-714). It waits, within ctx, until a
// broker has given one or it is known that none will.
func (s *Sender) ClientInstanceID(ctx context.Context) (protocol.UUID, error) {
	switch {
	case s.core.pusher == nil:
		return protocol.UUID{}, ErrTelemetryOff
	case s.closing.Load():
		return protocol.UUID{}, ErrClosed
	}
	e := &identifying{done: make(chan struct{})}
	s.inbox.put(e)
	overdue.Await(ctx, e.done, s.stopped)
	select {
	case <-e.done:
		return e.id, e.err
	case <-s.stopped:
		return protocol.UUID{}, ErrClosed
	case <-ctx.Done():
	}
	gone := &unidentifying{caller: e, left: make(chan struct{})}
	s.inbox.put(gone)
	select {
	case <-gone.left:
	case <-s.stopped:
		return protocol.UUID{}, ErrClosed
	}
	select {
	case <-e.done:
		return e.id, e.err // both at once
	default:
	}
	if gone.why != nil {
		return protocol.UUID{}, fmt.Errorf("%w; %w", cause.Of(ctx), gone.why)
	}
	return protocol.UUID{}, cause.Of(ctx)
}

// lastPushBound is how long Close waits for the last push, if its ctx allows.
const lastPushBound = time.Second

// leavingPush: Close waits for the last push.
type leavingPush struct{ done chan struct{} }

func (e leavingPush) apply(c *core) {
	p := c.pusher
	if c.aborted || !p.reporter.End(c.now) {
		close(e.done)
		return
	}
	p.parked = false
	p.leaving = append(p.leaving, e.done)
}

// pushLast pushes the last metrics to brokers that subscribe. It gives up when ctx or its bound ends.
func (s *Sender) pushLast(ctx context.Context) {
	if s.core.pusher == nil || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastPushBound)
	defer cancel()
	done := make(chan struct{})
	s.inbox.put(leavingPush{done})
	select {
	case <-done:
	case <-s.stopped:
	case <-ctx.Done():
	}
}

// collect encodes a push on a goroutine of its own, since reading the metrics runs functions of the user's. There is one at a
// time, and Close waits for it no longer than for the push.
func (s *Sender) collect(push *telemetry.Push) {
	go func() {
		push.Encode(s.cfg.source(), s.cfg.Metrics())
		s.inbox.put(collected{push})
	}()
}
