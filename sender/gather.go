package sender

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"slices"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
)

// leads takes note that p has another leader, or has lost the one that it had.
func (n *news) leads(p *partition, leader int32) {
	if n == nil || leader < 0 || p.leader < 0 || p.leader == leader {
		return // one without a leader is its topic's news: see led
	}
	way := [2]int32{p.leader, leader}
	b := n.moved[way]
	if b == nil {
		b = &bunch{}
		n.moved[way] = b
	}
	b.add(p.topic.name, p.index)
	n.stirs = true
}

func (n *news) logMoved() {
	for _, way := range slices.SortedFunc(maps.Keys(n.moved), func(a, b [2]int32) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	}) {
		b := n.moved[way]
		n.say(lineLeaderMoved, subject{broker: way[1], name: b.topic},
			b.attrs(slog.Int("from", int(way[0])), slog.Int("to", int(way[1])))...)
	}
	clear(n.moved)
}

// led tells of a topic whose partitions have no leader, or have one again.
func (n *news) led(t *topic) {
	if n == nil {
		return
	}
	var b bunch
	for i := range t.meta.Partitions {
		if t.meta.Partitions[i].Leader < 0 {
			b.add(t.name, int32(i))
		}
	}
	about := subject{name: t.name}
	switch {
	case b.partitions > 0 && t.leaderless.IsZero():
		t.leaderless = n.c.now
		n.settle(lineLeaderFound, about)
		n.say(lineLeaderless, about, b.attrs()...)
	case b.partitions == 0 && !t.leaderless.IsZero():
		n.settle(lineLeaderless, about)
		n.say(lineLeaderFound, about, slog.String("topic", t.name), slog.Duration("lasted", n.c.now.Sub(t.leaderless)))
		t.leaderless = zero
	}
}

// renewed takes note that p has a new epoch.
func (n *news) renewed(p *partition) {
	if n == nil {
		return
	}
	n.renewals.add(p.topic.name, p.index)
	n.stirs = true
}

func (n *news) logRenewals() {
	if b := &n.renewals; b.partitions > 0 {
		n.say(lineRenewed, subject{}, b.attrs()...)
		*b = bunch{}
	}
}

// failed takes note that records have ended with an error. With mayBeWritten they may be in the log all the same.
func (n *news) failed(topic string, partition int32, records int32, err error, mayBeWritten bool) {
	if n == nil {
		return
	}
	kind := failureKind{Reason(err), "no"}
	if mayBeWritten {
		kind.written = "maybe"
	}
	f := n.failures[kind]
	if f == nil {
		f = &failure{}
		n.failures[kind] = f
	}
	if f.held && !n.holds(kind.headline(), kind.subject()) {
		*f = failure{} // a line about it was written since
	}
	f.add(topic, partition)
	f.records += int64(records)
	f.err, f.fresh = err, true
	n.stirs = true
}

// A failureKind is what the failures in one line have in common.
type failureKind struct{ reason, written string }

// headline is not an error where the transaction was aborted: mostly the program has asked for that, and if not, the failure of
// the transaction is told by itself.
func (k failureKind) headline() *headline {
	if k.reason == ReasonAborted {
		return lineAborted
	}
	return lineFailed
}

func (k failureKind) subject() subject { return subject{name: k.reason + ", written=" + k.written} }

// A failure is the records that have failed for one reason since the last line about it.
type failure struct {
	bunch
	fresh bool // some of them in this step
	held  bool // a line about them is held back
}

// logFailures logs how many records have failed, for each reason. Those that are not logged now are logged with the next.
func (n *news) logFailures() {
	for _, kind := range slices.SortedFunc(maps.Keys(n.failures), func(a, b failureKind) int {
		return cmp.Or(cmp.Compare(a.reason, b.reason), cmp.Compare(b.written, a.written))
	}) {
		f := n.failures[kind]
		if !f.fresh {
			continue
		}
		about := kind.subject()
		attrs := []slog.Attr{
			slog.Int64("records", f.records), slog.String("reason", kind.reason), slog.String("written", kind.written), slog.Any("err", f.err),
		}
		if !f.mixed {
			attrs = append(attrs, slog.String("topic", f.topic))
		}
		n.say(kind.headline(), about, attrs...)
		if f.fresh, f.held = false, n.holds(kind.headline(), about); !f.held {
			*f = failure{}
		}
	}
}

// identified tells of the producer id that the cluster has given.
func (n *news) identified(id idempotent.Identity) {
	if n == nil {
		return
	}
	n.settle(lineUnidentified, subject{})
	n.say(lineIdentified, subject{}, slog.Int64("id", id.ID), slog.Int("epoch", int(id.Epoch)))
}

// tooOften is how often in a row a producer id is put off before that is news: a broker that has just started does it a few
// times.
const tooOften = 5

// unidentified tells that the cluster has refused a producer id, or keeps putting it off. A connection that ended meanwhile is
// news of its own.
func (n *news) unidentified(err error, failed int) {
	code := protocol.NoError
	if n != nil && errors.As(err, &code) && (!code.Retriable() || failed >= tooOften) {
		n.say(lineUnidentified, subject{}, slog.Any("err", err))
	}
}

// again tells of a topic that was deleted and made again.
func (n *news) again(t *topic) {
	if n != nil {
		n.say(lineTopicAgain, subject{name: t.name}, slog.String("topic", t.name))
	}
}

// otherCluster tells that there is another cluster than before.
func (n *news) otherCluster(id string) {
	if n != nil {
		n.say(lineOtherCluster, subject{}, slog.String("cluster", id))
	}
}

// untold tells that records wait, since answers to Metadata do not show which cluster is there. nd has given the first of them.
func (n *news) untold(nd *node, of error) {
	if n == nil || n.recognising.lasts() {
		return
	}
	n.recognising.since = n.c.now
	n.settle(lineTold, subject{})
	n.say(lineUntold, subject{}, who(nd, slog.Any("err", of))...)
}

// told tells that one shows it, or that none has for long.
func (n *news) told(like likeness) {
	if n == nil || !n.recognising.lasts() {
		return
	}
	n.settle(lineUntold, subject{})
	n.say(lineTold, subject{}, slog.Bool("same", like == same), slog.Duration("lasted", n.c.now.Sub(n.recognising.since)))
	n.recognising = standstill{}
}

// rebootstrap tells that no broker is of use, so that bootstrapping begins again, and what went wrong with the last one.
func (n *news) rebootstrap() {
	if n == nil {
		return
	}
	attrs := []slog.Attr{slog.Any("addr", n.c.cfg.Bootstrap)}
	if trouble := n.c.published.trouble.Load(); trouble != nil {
		attrs = append(attrs, slog.Any("err", *trouble))
	}
	n.say(lineRebootstrap, subject{}, attrs...)
}

// closing tells what is left to do.
func (n *news) closing() {
	if n != nil && !n.c.closing {
		n.say(lineClosing, subject{}, slog.Int64("bytes", n.c.acc.Memory.Used()), slog.Int64("in_flight", n.c.published.inFlight.Load()))
	}
}
