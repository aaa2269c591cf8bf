package sender

import (
	"slices"
	"time"
)

// A lookup is a caller that waits for a topic's metadata. The look-up itself goes on when the caller has left.
type lookup struct {
	partitions int           // that the topic must have at least
	done       chan struct{} // closed when err is set
	err        error
}

func (l *lookup) end(err error) {
	l.err = err
	close(l.done)
}

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
	known := c.topics[e.topic] != nil
	switch {
	case known && !c.lacks(e.topic, e.partitions):
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
	} else {
		c.news.awaits(e.topic)
	}
	switch {
	case e.wait != nil:
		e.wait.partitions = e.partitions
		c.lookups[e.topic] = append(c.lookups[e.topic], e.wait)
		if known {
			c.seeking[e.topic] = true
		}
	case !known && c.lookups[e.topic] == nil:
		c.lookups[e.topic] = []*lookup{}
	}
}

// lacks reports whether a topic has fewer partitions than that, as far as is known.
func (c *core) lacks(name string, partitions int) bool {
	t := c.topics[name]
	return t == nil || len(t.meta.Partitions) < partitions
}

// unwanted: a caller's wait has ended. The look-up goes on: its answer may be on the way, and the next who asks needs it.
type unwanted struct {
	topic string
	wait  *lookup
	left  chan struct{} // closed when why is set
	why   error         // what keeps the look-up from its end; nil: nothing is known to
}

func (e *unwanted) apply(c *core) {
	e.why = c.hindrance("Metadata")
	close(e.left)
	if waiting, ok := c.lookups[e.topic]; ok {
		c.lookups[e.topic] = slices.DeleteFunc(waiting, func(l *lookup) bool { return l == e.wait })
		c.rest(e.topic)
	}
}

// rest ends the look-up of a topic that is there, if nobody waits for more of it.
func (c *core) rest(name string) {
	if len(c.lookups[name]) == 0 && c.topics[name] != nil {
		delete(c.lookups, name)
		delete(c.seeking, name)
	}
}

// answerLookups ends the waiting for a topic.
func (c *core) answerLookups(name string, err error) {
	waiting := c.lookups[name]
	left := waiting[:0]
	for _, l := range waiting {
		if err == nil && c.lacks(name, l.partitions) {
			left = append(left, l)
			c.seeking[name] = true
			continue
		}
		l.end(err)
	}
	clear(waiting[len(left):])
	c.news.has(name, err == nil)
	if len(left) > 0 {
		c.lookups[name] = left
		return
	}
	delete(c.lookups, name)
	delete(c.seeking, name)
}

// seekOn has those topics asked for once more that lack a partition which a caller waits for. They may just have got it.
func (c *core) seekOn() {
	for name := range c.seeking {
		c.meta.Touch(c.now, name)
		c.meta.Refresh(name)
	}
}

// sweepEvery is how often look-ups are looked through.
const sweepEvery = time.Second

// sweepLookups ends the look-ups that nobody waits for, and that nobody has asked for within metadata.max.idle.
func (c *core) sweepLookups() {
	if c.now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = c.now
	for name, waiting := range c.lookups {
		if len(waiting) == 0 && c.meta.Unused(c.now, name) {
			delete(c.lookups, name)
			c.news.has(name, false)
			c.meta.Unwant(name)
		}
	}
}
