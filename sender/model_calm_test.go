package sender

import (
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/txn"
)

// finish lets everything calm down.
func (h *history) finish() {
	h.calm = true
	clear(h.refusing)
	h.comeBack()
	for _, mc := range slices.Clone(h.conns) {
		if mc.deaf {
			mc.hangUp(errReset, hangDrop)
		}
	}
	for len(h.late) > 0 {
		if h.chance(0.5) {
			h.playLate(0)
			continue
		}
		for _, f := range h.late[0] {
			f.lose()
		}
		h.late = slices.Delete(h.late, 0, 1)
	}
	h.tracef("calm")
	if h.mode == modeDisagreeing {
		h.pass(longestStay)
	}
	if !h.core.aborted {
		h.rest("what was begun")
		if !h.closing {
			if h.counts[tallyMoved] > 0 {
				h.pass(longestStay) // after which brokers no longer disagree, and are followed at once
			}
			h.lastWord()
			h.grow()
			h.close()
		}
		h.rest("close")
		if !h.core.aborted {
			h.core.handle(h.now, aborting{})
		}
	}
	for i := 0; !h.core.done(); i++ {
		if i == 500 {
			h.fail("I4: the loop does not end after Close")
		}
		h.serveAll()
		h.settle()
	}
	h.serveAll()
	h.settle()
	h.checkLogs()
	h.checkNews()
}

// serveAll serves whatever can be, without dice.
func (h *history) serveAll() {
	for len(h.dials) > 0 {
		h.dialDone()
	}
	for len(h.packs) > 0 {
		h.packDone()
	}
	for len(h.ends) > 0 {
		h.completeOne()
	}
	h.complete()
	for _, mc := range slices.Clone(h.conns) {
		for len(mc.flights) > 0 {
			h.serveConn(mc)
		}
	}
}

// atRest reports whether everything has its end.
func (h *history) atRest() bool {
	if h.caller != nil && !h.closing && (h.caller.call != nil || len(h.caller.offsets) > 0 || h.caller.state != callerIdle && h.caller.state != callerDead) {
		return false
	}
	for _, g := range h.groups {
		select {
		case <-g.Done():
		default:
			return false
		}
	}
	return len(h.roots) == 0 && h.waiter == nil && len(h.events) == 0 && len(h.dials) == 0 && len(h.packs) == 0 && len(h.ends) == 0 && h.core.requests.flying == 0
}

// rest goes on until everything has its end, with brokers that do what they should.
func (h *history) rest(what string) {
	const steps = 2000
	last := steps
	for i := 0; ; i++ {
		h.serveAll()
		h.settle()
		if h.caller != nil && !h.closing && h.caller.call == nil && h.caller.state != callerIdle && h.caller.state != callerDead {
			h.caller.step()
			continue
		}
		if h.atRest() {
			return
		}
		if h.staysAway() {
			last = min(i+steps, 5*steps)
		}
		if i >= last {
			h.fail("I4: no rest after %s: %s", what, h.unrest())
		}
		if len(h.events)+len(h.dials)+len(h.packs)+len(h.ends) == 0 && !h.busy() {
			if h.wakeAt.IsZero() {
				h.fail("I4: nothing goes on after %s: %s", what, h.unrest())
			}
			h.passToWake()
		}
	}
}

// staysAway reports whether the core stays for a while where a broker is no more, since brokers have disagreed about the
// address. A coordinator is asked there in vain meanwhile.
func (h *history) staysAway() bool {
	return slices.ContainsFunc(h.core.nodes.order, func(n *node) bool {
		return n.id >= 0 && n.addr != addrOf(h.host(n.id), 9092) && !n.mayMove(h.now)
	})
}

// unrest says what has no end.
func (h *history) unrest() string {
	text := fmt.Sprintf("%d batches without an outcome, %d flying, %d groups", len(h.roots), h.core.requests.flying, len(h.groups))
	if h.caller != nil {
		text += fmt.Sprintf(", caller %v, calls of offsets %d, core %v", h.caller.state, len(h.caller.offsets), h.core.transactor().State())
	}
	return text
}

func (h *history) busy() bool {
	return slices.ContainsFunc(h.conns, func(mc *modelConn) bool { return len(mc.flights) > 0 })
}

// lastWord demands that the producer is still of use: a record for each partition is acknowledged, in a transaction that
// is committed. It may take another attempt: to find out that a topic was made again, say.
func (h *history) lastWord() {
	h.know()
	if h.caller == nil {
		for tries := 1; !h.lastRecords(0); tries++ {
			if tries == 3 || !h.hurt {
				h.fail("I4: the last records, in calm, are not acknowledged: %v", h.records[len(h.records)-1].err)
			}
			h.breathe()
		}
		return
	}
	var t *modelTransaction
	for range 3 {
		if h.begin(); h.caller.state == callerDead {
			break
		}
		t = h.transactions[h.caller.number]
		h.lastRecords(t.number)
		if h.caller.state == callerOpen {
			h.caller.start(txn.CallCommit, false)
		}
		if h.rest("the last commit"); slices.Equal(t.claims, []txn.Outcome{txn.Committed}) {
			break
		}
		if !h.hurt && h.mayDie == "" {
			h.fail("I4: the last transaction, in calm, ends with %v", t.claims)
		}
		h.breathe()
	}
	switch {
	case h.mayDie == "" && !slices.Equal(t.claims, []txn.Outcome{txn.Committed}):
		h.fail("I4: the last of three transactions, in calm, ends with %v", t.claims)
	case h.taken && h.caller.state != callerDead:
		h.fail("I7: another producer has taken over, and this one goes on")
	}
}

// breathe lets metadata come that a failure has asked for. A client sends nothing to a broker that throttles it (KIP-219), and
// calm does not end that. So while all brokers do, no metadata comes. It waits for the first of them that can be asked again.
func (h *history) breathe() {
	var mute []time.Time // until when each broker that throttles must not be asked
	for _, mc := range h.conns {
		if mc.which == control && mc.node.id >= 0 && mc.throttled.After(h.now) {
			mute = append(mute, mc.throttled)
		}
	}
	if len(mute) == int(h.brokers) {
		h.pass(slices.MinFunc(mute, time.Time.Compare).Sub(h.now))
	}
	for range 10 {
		h.serveAll()
		h.settle()
		h.pass(20 * time.Millisecond)
	}
}

// know looks the topics up that nobody has asked for yet.
func (h *history) know() {
	for _, t := range h.topics {
		h.core.handle(h.now, wanted{topic: t.name})
		for i := 0; h.core.topics.named(t.name) == nil; i++ {
			if i == 500 {
				h.fail("I4: topic %s cannot be found", t.name)
			}
			h.serveAll()
			if h.settle(); h.core.topics.named(t.name) == nil && !h.busy() && len(h.dials) == 0 {
				h.passToWake()
			}
		}
	}
}

// begin begins a transaction, in calm.
func (h *history) begin() {
	for tries := 0; h.caller.state != callerOpen && h.caller.state != callerDead; tries++ {
		if tries > 5 {
			h.fail("I4: no transaction can be begun any more")
		}
		h.caller.step()
		for i := 0; h.caller.call != nil; i++ {
			if i == 500 {
				h.fail("I4: %s does not return", h.caller.call.name)
			}
			h.serveAll()
			h.settle()
			if !h.busy() && len(h.dials)+len(h.packs) == 0 && h.caller.call != nil {
				h.passToWake()
			}
		}
	}
}

// lastRecords sends a record to each partition, and without a transaction reports whether they are acknowledged.
func (h *history) lastRecords(number int64) bool {
	n := len(h.records)
	for _, t := range h.topics {
		for _, p := range t.existing() {
			h.append(p, number, false)
		}
	}
	if number > 0 {
		return true
	}
	h.rest("the last records")
	return !slices.ContainsFunc(h.records[n:], func(r *modelRecord) bool { return r.err != nil })
}
