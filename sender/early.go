package sender

import "time"

// mostEarly bounds how much of its linger a batch misses to go along with others:
// an eighth of it, and no more than this.
const mostEarly = time.Millisecond

// early lets go what would linger only a little longer, if something goes anyway.
// With many partitions, whose lingers end one shortly after the other, each few
// batches would else be a request of their own.
func (c *core) early() {
	if c.cfg.Linger == 0 || !c.sending() {
		return
	}
	c.soon = c.now.Add(min(c.cfg.Linger/8, mostEarly))
	for p := c.alarms.takeSoon(c.soon); p != nil; p = c.alarms.takeSoon(c.soon) {
		c.look(p)
	}
}

// sending reports whether some broker has a batch to be sent to it.
func (c *core) sending() bool {
	for _, n := range c.order {
		if n.ready.len() > 0 {
			return true
		}
	}
	return false
}
