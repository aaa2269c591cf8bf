package sender

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// asking: a caller has waited for records in vain, and would like to know what stands in their way.
type asking struct {
	batch *accumulator.Batch // that it waited for; nil: for any
	done  chan struct{}      // closed when why is set
	why   error              // nil: nothing does
}

func (e *asking) apply(c *core) {
	if e.batch != nil {
		e.why = c.standing(e.batch)
	} else {
		e.why = c.oldestStanding()
	}
	close(e.done)
}

// Why says what stands in the way of a batch that a future knows, as the loop sees it now: what it waits for, and the last
// failure of the broker that it is for. With nil, it is the one that has waited for longest, whichever that is. It is nil
// if nothing waits, or if that is not known any more. Why waits for a step of the loop, which waits for nothing.
func (s *Sender) Why(b *accumulator.Batch) error {
	e := &asking{batch: b, done: make(chan struct{})}
	s.inbox.put(e)
	select {
	case <-e.done:
		return e.why
	case <-s.stopped:
		return nil
	}
}

// A stuck says what a batch waits for, and the last failure that had a part in it.
type stuck struct {
	where string // its partition; "" where that is said elsewhere
	state string
	err   error // nil: there was no failure
}

func (s *stuck) Error() string {
	text := s.state
	if s.where != "" {
		text = s.where + ": " + text
	}
	if s.err != nil {
		text = fmt.Sprintf("%s: %v", text, s.err)
	}
	return text
}

func (s *stuck) Unwrap() error { return s.err }

// stuck is what stands in the way of p.
func (c *core) stuck(p *partition, state string) *stuck {
	return &stuck{state: state, err: c.obstacle(p)}
}

// closed is ErrClosed with what the records still waited for.
func (c *core) closed(p *partition, state string) error {
	return fmt.Errorf("%w: %w", ErrClosed, c.stuck(p, state))
}

// standing is what b, or some piece of it, waits for; nil if that is nothing any more.
func (c *core) standing(b *accumulator.Batch) error {
	p, ok := b.Queue().Owner.(*partition)
	if !ok {
		return nil
	}
	for _, d := range p.open() {
		if d.Root() == b.Root() {
			return c.stuckAt(p, c.delayed(d))
		}
	}
	if !p.queued() {
		return nil
	}
	return c.stuckAt(p, c.waitingFor(p))
}

func (c *core) stuckAt(p *partition, state string) error {
	why := c.stuck(p, state)
	why.where = fmt.Sprintf("%s-%d", p.topic.name, p.index)
	if n := c.nodes[p.leader]; n != nil && !strings.Contains(state, n.String()) {
		why.where += ", led by " + n.String()
	}
	return why
}

// oldestStanding is standing of the batch that was opened first.
func (c *core) oldestStanding() error {
	c.seeNoted()
	var oldest time.Time
	var of *partition
	waiting := 0
	for _, t := range c.listed {
		for _, p := range t.parts {
			at := p.oldestOpened()
			if p.queued() {
				at = sooner(at, p.head.Opened)
			}
			if at.IsZero() {
				continue
			}
			waiting++
			if of == nil || at.Before(oldest) || at.Equal(oldest) && (t.name < of.topic.name || t == of.topic && p.index < of.index) {
				oldest, of = at, p
			}
		}
	}
	if of == nil {
		return nil
	}
	state := ""
	if open := of.open(); len(open) > 0 {
		state = c.delayed(open[0])
	} else {
		state = c.waitingFor(of)
	}
	why := c.stuckAt(of, state)
	if waiting > 1 {
		return fmt.Errorf("records of %d partitions wait, for longest those of %w", waiting, why)
	}
	return why
}

// delayed says what a batch waits for that was drained.
func (c *core) delayed(d *delivery) string {
	switch {
	case d.conn != nil:
		return "no answer yet" + c.from(d.conn)
	case d.attempts == 0:
		return "waiting for a place in a request"
	}
	return "waiting to be sent again"
}

// from names the broker at the other end of a connection that produce requests go by.
func (c *core) from(cn conn) string {
	for _, n := range c.order {
		if cn != nil && n.links[data].conn == cn {
			return " from " + n.String()
		}
	}
	return ""
}

// String is how messages call the node.
func (n *node) String() string {
	if n.id < 0 {
		return "bootstrap server " + protocol.Shown(n.addr)
	}
	return fmt.Sprintf("broker %d at %s", n.id, protocol.Shown(n.addr))
}

// refused is a node's answer to a request that says that it was not done.
func (n *node) refused(request string, err error) error {
	return &wire.Error{Stage: wire.StageRequest, Addr: n.addr, NodeID: max(n.id, -1), API: request, Err: err}
}

// closest returns the error to be told of a partition whose last failure is own, or nil, and whose leader's connection has
// ended, or could not be made, with err. Of one that has ended, a request knows that it was cut off.
func closest(own, err error) error {
	var of, at *wire.Error
	if errors.As(own, &of) && errors.As(err, &at) && at.Stage == wire.StageRequest && of.NodeID == at.NodeID {
		return own
	}
	return err
}

// leaderless is what stands in the way of a partition without a leader, whose last failure is err, or nil. A broker that
// says that it is not the leader lets one think that another is.
func leaderless(err error) error {
	switch {
	case err == nil:
		return errNoLeader
	case errors.Is(err, protocol.NotLeaderOrFollower):
		return fmt.Errorf("%w; before that, %w", errNoLeader, err)
	}
	return err
}

var errNoLeader = fmt.Errorf("metadata: %w", protocol.LeaderNotAvailable)
