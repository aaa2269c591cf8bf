package wire

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// A session is the time for which the broker has let this connection in, and what keeps the connection alive beyond it
// (KIP-368). Guarded by Conn.mu. After the end of the session a broker hangs up on every request but the first of an
// authentication.
type session struct {
	granted
	target sasl.Target   // never changed, as is bound
	bound  time.Duration // on getting credentials, and on an authentication that has the connection; 0: none

	hampered func(error) // as Bounds.Hampered; never changed

	begun   time.Time // when renew last took the writer to authenticate; zero: it has not
	renewAt time.Time // when the next is to begin; zero: never, since the session has no end
	holdAt  time.Time // from then on nothing is written before it

	used     bool // a call was sent since the last one; if not, the next waits for a call
	renewing bool // renew is running
	wants    bool // renew waits for the writer, or owns it: nobody else begins a write
	stir     chan struct{}
	failures int    // in a row
	refusal  error  // why renew has ended the connection; nil: it has not
	at       *login // the login that was under way when the connection ended
}

const (
	// leastBetween is how far apart two authentications of a connection begin. A broker refuses one that begins less than a
	// second after the one before.
	leastBetween = 2 * time.Second
	// firstAgain is the wait after an authentication that failed and left the session as it was. It doubles up to lastAgain.
	firstAgain = time.Second
	lastAgain  = 30 * time.Second
	// mostPutOff is how often in a row a broker may put off an authentication after the end of the session.
	mostPutOff = 3
	// mostHeld bounds how long before the end of the session the last request is begun. One that is written in the last moment
	// would arrive late.
	mostHeld = time.Second
)

// grantLocked notes a new session. As with Kafka's own client, it is renewed when 85 to 95 % of it have passed, at random, so
// that the connections of one client, and the clients of one broker, do not renew at the same moment.
func (c *Conn) grantLocked(g granted) {
	s := &c.session
	s.granted, s.used, s.failures = g, c.unanswered > 0, 0
	if g.lifetime == 0 {
		s.renewAt, s.holdAt = time.Time{}, time.Time{}
		return
	}
	end := g.since.Add(g.lifetime)
	s.holdAt = end.Add(-min(g.lifetime/40, mostHeld))
	part := 0.85 + 0.1*rand.Float64()
	s.renewAt = g.since.Add(time.Duration(part * float64(g.lifetime)))
	if least := s.begun.Add(leastBetween); s.renewAt.Before(least) {
		s.renewAt = least
	}
	c.setAlarmLocked(s.renewAt)
}

// sendWaitsLocked reports whether a Send has to leave its call to writeLoop because of the session.
func (c *Conn) sendWaitsLocked() bool {
	s := &c.session
	if s.renewAt.IsZero() {
		return false // without a look at the clock
	}
	now := time.Now()
	return s.wants || !now.Before(s.holdAt) || !s.renewing && !now.Before(s.renewAt)
}

// holdBackLocked reports whether writeLoop has to hold back its calls because of the session. It starts renew if it is time.
func (c *Conn) holdBackLocked() bool {
	s := &c.session
	if s.renewAt.IsZero() {
		return false
	}
	now := time.Now()
	c.renewDueLocked(now)
	return s.wants || !now.Before(s.holdAt)
}

// renewDueLocked starts renew if it is time and somebody uses the connection. A connection that nobody uses is left alone. Its
// next call waits for renew.
func (c *Conn) renewDueLocked(now time.Time) {
	s := &c.session
	switch {
	case s.renewAt.IsZero(), s.renewing, c.closing:
	case now.Before(s.renewAt):
		c.setAlarmLocked(s.renewAt)
	case s.used || c.waiting.len() > 0:
		s.renewing = true
		c.loops.Add(1)
		go c.renew()
	}
}

// renew authenticates the connection again. It gets credentials while calls are written and answered as usual. Then it owns the
// writer, and nothing but its own requests is in flight, so that it gets the answers that are meant for it.
func (c *Conn) renew() {
	defer c.loopEnded()
	began := time.Now()
	l := c.cfg.newLogin(c.peer, c.session.target, c.versions)
	l.reportTo(c.session.hampered)
	g, err := c.loginAgain(l)

	c.mu.Lock()
	s := &c.session
	if c.writerOwner == ownerRenew {
		c.writerOwner = ownerNone
	}
	s.renewing, s.wants = false, false
	failure := c.loginFailure(l, err)
	over := false
	switch {
	case err == nil:
		c.grantLocked(g)
	case errors.Is(err, ErrClosed):
		s.at = l
	case !c.putOffLocked(l, err):
		over, s.refusal = true, failure
	}
	c.mu.Unlock()

	if over {
		c.Close(failure)
	}
	notify(c.wake)
	if !errors.Is(err, ErrClosed) { // otherwise the connection has ended, and its end is told
		c.reportRenewed(l, g, began, err, over)
	}
}

func (c *Conn) loginFailure(l *login, err error) *Error {
	e := l.failure(err)
	e.Hint = hint(e, nil)
	return e
}

// explainSessionLocked is explainLocked for a connection that has ended in the middle of an authentication, or because of one.
func (c *Conn) explainSessionLocked(e *Error) error {
	s := &c.session
	asked := c.inFlight.len() > 0 && c.inFlight.pending()[0].session || len(c.group) > 0 && c.group[0].session
	switch {
	case s.refusal != nil:
		return s.refusal // the broker has hung up after it
	case s.at != nil && asked:
		return c.loginFailure(s.at, e.Err)
	}
	return nil
}

// reportRenewed reports how the authentication went. If it has ended the connection, the end of the connection is told
// elsewhere.
func (c *Conn) reportRenewed(l *login, g granted, began time.Time, err error, over bool) {
	if c.cfg.Renewed != nil {
		c.cfg.Renewed(err)
	}
	c.peer.Counters.renewed(time.Since(began), err)
	log, addr, node, name := c.cfg.logger(), protocol.Shown(c.peer.Addr), c.peer.NodeID, l.mechanism.Name()
	switch {
	case err == nil:
		log.Debug("re-authenticated", "addr", addr, "node", node, "mechanism", name, "lifetime", g.lifetime, "took", time.Since(began))
	case !over:
		log.Warn("re-authentication failed", "addr", addr, "node", node, "mechanism", name, "err", err)
	}
}

// putOffLocked plans another attempt if the session is still good: there were no credentials, or the broker wants to be asked
// later. It reports whether it did. It does not if the session is over all the same.
func (c *Conn) putOffLocked(l *login, err error) bool {
	s := &c.session
	later := errors.Is(err, protocol.IllegalSaslState) && l.api == "SaslHandshake"
	if l.api != "" && !later {
		return false
	}
	s.failures++
	now := time.Now()
	held := !now.Before(s.holdAt)
	if held && (!later || s.failures > mostPutOff) {
		return false
	}
	s.renewAt = now.Add(min(firstAgain<<min(s.failures-1, 5), lastAgain))
	if !held && s.renewAt.After(s.holdAt) {
		s.renewAt = s.holdAt
	}
	if least := s.begun.Add(leastBetween); s.renewAt.Before(least) {
		s.renewAt = least
	}
	c.setAlarmLocked(s.renewAt)
	return true
}

func (c *Conn) loginAgain(l *login) (granted, error) {
	if err := c.withinBound(func(ctx context.Context) error { return l.begin(ctx) }); err != nil {
		return granted{}, err
	}
	if !c.takeWriterAlone() {
		return granted{}, ErrClosed
	}
	var g granted
	err := c.withinBound(func(ctx context.Context) (err error) {
		g, err = l.run(ctx, c.askAlone)
		return err
	})
	return g, err
}

// withinBound calls do, which may take as long as a stage of the first handshake.
func (c *Conn) withinBound(do func(context.Context) error) error {
	ctx := c.over
	if bound := c.session.bound; bound > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, bound)
		defer cancel()
	}
	err := do(ctx)
	switch {
	case err != nil && c.over.Err() != nil && errors.Is(err, c.over.Err()):
		return ErrClosed
	case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return fmt.Errorf("no success within %v: %w", c.session.bound, err)
	}
	return err
}

// takeWriterAlone waits until nothing is in flight or being written and the broker lets us write. Then it takes the writer, and
// nobody else gets it meanwhile. It reports false once the connection is closing.
func (c *Conn) takeWriterAlone() bool {
	c.mu.Lock()
	c.session.wants = true
	c.mu.Unlock()
	for {
		c.mu.Lock()
		mute, closing := c.muteLocked(), c.closing
		ready := !closing && c.writerOwner == ownerNone && c.inFlight.len() == 0
		if ready && mute == 0 {
			c.writerOwner = ownerRenew
			c.session.begun = time.Now()
		}
		c.mu.Unlock()
		switch {
		case closing:
			return false
		case !ready:
			select {
			case <-c.session.stir:
			case <-c.dying:
			}
		case mute == 0:
			return true
		default:
			timer := time.NewTimer(mute)
			select {
			case <-timer.C:
			case <-c.dying:
				timer.Stop()
			}
		}
	}
}

// stirLocked wakes takeWriterAlone, since something has changed for which it may wait.
func (c *Conn) stirLocked() {
	if c.session.wants {
		notify(c.session.stir)
	}
}

// askAlone sends one request of the authentication, which owns the writer, and waits for its answer. readLoop decodes it like
// any other, and the connection's timer watches over it.
func (c *Conn) askAlone(ctx context.Context, version int16, req protocol.Request, resp protocol.Response) error {
	done := make(chan struct{})
	call := &Call{Request: req, Response: resp, session: true, Done: func(*Call) { close(done) }}
	if end, ok := ctx.Deadline(); ok {
		call.Timeout = max(time.Until(end), 1)
	}
	w := &c.writer
	c.mu.Lock()
	c.group = append(c.group, call)
	c.mu.Unlock()
	header := w.prepare(c, call, version)
	w.scratch = protocol.AppendRequest(w.scratch, header, req)
	w.grown(len(w.scratch))
	if !c.beginWrite() {
		return ErrClosed
	}
	w.bufs = append(w.bufs, w.scratch)
	written, err := c.out.write(w.bufs)
	clear(w.bufs)
	c.mu.Lock()
	broken := c.endWriteLocked(w, written, err)
	if err == nil {
		c.writerOwner = ownerRenew // renew keeps the writer
	}
	c.mu.Unlock()
	c.wroteGroup(broken)
	select {
	case <-done:
		return call.Err
	case <-c.dying:
	}
	select {
	case <-done: // a broker that refuses answers and hangs up
		return call.Err
	default:
		return ErrClosed
	}
}
