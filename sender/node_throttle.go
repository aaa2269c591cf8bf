package sender

import (
	"fmt"
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
}

func (e *ThrottleError) Error() string {
	who := fmt.Sprintf("broker %d at %s", e.Broker, protocol.Shown(e.Addr))
	if e.Broker < 0 {
		who = "bootstrap server " + protocol.Shown(e.Addr)
	}
	text := fmt.Sprintf("%s throttles this client: it has asked to be sent nothing for %v", who, e.Asked)
	if e.Granted < e.Asked {
		text += fmt.Sprintf(", of which %v (delivery.timeout) are granted", e.Granted)
	}
	return text + "; check its quotas"
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
	c.published.throttles.Add(1)
	c.metrics.countThrottle(n, l, until)
	c.news.throttle(n, l.asked, until)
	c.hooks.throttled(n, l, until)
	c.published.throttleTime.Add(int64(until.Sub(c.now)))
}

// mute returns nil unless all connected brokers throttle this client. Then it returns the ThrottleError of the one whose
// throttling ends first.
func (c *core) mute() error {
	var first error
	var at time.Time
	for _, id := range c.candidates() {
		n := c.nodes.of(id)
		l := &n.links[control]
		if l.conn == nil {
			continue
		}
		err := c.throttling(n, l)
		if err == nil {
			return nil
		}
		if until := l.conn.ThrottledUntil(); first == nil || until.Before(at) {
			first, at = err, until
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
	asked := max(l.asked, until.Sub(c.now))
	return &ThrottleError{Broker: max(n.id, -1), Addr: n.addr, Asked: asked, Granted: min(asked, c.cfg.DeliveryTimeout)}
}
