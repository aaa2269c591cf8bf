package sender

import (
	"errors"
	"time"

	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// errMoved ends a connection to a silent broker whose role another one has now (R4).
var errMoved = errors.New("the broker is silent, and another one has taken over from it")

// errTwin ends a connection that is probably as lost as another one (R6).
var errTwin = errors.New("another connection brought no answer, and this one may be as lost")

// begin notes a call on l's connection.
func (l *link) begin(now time.Time) {
	if l.busy == 0 {
		l.heard = now
	}
	l.busy++
}

// answered notes an answer on l's connection.
func (l *link) answered(now time.Time) {
	l.failures = 0
	l.vouches = l.vouches || l.stale < 0
	l.pause = max(l.pause-l.pause/8, usual(l.pause, now.Sub(l.heard)))
	l.heard, l.came = now, now
}

// silentFrom returns when l is silent if nothing comes until then (R3); the zero time if nothing has to come.
func (l *link) silentFrom() time.Time {
	if l.conn == nil || l.busy == 0 {
		return time.Time{}
	}
	since := l.heard
	if until := l.conn.ThrottledUntil(); until.After(since) {
		since = until // nothing was sent before
	}
	return since.Add(patient(l.pause))
}

func (l *link) silent(now time.Time) bool {
	at := l.silentFrom()
	return !at.IsZero() && !at.After(now)
}

// silent reports whether a connection to n is.
func (n *node) silent(now time.Time) bool {
	return n.links[data].silent(now) || n.links[control].silent(now)
}

// watch looks for brokers that are silent, and for those whose role has moved. It returns when to look again.
func (c *core) watch() (at time.Time) {
	if c.aborted {
		return time.Time{}
	}
	for _, n := range c.nodes.all() {
		l := &n.links[data]
		from := l.silentFrom()
		if from.IsZero() {
			continue
		}
		if from.After(c.pause.judged(c.now)) { // what it has said while we stood still may be on the way
			at = sooner(at, c.pause.judgedAt(c.now, from))
			continue
		}
		c.meta.RequestUpdate() // which has a pace of its own
		if n.movedFrom(c.meta.Snapshot()) {
			l.conn.Close(errMoved)
		}
	}
	return sooner(at, c.txn.watch())
}

// movedFrom reports whether a partition that has a batch in flight to n has another leader by now. It looks once at each
// snapshot of the cluster.
func (n *node) movedFrom(snapshot *metadata.Snapshot) bool {
	l := &n.links[data]
	if l.moved == snapshot {
		return false
	}
	l.moved = snapshot
	for _, r := range n.flights {
		if r.conn != l.conn {
			continue
		}
		for _, d := range r.deliveries {
			if leader := d.part.leader; leader >= 0 && leader != n.id {
				return true
			}
		}
	}
	return false
}

// unheardSince reports whether there is a connection on l that has shown no sign of life since then.
func (l *link) unheardSince(at time.Time) bool {
	return l.conn != nil && !l.opened.After(at) && !l.came.After(at)
}

// twinLost closes the connection beside one of n's that request.timeout has ended, if it is probably as lost (R6). Batches that
// are in flight there are left to their own time: they may be late because replicas are. A request that was only just sent on
// the control connection, maybe for the loss of another one, says nothing for it.
func (c *core) twinLost(n *node, which lane) {
	l, other := &n.links[lanes-1-which], lanes-1-which
	unheard := l.unheardSince(n.links[which].heard) && (l.busy == 0 || other == control)
	if unheard || other == control && l.silent(c.pause.judged(c.now)) {
		l.conn.Close(errTwin)
	}
}

// aboutMetrics reports whether it was a request about metrics that had no answer: nothing else is to feel that.
func aboutMetrics(err error) bool {
	var failed *wire.Error
	if !errors.As(err, &failed) {
		return false
	}
	return failed.API == (*protocol.GetTelemetrySubscriptionsRequest)(nil).API().Name || failed.API == (*protocol.PushTelemetryRequest)(nil).API().Name
}

// renewBootstrap closes the idle connections to bootstrap servers: no broker answers, and what is from before may be as lost as
// the connections to brokers (R6). One that has answered a moment ago, and since a connection was last lost, is as good as a new
// one.
func (ns *nodes) renewBootstrap(now time.Time) {
	const moment = 5 * time.Second // longer than the backoffs by default
	for _, n := range ns.order[:ns.bootstrap] {
		if l := &n.links[control]; l.conn != nil && l.busy == 0 && !(l.vouches && now.Sub(n.health.heard) < moment) {
			l.conn.Close(errTwin)
		}
	}
}
