package sender

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A modelTxn is what the coordinator keeps of the transactional id. The rules are those of brokertest.
type modelTxn struct {
	state      txnState
	id         int64
	epoch      int16
	previousID int64
	lastEpoch  int16
	nextID     int64
	began      time.Time
	parts      map[*modelPart]bool
	groups     map[string]map[int32]int64 // offsets that wait for the end, by group and partition
	number     int64                      // of the client's transaction that is, or was, open
}

type txnState uint8

const (
	txnEmpty txnState = iota
	txnOngoing
	txnPrepareCommit
	txnPrepareAbort
	txnCompleteCommit
	txnCompleteAbort
)

func (s txnState) String() string {
	return [...]string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"}[s]
}

func (s txnState) deciding() bool { return s == txnPrepareCommit || s == txnPrepareAbort }

func prepared(commit bool) txnState {
	if commit {
		return txnPrepareCommit
	}
	return txnPrepareAbort
}

const lastClientEpoch = math.MaxInt16 - 1

// A decision is what the coordinator has made of one of the client's transactions.
type decision struct {
	commit  bool
	offsets map[string]map[int32]int64 // that were committed with it
}

func (t *modelTxn) become(s txnState) { t.previousID, t.state = t.id, s }

func (t *modelTxn) exhausted() bool { return t.epoch >= lastClientEpoch }

func (t *modelTxn) admits(id int64, epoch int16) protocol.ErrorCode {
	switch {
	case t.id != id:
		return protocol.InvalidProducerIDMapping
	case t.epoch != epoch:
		return protocol.ProducerFenced
	case t.state.deciding():
		return protocol.ConcurrentTransactions
	}
	return protocol.NoError
}

// asked notes when the coordinator is first asked for the producer id that EndTxn gave. It says that it does not know the id, as
// long as the markers are not written, and nothing bounds that time.
func (h *history) asked(id int64) {
	if id >= 0 && id == h.txn.nextID && id != h.unmet {
		h.unmet, h.unmetSince = id, h.now
	}
}

// forgetful reports whether the producer has died because the coordinator has not known its id for all of delivery.timeout. A
// coordinator that has lost the id says the same for ever, so no producer can tell the two apart. Whatever dies earlier, of
// another code or with another id, has no such excuse.
func (h *history) forgetful() bool {
	t := h.core.transactor()
	why := t.Refusal("Send")
	return t.Identity().ID == h.unmet && h.now.Sub(h.unmetSince) >= h.cfg.DeliveryTimeout &&
		(errors.Is(why, protocol.InvalidProducerIDMapping) || errors.Is(why, protocol.ProducerFenced))
}

// add begins a transaction if need be. What is added, the caller notes.
func (h *history) addToTxn(id int64, epoch int16, number int64) protocol.ErrorCode {
	t := h.txn
	if code := t.admits(id, epoch); code != protocol.NoError {
		return code
	}
	if t.state != txnOngoing {
		t.began = h.now
		t.number = 0
		t.groups = map[string]map[int32]int64{}
	}
	if _, decided := h.decisions[number]; !decided { // else it is a late request, and what it begins is empty
		// A dead producer begins no other, and what is empty keeps no reader waiting. So it may leave that to the coordinator.
		if h.transactions[number].ended && !h.core.transactor().State().Dead() {
			h.fail("I7: transaction %d begins after it is said to have ended", number)
		}
		t.number = max(t.number, number)
	}
	t.become(txnOngoing)
	return protocol.NoError
}

// decide ends the transaction, under a new epoch by the new protocol.
func (h *history) decide(commit, bumps bool) {
	t := h.txn
	if bumps {
		if t.exhausted() {
			t.nextID = h.newProducerID()
			h.exhaust()
		}
		t.lastEpoch = t.epoch
		if t.epoch < math.MaxInt16 {
			t.epoch++
		}
	}
	if t.state == txnOngoing && t.number > 0 {
		if d, ok := h.decisions[t.number]; ok && (d.commit || commit) {
			h.fail("transaction %d was decided twice", t.number)
		}
		if commit && h.taken {
			h.fail("I7: transaction %d is committed after another producer has taken the transactional id", t.number)
		}
		h.decisions[t.number] = decision{commit, t.groups}
		h.tracef("coordinator: transaction %d: commit=%v", t.number, commit)
	}
	t.groups = nil
	t.become(prepared(commit))
	if h.calm || !h.exhausting && h.chance(0.6) || h.exhausting && h.chance(0.3) {
		h.complete()
	}
}

// exhaust is what else happens while EndTxn gives another producer id, which the coordinator takes when the markers are
// written: a topic is made again, or the protocol changes, once or there and back.
func (h *history) exhaust() {
	if !h.exhausting || h.calm {
		return
	}
	if h.chance(0.5) {
		h.recreate(pick(h, h.topics))
	}
	if h.flips && h.chance(0.7) {
		h.level = 3 - h.level
		h.featureEpoch++
		h.tracef("transaction.version is %d", h.level)
		h.core.meta.RequestUpdate()
	}
}

// fenceTxn aborts what is open, so that its producer learns of it.
func (h *history) fenceTxn() {
	t := h.txn
	bumps := h.level >= 2
	if !bumps {
		t.epoch, t.lastEpoch = min(t.epoch, lastClientEpoch)+1, -1
	}
	h.decide(false, bumps)
}

// complete writes the markers of a decided transaction.
func (h *history) complete() {
	t := h.txn
	if !t.state.deciding() {
		return
	}
	commit := t.state == txnPrepareCommit
	for p := range t.parts {
		if s := p.log.producers[t.id]; s == nil || s.epoch <= t.epoch {
			p.log.mark(t.id, t.epoch, commit)
		}
	}
	clear(t.parts)
	if commit {
		t.become(txnCompleteCommit)
	} else {
		t.become(txnCompleteAbort)
	}
	if t.nextID >= 0 {
		t.id, t.epoch, t.nextID = t.nextID, 0, -1
	}
	h.tracef("coordinator: markers are written; %d/%d %v", t.id, t.epoch, t.state)
}

// expireTxn is the coordinator's look at the clock.
func (h *history) expireTxn() {
	if h.txn.state == txnOngoing && h.now.Sub(h.txn.began) > h.cfg.TransactionTimeout {
		if h.level < 2 || h.mixes() || h.txn.exhausted() {
			h.mayDie = "the transaction has timed out, which fences in the old protocol and with the last epoch"
		}
		h.timedOut = true
		h.hurt = true
		h.counts[tallyLost]++
		h.fenceTxn()
	}
}

// takeOver lets another producer have the transactional id.
func (h *history) takeOver() {
	t := h.txn
	if !h.caller.begun || t.state.deciding() {
		return
	}
	if t.state == txnOngoing {
		h.fenceTxn()
		h.complete()
	}
	if t.initialise(h, -1, -1) == protocol.NoError {
		h.tracef("another producer takes over: %d/%d", t.id, t.epoch)
		h.mayDie, h.taken = "another producer has taken over", true
		h.counts[tallyFenced]++
	}
}

func (t *modelTxn) initialise(h *history, id int64, epoch int16) protocol.ErrorCode {
	known := id >= 0
	newID, next, last := t.id, t.epoch+1, int16(-1)
	switch {
	case t.exhausted() && (!known || epoch == t.epoch):
		newID, next = h.newProducerID(), 0
		if known {
			last = t.epoch
		}
	case t.exhausted():
		h.mayDie = "Kafka's coordinator throws"
		return protocol.UnknownServerError
	case !known:
	case t.epoch == -1 || epoch == t.epoch:
		last = t.epoch
	case epoch == t.lastEpoch:
		next, last = t.epoch, t.lastEpoch
	default:
		return protocol.ProducerFenced
	}
	t.become(txnEmpty)
	t.id, t.epoch, t.lastEpoch = newID, next, last
	return protocol.NoError
}

func (h *history) newProducerID() int64 {
	h.lastID++
	return h.lastID
}

func (t *modelTxn) judgeOld(id int64, epoch int16, commit bool) (decided bool, code protocol.ErrorCode) {
	switch {
	case t.id != id:
		return false, protocol.InvalidProducerIDMapping
	case t.epoch != epoch:
		return false, protocol.ProducerFenced
	case t.state == txnOngoing:
		return true, protocol.NoError
	case t.state == prepared(commit):
		return false, protocol.ConcurrentTransactions
	case t.state == txnCompleteCommit && commit, t.state == txnCompleteAbort && !commit:
		return false, protocol.NoError
	}
	return false, protocol.InvalidTxnState
}

func (t *modelTxn) judgeNew(id int64, epoch int16, commit bool) (decided bool, code protocol.ErrorCode) {
	wrapped := t.previousID == id && epoch == lastClientEpoch && t.epoch == 0
	again := wrapped || t.epoch == epoch+1
	current := t.epoch == epoch
	switch {
	case t.id != id && !wrapped:
		return false, protocol.InvalidProducerIDMapping
	case t.state.deciding() && !(again && !wrapped), (t.state == txnOngoing || t.state == txnEmpty) && !current, !again && !current:
		return false, protocol.ProducerFenced
	case t.state == txnOngoing:
		return true, protocol.NoError
	case t.state == prepared(commit):
		return false, protocol.ConcurrentTransactions
	case again && (t.state == txnCompleteCommit && commit || t.state == txnCompleteAbort && !commit):
		return false, protocol.NoError
	case !again && !commit:
		return true, protocol.NoError
	}
	return false, protocol.InvalidTxnState
}

// verify is what a partition's leader, or a group's coordinator, asks before it takes something for a transaction.
func (h *history) verify(p *modelPart, id int64, epoch int16, number int64, add, abortable bool) protocol.ErrorCode {
	t := h.txn
	var code protocol.ErrorCode
	switch {
	case t.epoch < 0:
		return protocol.InvalidProducerIDMapping
	case add:
		if code = h.addToTxn(id, epoch, number); code == protocol.NoError && p != nil {
			t.parts[p] = true
		}
	default:
		code = t.admits(id, epoch)
		if code == protocol.NoError && (t.state != txnOngoing || p != nil && !t.parts[p]) {
			code = protocol.TransactionAbortable
		}
	}
	switch {
	case code == protocol.ProducerFenced:
		return protocol.InvalidProducerEpoch
	case code == protocol.TransactionAbortable && !abortable:
		return protocol.InvalidTxnState
	}
	return code
}

// verifyBatch is verify for a batch. It is asked only for the first of a transaction in a partition.
func (h *history) verifyBatch(l *modelLog, a *modelAttempt, number int64, version int16) protocol.ErrorCode {
	s := l.producers[a.id]
	switch {
	case !a.txn:
		return protocol.NoError
	case s != nil && a.epoch < s.epoch:
		return protocol.InvalidProducerEpoch
	case s != nil && a.epoch == s.epoch && s.open:
		return protocol.NoError
	}
	l.expect(a, version >= 12)
	code := h.verify(l.part, a.id, a.epoch, number, version >= 12, version >= 11)
	if code == protocol.ConcurrentTransactions && version < 12 {
		return protocol.NotEnoughReplicas
	}
	return code
}

func (t *modelTxn) String() string { return fmt.Sprintf("%d/%d %v", t.id, t.epoch, t.state) }
