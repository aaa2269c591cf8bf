package sender

// stamps says of each broker whether its answers for a topic have a time of append. While message.timestamp.type changes, some
// brokers have heard of it and others have not.
type stamps map[int32]*stamping

// stamping is what one broker has answered for one topic.
type stamping struct {
	without int  // successes in a row that had no time
	timed   bool // the last one had a time, and was believed
	doubts  int  // how often a time was taken for another producer's
}

// maxWithout bounds the successes that are counted, and so those that are asked for.
const maxWithout = 1 << 30

// of returns what a broker has answered.
func (s *stamps) of(leader int32) *stamping {
	if *s == nil {
		*s = make(stamps)
	}
	b := (*s)[leader]
	if b == nil {
		b = &stamping{}
		(*s)[leader] = b
	}
	return b
}

// untimed reports whether a time in a leader's answer can only be another producer's. For a leader that has not answered yet
// the others decide, if all of them agree.
func (s stamps) untimed(leader int32) bool {
	if b := s[leader]; b != nil && (b.without > 0 || b.timed || b.doubts > 0) {
		return b.untimed()
	}
	some := false
	for _, b := range s {
		if b.timed {
			return false
		}
		some = some || b.untimed()
	}
	return some
}

// untimed reports whether the broker has left out the time often enough to show that it always does. One success is enough at
// first. Each time that comes all the same makes it eight times as many, since the logs of one broker may differ.
func (b *stamping) untimed() bool {
	return b.without >= min(1<<min(3*b.doubts, 30), maxWithout)
}

// strange reports whether a success is about another producer's batch: leader has taken d, which cannot be written yet, for a
// duplicate of it. The answer then has that batch's time, even in a topic whose answers have no time of append. If the topic
// has only just been set to have times, nobody can tell. Then d fails as one that may be written, with the batches in flight
// behind it, and later times are believed. A batch that was in flight when the cluster turned out to be another one may have
// reached the new one. It is judged by what the former cluster has answered.
func (c *core) strange(p *partition, d *delivery, leader int32, appendTime int64) bool {
	if d.doubtful() {
		return false
	}
	if d.old { // what is known now is of another log
		return appendTime >= 0 && p.topic.former.untimed(leader)
	}
	b := p.topic.stamps.of(leader)
	if appendTime < 0 {
		b.without, b.timed = min(b.without+1, maxWithout), false
		return false
	}
	untimed := p.topic.stamps.untimed(leader)
	behind := !b.timed && p.numbers.Abandoned()
	b.without, b.timed = 0, !untimed && !behind
	switch {
	case untimed:
		b.doubts++
	case !behind:
		return false
	}
	c.abandonAll(d.identity.ID)
	return true
}
