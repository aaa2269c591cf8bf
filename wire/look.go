package wire

import (
	"io"
	"sync/atomic"
	"time"
)

// A look is the one chance that readLoop gets to take what already lies in the socket, answers or the stream's end, before
// the clock condemns a call. A process that stood still finds both when it goes on: a timer that has gone off, and the
// answers of the time in between. A look is bounded by its own time, whatever comes meanwhile: bytes that drip in
// postpone nothing. Guarded by Conn.mu.
type look struct {
	until time.Time // when it ends at the latest; zero: none is under way
	turns int64     // of the watch, as last seen
}

const (
	// lookTime bounds a look: a multiple of what a reader takes to be scheduled and to decode what a socket holds.
	lookTime = 100 * time.Millisecond
	// lookTick is how often a look asks whether there is anything left to wait for.
	lookTick = time.Millisecond
	// punctual is how late a timer may be on a machine that is busy. One that is later has stood still.
	punctual = 10 * time.Millisecond
)

// looksLocked reports whether the verdict over an overdue call has to wait for a look, which began with this call or goes
// on. onTimer then runs again. late is how late the timer was.
//
// Where the socket can be asked, the look ends as soon as it is empty and readLoop waits for more, and has done so for a
// tick: in between it may have taken bytes off, and not yet said so. Where it cannot, only a timer that was late is a reason to wait: else
// readLoop was there all the time.
func (c *Conn) looksLocked(now time.Time, late time.Duration) bool {
	turns := c.watch.turns.Load()
	switch {
	case c.look.until.IsZero():
		c.look.until = now
		if c.unread != nil || late > punctual {
			c.look.until = now.Add(lookTime)
		}
	case !now.Before(c.look.until), c.unread != nil && waits(turns) && turns == c.look.turns && !c.unread():
		return false
	}
	c.look.turns = turns
	next := now.Add(lookTick)
	if next.After(c.look.until) {
		next = c.look.until
	}
	c.setAlarmLocked(next)
	return true
}

// lastLook lets readLoop take what was answered before the write failed, and then hangs up: an end that has closed the
// connection has often answered first. readLoop hangs up itself when it meets the end of the stream.
func (c *Conn) lastLook() {
	time.AfterFunc(lookTime, c.hangUp)
}

// watch is the reading half of a connection. It knows whether its reader waits for bytes.
type watch struct {
	r     io.Reader
	turns atomic.Int64 // one more when a Read begins, and one more when it ends
	heard bool         // some byte has come; the reader's
	count *Counters    // of the peer; nil: none
}

// waits reports whether a Read was in progress.
func waits(turns int64) bool { return turns%2 == 1 }

func (w *watch) Read(b []byte) (int, error) {
	w.turns.Add(1)
	n, err := w.r.Read(b)
	w.turns.Add(1)
	w.count.got(n)
	w.heard = w.heard || n > 0
	return n, err
}
