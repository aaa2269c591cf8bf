package wire

import "time"

// setAlarmLocked makes onTimer run at deadline (zero = none) at the latest. An earlier alarm stays: onTimer finds out what is
// due and sets the next. So in a steady state calls set no timer.
func (c *Conn) setAlarmLocked(deadline time.Time) {
	if c.closing || deadline.IsZero() || !c.alarm.IsZero() && !deadline.Before(c.alarm) {
		return
	}
	c.alarm = deadline
	if c.timer == nil {
		c.timer = time.AfterFunc(time.Until(deadline), c.onTimer)
		return
	}
	c.timer.Reset(time.Until(deadline))
}

// onTimer closes the connection if a call has waited too long for its answer, after a look into the socket, or if nobody has
// used the connection for too long.
func (c *Conn) onTimer() {
	now := time.Now()
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	late := now.Sub(c.alarm)
	c.alarm = time.Time{}
	overdue := c.overdueLocked(now)
	c.renewDueLocked(now)
	if overdue == nil {
		c.look = look{}
	} else if c.looksLocked(now, late) {
		c.mu.Unlock()
		return
	}
	var cause error
	idle := c.idleDeadlineLocked()
	switch {
	case overdue != nil:
		c.markOverdueLocked(now)
		failure := c.failure(ErrTimeout)
		failure.API = overdue.Request.API().Name
		cause = failure
	case !idle.IsZero() && !idle.After(now):
		cause = ErrIdle
	default:
		c.setAlarmLocked(idle)
	}
	// Under the same lock, so that no call is sent in between, which would be lost for nothing.
	first := cause != nil && c.beginCloseLocked(cause)
	c.mu.Unlock()
	if first {
		c.hangUp()
	}
}

// overdueLocked returns the oldest call that has waited too long for its answer, or nil, and sets the alarm for the others.
func (c *Conn) overdueLocked(now time.Time) (overdue *Call) {
	c.eachBegunLocked(func(call *Call) {
		switch {
		case call.deadline.IsZero():
		case call.deadline.After(now):
			c.setAlarmLocked(call.deadline)
		case overdue == nil:
			overdue = call
		}
	})
	return overdue
}

// markOverdueLocked marks the calls that have timed out.
func (c *Conn) markOverdueLocked(now time.Time) {
	c.eachBegunLocked(func(call *Call) {
		call.timedOut = !call.deadline.IsZero() && !call.deadline.After(now)
	})
}

// eachBegunLocked calls f for each call whose write has begun, oldest first.
func (c *Conn) eachBegunLocked(f func(*Call)) {
	for _, call := range c.inFlight.pending() {
		f(call)
	}
	if c.writing {
		for _, call := range c.group {
			f(call)
		}
	}
}

// idleDeadlineLocked returns when the connection will have been idle for too long, zero for never or while it is used.
func (c *Conn) idleDeadlineLocked() time.Time {
	if c.cfg.ConnectionsMaxIdle <= 0 || c.unanswered > 0 {
		return time.Time{}
	}
	return c.lastUsed.Add(c.cfg.ConnectionsMaxIdle)
}
