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

// asking: a caller has waited for records in vain, and asks what stands in their way.
type asking struct {
	outcome *accumulator.Outcome // that it waited for; nil: for any
	done    chan struct{}        // closed when why is set
	why     error                // nil: nothing does
}

func (e *asking) apply(c *core) {
	if e.outcome != nil {
		e.why = c.standing(e.outcome)
	} else {
		e.why = c.oldestStanding()
	}
	close(e.done)
}

// Why says what stands in the way of o, as the loop sees it now: what its records wait for, and the last failure of the broker
// that they are for. With nil, it is about the outcome that has waited longest. It returns nil if nothing waits, or if that is
// not known any more. It waits for a step of the loop, which waits for nothing.
func (s *Sender) Why(o *accumulator.Outcome) error {
	e := &asking{outcome: o, done: make(chan struct{})}
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
	node  string // its leader, as messages name it; "": there is none
	state string
	err   error // nil: there was no failure
}

func (s *stuck) Error() string {
	text := s.state
	if s.where != "" {
		text = s.where + ": " + text
	}
	if s.err != nil {
		text += ": " + saidOnce(text, s.node, s.err.Error())
	}
	return text
}

// saidOnce returns more without the name of a node that said names already.
func saidOnce(said, node, more string) string {
	if node == "" || !strings.Contains(said, node) {
		return more
	}
	return strings.NewReplacer("by "+node, "by it", "from "+node, "from it", node+": ", "", node, "it").Replace(more)
}

func (s *stuck) Unwrap() error { return s.err }

// stuck returns what stands in the way of p, for a batch that waits since a time.
func (c *core) stuck(p *partition, since time.Time, state string) *stuck {
	why := &stuck{state: state, err: c.obstacle(p, since)}
	if n := c.nodes.of(p.leader); n != nil {
		why.node = n.String()
	}
	return why
}

// closed is ErrClosed with what the records still waited for.
func (c *core) closed(p *partition, since time.Time, state string) error {
	return fmt.Errorf("%w: %w", ErrClosed, c.stuck(p, since, state))
}

// standing returns what the batch of o, or some piece of it, waits for; nil if nothing waits any more.
func (c *core) standing(o *accumulator.Outcome) error {
	p, ok := o.Queue().Owner.(*partition)
	if !ok {
		return nil
	}
	for _, d := range p.open() {
		if d.Outcome() == o {
			return c.stuckAt(p, d.opened, c.delayed(d))
		}
	}
	if !p.queued() {
		return nil
	}
	return c.stuckAt(p, p.head.Opened, c.waitingFor(p))
}

func (c *core) stuckAt(p *partition, since time.Time, state string) error {
	why := c.stuck(p, since, state)
	why.where = fmt.Sprintf("%s-%d", p.topic.name, p.index)
	if why.node != "" && !strings.Contains(state, why.node) {
		why.where += ", led by " + why.node
	}
	return why
}

// oldestStanding is standing of the batch that was opened first.
func (c *core) oldestStanding() error {
	c.takeChanges()
	var oldest time.Time
	var of *partition
	waiting := 0
	for _, t := range c.topics.all() {
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
	why := c.stuckAt(of, oldest, state)
	if waiting > 1 {
		return fmt.Errorf("records of %d partitions wait, for longest those of %w", waiting, why)
	}
	return why
}

// timeout is ErrDeliveryTimeout with what is known of the reason.
func (c *core) timeout(p *partition, since time.Time, state string) error {
	return fmt.Errorf("%w (%v): %w", ErrDeliveryTimeout, c.cfg.DeliveryTimeout, c.stuck(p, since, state))
}

// obstacle is the last error that stood in p's way, or nil. It is for a batch that waits since a time, and says what it has
// mainly waited for, if that was a throttling.
func (c *core) obstacle(p *partition, since time.Time) error {
	if why := c.txn.joining(p, since); why != nil {
		return why
	}
	if p.leader < 0 {
		return both(both(c.mute(), leaderless(p.lastErr)), c.outage())
	}
	if !c.identity.known() {
		if err := c.txn.unidentified(since); err != nil {
			return err
		}
	}
	if n := c.nodes.of(p.leader); n != nil {
		l := &n.links[data]
		if err := c.throttling(n, l); err != nil {
			return err
		}
		why := p.lastErr
		if l.conn == nil && l.lastErr != nil {
			why = closest(why, l.lastErr)
		}
		if l.conn == nil && !isRefusal(why) {
			why = both(why, c.nodes.refusal()) // because of it nobody dials n
		}
		return both(why, c.hadThrottled(n, l, since))
	}
	return p.lastErr
}

// undescribed is what a batch waits for that is withheld.
const undescribed = "waiting for an answer to Metadata that describes the topic, which may be another cluster's than before connections were lost"

// unrecognised is what a batch waits for while it is in doubt which cluster is there.
const unrecognised = "waiting for an answer to Metadata, which says whether the cluster is the one that it was before connections were lost"

// waitsForCluster reports whether p waits for the end of this doubt.
func (c *core) waitsForCluster(p *partition) bool {
	n := c.nodes.of(p.leader)
	return c.nodes.doubted() && n != nil && (n.links[data].unsure || !c.identity.known())
}

// waitingFor says what an undrained batch of p waited for.
func (c *core) waitingFor(p *partition) string {
	n := c.nodes.of(p.leader)
	switch {
	case p.leader < 0 || n == nil:
		return "the partition has no leader"
	case c.waitsForCluster(p):
		return unrecognised
	case !c.identity.known():
		return "waiting for a producer id"
	case c.txn.joins(p):
		return "waiting for its partition to be added to the transaction"
	case p.withholds():
		return undescribed
	case n.links[data].conn == nil:
		return "not connected to its leader, " + n.String()
	case n.links[data].conn.ThrottledUntil().After(c.now):
		return "throttled"
	case len(p.inFlight) > 0:
		return "waiting behind a batch in flight, which has no answer yet" + c.nodes.from(p.inFlight[0].conn)
	case len(p.retry) > 0:
		return "waiting behind a batch that is to be sent again"
	case p.backoff.After(c.now):
		return "waiting until retry.backoff.ms has passed"
	case c.due(p).After(c.now):
		return "lingering, for more records"
	}
	return "waiting for a free place among the requests in flight"
}

// delayed says what a batch waits for that was drained.
func (c *core) delayed(d *delivery) string {
	switch {
	case d.conn != nil:
		return "no answer yet" + c.nodes.from(d.conn)
	case d.part.withheld(d):
		return undescribed
	case c.waitsForCluster(d.part):
		return unrecognised
	case d.attempts == 0:
		return "waiting for a place in a request"
	}
	return "waiting to be sent again"
}

// closest returns the better of two errors for a partition. own is its last failure, and may be nil. err is why its leader's
// connection has ended, or could not be made. If a connection has ended, own is better: it says that the request was cut off.
func closest(own, err error) error {
	var of, at *wire.Error
	if errors.As(own, &of) && errors.As(err, &at) && at.Stage == wire.StageRequest && of.NodeID == at.NodeID {
		return own
	}
	return err
}

// leaderless returns what stands in the way of a partition without a leader, whose last failure is err, or nil. A broker's word
// that it is not the leader would suggest that another one is.
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
