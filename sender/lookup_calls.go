package sender

import (
	"fmt"

	"github.com/epistle-kafka/epistle/wire"
)

func (e wantedAll) apply(c *core) {
	for _, w := range e {
		w.apply(c)
	}
}

func (e wanted) apply(c *core) {
	end := func(err error) {
		if e.wait != nil {
			e.wait.end(err)
		}
	}
	known := c.topics.named(e.topic) != nil
	switch {
	case known && c.topics.partitions(e.topic) >= e.partitions:
		c.meta.Touch(c.now, e.topic)
		end(nil)
		return
	case c.closing:
		end(ErrClosed)
		return
	}
	if err := c.meta.UnknownTopic(c.now, e.topic); err != nil {
		end(err)
		return
	}
	c.sweepLookups()
	c.meta.Want(c.now, e.topic)
	if known {
		c.meta.Refresh(e.topic)
	}
	if !known || e.wait != nil {
		c.news.awaits(e.topic)
	}
	switch {
	case e.wait != nil:
		e.wait.partitions, e.wait.since = e.partitions, c.now
		c.lookups.add(e.topic, e.wait, known)
	case !known:
		c.lookups.begin(e.topic)
	}
}

// unwanted: a caller's wait has ended. The look-up goes on: its answer may be on the way, and the next who asks needs it.
type unwanted struct {
	topic string
	wait  *lookup
	left  chan struct{} // closed when the others are set
	why   error         // what keeps the look-up from its end; nil: nothing is known to
	now   error         // what has kept brokers from answering since they last did; nil: nothing has
}

func (e *unwanted) apply(c *core) {
	e.why, e.now = c.hindrance("Metadata", e.wait.since), c.outage()
	close(e.left)
	if c.lookups.leave(e.topic, e.wait) && c.topics.named(e.topic) != nil {
		c.lookups.end(e.topic) // it is there, and nobody waits for more of it
		c.news.has(e.topic, false)
	}
}

// answerLookups ends the waiting for a topic.
func (c *core) answerLookups(name string, err error) {
	c.lookups.answer(name, err, c.topics.partitions(name))
	if !c.lookups.lacks(name) {
		c.news.has(name, err == nil)
	}
}

// endLookups ends all waiting.
func (c *core) endLookups(err error) {
	for name := range c.lookups.all() {
		c.answerLookups(name, err)
		c.meta.Unwant(name)
	}
}

// seekOn asks once more for the topics that lack a partition which a caller waits for. They may have it by now.
func (c *core) seekOn() {
	for name := range c.lookups.lacking() {
		c.meta.Touch(c.now, name)
		c.meta.Refresh(name)
	}
}

// sweepLookups ends the look-ups that nobody waits for, and that nobody has asked for within metadata.max.idle.
func (c *core) sweepLookups() {
	for _, name := range c.lookups.sweep(c.now) {
		if c.meta.Unused(c.now, name) {
			c.lookups.end(name)
			c.news.has(name, false)
			c.meta.Unwant(name)
		}
	}
}

// patience is how often each bootstrap server must have answered as something that is no Kafka broker before callers are told,
// instead of waiting on.
const patience = 3

// giveUpLookups ends the wait for topics if no bootstrap server can ever answer as we are set up, and no broker ever did.
func (c *core) giveUpLookups() {
	if !c.lookups.any() || c.published.snapshot.Load() != nil && len(c.published.snapshot.Load().Brokers) > 0 {
		return
	}
	var last error
	for i := range c.cfg.Bootstrap {
		l := &c.nodes.of(int32(-1 - i)).links[control]
		if l.failures < patience || !wire.Misconfigured(l.lastErr) {
			return
		}
		last = l.lastErr
	}
	c.endLookups(fmt.Errorf("no bootstrap server can be used: %w", last))
}
