package sender

import "time"

// mostEarly bounds how much of its linger a batch misses to go along with others: an eighth of it, and no more than this.
const mostEarly = time.Millisecond

// early sends what would linger only a little longer, if something is sent anyway. Otherwise, with many partitions whose
// lingers end shortly one after the other, every few batches would be a request of their own.
func (c *core) early() {
	if c.cfg.Linger == 0 || !c.nodes.sending() {
		return
	}
	c.schedule.extend(c.now.Add(min(c.cfg.Linger/8, mostEarly)))
	for p := c.schedule.nextEarly(); p != nil; p = c.schedule.nextEarly() {
		c.refresh(p)
	}
}
