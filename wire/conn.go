package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is an established connection to a broker. All its methods are safe for concurrent use, and none blocks.
type Conn struct {
	// Set by Dial, and not changed after that.
	cfg               *Config
	peer              Peer
	versions          versions
	features          features
	handshakeThrottle time.Duration // asked for by the answer to ApiVersions
	onClose           func(*Conn, error)
	sock              net.Conn // what was dialled: closing it ends a read and a write in progress
	frames            *frameReader
	watch             *watch      // that frames reads from
	unread            func() bool // whether the socket holds anything to be read; nil: it cannot be asked
	out               sink
	direct            trySink // out's way to write without waiting, nil if it has none
	firstID           int32   // correlation id of the first request after the handshake

	wake     chan struct{}   // capacity 1, so that a wake-up is never lost and never blocks: there is something to write
	returned chan struct{}   // capacity 1, likewise: a write has returned, for which readLoop may wait
	dying    chan struct{}   // closed by the first Close
	closed   chan struct{}   // closed when both loops have ended and all calls are resolved
	loops    atomic.Int32    // goroutines that have not ended: the loops, and renew
	hangs    sync.Once       // for hangUp
	over     context.Context // ends with dying, for renew
	end      context.CancelFunc

	mu sync.Mutex // guards the following; never held while blocking or calling out

	closing    bool
	cause      error     // why it is closing
	draining   bool      // with closing: the write has failed, and readLoop still reads what was answered before
	unanswered int       // calls taken by Send and not done
	answers    int64     // calls answered in all
	answered   [2]uint64 // a bit for each API key of those calls

	waiting     queue       // taken by Send
	writerOwner writerOwner // whose group and writer are
	group       []*Call     // taken to be encoded and then written together
	writing     bool        // the group's write has begun, and not ended
	inFlight    queue       // written, and waiting for an answer

	throttledUntil time.Time
	lastUsed       time.Time   // last Done, for ConnectionsMaxIdle
	timer          *time.Timer // runs onTimer at alarm, which is never later than the first deadline
	alarm          time.Time   // zero = not set
	look           look        // before a call is given up
	session        session     // of SASL

	// Not guarded by mu.
	writer writer  // belongs to writerOwner
	silent []*Call // belongs to writeLoop: calls that expect no answer, and are done now that they are written
}

// start starts the goroutines of the established connection.
func (c *Conn) start() {
	c.wake = make(chan struct{}, 1)
	c.returned = make(chan struct{}, 1)
	c.dying = make(chan struct{})
	c.closed = make(chan struct{})
	c.writer.correlationID = c.firstID
	c.loops.Store(2)
	c.over, c.end = context.WithCancel(context.Background())

	c.mu.Lock()
	c.session.stir = make(chan struct{}, 1)
	c.grantLocked(c.session.granted)
	c.lastUsed = time.Now()
	c.setAlarmLocked(c.idleDeadlineLocked())
	c.mu.Unlock()

	go c.writeLoop()
	go c.readLoop()
}

// Send hands call to the connection. It does not block. With Call.SizeHint it may encode the call, and write what the socket
// takes at once. Once the connection is broken or closing it reports false, and the call stays with the caller. It panics if
// more than Config.MaxInFlight calls are not done (I1), which is a bug of the caller.
func (c *Conn) Send(call *Call) bool {
	if call.Request == nil || call.Done == nil {
		panic("wire: a call needs Request and Done")
	}
	if call.Response != nil && call.Response.API().Key != call.Request.API().Key {
		panic(fmt.Sprintf("wire: a %T does not answer a %T", call.Response, call.Request))
	}
	version, small := c.directVersion(call)
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return false
	}
	if c.unanswered >= c.cfg.MaxInFlight {
		c.mu.Unlock()
		panic(fmt.Sprintf("wire: more than %d calls in flight", c.cfg.MaxInFlight))
	}
	call.reset()
	c.unanswered++
	c.session.used = true
	if small && c.takeWriterLocked() {
		c.group = append(c.group, call)
		c.mu.Unlock()
		c.writeDirectly(call, version)
		return true
	}
	c.waiting.push(call)
	c.mu.Unlock()

	notify(c.wake)
	return true
}

// Close closes the connection because of err, which may be nil. Only the first call has an effect. It does not block. Every
// call that is not done gets its Done with an error that matches ErrClosed, once the write that it may be part of has returned.
func (c *Conn) Close(err error) {
	c.mu.Lock()
	c.beginCloseLocked(err)
	c.draining = false
	c.mu.Unlock()
	c.hangUp()
}

// beginCloseLocked makes Send refuse calls from now on. It reports whether it is the first to do so. If it is, the caller must
// call hangUp, without the lock.
func (c *Conn) beginCloseLocked(err error) bool {
	if c.closing {
		return false
	}
	if err == nil {
		err = ErrClosed
	}
	c.closing, c.cause = true, err
	if c.timer != nil {
		c.timer.Stop()
	}
	return true
}

// hangUp ends both loops, once. It closes the socket itself, not TLS over it: saying goodbye (close_notify) could block.
func (c *Conn) hangUp() {
	c.hangs.Do(func() {
		close(c.dying)
		c.end()
		c.sock.Close()
	})
}

// Closed returns a channel that is closed when both loops have ended, every call is done and onClose has returned.
func (c *Conn) Closed() <-chan struct{} { return c.closed }

// Peer returns the broker that was dialled.
func (c *Conn) Peer() Peer { return c.peer }

// ThrottledUntil returns the time before which nothing is written, because the broker asked for that (KIP-219); zero if it
// never did.
func (c *Conn) ThrottledUntil() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.throttledUntil
}

// finish ends one call.
func (c *Conn) finish(call *Call, err error) {
	now := time.Now()
	c.mu.Lock()
	c.freeSlotLocked(call, now)
	c.mu.Unlock()
	call.end(err, now)
}

// freeSlotLocked frees the slot of a call that is about to end. A call of an authentication has no slot, and does not count as
// use of the connection.
func (c *Conn) freeSlotLocked(call *Call, now time.Time) {
	if call.session {
		return
	}
	c.unanswered--
	c.lastUsed = now
	if c.unanswered == 0 {
		c.setAlarmLocked(c.idleDeadlineLocked())
	}
}

// loopEnded is the last thing that each goroutine of the connection does. After the last one nobody reads or writes any more,
// so it resolves the calls that are left.
func (c *Conn) loopEnded() {
	if c.loops.Add(-1) > 0 {
		return
	}
	c.mu.Lock()
	cause := c.explainLocked(c.cause)
	var left []*Call
	left = append(left, c.inFlight.pending()...)
	left = append(left, c.group...)
	left = append(left, c.waiting.pending()...)
	c.inFlight, c.group, c.waiting = queue{}, nil, queue{}
	c.mu.Unlock()

	cut := c.cutOff(cause)
	for _, call := range left {
		err := cut
		if call.timedOut {
			err.Err = ErrTimeout
		}
		err.API = call.Request.API().Name
		c.finish(call, &err)
	}
	if c.onClose != nil {
		c.onClose(c, cause)
	}
	close(c.closed)
}

// explainLocked adds a guess where a broker has hung up on the first requests after the negotiation, or on a request of an API
// of which it has answered none on this connection.
func (c *Conn) explainLocked(cause error) error {
	var e *Error
	if !errors.As(cause, &e) || e.Stage != StageRequest {
		return cause
	}
	if session := c.explainSessionLocked(e); session != nil {
		return session
	}
	if e.Hint != "" || !hungUp(e.Err) || c.unanswered == 0 {
		return cause
	}
	explained := *e
	if c.answers == 0 && !c.peer.Served { // otherwise clients are welcome there
		explained.Hint = c.firstRequestHint()
	}
	if pending := c.inFlight.pending(); len(pending) > 0 && !c.answeredLocked(pending[0]) {
		api := pending[0].Request.API()
		explained.API = api.Name
		switch explained.Hint {
		case "":
			explained.Hint = hintStopped + hintOtherVersion(api.Name, pending[0].Version)
		case hintNoClients:
			explained.Hint += "; or " + hintOtherVersion(api.Name, pending[0].Version)
		}
	}
	return &explained
}

// firstRequestHint says what a hang-up on the first request means at first contact. If we have no SASL, by far the likeliest
// reason is that the listener wants it.
func (c *Conn) firstRequestHint() string {
	switch {
	case c.cfg.SASL != nil:
		return hintNoClients
	case c.cfg.TLS != nil:
		return fmt.Sprintf(hintFirstRequest, "SASL_SSL")
	}
	return fmt.Sprintf(hintFirstRequest, "SASL_PLAINTEXT")
}

// answeredLocked reports whether a call of the same API has been answered.
func (c *Conn) answeredLocked(call *Call) bool {
	key := call.Request.API().Key
	return c.answered[key>>6&1]&(1<<(key&63)) != 0
}

// noteAnswerLocked counts an answered call.
func (c *Conn) noteAnswerLocked(call *Call) {
	key := call.Request.API().Key
	c.answers++
	c.answered[key>>6&1] |= 1 << (key & 63)
}

// cutOff returns the error of a call that ends with the connection, without the call's API. If the reason is that another call
// has timed out, the error is no ErrTimeout: this call has not.
func (c *Conn) cutOff(cause error) Error {
	cut := *c.failure(ErrClosed)
	var e *Error
	if errors.As(cause, &e) {
		cause, cut.Hint = e.Err, e.Hint // the address is said already
	}
	switch {
	case cause == ErrClosed:
	case errors.Is(cause, ErrTimeout):
		cut.Err = fmt.Errorf("%w: another request timed out", ErrClosed)
	default:
		cut.Err = fmt.Errorf("%w: %w", ErrClosed, cause)
	}
	return cut
}

// failure returns err as an error of this connection.
func (c *Conn) failure(err error) *Error {
	return &Error{Stage: StageRequest, Addr: c.peer.Addr, NodeID: c.peer.NodeID, Err: err}
}

// notify wakes the loop that waits on ch, which has capacity 1.
func notify(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
