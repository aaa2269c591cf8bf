package sender

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/overdue"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A ping is a caller that waits for a word of some broker.
type ping struct {
	done   chan struct{} // closed when err is set
	err    error
	since  time.Time       // when it began
	asked  bool            // its request is under way
	at     *node           // where to
	broken map[int32]error // nodes that once did not answer it
	failed map[int32]error // nodes that have failed since it began
}

// pinging: a caller begins to wait. parting: it no longer does.
type (
	pinging struct{ ping *ping }
	parting struct {
		ping *ping
		left chan struct{} // closed when why is set
		why  error
	}
)

func (e pinging) apply(c *core) {
	if c.closing {
		e.ping.end(ErrClosed)
		return
	}
	e.ping.since = c.now
	c.questions.addPing(e.ping)
}

func (e *parting) apply(c *core) {
	p := e.ping
	if p.asked {
		e.why = awaits("Metadata", p.at, c.wasMute(p.since))
	} else {
		e.why = c.hindrance("", p.since)
	}
	c.questions.dropPing(p)
	close(e.left)
}

func (p *ping) end(err error) {
	p.err = err
	close(p.done)
}

// askPings sends the requests of those who ping. It returns when to come back.
func (c *core) askPings() (at time.Time) {
	for _, p := range c.questions.pinging() {
		if p.asked {
			continue
		}
		n, when := c.controlNode()
		if n == nil {
			return when
		}
		// Without topics this is the smallest request that every broker answers.
		req := &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{}}
		p.at = n
		p.asked = c.ask(n, req, new(protocol.MetadataResponse), func(c *core, n *node, call *wire.Call) { c.pinged(p, n, call) })
		if !p.asked {
			return c.now
		}
	}
	return at
}

func (c *core) pinged(p *ping, n *node, call *wire.Call) {
	p.asked = false
	err := call.Err
	if err == nil {
		if resp := call.Response.(*protocol.MetadataResponse); resp.ErrorCode != protocol.NoError {
			err = n.refused("Metadata", resp.ErrorCode)
		}
	}
	if !c.questions.waits(p) {
		return // nobody waits any more
	}
	if err == nil {
		c.questions.dropPing(p)
		p.end(nil)
		return
	}
	n.failed(c.now, err)
	unsupported := (*wire.UnsupportedVersionError)(nil)
	switch {
	case call.Err == nil, errors.As(err, &unsupported): // it would say the same again
		c.questions.dropPing(p)
		p.end(err)
	case p.broken[n.id] == nil: // perhaps only its connection was dead, for a long time already
		p.broken = withError(p.broken, n, err)
	default:
		c.pingFailed(n, err)
	}
}

// withError adds err to errs, which may be nil.
func withError(errs map[int32]error, n *node, err error) map[int32]error {
	if errs == nil {
		errs = map[int32]error{}
	}
	errs[n.id] = err
	return errs
}

// pingFailed ends the pings that have tried every node there is.
func (c *core) pingFailed(n *node, err error) {
	if len(c.questions.pinging()) > 0 {
		c.questions.pingFailed(n, err, c.candidates())
	}
}

// Ping asks some broker of the cluster for an answer, now, and waits for it within ctx. It fails once every known broker has
// failed to give one.
func (s *Sender) Ping(ctx context.Context) error {
	if s.closing.Load() {
		return ErrClosed
	}
	p := &ping{done: make(chan struct{})}
	s.inbox.put(pinging{p})
	overdue.Await(ctx, p.done, s.stopped)
	select {
	case <-p.done:
		return p.err
	case <-s.stopped:
		return ErrClosed
	case <-ctx.Done():
	}
	e := &parting{ping: p, left: make(chan struct{})}
	s.inbox.put(e)
	select {
	case <-e.left:
	case <-s.stopped:
		return ErrClosed
	}
	select {
	case <-p.done:
		return p.err // both at once
	default:
	}
	if e.why != nil {
		return fmt.Errorf("%w; %w", cause.Of(ctx), e.why)
	}
	return cause.Of(ctx)
}
