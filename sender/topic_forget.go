package sender

// forget ends what the loop and callers know of a topic that was idle for metadata.max.idle, so that topics which nobody sends
// to any more cost nothing. It reports false, and changes nothing, if the topic has work after all, or may have some that a
// transaction still needs.
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
		p.unoffer()
		if p.numbers.Started() && c.cfg.Idempotent {
			c.txn.retire(p)
		}
	}
	c.metrics.countForgotten(t)
	c.topics.drop(t)
	c.cfg.OnForget(t.name)
	return true
}
