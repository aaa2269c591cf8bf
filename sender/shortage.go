package sender

import (
	"log/slog"
	"time"

	"github.com/epistle-kafka/epistle/txn"
)

// A shortage is a time in which callers wait for buffer.memory.
type shortage struct {
	lasts bool
	since time.Time
	last  time.Time // when one was seen to wait
	waits int64     // of callers until it began
	pace  pace
}

// shortageOver is how long after the last wait a shortage has ended.
const shortageOver = 5 * time.Second

// wait tells that callers wait for memory.
func (n *news) wait() {
	m := &n.memory
	if m.last = n.c.now; m.lasts {
		return
	}
	m.lasts, m.since, m.waits = true, n.c.now, n.c.acc.Memory.Waits()
	m.pace.begin(n.c.now)
	n.settle(lineMemoryFree, subject{})
	n.say(lineMemoryFull, subject{}, n.shortage()...)
}

// shortage says who has the memory: the topic with the most bytes.
func (n *news) shortage() []slog.Attr {
	var most int64
	var name string
	for _, t := range n.c.topics.all() {
		var sum int64
		for _, p := range t.parts {
			sum += p.queue.Queued()
			for _, d := range p.inFlight {
				sum += int64(d.Size())
			}
			for _, d := range p.retry {
				sum += int64(d.Size())
			}
		}
		if sum > most || sum == most && t.name < name {
			most, name = sum, t.name
		}
	}
	return []slog.Attr{
		slog.String("topic", name), slog.Int64("bytes", most), slog.Int64("limit", n.c.cfg.Memory),
		slog.Time("since", n.memory.since),
	}
}

func (n *news) lookMemory() {
	m := &n.memory
	switch {
	case !m.lasts:
	case n.c.now.Sub(m.last) >= shortageOver:
		m.lasts = false
		n.settle(lineMemoryFull, subject{})
		n.say(lineMemoryFree, subject{}, slog.Duration("lasted", m.last.Sub(m.since)), slog.Int64("count", 1+n.c.acc.Memory.Waits()-m.waits))
	case m.pace.due(n.c.now):
		n.goesOn(lineMemoryFull, subject{}, n.shortage()...)
	}
}

// An absence is a topic, or a partition of it, that callers wait for.
type absence struct {
	since  time.Time
	logged *headline // nil: the log has not been told
}

// late is how long something may take before the log is told.
const late = 5 * time.Second

// awaits takes note that a topic is waited for, or a partition of it.
func (n *news) awaits(topic string) {
	if n != nil && n.missing[topic] == nil {
		n.missing[topic] = &absence{since: n.c.now}
	}
}

// has ends the absence of a topic: it is there, with what was waited for, or nobody waits any more.
func (n *news) has(topic string, there bool) {
	if n == nil {
		return
	}
	a := n.missing[topic]
	delete(n.missing, topic)
	if a == nil || a.logged == nil || !there {
		return
	}
	come := lineTopicThere
	if a.logged == linePartitionMissing {
		come = linePartitionThere
	}
	n.settle(a.logged, subject{})
	n.say(come, subject{}, slog.String("topic", topic), slog.Duration("lasted", n.c.now.Sub(a.since)))
}

// lookTopics tells of topics that do not come, and of partitions.
func (n *news) lookTopics() {
	if name, attrs := n.absent(lineTopicMissing); name != "" {
		err := n.c.meta.Snapshot().Waiting(name)
		if trouble := n.c.published.trouble.Load(); err == nil && trouble != nil {
			err = *trouble
		}
		if err != nil {
			attrs = append(attrs, slog.Any("err", err))
		}
		n.say(lineTopicMissing, subject{}, attrs...)
	}
	if name, attrs := n.absent(linePartitionMissing); name != "" {
		attrs = append(attrs, slog.Int("partitions", n.c.topics.partitions(name)))
		n.say(linePartitionMissing, subject{}, attrs...)
	}
}

// absent returns the topic that has been waited for longest, and what line says of it and of the others; "" if there is nothing
// new to tell.
func (n *news) absent(line *headline) (name string, attrs []slog.Attr) {
	var count, fresh int64
	var since time.Time
	for topic, a := range n.missing {
		if lacks := n.c.lookups.lacks(topic); lacks != (line == linePartitionMissing) || n.c.now.Sub(a.since) < late {
			continue
		}
		if a.logged != line {
			a.logged = line
			fresh++
		}
		if count++; name == "" || a.since.Before(since) || a.since.Equal(since) && topic < name {
			name, since = topic, a.since
		}
	}
	if fresh == 0 {
		return "", nil
	}
	return name, []slog.Attr{slog.String("topic", name), slog.Int64("topics", count), slog.Time("since", since)}
}

// A standstill is a time in which a transactional request gets nowhere.
type standstill struct {
	since  time.Time
	logged bool
	pace   pace
}

func (s *standstill) lasts() bool { return !s.since.IsZero() }

// lookTxn tells of a transactional request that is in trouble for long.
func (n *news) lookTxn(t *transactor) {
	s, trouble := &n.txn, t.Trouble()
	switch state := t.State(); {
	case state == txn.Uninitialized || state == txn.Failed || state.Dead(): // nothing is under way, or all is told
		*s = standstill{}
	case trouble == nil:
		if s.logged {
			n.settle(lineTxnHeldUp, subject{})
			n.say(lineTxnGoesOn, subject{}, n.transactional(slog.Duration("lasted", n.c.now.Sub(s.since)))...)
		}
		*s = standstill{}
	case s.since.IsZero():
		s.since = n.c.now
	case !s.logged && n.c.now.Sub(s.since) >= late-lookEvery:
		s.logged = true
		s.pace.begin(n.c.now)
		n.say(lineTxnHeldUp, subject{}, n.transactional(slog.Any("err", trouble), slog.Time("since", s.since))...)
	case s.logged && s.pace.due(n.c.now):
		n.goesOn(lineTxnHeldUp, subject{}, n.transactional(slog.Any("err", trouble), slog.Time("since", s.since))...)
	}
}

func (n *news) transactional(more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{slog.String("transactional.id", n.c.cfg.TransactionalID)}, more...)
}

// transacted tells of a transaction that has failed, and of a producer that has.
func (n *news) transacted(before, now txn.State, cause error) {
	if n == nil || n.c.aborted || before == now || before.Dead() {
		return
	}
	switch cause := slog.Any("err", cause); {
	case now == txn.Failed:
		n.say(lineTxnFailed, subject{}, n.transactional(cause)...)
	case now.Dead():
		n.say(lineTxnDead, subject{}, n.transactional(cause)...)
	}
}
