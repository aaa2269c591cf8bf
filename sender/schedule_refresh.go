package sender

import "time"

// refresh brings one partition up to date: it ends what has expired, puts the partition on its leader's ready list if it may be
// drained, and sets its alarm. Whoever changes a partition calls it.
func (c *core) refresh(p *partition) {
	c.txn.sweep(p)
	oldest := p.oldestOpened()
	if !oldest.IsZero() && c.schedule.expired(oldest) {
		oldest = c.expire(p)
	}
	c.expireQueued(p)
	if p.queued() {
		oldest = sooner(oldest, p.head.Opened)
	}
	at := zero
	if !oldest.IsZero() {
		at = c.pause.judgedAt(c.now, oldest.Add(c.cfg.DeliveryTimeout))
	}
	switch due := c.due(p); {
	case due.IsZero():
		p.unoffer() // it may have been ready, and what it had has ended unsent
	case c.schedule.goes(due) && p.withholds():
		p.unoffer()
		at = sooner(at, c.askAfter(p.topic))
	case c.schedule.goes(due):
		c.offer(p)
	case due.Before(at):
		c.schedule.setSoon(p, due)
		return
	}
	c.schedule.set(p, at)
}

// refreshTopic refreshes the partitions of t.
func (c *core) refreshTopic(t *topic) {
	for _, p := range t.parts {
		c.refresh(p)
	}
}

// refreshDelivered is refresh after one batch of p was delivered, and nothing else has changed. A partition on a ready list is
// refreshed when it is served. Until then its alarm may be early, and never late.
func (c *core) refreshDelivered(p *partition) {
	if p.ready == nil || c.txn.sweeps() || !p.wake.After(c.now) {
		c.refresh(p)
	}
}

// briefLinger is a linger that a caller who waits for memory can sit out while something is in flight, whose answer will free
// some.
const briefLinger = 100 * time.Millisecond

// takeChanges refreshes the partitions whose head has changed. Nothing lingers while somebody waits for memory that only
// sending can free. While an answer will free some soon, batches linger on: with many partitions and little for each, sending
// it all at once would make the smallest batches just when there is the most to send.
func (c *core) takeChanges() {
	if waiting := c.acc.Memory.Waiting(); waiting && !c.schedule.lingersEnded() && (c.requests.empty() || c.cfg.Linger > briefLinger) {
		c.schedule.endLingers()
		c.refreshAll()
	} else if !waiting && !c.closing {
		c.schedule.allowLingers()
	}
	notes := c.schedule.changes(c.acc)
	for i := range notes {
		p := notes[i].Queue.Owner.(*partition)
		p.headChanged(notes[i].Head)
		c.refresh(p)
	}
}

// refreshAll refreshes every partition that has work and an alarm for it.
func (c *core) refreshAll() {
	parts := c.schedule.working()
	for _, p := range parts {
		c.refresh(p)
	}
	c.schedule.done(parts)
}

// due returns when p's next batch should go out as far as linger and backoff are concerned; the zero time if there is none, or
// if something must come in first that will lead to another refresh.
func (c *core) due(p *partition) time.Time {
	if len(p.retry) > 0 {
		if p.backoff.After(c.now) {
			return p.backoff
		}
		return c.now
	}
	if !p.queued() {
		return time.Time{}
	}
	due := c.now
	if !p.head.Ready && !c.schedule.lingersEnded() && c.cfg.Linger > 0 && !c.txn.Ending() {
		due = p.head.Opened.Add(c.cfg.Linger)
	}
	if p.backoff.After(due) {
		due = p.backoff
	}
	return due
}

// offer puts p on the ready list of its leader.
func (c *core) offer(p *partition) {
	if c.touchDue(p.topic) && c.meta.UnknownTopic(c.now, p.topic.name) == nil {
		c.touch(p.topic) // what has records to send must not be forgotten
	}
	n := c.nodes.of(p.leader)
	if p.leader < 0 || n == nil {
		c.meta.RequestUpdate()
		return
	}
	if p.ready == n {
		return
	}
	if p.queue.BlockedSince.Load() == 0 {
		p.queue.BlockedSince.Store(c.acc.Millis(c.now))
	}
	p.ready = n // on another node's list too, maybe: that entry no longer counts
	if p.listed != n {
		p.listed = n
		n.ready.push(p)
	}
}

// touchEvery is how exactly metadata knows when a topic was last in use.
const touchEvery = time.Second

// touchDue reports whether metadata has to be told again that t is in use.
func (c *core) touchDue(t *topic) bool {
	return c.now.Sub(t.touched) >= min(touchEvery, c.cfg.Metadata.MaxIdle/2)
}

func (c *core) touch(t *topic) {
	t.touched = c.now
	c.meta.Touch(c.now, t.name)
}

// askAfter sees to it that metadata goes on asking for t, whose batches are withheld until an answer describes it. It returns
// when to come back.
func (c *core) askAfter(t *topic) time.Time {
	if c.touchDue(t) && c.meta.UnknownTopic(c.now, t.name) == nil {
		c.touch(t)
		c.meta.Refresh(t.name)
	}
	return c.now.Add(touchEvery)
}

// expire ends the drained batches of p that are too old (I4), and returns when the oldest that is left was opened; the zero
// time if there is none.
func (c *core) expire(p *partition) (oldest time.Time) {
	for _, d := range p.open() {
		if !c.schedule.expired(d.opened) {
			oldest = sooner(oldest, d.opened)
			continue
		}
		c.metrics.countExpired(p.topic)
		if d.conn != nil {
			// Its bytes stay with the connection, and its sequence stays unresolved, until the answer or the connection's end
			// (pitfall 8).
			c.failBatch(d, c.timeout(p, d.opened, c.delayed(d)), true)
		} else {
			c.giveUp(p, d, c.timeout(p, d.opened, c.delayed(d)))
		}
	}
	return oldest
}

// expireQueued is expire for the batches that are not drained yet.
func (c *core) expireQueued(p *partition) {
	for p.queued() && c.schedule.expired(p.head.Opened) {
		c.metrics.countExpired(p.topic)
		why := c.timeout(p, p.head.Opened, c.waitingFor(p))
		c.failQueued(p.drain(), why)
	}
}
