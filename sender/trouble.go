package sender

import (
	"fmt"
	"log/slog"
	"time"
)

// Trouble is what the log has been told of a node, and is to be told.
type trouble struct {
	spell    *spell // of retries, after its answers or their lack
	throttle throttling

	silent time.Time // since when, as the log was told; zero: it answers
	pace   pace
}

// A site is what the log has been told of the connections to an address. A broker and the bootstrap server that leads to it are
// one site.
type site struct {
	up    bool      // it was told that there is a connection
	named bool      // and to which broker
	since time.Time // there was none, or an attempt failed; zero: all is well

	failed int64 // attempts to connect, since then
	logged bool  // the log was told of them
	pace   pace

	refused bool // the log was told that one of these was a refusal
	again   pace // of that
}

// throttling is a time in which a broker has asked again and again to be sent nothing.
type throttling struct {
	since, until time.Time     // since zero: there is none
	count        int64         // of answers that asked
	asked        time.Duration // of late
	granted      time.Duration // of that
	pace         pace
}

// who names a node.
func who(nd *node, more ...slog.Attr) []slog.Attr {
	if nd.id >= 0 {
		more = append(more, slog.Int("broker", int(nd.id)))
	}
	return append(more, slog.String("addr", nd.addr))
}

func (n *node) subject() subject { return subject{broker: n.id} }

func (n *news) siteOf(nd *node) *site {
	t := n.sites[nd.addr]
	if t == nil {
		if len(n.sites) > 2*len(n.c.nodes.all())+16 {
			clear(n.sites) // brokers have moved, often
		}
		t = &site{}
		n.sites[nd.addr] = t
	}
	return t
}

func (n *node) site() subject { return subject{name: n.addr} }

// connected tells that there is a connection to nd, if there was none.
func (n *news) connected(nd *node) {
	if n == nil {
		return
	}
	t := n.siteOf(nd)
	if t.up && (t.named || nd.id < 0) {
		return
	}
	n.settle(lineLost, nd.site())
	n.settle(lineCannotConnect, nd.site())
	n.settle(lineTurnedAway, nd.site())
	attrs := who(nd)
	if !t.since.IsZero() {
		attrs = append(attrs, slog.Int64("attempts", t.failed), slog.Duration("lasted", n.c.now.Sub(t.since)))
	}
	n.say(lineConnected, nd.site(), attrs...)
	*t = site{up: true, named: t.named || nd.id >= 0}
}

// lost tells that a connection has ended, for another reason than that nobody used it.
func (n *news) lost(nd *node, err error) {
	if n == nil || n.c.aborted {
		return
	}
	t := n.siteOf(nd)
	if !t.up {
		return
	}
	t.up, t.since = false, n.c.now
	n.settle(lineConnected, nd.site())
	n.say(lineLost, nd.site(), who(nd, slog.Any("err", err))...)
}

// notConnected tells that an attempt to connect has failed: of the first at once, then how many there were.
func (n *news) notConnected(nd *node, err error) {
	if n == nil || n.c.aborted {
		return
	}
	t := n.siteOf(nd)
	if t.failed++; t.since.IsZero() {
		t.since = n.c.now
	}
	n.cannotConnect(nd, t, err)
}

// turnedAway tells that a broker does not let this client in: of the first time at once, then how often.
func (n *news) turnedAway(nd *node, err error) {
	if n == nil || n.c.aborted {
		return
	}
	t := n.siteOf(nd)
	t.up = false
	if t.failed++; t.since.IsZero() {
		t.since = n.c.now
	}
	if !t.refused {
		t.refused = true
		t.again.begin(n.c.now)
		n.say(lineTurnedAway, nd.site(), t.attempts(nd, err)...)
	} else if t.again.due(n.c.now) {
		n.goesOn(lineTurnedAway, nd.site(), t.attempts(nd, err)...)
	}
}

// errLate is what is told of an attempt to connect that takes its time.
var errLate = fmt.Errorf("still connecting: nothing has come for %v", late)

// connecting tells that an attempt to connect is under way since a time, if that is long.
func (n *news) connecting(nd *node, since time.Time) {
	if n.c.now.Sub(since) < late {
		return
	}
	t := n.siteOf(nd)
	if t.since.IsZero() {
		t.since = since
	}
	n.cannotConnect(nd, t, errLate)
}

func (n *news) cannotConnect(nd *node, t *site, err error) {
	t.up = false
	if !t.logged {
		t.logged = true
		t.pace.begin(n.c.now)
		n.say(lineCannotConnect, nd.site(), t.attempts(nd, err)...)
	} else if t.pace.due(n.c.now) {
		n.goesOn(lineCannotConnect, nd.site(), t.attempts(nd, err)...)
	}
}

func (t *site) attempts(nd *node, err error) []slog.Attr {
	return who(nd, slog.Any("err", err), slog.Int64("attempts", t.failed), slog.Time("since", t.since))
}

// throttle tells that a broker wants to be sent nothing until a time.
func (n *news) throttle(nd *node, asked time.Duration, until time.Time) {
	if n == nil {
		return
	}
	t := &nd.trouble.throttle
	t.count++
	t.asked, t.granted, t.until = asked, until.Sub(n.c.now), until
	if !t.since.IsZero() {
		return
	}
	t.since = n.c.now
	t.pace.begin(n.c.now)
	n.throttled++
	n.settle(lineThrottledOver, nd.subject())
	n.say(lineThrottled, nd.subject(), n.throttleAttrs(nd)...)
}

func (n *news) throttleAttrs(nd *node) []slog.Attr {
	t := &nd.trouble.throttle
	return who(nd, slog.Duration("asked", t.asked), slog.Duration("granted", t.granted),
		slog.Int64("count", t.count), slog.Time("since", t.since))
}

// throttleOver is how long after the end of a throttling a further one still counts as the same.
const throttleOver = 5 * time.Second

// answered takes note that nd has answered.
func (n *news) answered(nd *node) {
	if n != nil && !nd.trouble.silent.IsZero() {
		n.lookSilence(nd)
	}
}

// lookSilence tells of a broker that has not answered for long, or that answers again.
func (n *news) lookSilence(nd *node) {
	t := &nd.trouble
	since, busy := n.c.now, 0
	for i := range nd.links {
		l := &nd.links[i]
		if l.conn == nil || l.busy == 0 {
			continue
		}
		busy += l.busy
		if from := latter(l.heard, l.conn.ThrottledUntil()); from.Before(since) {
			since = from
		}
	}
	silent := n.c.now.Sub(since) >= late
	attrs := func() []slog.Attr { return who(nd, slog.Int("in_flight", busy), slog.Time("since", since)) }
	switch {
	case silent && t.silent.IsZero():
		t.silent = since
		t.pace.begin(n.c.now)
		n.settle(lineAnswers, nd.subject())
		n.say(lineSilent, nd.subject(), attrs()...)
	case silent && t.pace.due(n.c.now):
		n.goesOn(lineSilent, nd.subject(), attrs()...)
	case !silent && !t.silent.IsZero():
		if busy > 0 || nd.links[data].conn != nil || nd.links[control].conn != nil { // else the connection is lost, which is told
			n.settle(lineSilent, nd.subject())
			n.say(lineAnswers, nd.subject(), who(nd, slog.Duration("lasted", n.c.now.Sub(t.silent)))...)
		}
		t.silent = zero
	}
}

// lookNode tells what lasts about nd.
func (n *news) lookNode(nd *node) {
	n.lookSilence(nd)
	for i := range nd.links {
		if l := &nd.links[i]; len(l.dials) > 0 && !n.waitsForCredentials(l) {
			n.connecting(nd, l.since)
		}
	}
	t := &nd.trouble.throttle
	switch {
	case t.since.IsZero():
	case n.c.now.Sub(t.until) >= throttleOver:
		n.throttled--
		n.settle(lineThrottled, nd.subject())
		n.say(lineThrottledOver, nd.subject(), who(nd, slog.Int64("count", t.count), slog.Duration("lasted", t.until.Sub(t.since)))...)
		*t = throttling{}
	case t.pace.due(n.c.now):
		n.goesOn(lineThrottled, nd.subject(), n.throttleAttrs(nd)...)
	}
}
