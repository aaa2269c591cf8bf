package sender

import "github.com/epistle-kafka/epistle/accumulator"

func (e flushing) apply(c *core) {
	c.gather(e.group)
	e.group.Exit()
}

// gather makes g wait for all records sent so far and for their callbacks, and ends the linger of those that wait.
func (c *core) gather(g *accumulator.Group) {
	for _, t := range c.topics.all() {
		for _, p := range t.parts {
			if p.wake.IsZero() && p.queue.Queued() == 0 {
				continue // nothing that could expire, and nothing new
			}
			for _, d := range p.open() {
				d.Outcome().Join(g)
			}
			p.head = p.queue.UrgeAll(func(o *accumulator.Outcome) { o.Join(g) })
			c.refresh(p)
		}
	}
	// Batches that have ended may have callbacks that have not run.
	g.Enter()
	c.out.after(g)
}

// counting: a caller has waited for a group in vain, and asks how many records it still waits for.
type counting struct {
	group   *accumulator.Group
	done    chan struct{} // closed when waiting is set
	waiting Undelivered
}

func (e *counting) apply(c *core) {
	for _, t := range c.topics.all() {
		for _, p := range t.parts {
			for _, d := range p.open() {
				switch {
				case !d.Awaited(e.group):
				case d.conn != nil, d.doubtful(), c.cfg.Acks == 0 && d.attempts > 0:
					e.waiting.MayBeWritten += int64(d.Count())
				default:
					e.waiting.NotWritten += int64(d.Count())
				}
			}
			e.waiting.NotWritten += p.queue.Awaited(e.group)
		}
	}
	close(e.done)
}

// urge ends the linger of all that waits.
func (c *core) urge() {
	c.takeChanges()
	for _, p := range c.schedule.partitions(nil) {
		p.head = p.queue.UrgeAll(func(*accumulator.Outcome) {})
		c.refresh(p)
	}
}

func (e closing) apply(c *core) {
	c.news.closing()
	c.closing = true
	c.schedule.endLingers()
	c.acc.Memory.Close(ErrClosed)
	for _, t := range c.topics.all() {
		for _, q := range t.queues.Queues() {
			q.Refuse(ErrClosed)
		}
	}
	c.endLookups(ErrClosed)
	c.questions.endPings(ErrClosed)
	c.txn.close(e.group)
	c.gather(e.group)
	e.group.Exit()
}

func (e aborting) apply(c *core) {
	if !c.aborted {
		c.aborted, c.before = true, c.published.failures()
	}
	c.txn.abandon()
	for _, t := range c.topics.all() {
		for _, p := range t.parts {
			for _, d := range p.open() {
				if d.conn != nil {
					c.failBatch(d, c.closed(p, d.opened, c.delayed(d)), true)
				} else {
					c.giveUp(p, d, c.closed(p, d.opened, c.delayed(d)))
				}
			}
			c.failAll(p, c.closed(p, p.head.Opened, c.waitingFor(p)))
			c.schedule.set(p, zero)
		}
	}
	for _, n := range c.nodes.all() {
		for n.ready.len() > 0 {
			n.pop()
		}
		for i := range n.links {
			if l := &n.links[i]; l.conn != nil {
				l.conn.Close(ErrClosed)
			}
		}
		for _, f := range n.former {
			f.conn.Close(ErrClosed)
		}
		c.sendBuilt(n)
		n.left(c.now)
	}
}

// givenUp counts the records that have failed since the core was aborted.
func (c *core) givenUp() Undelivered {
	all := c.published.failures()
	return Undelivered{NotWritten: all.NotWritten - c.before.NotWritten, MayBeWritten: all.MayBeWritten - c.before.MayBeWritten}
}

// failures counts the records that have failed so far. It is exact on the loop.
func (n *published) failures() Undelivered {
	mayBeWritten := n.mayBeWritten.Load()
	return Undelivered{NotWritten: n.failed.Load() - mayBeWritten, MayBeWritten: mayBeWritten}
}

// done reports whether an aborted core has nothing left to come.
func (c *core) done() bool { return c.aborted && c.pending == 0 }
