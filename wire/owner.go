package wire

import "time"

// writerOwner says who may use the writer and the group, to encode and write. There is one owner at a time. So the requests go
// out in the order of Send, and a write needs no lock.
type writerOwner uint8

const (
	ownerNone  writerOwner = iota // nobody: writeLoop takes what waits, and if nothing waits, a Send may write directly
	ownerSend                     // a Send that writes directly. writeLoop waits for it before it ends, since its call is in no queue yet
	ownerLoop                     // writeLoop. A Send that could not write all of its call hands over to it, with the rest
	ownerRenew                    // renew, which authenticates the connection again: everybody else's calls wait
)

// takeWriterLocked takes the writer for a direct write, if no call is before it and the broker lets us write.
func (c *Conn) takeWriterLocked() bool {
	if c.writerOwner != ownerNone || c.waiting.len() > 0 || c.muteLocked() > 0 || c.sendWaitsLocked() {
		return false
	}
	c.writerOwner = ownerSend
	return true
}

// muteLocked returns how long the broker still wants to be sent nothing.
func (c *Conn) muteLocked() time.Duration {
	if c.throttledUntil.IsZero() {
		return 0 // without a look at the clock
	}
	return max(0, time.Until(c.throttledUntil))
}

// awaitWriter waits until writeLoop owns the writer and there is something to write: a call, or the rest of a direct write. It
// reports false once the connection is closing and no Send is writing any more.
func (c *Conn) awaitWriter() bool {
	for {
		c.mu.Lock()
		owner, closing, calls, mute := c.writerOwner, c.closing, c.waiting.len(), c.muteLocked()
		held := owner == ownerNone && !closing && calls > 0 && c.holdBackLocked()
		if owner == ownerNone && !closing && calls > 0 && mute == 0 && !held {
			c.writerOwner = ownerLoop
		}
		c.mu.Unlock()
		switch {
		case closing && owner == ownerSend:
			<-c.wake // soon: a direct write does not wait for anything
		case closing:
			return false
		case owner == ownerLoop:
			return true // with the rest
		case owner == ownerSend, owner == ownerRenew, calls == 0, held:
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

// releaseWriter gives up the writer when there was nothing to write.
func (c *Conn) releaseWriter() {
	c.mu.Lock()
	c.releaseWriterLocked()
	c.mu.Unlock()
}

func (c *Conn) releaseWriterLocked() {
	c.writerOwner = ownerNone
	c.stirLocked()
}
