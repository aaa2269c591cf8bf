package sender

import (
	"errors"
	"math/bits"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/wire"
)

// A dial is an attempt to connect. Several to the same end may be under way (R2).
type dial struct {
	addr   string
	bounds wire.Bounds
	whole  time.Duration // of all stages together; 0: only theirs
	stop   func(error)   // ends it, by the effects that began it; does not block

	began time.Time
	login time.Time // when it has begun to present credentials; zero: it has not
	lacks error     // why its credentials do not come; nil: nothing is known to be in their way
	elder bool      // has all of its bounds
}

// maxDials bounds the attempts of a link that are under way at once.
const maxDials = 4

// The bounds of patience: after it, another attempt begins beside one that is silent, and a connection on which nothing comes
// counts as silent.
const (
	leastPatience = 250 * time.Millisecond
	mostPatience  = time.Second
)

// patient returns four times a duration that was enough before, within these bounds; enough is 0 if none is known.
func patient(enough time.Duration) time.Duration {
	if enough == 0 {
		return mostPatience
	}
	return min(max(4*enough, leastPatience), mostPatience)
}

// usual returns what is known of a duration after it was measured again, as took: at most twice what was known before, since an
// outage may have lengthened it.
func usual(known, took time.Duration) time.Duration {
	took = max(took, 1)
	if known == 0 {
		return took
	}
	return min(took, 2*known)
}

var (
	// errBeaten ends an attempt when another has got through.
	errBeaten = errors.New("another attempt to connect was faster")
	// errGaveWay ends an attempt that was silent for so long that a fresh one is better.
	errGaveWay = errors.New("nothing came, and a fresh attempt has taken its place")
)

// connect begins an attempt on a link that has no connection, beside silent ones under way, unless it is too soon. It returns
// when to come back; the zero time if only an event can help.
func (c *core) connect(n *node, which lane) time.Time {
	l := &n.links[which]
	switch {
	case l.conn != nil:
		return time.Time{}
	case l.notUntil.After(c.now):
		return l.notUntil
	case l.loggingIn().After(c.now):
		return l.loggingIn()
	case c.nodes.shut(n).After(c.now):
		return c.nodes.shut(n)
	case len(l.dials) == maxDials:
		return time.Time{} // one of them ends
	}
	if which == data && len(l.dials) > 0 {
		c.meta.RequestUpdate() // it may lead nothing any more
	}
	if len(l.dials) == 0 {
		l.since = c.now
	}
	d := n.next(c, l)
	l.dials = append(l.dials, d)
	c.published.dialing.Store(&d.addr)
	c.pending++
	c.out.dial(n, which, d)
	return l.notUntil
}

// next makes the next attempt, and sets when one may follow it.
func (n *node) next(c *core, l *link) *dial {
	connect := c.cfg.ConnectTimeout.Delay(l.timeouts, c.out.random())
	gap := max(patient(l.took), c.cfg.Reconnect.Delay(l.failures+len(l.dials), c.out.random()))
	l.notUntil = c.now.Add(gap)
	d := &dial{addr: n.addr, bounds: wire.Bounds{Connect: connect, Stage: connect}, began: c.now, elder: true, stop: func(error) {}}
	if c.cfg.RequestTimeout > 0 && (connect == 0 || c.cfg.RequestTimeout < connect) {
		d.bounds.Stage = c.cfg.RequestTimeout
	}
	if slices.ContainsFunc(l.dials, func(o *dial) bool { return o.elder }) {
		// Every second one has 2 gaps, every fourth 4, and the others 8, so that there is one of each.
		l.hedges++
		d.elder = false
		d.whole = gap << (1 + min(bits.TrailingZeros(uint(l.hedges)), 2))
	}
	return d
}

// trying reports whether the link has been trying to connect in vain for longer than is usual, and when it will have.
func (l *link) trying(now time.Time) (long bool, at time.Time) {
	if len(l.dials) == 0 {
		return false, time.Time{}
	}
	at = latter(l.since.Add(patient(l.took)), l.loggingIn())
	return !at.After(now), at
}

func (e dialed) apply(c *core) {
	c.pending--
	l := &e.node.links[e.which]
	l.dials = slices.DeleteFunc(l.dials, func(d *dial) bool { return d == e.dial })
	c.metrics.countDialed(e)
	switch {
	case e.dial.addr != e.node.addr: // the broker has moved meanwhile
		if e.err == nil {
			e.conn.Close(errElsewhere)
		}
		return
	case e.err == nil:
		l.hear(nil)
		c.connected(e)
		return
	case errors.Is(e.err, errBeaten), errors.Is(e.err, errElsewhere):
		return
	case errors.Is(e.err, errGaveWay):
		l.failures++
		return // what the elder ends with is told instead
	}
	c.published.dialing.Store(nil)
	c.hooks.notConnected(e)
	l.hear(e.err)
	l.failed(c, e.err)
	e.node.failed(c.now, e.err)
	c.nodes.troubled(c.now, e.err)
	if isRefusal(e.err) {
		c.news.turnedAway(e.node, e.err)
		c.turnedAway(e.node, e.err)
	} else if hasNoCredentials(e.err) {
		c.news.noCredentials(e.err, e.dial.lacks == nil)
	} else {
		c.news.notConnected(e.node, e.err)
	}
	if e.which == control {
		c.pingFailed(e.node, e.err)
		c.txn.Unreachable(e.node.id, e.err)
		if !c.meta.Asking() { // else the dial was for another request, and metadata's has its own end
			c.change(c.meta.Unreachable(c.now, e.node.id))
		}
		c.giveUpLookups()
		return
	}
	c.meta.RequestUpdate()
}

// connected takes a connection that has been made, and ends the other attempts.
func (c *core) connected(e dialed) {
	c.published.dialing.Store(nil)
	l := &e.node.links[e.which]
	switch {
	case c.aborted:
		e.conn.Close(ErrClosed)
		return
	case l.conn != nil: // two were as fast
		e.conn.Close(errBeaten)
		return
	}
	c.hooks.connected(e)
	c.nodes.letIn(e.node)
	first := c.nodes.noneConnected()
	if c.nodes.mayReachAnother() {
		c.doubtCluster(e.node, e.which)
	}
	c.nodes.opened(l, e.conn, c.now)
	e.node.up(c.now)
	c.news.connected(e.node)
	if e.asked > 0 {
		l.asked = e.asked
		c.quiet(e.node, l)
	}
	l.timeouts, l.hedges, l.pause, l.notUntil = 0, 0, 0, time.Time{}
	if e.dial != nil {
		l.took = usual(l.took, c.now.Sub(e.dial.began))
	}
	for _, d := range l.dials {
		d.stop(errBeaten)
	}
	if first {
		c.nodes.encourage(e.node, l.took, c.now) // the outage is over, or may be
	}
	e.node.links[lanes-1-e.which].encourage(patient(l.took))
	c.txn.hear(e.node, e.which, e.conn)
	c.pusher.hear(e.conn)
}

// encourage lets a link that is being dialled in vain begin a fresh attempt, since the node is there: it has just answered on
// its other lane.
func (l *link) encourage(patience time.Duration) {
	n := len(l.dials)
	if n == 0 {
		return
	}
	if at := l.dials[n-1].began.Add(patience); at.Before(l.notUntil) {
		l.notUntil = at
	}
	if n == maxDials {
		l.dials[slices.IndexFunc(l.dials, func(d *dial) bool { return !d.elder })].stop(errGaveWay)
	}
}

func (e hungUp) apply(c *core) {
	c.hooks.disconnected(e.conn, e.err)
	c.metrics.countHungUp(e.node)
	l := &e.node.links[e.which]
	if l.conn == e.conn {
		l.conn, l.busy = nil, 0
	}
	if l.conn == nil {
		l.quiet.end(c.now)
	}
	former := e.node.parted(e.conn)
	if !former && (errors.Is(e.err, errBeaten) || errors.Is(e.err, errElsewhere)) {
		return // it never was the node's
	}
	if e.which == data {
		c.topics.disturb(e.node.id)
	}
	e.node.down(c.now, !errors.Is(e.err, wire.ErrTimeout) && !errors.Is(e.err, errMoved) && !errors.Is(e.err, errTwin))
	if former {
		return
	}
	if !errors.Is(e.err, errOffer) { // else we have closed it, and the broker was there
		c.nodes.doubtLinks()
	}
	switch {
	case errors.Is(e.err, wire.ErrIdle), errors.Is(e.err, errTwin):
		return
	case errors.Is(e.err, wire.ErrTimeout) && !aboutMetrics(e.err):
		c.twinLost(e.node, e.which)
	}
	l.lost(c, e.err)
	e.node.failed(c.now, e.err)
	c.news.lost(e.node, e.err)
	if isRefusal(e.err) {
		c.turnedAway(e.node, e.err)
	}
	if e.which == data {
		c.meta.RequestUpdate()
	}
}

// failed notes that an attempt has failed, and sets the backoff before the next (KIP-144). The one after a silent attempt was
// planned when that began.
func (l *link) failed(c *core, err error) {
	silent := wire.TimedOut(err)
	next := l.notUntil
	l.lost(c, err)
	if silent {
		l.timeouts++
		if next.Before(l.notUntil) {
			l.notUntil = next
		}
	}
}

// lost is failed for a connection.
func (l *link) lost(c *core, err error) {
	l.lastErr = err
	l.notUntil = c.now.Add(c.cfg.Reconnect.Delay(l.failures, c.out.random()))
	l.failures++
}
