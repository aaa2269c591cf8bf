package sender

import (
	"cmp"
	"log/slog"
	"slices"
	"time"
)

// News is what the core tells the log: one line when something begins, one when it is over, and between them one now and then
// with what has come together. It is nil where there is no log, so its methods do nothing then. Nothing of it is on the path of
// a record.
//
// What happens to many partitions in one step is one line. So it is gathered, and told at the end of the step.
type news struct {
	c     *core
	write func(line) // never blocks

	pulses map[subject]*pulse
	held   int       // how many of them hold a line back
	looks  time.Time // when to look at what lasts
	stirs  bool      // something was gathered

	moved    map[[2]int32]*bunch      // partitions, by their leaders before and now
	renewals bunch                    // of epochs
	failures map[failureKind]*failure // of records
	spells   []*spell                 // of retries, which go on
	from     *node                    // whose answer is at hand

	sites     map[string]*site    // by address
	login     credentialTrouble   // that credentials do not come
	throttled int                 // nodes that throttle
	memory    shortage            // of buffer.memory
	missing   map[string]*absence // topics that are waited for
	txn       standstill          // of transactional requests

	recognising standstill // of all that waits until it is known which cluster is there
}

// lookEvery is how often what lasts is looked at. Nothing is told much later.
const lookEvery = 2500 * time.Millisecond

func newNews(c *core, tell func(line)) *news {
	return &news{
		c: c, write: tell, pulses: map[subject]*pulse{}, missing: map[string]*absence{}, sites: map[string]*site{},
		moved: map[[2]int32]*bunch{}, failures: map[failureKind]*failure{},
	}
}

// say tells that something has happened, unless that has been said too often of late: then it is counted, and told later.
func (n *news) say(h *headline, about subject, attrs ...slog.Attr) {
	about.text = h.text
	l := line{h.record(n.c.now, attrs...), about}
	p := n.pulses[about]
	if p == nil {
		p = &pulse{}
		n.pulses[about] = p
	}
	if !p.beat(n.c.now) && !n.c.aborted {
		if p.more++; p.more == 1 {
			n.held++
		}
		p.held = l
		return
	}
	n.emit(p, l)
}

// emit writes l, with the number of lines that were not written.
func (n *news) emit(p *pulse, l line) {
	if !p.held.Time.IsZero() {
		n.held--
	}
	n.write(p.release(l))
}

// goesOn tells again of what lasts.
func (n *news) goesOn(h *headline, about subject, attrs ...slog.Attr) {
	n.settle(h, about)
	about.text = h.text
	n.write(line{h.record(n.c.now, attrs...), about})
}

// settle drops what is held back about a state that is over.
func (n *news) settle(h *headline, about subject) {
	about.text = h.text
	if p := n.pulses[about]; p != nil && p.more > 0 {
		n.held--
		p.held, p.more = line{}, 0
	}
}

// holds reports whether a line is held back.
func (n *news) holds(h *headline, about subject) bool {
	about.text = h.text
	p := n.pulses[about]
	return p != nil && p.more > 0
}

// step ends a step of the core. It returns when to look again.
func (n *news) step() time.Time {
	if n == nil {
		return zero
	}
	if n.c.acc.Memory.Waiting() {
		n.wait()
	}
	if n.stirs {
		n.stirs = false
		n.logMoved()
		n.logRenewals()
		n.logFailures()
		n.logSpells()
	}
	if n.c.aborted {
		n.flush()
		return zero
	}
	if !n.looks.After(n.c.now) {
		n.looks = n.c.now.Add(lookEvery)
		n.look()
	}
	if !n.lasts() {
		return zero
	}
	return n.looks
}

// lasts reports whether there is something to look at: without a record on its way and without trouble nobody wakes up.
func (n *news) lasts() bool {
	return n.c.pending > 0 || n.held > 0 || n.throttled > 0 || len(n.spells) > 0 || len(n.missing) > 0 ||
		n.memory.lasts || n.txn.lasts()
}

// look tells of what lasts.
func (n *news) look() {
	for _, nd := range n.c.nodes.all() {
		n.lookNode(nd)
	}
	n.lookSpells()
	n.lookMemory()
	n.lookTopics()
	n.c.txn.report(n)
	n.flush()
}

// flush tells what was held back for long enough, in the order in which it happened.
func (n *news) flush() {
	var due []*pulse
	for about, p := range n.pulses {
		switch {
		case p.more > 0 && (n.c.aborted || p.dueUpTo(n.c.now, pulsePace)):
			due = append(due, p)
		case p.more == 0 && n.c.now.Sub(p.last) >= calm:
			delete(n.pulses, about)
		}
	}
	slices.SortFunc(due, func(a, b *pulse) int {
		return cmp.Or(a.held.Time.Compare(b.held.Time), cmp.Compare(a.held.Message, b.held.Message), cmp.Compare(a.held.about.broker, b.held.about.broker))
	})
	for _, p := range due {
		p.more-- // itself
		n.emit(p, p.held)
	}
}

// A bunch is partitions that something has happened to, all in one step.
type bunch struct {
	partitions int64
	topic      string // the first's
	partition  int32  // the same
	mixed      bool   // there are several topics
	records    int64
	err        error // the last
}

func (b *bunch) add(topic string, partition int32) {
	if b.partitions == 0 {
		b.topic, b.partition = topic, partition
	}
	b.mixed = b.mixed || b.topic != topic
	b.partitions++
}

// attrs returns which partitions these are: one by its name, many by their number.
func (b *bunch) attrs(more ...slog.Attr) []slog.Attr {
	if b.mixed {
		return append(more, slog.Int64("partitions", b.partitions))
	}
	more = append(more, slog.String("topic", b.topic))
	if b.partitions == 1 {
		return append(more, slog.Int("partition", int(b.partition)))
	}
	return append(more, slog.Int64("partitions", b.partitions))
}
