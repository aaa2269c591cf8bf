package wire

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/internal/overdue"
)

// A look lets readLoop take what already lies in the socket, answers or the end of the stream, before a call is given up
// because of the clock. A process that stood still finds both when it goes on: a timer that has gone off, and the answers of
// the time in between. A look is bounded by its own time, so bytes that drip in postpone nothing. Guarded by Conn.mu.
type look struct {
	until time.Time // when it ends at the latest; zero: none is under way
	turns int64     // of the watch, as last seen
}

const (
	// lookTime bounds a look. It is a multiple of the time that a reader takes to be scheduled and to decode what a socket
	// holds.
	lookTime = overdue.Moment
	// lookTick is how often a look checks whether there is anything left to wait for.
	lookTick = time.Millisecond
	// punctual is how late a timer may be. If it is later than that, the machine or the process stood still.
	punctual = overdue.Punctual
)

// looksLocked reports whether an overdue call has to wait for a look, which begins now or goes on. onTimer then runs again.
// late is how late the timer was.
//
// Where the socket can be asked, the look ends when the socket is empty and readLoop has waited for more for a whole tick. One
// tick is needed because readLoop may have taken bytes and not yet dealt with them. Where the socket cannot be asked, there is
// a look only if the timer was late: otherwise readLoop was running all the time.
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

// lastLook lets readLoop take what was answered before the write failed, and then hangs up. An end that closes a connection has
// often answered first. readLoop hangs up itself when it meets the end of the stream.
func (c *Conn) lastLook() {
	time.AfterFunc(lookTime, c.hangUp)
}

// watch is the reading half of a connection. It knows whether its reader waits for bytes.
type watch struct {
	r     io.Reader
	turns atomic.Int64 // counts the beginnings and the ends of Reads
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
