package sender

import (
	"sync/atomic"
	"time"
)

// A Clock is the time in milliseconds as the loop last published it: at most 10 ms old. Reading it costs a load, where reading
// the system's clock would cost as much as the whole rest of a send.
//
// It ticks only while somebody reads it, so that nobody wakes up for a clock that nobody looks at. Whoever reads it while it
// stands reads the system's clock, and the last of slowReads such reads asks for a tick.
//
// Its milliseconds are those of the monotonic clock, since all durations are measured by them: the wall clock may be set back.
// They begin as the Unix time of the first Start; Wall makes them the Unix time of now.
type Clock struct {
	ms     atomic.Int64 // twice the time, and one more if it was read since the last tick; 0: it stands
	behind atomic.Int64 // how many milliseconds the wall clock is ahead of it
	slow   atomic.Int32 // reads since it stands
	epoch  time.Time    // with a monotonic reading
	wake   func()       // asks for a tick
	ticked time.Time    // the last tick; only the holder of stepToken uses it
}

const (
	// staleness bounds how old the clock may be while somebody reads it.
	staleness = 10 * time.Millisecond
	// slowReads is how many reads of the system's clock are worth a tick.
	slowReads = 16
)

// start sets the clock, which stands.
func (c *Clock) start(now time.Time, wake func()) {
	c.epoch, c.wake = now.Add(-time.Duration(now.UnixNano())), wake
}

// Now returns the time.
func (c *Clock) Now() int64 {
	v := c.ms.Load()
	if v&1 == 0 { // short, so that it is inlined
		return c.touch()
	}
	return v >> 1
}

// touch is Now where nobody has read the clock since the last tick.
func (c *Clock) touch() int64 {
	if v := c.ms.Load(); v != 0 {
		c.ms.CompareAndSwap(v, v|1)
		return v >> 1
	}
	now := c.system()
	c.follow(now)
	if c.slow.Add(1) == slowReads {
		c.wake()
	}
	return c.Millis(now)
}

// Millis returns an exact time in the milliseconds of Now.
func (c *Clock) Millis(now time.Time) int64 { return now.Sub(c.epoch).Milliseconds() }

// Wall returns the Unix time in milliseconds of what Now has returned.
func (c *Clock) Wall(ms int64) int64 { return ms + c.behind.Load() }

// Publish sets the time, if the clock ticks. A caller that knows the exact time calls it.
func (c *Clock) Publish(now time.Time) {
	c.follow(now)
	if v := c.ms.Load(); v != 0 {
		c.ms.CompareAndSwap(v, c.Millis(now)<<1|1)
	}
}

// tick sets the time in each step of the loop. It returns when the next tick is due at the latest; the zero time for never:
// then the clock stands.
func (c *Clock) tick(now time.Time) time.Time {
	c.follow(now)
	v := c.ms.Load()
	switch {
	case v == 0 && c.slow.Load() < slowReads:
		return zero
	case v == 0:
		v, c.ticked = 1, now // it has been read
	case now.Sub(c.ticked) < staleness:
	case v&1 == 0:
		c.stop()
		return zero
	default:
		v, c.ticked = 0, now
	}
	c.ms.Store(c.Millis(now)<<1 | v&1)
	return c.ticked.Add(staleness)
}

// stop makes the clock stand.
func (c *Clock) stop() {
	c.slow.Store(0)
	c.ms.Store(0)
}

// follow notes by how much the wall clock is ahead. It ignores a millisecond, which rounding makes.
func (c *Clock) follow(now time.Time) {
	ahead := now.UnixMilli() - c.Millis(now)
	if was := c.behind.Load(); ahead-was > 1 || was-ahead > 1 {
		c.behind.Store(ahead)
	}
}
