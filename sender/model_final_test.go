package sender

import (
	"slices"

	"github.com/epistle-kafka/epistle/txn"
)

// checkLogs is what holds at the end: every record is where its future says, and every transaction is there as a whole, or
// not at all.
func (h *history) checkLogs() {
	h.poll()
	if len(h.roots) > 0 {
		h.fail("I4: record %d has no outcome after Close", h.roots[0].records[0].id)
	}
	if used := h.core.acc.Memory.Used(); used != 0 {
		h.fail("I5: %d bytes are reserved after Close", used)
	}
	for _, r := range h.records {
		if r.callback && !r.called {
			h.fail("I4: the callback of record %d has not run", r.id)
		}
		if r.err == nil {
			h.checkAcked(r)
		}
	}
	for _, l := range h.logs {
		h.checkLog(l)
	}
	if h.caller != nil {
		h.calmDown()
		for number := int64(1); h.transactions[number] != nil; number++ {
			h.checkTransaction(h.transactions[number])
		}
	}
}

// checkLog: acknowledged records are in the log in the order in which they were sent (I2), once (I6).
func (h *history) checkLog(l *modelLog) {
	last := -1
	seen := map[int]bool{}
	for _, e := range l.entries {
		for _, r := range e.records {
			if r.err != nil || seen[r.id] && !h.cfg.Idempotent {
				continue
			}
			if seen[r.id] {
				h.fail("I6: record %d is in the log twice", r.id)
			}
			if r.id < last {
				h.fail("I2: record %d is in the log behind record %d", r.id, last)
			}
			seen[r.id], last = true, r.id
		}
	}
}

// calmDown lets the coordinator end what nobody will: the producer is gone.
func (h *history) calmDown() {
	h.complete()
	if h.txn.state == txnOngoing {
		h.fenceTxn()
		h.complete()
	}
}

// checkTransaction: all of a transaction is visible, or nothing of it; and each outcome that callers were told is true (I7).
func (h *history) checkTransaction(t *modelTransaction) {
	visible, hidden := 0, 0
	for _, r := range t.records {
		switch {
		case slices.ContainsFunc(r.places, func(at place) bool { return at.entry.ended && at.entry.commit }):
			visible++
			if r.done && r.err != nil && !r.late {
				h.fail("I7: record %d of transaction %d is visible, and ended with %v", r.id, t.number, r.err)
			}
		case r.late && r.err != nil:
		case slices.ContainsFunc(r.places, func(at place) bool { return at.log != r.part.log }):
			// It was in a log that was deleted since.
		default:
			hidden++
		}
	}
	committed := h.decisions[t.number].commit
	if visible > 0 && hidden > 0 {
		h.fail("I7: %d records of transaction %d are visible, and %d are not", visible, t.number, hidden)
	}
	if visible > 0 && !committed || hidden > 0 && committed {
		h.fail("I7: transaction %d: committed=%v, and %d records are visible and %d not", t.number, committed, visible, hidden)
	}
	for _, claim := range t.claims {
		if claim == txn.Committed && hidden > 0 || claim == txn.Aborted && committed {
			h.fail("I7: transaction %d was said to be %v: committed=%v, %d records are visible and %d not", t.number, claim, committed, visible, hidden)
		}
	}
	if slices.Contains(t.claims, txn.Committed) && t.offset > 0 {
		if got := h.decisions[t.number].offsets["group"][0]; got < t.offset {
			h.fail("I7: transaction %d is committed with offset %d, and %d was taken", t.number, got, t.offset)
		}
	}
}
