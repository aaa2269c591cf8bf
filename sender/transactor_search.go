package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// A search is for the coordinator that may have taken over from a silent one.
type search struct {
	asking   bool
	vain     int       // answers in a row that named the silent one again
	notUntil time.Time // the next
}

// askCoordinator is inquire for what only n can answer.
func (c *core) askCoordinator(n *node, req protocol.Request, version int16, take func(*core, *node, *wire.Call)) bool {
	return c.askUpTo(n, version, req, req.NewResponse(), take)
}

// watch looks for coordinators that are silent. It returns when to look again.
func (t *transactor) watch() (at time.Time) {
	c := t.c
	for _, step := range t.waiting {
		l := &c.nodes.of(step.Node).links[control]
		from := l.silentFrom()
		switch {
		case from.IsZero():
		case from.After(c.pause.judged(c.now)):
			at = sooner(at, c.pause.judgedAt(c.now, from))
		default:
			return sooner(at, t.seek(step))
		}
	}
	return at
}

// missing reports whether nobody answers at the other end of l, which has no connection: an attempt takes longer than usual, or
// the last one has failed.
func (l *link) missing(now time.Time) bool {
	long, _ := l.trying(now)
	return long || len(l.dials) == 0 && l.failures > 0 && l.notUntil.After(now)
}

// seek asks another broker who the coordinator of step is, since step's own is silent. It returns when to come back.
func (t *transactor) seek(step *txn.Step) time.Time {
	c := t.c
	s := &t.search
	if s.asking {
		return time.Time{}
	}
	if s.notUntil.After(c.now) {
		return s.notUntil
	}
	n, at := c.controlNode(step.Node)
	if n == nil {
		return at
	}
	s.asking = c.inquire(n, step.Search(), 0, func(c *core, _ *node, call *wire.Call) { t.sought(step, call) })
	if !s.asking {
		return c.now
	}
	return time.Time{}
}

// sought takes the answer to seek. A coordinator that has spoken meanwhile says itself if it no longer is one.
func (t *transactor) sought(step *txn.Step, call *wire.Call) {
	c := t.c
	s := &t.search
	s.asking = false
	s.notUntil = c.now.Add(c.cfg.RetryBackoff.Delay(s.vain, c.out.random()))
	s.vain++
	l := &c.nodes.of(step.Node).links[control]
	if call.Err != nil || l.conn != nil && !l.silent(c.pause.judged(c.now)) {
		return
	}
	resp := call.Response.(*protocol.FindCoordinatorResponse)
	c.meetCoordinators(resp)
	if !t.Moved(step, resp) {
		return
	}
	s.vain = 0
	if l.conn != nil {
		l.conn.Close(errMoved)
	}
}
