package sender

import "github.com/epistle-kafka/epistle/idempotent"

// A retired identity is the newest under the producer's present id that
// partitions of forgotten topics have numbered with. What a broker remembers of
// such a partition outlives what the loop does (pitfall 9): were its numbers
// begun anew under the same epoch, the broker would take new records for old
// ones. So every partition that is met after a topic was forgotten begins with
// the epoch after this one. Ids before the present one are not used again.
type retired struct {
	newest idempotent.Identity
	any    bool
}

// add notes that a partition with these numbers is forgotten.
func (r *retired) add(id idempotent.Identity) {
	if !r.any || r.newest.ID != id.ID || r.newest.Epoch < id.Epoch {
		r.newest, r.any = id, true
	}
}

// after reports whether some partition has retired under id, and up to where.
func (r *retired) after(id int64) (newest idempotent.Identity, some bool) {
	return r.newest, r.any && r.newest.ID == id
}

// forget ends what the loop and callers know of a topic that was idle for
// metadata.max.idle, so that topics which nobody sends to any more cost nothing.
// It reports false, and changes nothing, if the topic has work after all, or
// may have some that a transaction still needs.
func (c *core) forget(t *topic) bool {
	if c.closing || !c.txn.Idle() {
		return false
	}
	for _, p := range t.parts {
		if len(p.inFlight)+len(p.retry) > 0 || !p.wake.IsZero() {
			return false
		}
	}
	t.refuse(ErrForgotten) // what has come by now is all that comes
	for _, p := range t.parts {
		if p.queue.Queued() != 0 {
			t.refuse(nil)
			return false
		}
	}
	for _, p := range t.parts {
		p.withdraw()
		if p.numbers.Started() && c.cfg.Idempotent {
			c.txn.retire(p)
		}
	}
	delete(c.topics, t.name)
	last := c.listed[len(c.listed)-1]
	c.listed[t.at], last.at = last, t.at
	c.listed[len(c.listed)-1] = nil
	c.listed = c.listed[:len(c.listed)-1]
	c.cfg.OnForget(t.name)
	return true
}

// withdraw takes p, which has nothing to send, off its leader's ready list.
func (p *partition) withdraw() {
	p.ready = nil // its entry no longer counts
	p.moving()
}

func (t *topic) refuse(err error) {
	for _, p := range t.parts {
		p.queue.Refuse(err)
	}
}

// begin gives p its first numbers.
func (c *core) begin(p *partition) {
	p.numbers.Start(c.identity.current)
	if newest, some := c.retired.after(c.identity.current.ID); some {
		p.numbers.Start(newest)
		p.numbers.Break() // so that the next epoch is taken, as after any gap
	}
}
