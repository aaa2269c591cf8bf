package sender

import (
	"fmt"
	"math"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A ThrottleError says that a broker wants to be sent nothing for a while, by the throttle_time_ms of its answer: a quota is
// used up (KIP-219). It can be among the reasons why a wait took too long.
type ThrottleError struct {
	Broker  int32  // -1: a bootstrap server
	Addr    string // host:port
	Asked   time.Duration
	Granted time.Duration // how much of it is heeded: delivery.timeout at most, then the broker is tried again
	Lasted  time.Duration // how much of the wait it took, if it is over; 0: it goes on
}

func (e *ThrottleError) Error() string {
	who := fmt.Sprintf("broker %d at %s", e.Broker, protocol.Shown(e.Addr))
	if e.Broker < 0 {
		who = "bootstrap server " + protocol.Shown(e.Addr)
	}
	text, granted := fmt.Sprintf("%s throttles this client: it has asked to be sent nothing for %v", who, e.Asked), "are"
	if e.Lasted > 0 {
		text = fmt.Sprintf("%s throttled this client for %v: it had last asked to be sent nothing for %v", who, e.Lasted.Round(time.Millisecond), e.Asked)
		granted = "were"
	}
	if e.Granted < e.Asked {
		text += fmt.Sprintf(", of which %v (delivery.timeout) %s granted", e.Granted, granted)
	}
	return text + "; check its quotas"
}

// QuietTimes are those in which a broker has asked to be sent nothing on a link. There are as many as a short list holds: where
// a further one comes, the two with the least time between them become one.
type quietTimes struct {
	known [8]quietTime // oldest first
	n     int          // how many there are
}

// A quietTime goes from one moment to another, but for some time in between.
type quietTime struct {
	from, until time.Time
	but         time.Duration
}

// note notes a time, which begins now and may go on from the last.
func (q *quietTimes) note(from, until time.Time) {
	if q.n > 0 {
		if last := &q.known[q.n-1]; !from.After(last.until) {
			last.until = latter(last.until, until)
			return
		}
	}
	if q.n == len(q.known) {
		q.join()
	}
	q.known[q.n] = quietTime{from: from, until: until}
	q.n++
}

// join makes one of two neighbours.
func (q *quietTimes) join() {
	at, least := 0, time.Duration(math.MaxInt64)
	for i := range q.n - 1 {
		if between := q.known[i+1].from.Sub(q.known[i].until); between < least {
			at, least = i, between
		}
	}
	one, other := &q.known[at], q.known[at+1]
	one.until, one.but = other.until, one.but+least+other.but
	q.n = at + 1 + copy(q.known[at+1:], q.known[at+2:])
}

// end ends the last time, if it is not over: its connection is.
func (q *quietTimes) end(now time.Time) {
	if q.n > 0 {
		last := &q.known[q.n-1]
		last.until = sooner(last.until, now)
	}
}

// within returns how much of the time from one moment to another was quiet.
func (q *quietTimes) within(from, until time.Time) (d time.Duration) {
	for _, t := range q.known[:q.n] {
		if part := sooner(until, t.until).Sub(latter(from, t.from)); part > 0 {
			share := float64(part) / float64(t.until.Sub(t.from))
			d += part - time.Duration(share*float64(t.but))
		}
	}
	return d
}

// throttled takes note of an answer that asks for quiet on l, a link of n.
func (c *core) throttled(n *node, l *link, resp protocol.Response) {
	if resp == nil || resp.ThrottleFor() <= 0 {
		return
	}
	l.asked = resp.ThrottleFor()
	c.quiet(n, l)
}

// quiet counts and tells the throttling that l.asked is about.
func (c *core) quiet(n *node, l *link) {
	if c.throttling(n, l) == nil {
		return // nothing, or it has waited itself, or the time is over
	}
	until := l.conn.ThrottledUntil()
	l.quiet.note(c.now, until)
	c.published.throttles.Add(1)
	c.metrics.countThrottle(n, until)
	c.news.throttle(n, l.asked, until)
	c.hooks.throttled(n, l, until)
	c.published.throttleTime.Add(int64(until.Sub(c.now)))
}

// mute returns the ThrottleError of muter, or nil.
func (c *core) mute() error {
	if n := c.muter(); n != nil {
		return c.throttling(n, &n.links[control])
	}
	return nil
}

// muter returns nil unless all connected brokers throttle this client. Then it returns the one whose throttling ends first.
func (c *core) muter() *node {
	var first *node
	var at time.Time
	for _, id := range c.candidates() {
		n := c.nodes.of(id)
		l := &n.links[control]
		if l.conn == nil {
			continue
		}
		if c.throttling(n, l) == nil {
			return nil
		}
		if until := l.conn.ThrottledUntil(); first == nil || until.Before(at) {
			first, at = n, until
		}
	}
	return first
}

// throttling returns a ThrottleError while l, a link of n, must keep quiet, or nil.
func (c *core) throttling(n *node, l *link) error {
	if l.conn == nil {
		return nil
	}
	until := l.conn.ThrottledUntil()
	if !until.After(c.now) {
		return nil
	}
	return c.throttleError(n, max(l.asked, until.Sub(c.now)), 0)
}

func (c *core) throttleError(n *node, asked, lasted time.Duration) error {
	return &ThrottleError{Broker: max(n.id, -1), Addr: n.addr, Asked: asked, Granted: min(asked, c.cfg.DeliveryTimeout), Lasted: lasted}
}

// hadThrottled is about a throttling that is over, for one who waits since a time. It returns nil unless the throttling of l, a
// link of n, was most of that wait. Whatever stands in the way now, it is the throttling that has used up the time.
func (c *core) hadThrottled(n *node, l *link, since time.Time) error {
	lasted := l.quiet.within(since, c.now)
	if lasted == 0 || 2*lasted < c.now.Sub(since) || c.throttling(n, l) != nil {
		return nil
	}
	return fmt.Errorf("before that, %w", c.throttleError(n, l.asked, lasted))
}

// wasMute is hadThrottled for one who waits for any broker: of the one that was quiet for longest.
func (c *core) wasMute(since time.Time) error {
	var longest *node
	most := time.Duration(0)
	for _, n := range c.nodes.all() {
		if lasted := n.links[control].quiet.within(since, c.now); lasted >= most {
			longest, most = n, lasted
		}
	}
	if longest == nil || c.mute() != nil { // it still is
		return nil
	}
	return c.hadThrottled(longest, &longest.links[control], since)
}
