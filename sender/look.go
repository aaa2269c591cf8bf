package sender

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
)

// maxSpan is how many of a producer's latest batches a broker remembers for each
// partition. If more were sent behind one that is unresolved, it could not tell
// that one from a gap.
const maxSpan = 5

// remembers is maxSpan for the broker at the other end of t: Kafka 0.11, which
// has no newer Produce than version 3, remembers one batch.
func remembers(t conn) int {
	if newest, ok := t.Version(produceKey); ok && newest <= lastVersionOfOne {
		return 1
	}
	return maxSpan
}

// lastVersionOfOne is the last version of Produce that brokers speak which remember one batch.
const lastVersionOfOne = 3

// look brings one partition up to date: it ends what has expired, puts the
// partition on its leader's ready list if it may be drained, and sets its
// alarm. Whoever changes a partition calls it.
func (c *core) look(p *partition) {
	c.txn.sweep(p)
	oldest := p.oldestOpened()
	if !oldest.IsZero() && !oldest.After(c.old) {
		oldest = c.expire(p)
	}
	c.expireQueued(p)
	if p.queued() {
		oldest = sooner(oldest, p.head.Opened)
	}
	at := zero
	if !oldest.IsZero() {
		at = c.judgedAt(oldest.Add(c.cfg.DeliveryTimeout))
	}
	switch due := c.due(p); {
	case due.IsZero():
		p.withdraw() // it was ready only if what it had has ended there, unsent
	case !due.After(c.soon):
		c.offer(p)
	case due.Before(at):
		c.alarms.setSoon(p, due)
		return
	}
	c.alarms.set(p, at)
}

// lookDelivered is look after one batch of p was delivered, and nothing else has
// changed. A partition whose turn comes anyway is left alone until then: its
// alarm is too early at worst.
func (c *core) lookDelivered(p *partition) {
	if p.ready == nil || c.txn.sweeps() || !p.wake.After(c.now) {
		c.look(p)
	}
}

// due returns when p's next batch should go out as far as linger and backoff
// are concerned; the zero time if there is none, or if something must come in
// first that will lead to another look.
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
	if !p.head.Ready && !c.hurry && c.cfg.Linger > 0 && !c.txn.Ending() {
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
	n := c.nodes[p.leader]
	if p.leader < 0 || n == nil {
		c.meta.RequestUpdate(c.now)
		return
	}
	if p.ready == n {
		return
	}
	if p.queue.Stalled.Load() == 0 {
		p.queue.Stalled.Store(c.acc.Millis(c.now))
	}
	p.ready = n // on another node's list too, maybe: that entry no longer counts
	if p.listed != n {
		p.listed = n
		n.ready.push(p)
	}
}

// moving notes that nothing of p's queue waits for its broker.
func (p *partition) moving() {
	if p.queue.Stalled.Load() != 0 { // to store costs more than to look, for those who append as well
		p.queue.Stalled.Store(0)
	}
}

// touchEvery is how exact metadata's idea is of when a topic was last in use.
const touchEvery = time.Second

// touchDue reports whether metadata has to be told again that t is in use.
func (c *core) touchDue(t *topic) bool {
	return c.now.Sub(t.touched) >= min(touchEvery, c.cfg.Metadata.MaxIdle/2)
}

func (c *core) touch(t *topic) {
	t.touched = c.now
	c.meta.Touch(c.now, t.name)
}

// expire ends the drained batches of p that are too old, and returns when the
// oldest that is left was opened; the zero time if there is none.
func (c *core) expire(p *partition) (oldest time.Time) {
	for _, d := range p.open() {
		switch {
		case d.opened.After(c.old):
			oldest = sooner(oldest, d.opened)
		case d.conn != nil:
			// Its bytes stay with the connection, and its sequence stays
			// unresolved, until the answer or the connection's end (pitfall 8).
			c.tell(d, c.timeout(p, c.delayed(d)), true)
		default:
			c.giveUp(p, d, c.timeout(p, c.delayed(d)))
		}
	}
	return oldest
}

// oldestOpened returns when the oldest delivery without an outcome was opened;
// the zero time if there is none.
func (p *partition) oldestOpened() (oldest time.Time) {
	for _, d := range p.inFlight {
		if !d.told {
			oldest = sooner(oldest, d.opened)
		}
	}
	for _, d := range p.retry {
		oldest = sooner(oldest, d.opened)
	}
	return oldest
}

// expireQueued is expire for the batches that are not drained yet.
func (c *core) expireQueued(p *partition) {
	for p.queued() && !p.head.Opened.After(c.old) {
		c.failQueued(p.drain(), c.timeout(p, c.waitingFor(p)))
	}
}

// failQueued ends a batch that was never drained for sending.
func (c *core) failQueued(b *accumulator.Batch, err error) {
	number := b.Txn()
	c.endQueued(b, err)
	c.txn.doom(number, err)
}

// endQueued is failQueued for a batch that no transaction waits for.
func (c *core) endQueued(b *accumulator.Batch, err error) {
	c.news.failed(b.Topic(), b.Partition(), b.Count(), err)
	c.hooks.failedQueued(b, err)
	ended := b.Resolve(-1, -1, c.failed(&Error{
		Topic: b.Topic(), Partition: b.Partition(), Elapsed: c.now.Sub(b.Opened()), Err: err,
	}))
	c.finish(b.Outcome(), ended, false, b.Count())
}

// take returns the next batch of p to be sent to n, numbered, or nil if none
// may be drained now. Whatever stands in the way leads to another look when it
// goes: an answer, an identity, new metadata.
func (c *core) take(p *partition, n *node) *delivery {
	if !c.mayDrain(p, n) {
		return nil
	}
	if p.numbers.Broken() && !c.renew(p) {
		return nil
	}
	if len(p.retry) > 0 {
		if p.backoff.After(c.now) {
			c.alarms.set(p, sooner(p.wake, p.backoff))
			return nil
		}
		d := p.retry[0]
		p.retry = slices.Delete(p.retry, 0, 1)
		return c.fit(p, d)
	}
	switch due := c.due(p); {
	case due.IsZero():
		return nil
	case due.After(c.soon): // it was hurried, and the reason has gone
		c.alarms.set(p, sooner(p.wake, due))
		return nil
	}
	b := p.drain()
	c.stat.inFlight.Add(int64(b.Count()))
	p.order++
	return c.fit(p, c.newDelivery(b, p))
}

// mayDrain applies I2 and the rule of one at a time until proven.
func (c *core) mayDrain(p *partition, n *node) bool {
	if !c.txn.admits(p) {
		return false
	}
	if !p.numbers.Started() {
		if !c.identity.await(p) {
			return false
		}
		c.identity.begin(p)
	}
	if len(p.inFlight) == 0 {
		return true
	}
	if p.inFlight[0].conn != n.links[data].conn || p.inFlight[0].old || p.numbers.Broken() {
		return false
	}
	if !c.cfg.Idempotent {
		return p.lastErr == nil // one that has failed is tried alone, and so is the first piece of one that was too large
	}
	return p.numbers.Proven(c.now) && p.spanOfNext() <= c.txn.spare(n.links[data].span)
}

// spanOfNext is how many batches there are from the oldest unresolved one to the
// newest that was sent, once p's next is. Those between them count whether or
// not they are resolved, since the broker remembers them all the same.
func (p *partition) spanOfNext() int {
	oldest, newest := p.inFlight[0].rank, p.sent
	if len(p.retry) == 0 || !p.retry[0].numbered {
		newest++
	} else {
		oldest = min(oldest, p.retry[0].rank)
	}
	return int(newest - oldest + 1)
}
