package metadata

import (
	"maps"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/protocol"
)

// pace spaces requests for the same thing while the answers are no help.
type pace struct {
	at        time.Time // no request before this
	fruitless int       // answers in a row that brought nothing new
}

// answered sets the time of the next request: after the base backoff if the answer helped, and after a growing one if not.
func (p *pace) answered(now time.Time, helped bool, policy backoff.Policy, r float64) {
	if helped {
		p.fruitless = 0
	}
	p.at = now.Add(policy.Delay(p.fruitless, r))
	if !helped {
		p.fruitless++
	}
}

// maxPartial bounds the requests in flight for some of the topics. One for all topics may be in flight beside them.
const maxPartial = 4

// gather is how long a new topic waits for other new ones while a request is in flight. Without it, the first few topics would
// take all places, and the others would wait for a whole round trip.
const gather = 250 * time.Microsecond

// A flight is a request in flight: it was sent, and is neither answered nor failed.
type flight struct {
	request *protocol.MetadataRequest
	number  int      // 1 for the first request that was sent, and so on
	full    bool     // it asks for every topic
	due     bool     // RequestUpdate asked for it
	topics  []*topic // for which this is the request in flight
}

// flight returns the flight of a request, or nil.
func (c *Cluster) flight(req *protocol.MetadataRequest) *flight {
	for _, f := range c.flights {
		if f.request == req {
			return f
		}
	}
	return nil
}

// endFlight ends a flight. Its topics can be asked for again.
func (c *Cluster) endFlight(f *flight) {
	c.flights = slices.DeleteFunc(c.flights, func(o *flight) bool { return o == f })
	c.request = nil
	for _, t := range f.topics {
		t.asked = false
		if c.pending[t.name] == t {
			c.idle[t.name] = t
		}
	}
}

// Asking reports whether a request is in flight.
func (c *Cluster) Asking() bool { return len(c.flights) > 0 }

// inFlight returns how many requests for some of the topics are in flight, and whether one for all topics is.
func (c *Cluster) inFlight() (partial int, full bool) {
	for _, f := range c.flights {
		if f.full {
			full = true
		} else {
			partial++
		}
	}
	return partial, full
}

// AsksForAll reports whether req, which is in flight, asks for every topic that there was when it was made.
func (c *Cluster) AsksForAll(req *protocol.MetadataRequest) bool {
	f := c.flight(req)
	return f != nil && f.full
}

// Next says what to send. If req is not nil, send it now, to the node that Prefer chooses, and call Sent. Until then Next
// returns the same request, unless more is wanted meanwhile. If req is nil, call Next again at the time at, or after the next
// change. A zero at means that nothing is planned. Two requests in flight never ask for the same topic, except one for all
// topics.
func (c *Cluster) Next(now time.Time) (req *protocol.MetadataRequest, at time.Time) {
	at, due := c.Due(now)
	if !due {
		return nil, at
	}
	if c.request == nil {
		_, full := c.inFlight()
		c.requestFull = !full && (c.aged(now) || c.wantFull && !now.Before(c.fullPace.at))
		c.request = c.build(c.requestFull)
	}
	return c.request, now
}

// Due is Next without the request, whose making takes time in proportion to its topics. It is for a caller that may have nobody
// to send it to.
func (c *Cluster) Due(now time.Time) (at time.Time, due bool) {
	at = c.due(now)
	if at.IsZero() || now.Before(at) {
		return at, false
	}
	if c.since.IsZero() {
		c.since = now
	}
	return now, true
}

// due returns when the next request is to be sent, zero if nothing is planned.
func (c *Cluster) due(now time.Time) time.Time {
	var at time.Time
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	partial, full := c.inFlight()
	if len(c.idle) > 0 && partial < maxPartial {
		from := now
		if c.fresh && len(c.flights) > 0 {
			from = later(now, c.freshSince.Add(gather))
		}
		if c.fresh {
			sooner(from)
		}
		sooner(later(from, c.pendingPace.at))
	}
	if c.wantFull && !full {
		sooner(later(now, c.fullPace.at))
	}
	if !c.lastFull.IsZero() && !full {
		sooner(later(c.lastFull.Add(c.cfg.MaxAge), c.fullPace.at))
	}
	if at.IsZero() {
		return at
	}
	return later(at, later(c.retryAt, c.unrest.until))
}

// aged reports whether all topics are to be asked for again because of their age.
func (c *Cluster) aged(now time.Time) bool {
	return !c.lastFull.IsZero() && !now.Before(c.lastFull.Add(c.cfg.MaxAge))
}

// build makes a request for all topics, or for those of idle.
func (c *Cluster) build(full bool) *protocol.MetadataRequest {
	topics := c.idle
	if full {
		topics = c.topics
	}
	req := &protocol.MetadataRequest{
		Topics:                 make([]protocol.MetadataRequestTopic, 0, len(topics)), // never nil, that would be all topics
		AllowAutoTopicCreation: c.cfg.AutoCreate,
	}
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		req.Topics = append(req.Topics, protocol.MetadataRequestTopic{Name: &name})
	}
	return req
}

// Sent notes that the request that Next returned was handed to a connection. Answer or Failed must follow.
func (c *Cluster) Sent() {
	if c.request == nil {
		panic("metadata: Sent without a request from Next")
	}
	c.sent++
	f := &flight{request: c.request, number: c.sent, full: c.requestFull, due: c.requestFull && c.wantFull}
	c.flights = append(c.flights, f)
	c.request = nil
	c.fresh = false
	if f.full {
		c.wantFull = false // what RequestUpdate reports from now on, the answer to this request may not have
	}
	for _, t := range c.idle { // both kinds of request ask for all of these
		t.asked = true
		f.topics = append(f.topics, t)
	}
	clear(c.idle)
}

// Failed notes that node gave no usable answer to req. The next request goes out after a backoff, and better to another node.
// The only change that it can bring is Rebootstrap.
func (c *Cluster) Failed(now time.Time, node int32, req *protocol.MetadataRequest) Changes {
	if f := c.flight(req); f != nil {
		c.endFlight(f)
		c.wantFull = c.wantFull || f.full
	}
	c.retryAt = now.Add(c.backoff.Delay(c.failed, c.cfg.Jitter()))
	c.failed++
	return c.Unreachable(now, node)
}

// Unreachable notes that node cannot be connected to. There is no backoff: another node can be asked, and attempts to connect
// have a backoff of their own. The only change that it can bring is Rebootstrap.
func (c *Cluster) Unreachable(now time.Time, node int32) Changes {
	if c.since.IsZero() {
		c.since = now
	}
	c.nodes.markSilent(node)
	if c.cfg.Rebootstrap && len(c.brokers) > 0 && (c.allSilent() || now.Sub(c.since) >= c.cfg.RebootstrapTrigger) {
		return c.rebootstrap()
	}
	return Changes{}
}

// allSilent reports whether every known broker has failed to answer since the last usable answer.
func (c *Cluster) allSilent() bool {
	for id := range c.brokers {
		if !c.nodes.silent[id] {
			return false
		}
	}
	return true
}

// rebootstrap forgets the brokers. The backoff stays: the bootstrap servers may be no better.
func (c *Cluster) rebootstrap() Changes {
	c.brokers = nil
	c.nodes.forget()
	c.since = time.Time{}
	c.wantFull = true
	c.request = nil
	c.snapshot = nil
	return Changes{Rebootstrap: true}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
