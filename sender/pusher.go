package sender

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/internal/otlp"
	"github.com/epistle-kafka/epistle/internal/telemetry"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A pusher pushes the client's metrics to brokers that ask for them (KIP-714). It is nil where that is switched off, so its
// methods do nothing then.
//
// Nothing else may wait for it, or fail because of it. So it never connects to anybody by itself, but for a caller who asks for
// the instance id. It sends on control connections that have nothing to do, so that no request is behind one of its own when it
// is sent, and no sooner than about a second after the first connection was made. Metrics are collected and packed elsewhere,
// since some come from functions of the user's.
type pusher struct {
	c        *core
	reporter *telemetry.Reporter
	collect  func(*telemetry.Push) // encodes it elsewhere, and delivers collected

	ready   *telemetry.Push // to be sent; nil: none
	at      *node           // has answered last
	parked  bool            // until a connection is made: nobody who is connected takes metrics
	callers []*identifying  // wait for the instance id
	leaving []chan struct{}
	logged  telemetry.Status // to the log
	left    leftOut          // the same
}

// leftOut is whether something was not pushed though it was wanted: for want of room, or of a name of its own.
type leftOut struct{ points, twice bool }

// newPusher makes one for a client whose counters have begun at now.
func newPusher(c *core, now time.Time, collect func(*telemetry.Push)) *pusher {
	return &pusher{c: c, reporter: telemetry.NewReporter(now, c.out.random), collect: collect}
}

// takesMetrics reports whether the broker at the other end has a receiver of metrics.
func takesMetrics(cn conn) bool {
	_, asks := cn.Version(apiSubscriptions)
	_, takes := cn.Version(apiPush)
	return asks && takes
}

var (
	apiSubscriptions = (*protocol.GetTelemetrySubscriptionsRequest)(nil).API().Key
	apiPush          = (*protocol.PushTelemetryRequest)(nil).API().Key
)

// hear takes note of a new connection.
func (p *pusher) hear(cn conn) {
	if p != nil && takesMetrics(cn) {
		p.parked = false
		p.reporter.Start(p.c.now)
	}
}

// ask does what is due. It returns when to come back.
func (p *pusher) ask() time.Time {
	if p == nil || p.c.aborted {
		return zero
	}
	at := sooner(p.askForCallers(), p.send())
	duty, when := p.reporter.Due(p.c.now)
	if duty == telemetry.Nothing || p.parked || duty == telemetry.Subscribe && p.c.closing {
		return sooner(at, when)
	}
	n, when := p.free()
	switch {
	case n == nil && len(p.leaving) > 0:
		p.failed(nil, false) // Close does not wait for a connection
	case n == nil:
		p.parked = when.IsZero()
		return sooner(at, when)
	case duty == telemetry.Subscribe:
		if !p.c.ask(n, p.reporter.SubscribeRequest(), new(protocol.GetTelemetrySubscriptionsResponse), p.subscribed) {
			return p.c.now // its connection is gone: look for another at once
		}
		p.reporter.Subscribing()
	default:
		p.collect(p.reporter.Collect(p.c.now))
	}
	return at
}

// send sends a push that is ready. It returns when to come back.
func (p *pusher) send() time.Time {
	push := p.ready
	if push == nil {
		return zero
	}
	n, at := p.free()
	switch {
	case n == nil && (at.IsZero() || len(p.leaving) > 0):
		p.ready = nil
		p.failed(push, false)
		return zero
	case n == nil:
		return at
	}
	answered := func(_ *core, n *node, call *wire.Call) { p.pushed(push, n, call) }
	if !p.c.ask(n, push.Request(), new(protocol.PushTelemetryResponse), answered) {
		return p.c.now
	}
	p.ready = nil
	p.reporter.Pushing(push)
	return zero
}

// busyPause is how long to wait until a connection that has something to do is looked at again.
const busyPause = 250 * time.Millisecond

// free returns a node whose control connection has nothing to do, nil if there is none, and when to look again; the zero time
// if there is nobody who takes metrics.
func (p *pusher) free() (best *node, at time.Time) {
	for _, n := range p.c.nodes.all() {
		l := &n.links[control]
		if l.conn == nil || !takesMetrics(l.conn) {
			continue
		}
		switch until := l.conn.ThrottledUntil(); {
		case until.After(p.c.now):
			at = sooner(at, until)
		case l.busy > 0 && (len(p.leaving) == 0 || l.busy >= p.c.cfg.MaxInFlight): // Close has nothing to wait for but this
			at = sooner(at, p.c.now.Add(busyPause))
		case best == nil || p.prefers(n, best):
			best = n
		}
	}
	return best, at
}

// prefers reports whether n is better than o. The transaction coordinator is left alone where there are others: its requests
// would wait behind a push. A bootstrap server that has not said who it is may be one of the brokers: its connection is not
// kept for this. Among the others the one that has answered last is preferred, or else the one whose connection has been quiet
// longest.
func (p *pusher) prefers(n, o *node) bool {
	coordinator, known := p.c.txn.Coordinator()
	switch {
	case known && (n.id == coordinator) != (o.id == coordinator):
		return o.id == coordinator
	case (n.id >= 0) != (o.id >= 0):
		return n.id >= 0
	case n == p.at || o == p.at:
		return n == p.at
	}
	return n.links[control].heard.Before(o.links[control].heard)
}

func (p *pusher) subscribed(c *core, n *node, call *wire.Call) {
	if call.Err != nil {
		p.failed(nil, false)
		return
	}
	p.at = n
	p.reporter.Subscribed(c.now, call.Response.(*protocol.GetTelemetrySubscriptionsResponse))
	p.settle()
}

// collected: a push is ready to be sent.
type collected struct{ push *telemetry.Push }

func (e collected) apply(c *core) {
	if c.aborted {
		return
	}
	c.pusher.ready = e.push
	c.pusher.logLeftOut(e.push)
}

func (p *pusher) pushed(push *telemetry.Push, n *node, call *wire.Call) {
	if call.Err != nil {
		p.failed(push, call.Written)
		return
	}
	p.at = n
	p.reporter.Pushed(p.c.now, push, call.Response.(*protocol.PushTelemetryResponse).ErrorCode)
	p.settle()
}

// failed notes that a request got no answer, or found nobody.
func (p *pusher) failed(push *telemetry.Push, written bool) {
	p.reporter.Failed(p.c.now, push, written)
	p.settle()
}

// settle follows each change of the reporter.
func (p *pusher) settle() {
	p.endCallers()
	p.logStatus()
	if p.reporter.Over() {
		for _, done := range p.leaving {
			close(done)
		}
		p.leaving = nil
	}
}

// logStatus logs what is pushed, if that has changed.
func (p *pusher) logStatus() {
	now := p.reporter.Status()
	if before := p.logged; now != before {
		p.logged = now
		p.c.news.pushes(before, now)
	}
}

// logLeftOut logs that something is left out, once for as long as that lasts.
func (p *pusher) logLeftOut(push *telemetry.Push) {
	before := p.left
	p.left = leftOut{push.Omitted > 0, push.Twice > 0}
	if p.left.points && !before.points || p.left.twice && !before.twice {
		p.c.news.leavesOut(push)
	}
}

// source is who pushes, beyond what brokers know of any client.
func (c *Config) source() telemetry.Source {
	s := telemetry.Source{Library: c.Wire.SoftwareName, Version: c.Wire.SoftwareVersion}
	if c.Rack != "" {
		s.Resource = append(s.Resource, otlp.Attribute{Key: "client_rack", Value: c.Rack})
	}
	if c.TransactionalID != "" {
		s.Resource = append(s.Resource, otlp.Attribute{Key: "transactional_id", Value: c.TransactionalID})
	}
	return s
}

// askForCallers connects to a broker for callers who wait for the instance id, if none is connected. If the connected ones take
// no metrics, it tells the callers. It returns when to come back.
func (p *pusher) askForCallers() time.Time {
	if len(p.callers) == 0 {
		return zero
	}
	p.parked = false
	if slices.ContainsFunc(p.c.nodes.all(), func(n *node) bool { cn := n.links[control].conn; return cn != nil && takesMetrics(cn) }) {
		return zero
	}
	n, at := p.c.controlNode()
	if n != nil {
		for _, e := range p.callers {
			e.end(ErrNoTelemetry)
		}
		p.callers = nil
	}
	return at
}
