package wire

import "time"

// turn says who has the writer and the group, to encode and write. One at a time has them: so the requests go out in the
// order of Send, and a write needs no lock.
type turn uint8

const (
	turnFree   turn = iota // nobody: what waits is for writeLoop, and if nothing does, a Send may write directly
	turnDirect             // a Send that writes directly. writeLoop does not end before it: its call is not yet anyone's
	turnLoop               // writeLoop. A Send that could not write all of its call gives it the turn with the rest
	turnRenew              // renew, which authenticates the connection again: everybody else's calls wait
)

// takeTurnLocked takes the turn for a direct write, if nothing is before it and the broker lets us write.
func (c *Conn) takeTurnLocked() bool {
	if c.turn != turnFree || c.waiting.len() > 0 || c.muteLocked() > 0 || c.heldLocked() {
		return false
	}
	c.turn = turnDirect
	return true
}

// muteLocked returns how long the broker still wants to hear nothing.
func (c *Conn) muteLocked() time.Duration {
	if c.throttledUntil.IsZero() {
		return 0 // without a look at the clock
	}
	return max(0, time.Until(c.throttledUntil))
}

// awaitTurn waits until there is a call to write and the broker lets us, or a direct write has left its rest; then it is
// writeLoop's turn. It reports false once the connection is closing and no Send is writing any more.
func (c *Conn) awaitTurn() bool {
	for {
		c.mu.Lock()
		turn, closing, calls, mute := c.turn, c.closing, c.waiting.len(), c.muteLocked()
		held := turn == turnFree && !closing && calls > 0 && c.holdsLocked()
		if turn == turnFree && !closing && calls > 0 && mute == 0 && !held {
			c.turn = turnLoop
		}
		c.mu.Unlock()
		switch {
		case closing && turn == turnDirect:
			<-c.wake // soon: a direct write does not wait for anything
		case closing:
			return false
		case turn == turnLoop:
			return true // with the rest
		case turn == turnDirect, turn == turnRenew, calls == 0, held:
			select {
			case <-c.wake:
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

// endTurn lets go of the writer, when nothing came to be written.
func (c *Conn) endTurn() {
	c.mu.Lock()
	c.freeTurnLocked()
	c.mu.Unlock()
}

func (c *Conn) freeTurnLocked() {
	c.turn = turnFree
	c.stirLocked()
}
