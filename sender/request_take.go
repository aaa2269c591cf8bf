package sender

import "slices"

// take returns the next batch of p to be sent to n, numbered, or nil if none may be drained now. Then p is refreshed, and take
// is called again, once an answer, an identity or new metadata has come.
func (c *core) take(p *partition, n *node) *delivery {
	if !c.mayDrain(p, n) {
		return nil
	}
	if p.numbers.Broken() && !c.renew(p) {
		return nil
	}
	if len(p.retry) > 0 {
		if p.backoff.After(c.now) {
			c.schedule.set(p, sooner(p.wake, p.backoff))
			return nil
		}
		d := p.retry[0]
		p.retry = slices.Delete(p.retry, 0, 1)
		return c.fit(p, d)
	}
	switch due := c.due(p); {
	case due.IsZero():
		return nil
	case !c.schedule.goes(due): // it was ready while lingers were ended, and they are allowed again
		c.schedule.set(p, sooner(p.wake, due))
		return nil
	}
	b := p.drain()
	c.published.inFlight.Add(int64(b.Count()))
	p.order++
	return c.fit(p, c.requests.newDelivery(b, p))
}

// mayDrain applies I2 and the rule of one at a time until proven.
func (c *core) mayDrain(p *partition, n *node) bool {
	if p.withholds() || !c.txn.admits(p) {
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

// spanOfNext returns how many batches there are from the oldest unresolved one to p's next, once that is sent. Those between
// them count whether or not they are resolved, since the broker remembers them all the same.
func (p *partition) spanOfNext() int {
	oldest, newest := p.inFlight[0].rank, p.sent
	if len(p.retry) == 0 || !p.retry[0].numbered {
		newest++
	} else {
		oldest = min(oldest, p.retry[0].rank)
	}
	return int(newest - oldest + 1)
}

// maxSpan is how many of a producer's latest batches a broker remembers for each partition. If more were sent behind one that
// is unresolved, it could not tell that one from a gap.
const maxSpan = 5

// remembers is maxSpan for the broker at the other end of t: Kafka 0.11, which has no newer Produce than version 3, remembers
// one batch.
func remembers(t conn) int {
	if newest, ok := t.Version(produceKey); ok && newest <= lastVersionOfOne {
		return 1
	}
	return maxSpan
}

// lastVersionOfOne is the last version of Produce of brokers that remember one batch.
const lastVersionOfOne = 3
