package sender

import (
	"errors"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// liveness is what a history needs to see whether things go on as they should: neither too seldom nor too often.
type liveness struct {
	dials map[end][]modelDial   // of the last second
	seen  map[*partition]outset // after the step before
}

// A modelDial is when and where an end was dialled.
type modelDial struct {
	when time.Time
	addr string
}

// An end is what is dialled.
type end struct {
	node  int32
	which lane
}

// An outset is where a partition stood, and how it had fared.
type outset struct {
	leader, epoch int32
	id            protocol.UUID
	failures      int
	err           error // of the last
	unidentified  bool
}

const (
	// mostAtOnce bounds how often a record is sent without time or a success of its partition in between: once, again for each
	// news that ends its backoff, and for connections that are lost before they have written it, or that have been given up for
	// another leader.
	mostAtOnce = 2 + maxBackoffsEnded
	// mostDials bounds how often one end is dialled in a second. Each connection that was made allows for more.
	mostDials = 60
	// mostMoves bounds how often it is dialled elsewhere than the time before.
	mostMoves = 8
	// mostRefusals bounds how often batches of a partition are refused for their size while its limit stays: those in flight
	// when that is learned, and its halving. A probe a minute comes on top.
	mostRefusals = 60
)

// checkPace bounds how often a record is sent at one time. A success of a batch in front of it ends the partition's failures,
// and news counts from there: each of five in flight may be turned away by brokers that contradict each other, and be taken
// in the end. That goes on only as long as something is written.
func (h *history) checkPace(a *modelAttempt) {
	r := a.records[0]
	if !r.sentAt.Equal(h.now) || r.sentWith != a.part.successes {
		r.sentAt, r.sentThen, r.sentWith = h.now, 0, a.part.successes
	}
	if len(a.records) < r.sentIn { // it was split in between, which is no failure
		r.sentThen--
	}
	r.sentIn = len(a.records)
	if r.sentThen++; r.sentThen > mostAtOnce {
		h.fail("%v is sent %d times while no time goes by", a, r.sentThen)
	}
}

// checkDial bounds how often one end is dialled, and how often elsewhere.
func (h *history) checkDial(n *node, which lane, addr string) {
	if h.live.dials == nil {
		h.live.dials = map[end][]modelDial{}
	}
	at := end{n.id, which}
	dials := append(h.live.dials[at], modelDial{h.now, addr})
	for h.now.Sub(dials[0].when) >= time.Second {
		dials = dials[1:]
	}
	moves := 0
	for i := 1; i < len(dials); i++ {
		if dials[i].addr != dials[i-1].addr {
			moves++
		}
	}
	if h.live.dials[at] = dials; len(dials) > mostDials || moves > mostMoves {
		h.fail("node %d is dialled %d times within a second, %d times elsewhere than before", n.id, len(dials), moves)
	}
}

// checkRoused demands that news ends the backoff of those that it is about: another leader, another topic, a producer id.
func (h *history) checkRoused() {
	if h.live.seen == nil {
		h.live.seen = map[*partition]outset{}
	}
	for _, t := range h.core.topics.all() {
		for _, p := range t.parts {
			is, was := outset{p.leader, p.epoch, t.id, p.failures, p.lastErr, p.unidentified}, h.live.seen[p]
			h.live.seen[p] = is
			if !p.backoff.After(h.now) || p.failures > 0 && (p.failures != was.failures || p.lastErr != was.err) || p.backoffsEnded >= maxBackoffsEnded {
				continue
			}
			switch {
			case p.failures == 0 && len(p.retry) > 0:
				h.fail("%s-%d waits for a backoff of another life, until %v", t.name, p.index, p.backoff.Sub(h.started))
			case p.leader >= 0 && (is.leader != was.leader || is.epoch != was.epoch):
				h.fail("%s-%d has another leader, and sleeps out its backoff", t.name, p.index)
			case was.unidentified && !is.unidentified && h.core.identity.valid:
				h.fail("%s-%d has a producer id, and sleeps out its backoff", t.name, p.index)
			}
		}
	}
}

// owe notes that a batch is in no log, and that its parts, or the records that were not named, can be written: the broker has
// refused it for a reason that they do not share. named are the indices of those that do.
func (h *history) owe(a *modelAttempt, named []protocol.RecordError) {
	for _, o := range a.part.attempts {
		if o != a && o.fate != refused && o.records[0].id <= a.records[len(a.records)-1].id && o.records[len(o.records)-1].id >= a.records[0].id {
			return
		}
	}
	for i, r := range a.records {
		r.owed = len(r.places) == 0
		for _, e := range named {
			r.owed = r.owed && int(e.BatchIndex) != i
		}
	}
}

// checkOwed demands that no record fails for what its batch alone was refused for.
func (h *history) checkOwed(r *modelRecord) {
	if !r.owed || slices.ContainsFunc([]error{ErrDeliveryTimeout, ErrClosed, ErrTopicRecreated, ErrClusterReplaced, ErrPartitionGone, errBehind}, func(other error) bool {
		return errors.Is(r.err, other)
	}) {
		return
	}
	if code := protocol.ErrorCode(0); errors.As(r.err, &code) && (code == protocol.MessageTooLarge || code == protocol.InvalidRecord) {
		h.fail("I6: record %d is in no log, its batch was refused as %v, and it fails for that instead of being sent alone: %v", r.id, code, r.err)
	}
}

// refused counts a batch that was larger than its topic takes.
func (h *history) refusedForSize(a *modelAttempt) {
	t := a.part.topic
	if t.refusals++; t.refusals > mostRefusals*len(t.parts)+2*int(h.now.Sub(t.resized)/time.Minute) {
		h.fail("%s takes batches of %d bytes since %v, and %d were larger", t.name, t.maxBatch, h.now.Sub(t.resized), t.refusals)
	}
}

// grow demands that batches grow again, some minutes after a topic has got back a limit that is no limit.
func (h *history) grow() {
	if h.mode != modeResizing || h.core.aborted {
		return
	}
	for _, t := range h.topics {
		t.maxBatch, t.refusals, t.resized = 1<<20, 0, h.now
	}
	h.know()
	first := 0
	for range 12 {
		h.pass(61 * time.Second)
		h.know()
		first = len(h.records)
		for _, t := range h.topics {
			for _, p := range t.existing() {
				for range 30 {
					h.append(p, 0, false)
				}
			}
		}
		h.rest("a burst")
	}
	for _, t := range h.topics {
		for _, p := range t.existing() {
			largest := 0
			for _, a := range p.attempts {
				if a.records[0].id >= first {
					largest = max(largest, a.size)
				}
			}
			if largest > 0 && largest < h.cfg.BatchSize/2 && h.cfg.Codec == protocol.CodecNone { // else, or without room, they are small for another reason
				h.fail("%s-%d gets batches of up to %d bytes, minutes after its limit has gone", t.name, p.index, largest)
			}
		}
	}
}

// resize changes a topic's max.message.bytes. One record alone always fits.
func (h *history) resize() {
	t := pick(h, h.topics)
	t.refusals, t.resized = 0, h.now
	t.maxBatch = pick(h, []int{140, 200, 400, 1 << 20, 1 << 20})
	h.counts[tallyResized]++
	h.tracef("%s takes batches of up to %d bytes", t.name, t.maxBatch)
}

// checkMemory: what is reserved is what lives (I5).
func (h *history) checkMemory() {
	used, queued := h.core.acc.Memory.Used(), int64(0)
	for _, t := range h.core.topics.all() {
		for _, p := range t.parts {
			queued += p.queue.Queued()
		}
	}
	drained := int64(0)
	quiet := len(h.ends) == 0 && h.core.schedule.waiting == 0
	for _, mc := range h.conns {
		for _, f := range mc.flights {
			for _, a := range f.attempts {
				quiet = false
				drained += int64(a.size)
			}
		}
	}
	if used < queued+drained {
		h.fail("I5: %d bytes are reserved, and %d wait and %d are in flight", used, queued, drained)
	}
	if quiet && h.waiter == nil && len(h.roots) == 0 && h.core.requests.flying == 0 && used != 0 {
		h.fail("I5: %d bytes are reserved, and nothing lives", used)
	}
}
