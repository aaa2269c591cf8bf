package sender

import (
	"log/slog"
	"slices"
	"time"
)

// A spell is a time in which batches to one broker are sent again. It ends when each partition that was part of it has been
// acknowledged, or has nothing left to send.
type spell struct {
	node   *node
	since  time.Time
	logged bool
	pace   pace
	bunch                      // partitions of late, and the last error
	parts  map[*partition]bool // that have not come through
	sent   int64               // batches that were sent again
	kept   int64               // those of them that are in a line of the log
}

// retrying tells that a batch of p is to be sent again.
func (n *news) retrying(p *partition, d *delivery, err error) {
	if n == nil {
		return
	}
	nd := n.from
	if nd == nil {
		if nd = n.c.nodes.of(p.leader); nd == nil {
			return
		}
	}
	s := nd.trouble.spell
	if s == nil {
		s = &spell{node: nd, since: n.c.now, parts: map[*partition]bool{}}
		nd.trouble.spell = s
		n.spells = append(n.spells, s)
	}
	s.sent++
	s.records += int64(d.Count())
	s.err = err
	n.stirs = true
	if p.spell == s {
		return
	}
	n.leave(p)
	p.spell, s.parts[p] = s, true
	s.add(p.topic.name, p.index)
}

// heard says whose answer is at hand, or nobody's.
func (n *news) heard(nd *node) {
	if n != nil {
		n.from = nd
	}
}

// leave takes p out of its spell.
func (n *news) leave(p *partition) {
	if p.spell != nil {
		delete(p.spell.parts, p)
		p.spell, n.stirs = nil, true
	}
}

// logSpells logs the spells that have begun or ended in this step.
func (n *news) logSpells() {
	for _, s := range n.spells {
		about := s.node.subject()
		if !s.logged {
			s.logged, s.kept = true, s.sent
			s.pace.begin(n.c.now)
			n.say(lineRetries, about, s.describe()...)
		}
		if len(s.parts) > 0 {
			continue
		}
		n.settle(lineRetries, about)
		s.node.trouble.spell = nil
		n.say(lineRetriesOver, about, who(s.node, slog.Int64("batches", s.sent), slog.Int64("records", s.records),
			slog.Duration("lasted", n.c.now.Sub(s.since)))...)
	}
	n.spells = slices.DeleteFunc(n.spells, func(s *spell) bool { return len(s.parts) == 0 })
}

func (s *spell) describe() []slog.Attr {
	return s.attrs(who(s.node, slog.Int64("batches", s.sent), slog.Int64("records", s.records),
		slog.Any("err", s.err), slog.Time("since", s.since))...)
}

// lookSpells tells of spells that go on, and ends those whose partitions have nothing left to send.
func (n *news) lookSpells() {
	for _, s := range n.spells {
		for p := range s.parts {
			if len(p.inFlight)+len(p.retry) == 0 {
				n.leave(p)
			}
		}
		if len(s.parts) > 0 && s.sent > s.kept && s.pace.due(n.c.now) {
			s.kept = s.sent
			n.goesOn(lineRetries, s.node.subject(), s.describe()...)
		}
	}
	n.logSpells()
}
