package sender

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// A modelRecord is a record that a caller has appended.
type modelRecord struct {
	id       int
	part     *modelPart
	txn      int64
	late     bool // appended after its transaction's end was asked for
	root     *modelRoot
	index    int32
	flying   *modelConn // that has it in a request
	sent     bool
	done     bool
	err      error
	maybe    bool
	offset   int64
	places   []place
	lost     bool // its leader has lost it
	callback bool // it has one
	called   bool // and that has run
	sentAt   time.Time
	sentThen int  // how often, at that time, since a success of its partition
	sentWith int  // how many successes its partition had had then
	sentIn   int  // records of the batch that it was last sent in
	owed     bool // see owe
}

// A modelRoot is a batch as the futures of its records know it.
type modelRoot struct {
	outcome *accumulator.Outcome
	records []*modelRecord
	opened  time.Time
}

// poll sees which records have their outcome.
func (h *history) poll() {
	kept := h.roots[:0]
	for _, root := range h.roots {
		select {
		case <-root.outcome.Done():
			for _, r := range root.records {
				h.resolve(r)
			}
		default:
			kept = append(kept, root)
		}
	}
	clear(h.roots[len(kept):])
	h.roots = kept
}

// resolve notes a record's outcome, and checks it against the logs (I6).
func (h *history) resolve(r *modelRecord) {
	r.offset, _, r.err = r.root.outcome.Of(r.index)
	r.done = true
	p := r.part
	for i, w := range p.waiting {
		if w == r {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			break
		}
	}
	if h.tracing {
		h.tracef("record %d: offset %d, %v", r.id, r.offset, r.err)
	}
	if r.err == nil {
		h.counts[tallyAcked]++
		h.checkAcked(r)
		return
	}
	failed := (*Error)(nil)
	if !errors.As(r.err, &failed) {
		h.fail("record %d ended with %v, which is no *Error", r.id, r.err)
	}
	r.maybe = failed.MayBeWritten
	h.checkOwed(r)
	switch {
	case r.maybe:
		h.counts[tallyMaybe]++
		if failed.Attempts == 0 {
			h.fail("I6: record %d was never sent, and is said to be possibly written", r.id)
		}
	default:
		h.counts[tallyNotWritten]++
		if len(r.places) > 0 && !h.unknowing(r) {
			h.fail("I6: record %d is said not to be written (%v), and is at offset %d of the log", r.id, r.err, r.places[0].offset)
		}
	}
}

// checkAcked demands that an acknowledged record is where its future says.
func (h *history) checkAcked(r *modelRecord) {
	if r.lost || h.cfg.Acks == 0 {
		return
	}
	if len(r.places) == 0 {
		h.fail("I6: record %d is acknowledged, and is in no log", r.id)
	}
	if r.offset < 0 {
		return
	}
	for _, at := range r.places {
		if at.offset == r.offset {
			return
		}
	}
	h.fail("I6: record %d is acknowledged at offset %d, and is at %d", r.id, r.offset, r.places[0].offset)
}

// checkWritten is asked when a record is about to be written.
func (h *history) checkWritten(l *modelLog, r *modelRecord) {
	if r.done && r.err != nil && !r.maybe {
		h.fail("I6: record %d, which was said not to be written (%v), is written", r.id, r.err)
	}
	if h.cfg.Idempotent {
		for _, at := range r.places {
			if at.log == l {
				h.fail("I6: record %d is written a second time, at %d and %d", r.id, at.offset, l.end)
			}
		}
	}
	// A record whose outcome its sender has been told already may come late, as one that may be written.
	if r.id < l.highest && !r.done && len(r.places) == 0 {
		h.fail("I2: record %d is written after record %d of the same partition", r.id, l.highest)
	}
}

// checkSent looks at a request that the core has just sent.
func (h *history) checkSent(f *flight) {
	switch req := f.call.Request.(type) {
	case *protocol.ProduceRequest:
		h.poll()
		for _, a := range f.attempts {
			h.checkConnection(f, a)
			h.checkOrder(f, a)
			h.checkPace(a)
			h.checkNumbers(a)
			h.checkTold(a)
			if h.core.transactor() != nil {
				h.checkBelongs(f, a)
			}
			a.part.attempts = append(a.part.attempts, a)
			for _, r := range a.records {
				r.flying, r.sent = f.conn, true
			}
		}
	case *protocol.EndTxnRequest:
		h.checkEnd(f, req)
	case *protocol.InitProducerIDRequest:
		if h.caller == nil {
			break
		}
		if err := h.caller.mayInit(); err != nil {
			h.fail("I7: InitProducerId in the middle of a transaction: %v", err)
		}
		if req.ProducerID < 0 && h.caller.begun {
			h.fail("I7: InitProducerId that would fence the producer itself, or who has fenced it")
		}
	case *protocol.AddPartitionsToTxnRequest, *protocol.AddOffsetsToTxnRequest:
		h.showProtocol(f, false)
	case *protocol.TxnOffsetCommitRequest:
		h.showProtocol(f, f.call.Version >= 5)
	}
	if h.tracing {
		h.sent = append(h.sent, fmt.Sprintf("-> %d: %s", f.conn.broker, describe(f)))
	}
}

// checkConnection: a partition has batches in flight on one connection only, five at most (I2).
func (h *history) checkConnection(f *flight, a *modelAttempt) {
	n := 0
	for _, mc := range h.conns {
		for _, o := range mc.flights {
			for _, b := range o.attempts {
				if b.part != a.part || b.life != a.life {
					continue
				}
				if n++; mc != f.conn {
					h.fail("I2: %v is sent while %v is in flight on another connection", a, b)
				}
			}
		}
	}
	if n > a.part.log.most {
		h.fail("I2: %d batches of a partition are in flight", n)
	}
}

// checkOrder: whatever is older has its outcome, or is in flight in front of it (I2).
func (h *history) checkOrder(f *flight, a *modelAttempt) {
	for _, r := range a.part.waiting {
		if r.id >= a.records[0].id {
			break
		}
		if r.flying != f.conn && (!r.sent || r.waits(h)) {
			h.fail("I2: %v is sent before record %d, which is older and waits", a, r.id)
		}
	}
	for i := 1; i < len(a.records); i++ {
		if a.records[i].id <= a.records[i-1].id || a.records[i].part != a.part || a.records[i].txn != a.records[0].txn {
			h.fail("I2: %v has records that do not belong together, or in another order", a)
		}
	}
}

// waits reports whether a record of which an attempt has failed is to be sent again. Of the pieces of a batch one may have
// its outcome long before the future of the whole lets it be seen.
func (r *modelRecord) waits(h *history) bool {
	for _, d := range h.core.topics.named(r.part.topic.name).parts[r.part.index].retry {
		if d.Outcome() == r.root.outcome && r.index >= d.First() && r.index < d.First()+d.Count() {
			return true
		}
	}
	return false
}

// checkNumbers compares a batch with those that may be written: what has its records has its bytes and its numbers, or the
// batch is a part of it and within its numbers (I3); and what has its numbers has its records (I6).
func (h *history) checkNumbers(a *modelAttempt) {
	if h.core.transactor() == nil && h.cfg.Idempotent {
		h.checkOwner(a)
	}
	if len(a.part.attempts) > 0 {
		first, last := a.records[0].id, a.records[len(a.records)-1].id
		for _, o := range a.part.attempts {
			shared := o.records[0].id <= last && o.records[len(o.records)-1].id >= first
			if shared {
				h.counts[tallyRetry]++
			}
			unknowing := o.cluster != a.cluster && !h.knows(a.part.topic) // which of two clusters it sends to
			switch {
			case o.cluster != a.cluster && !unknowing && h.cfg.Idempotent && o.id == a.id && a.epoch <= o.epoch:
				h.fail("I6: %v has the producer id of a cluster that was made again", a)
			case o.fate == refused || !h.cfg.Idempotent || o.sum == a.sum && (o.life == a.life || o.life < 0 || a.life < 0 || unknowing):
			case unknowing && a.partOf(o):
			case o.life >= 0 && a.life >= 0 && o.life != a.life:
				if shared && !h.tooLate(o) {
					h.fail("I6: %v is sent to a topic that was made again, and may be in the old one", a)
				}
			case shared && (a.partOf(o) || h.tooLate(o)):
			case shared:
				h.fail("I3: %v is sent again as %v", o, a)
			case o.id == a.id && o.epoch == a.epoch && o.seq == a.seq:
				h.fail("I6: %v has the numbers of %v, which may be written", a, o)
			}
		}
	}
}

// partOf reports whether a is what is left of o, or a piece of it, within o's numbers.
func (a *modelAttempt) partOf(o *modelAttempt) bool {
	if a.id != o.id || a.epoch != o.epoch || len(a.records) >= len(o.records) {
		return false
	}
	for _, r := range a.records {
		if !slices.Contains(o.records, r) {
			return false
		}
	}
	for n := 0; n+len(a.records) <= len(o.records); n++ {
		if sequenceAfter(o.seq, int32(n)) == a.seq {
			return true
		}
	}
	return false
}

// tooLate reports whether o, which no broker has seen yet, comes too late for its numbers.
func (h *history) tooLate(o *modelAttempt) bool {
	l := o.part.log
	if i := slices.IndexFunc(h.logs, func(l *modelLog) bool { return l.part == o.part && l.life == o.life }); i >= 0 {
		l = h.logs[i] // of a topic that is gone, maybe
	}
	s := l.producers[o.id]
	switch {
	case o.fate != pending:
		return false
	case o.heard < o.part.cutBackAt:
		return true
	case s == nil || s.epoch < o.epoch:
		return false
	}
	return s.epoch > o.epoch || s.next() != o.seq
}

// checkBelongs: nothing is sent to a partition before it belongs to the transaction (I7).
func (h *history) checkBelongs(f *flight, a *modelAttempt) {
	number := a.records[0].txn
	t := h.transactions[number]
	switch {
	case !a.txn || t == nil:
		h.fail("I7: %v is sent outside of a transaction", a)
	case t.ended:
		h.fail("I7: %v is sent after its transaction has ended", a)
	}
	h.showProtocol(f, f.call.Version >= 12)
	if f.call.Version < 12 && !h.added[addition{number, a.part}] {
		h.fail("I7: %v is sent before its partition was added to transaction %d", a, number)
	}
}

// showProtocol demands that a transaction keeps to one protocol, which is the one that is finalised (pitfall 16).
func (h *history) showProtocol(f *flight, isNew bool) {
	t := h.transactions[f.number]
	if t == nil {
		h.fail("I7: %s without a transaction", describe(f))
	}
	if t.shown && t.isNew != isNew && h.mode != modeRestarting {
		h.fail("I7: %s in a transaction of the other protocol", describe(f))
	}
	t.shown, t.isNew = true, isNew
	if !h.mixes() && isNew != (h.level >= 2) {
		h.fail("I7: %s, and transaction.version is %d", describe(f), h.level)
	}
}

// checkEnd: a commit is asked for only if its caller has, when every record is acknowledged; and no abort after it (I7).
func (h *history) checkEnd(f *flight, req *protocol.EndTxnRequest) {
	h.showProtocol(f, f.call.Version >= 5)
	t := h.transactions[f.number]
	switch {
	case t.ended:
		h.fail("I7: EndTxn of %d, which has ended", t.number)
	case !req.Committed && t.commits > 0:
		h.fail("I7: transaction %d is aborted after its commit was asked for", t.number)
	case !req.Committed:
		return
	case !t.committing:
		h.fail("I7: nobody asked for the commit of %d", t.number)
	}
	t.commits++
	h.poll()
	for _, r := range t.records {
		if !r.late && (!r.done || r.err != nil) {
			h.fail("I7: the commit of %d is asked for, and record %d has ended=%v with %v", t.number, r.id, r.done, r.err)
		}
	}
}

// check is what holds between any two steps.
func (h *history) check() {
	h.counts[tallyStep]++
	h.poll()
	if h.caller != nil {
		h.caller.poll()
		if h.core.transactor().State().Dead() && !h.closing {
			if h.mayDie == "" && h.forgetful() {
				h.mayDie = "the coordinator has not come to know the producer id in delivery.timeout"
			}
			if h.mayDie == "" {
				h.fail("the producer died without a reason: %v", h.core.transactor().Refusal("Send"))
			}
			if h.core.published.txn.Load().Refusal == nil {
				h.fail("I7: a dead producer takes records")
			}
		}
		if late := h.now.Sub(h.closed) - h.cfg.DeliveryTimeout; len(h.core.transactor().closing) > 0 && late > 10*time.Millisecond {
			h.fail("Close waits for the end of a transaction, %v after delivery.timeout", late)
		}
	}
	for _, root := range h.roots {
		if late := h.now.Sub(root.opened) - h.cfg.DeliveryTimeout; late > 10*time.Millisecond {
			h.fail("I4: record %d has no outcome %v after delivery.timeout", root.records[0].id, late)
		}
	}
	h.checkMemory()
	h.checkRoused()
}
