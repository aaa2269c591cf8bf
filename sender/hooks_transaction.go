package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/txn"
)

// A reportedTransaction is what hooks were told of the producer's transactions so far.
type reportedTransaction struct {
	identity idempotent.Identity // the last; None: none yet
	number   int64               // of the last that was told to have begun
	began    time.Time
	open     bool // it was not told to have ended

	asked  time.Time // when its end was asked for last; zero: never
	commit bool      // that was a commit; else an abort
}

// transacted tells what has changed of the transaction since t.state was the state.
func (h *hooks) transacted(t *transactor) {
	if h == nil {
		return
	}
	if h.txn.open && (t.Idle() || t.Last() != h.txn.number) {
		h.txn.open = false
		h.endTransaction(t)
	}
	if state := t.State(); h.txn.open && state != t.state && (state == txn.Committing || state == txn.Aborting) {
		h.txn.asked, h.txn.commit = h.c.now, state == txn.Committing
	}
	h.identify(t.Identity())
	if number := t.Last(); number != h.txn.number {
		h.txn.number, h.txn.began, h.txn.open = number, h.c.now, true
		h.txn.asked, h.txn.commit = time.Time{}, false
		if h.on.TransactionBegun != nil {
			e := h.transaction()
			h.on.TransactionBegun(&e)
		}
	}
}

// identify tells that the producer goes on under another epoch, or id. The first id is no news.
func (h *hooks) identify(id idempotent.Identity) {
	before := h.txn.identity
	if id == before || id.ID < 0 {
		return
	}
	h.txn.identity = id
	if before != idempotent.None && h.on.EpochRenewed != nil {
		h.on.EpochRenewed(&PartitionEvent{Partition: -1, From: -1, To: -1, ID: id.ID, Epoch: id.Epoch})
	}
}

func (h *hooks) transaction() TransactionEvent {
	return TransactionEvent{Number: h.txn.number, ID: h.txn.identity.ID, Epoch: h.txn.identity.Epoch, Began: h.txn.began}
}

// endTransaction tells how the open transaction has ended.
func (h *hooks) endTransaction(t *transactor) {
	if h.on.TransactionEnded == nil {
		return
	}
	e := h.transaction()
	e.Asked, e.Commit = h.txn.asked, h.txn.commit
	switch state := t.State(); {
	case state.Dead():
		e.Outcome, e.Err = t.InDoubt(), t.Cause()
	case state == txn.CommitUnreported, t.state == txn.Committing:
		e.Outcome = txn.Committed
	default:
		e.Outcome = txn.Aborted
		if cause := t.Cause(); cause != txn.ErrAborted { // else whoever has begun it wanted that
			e.Err = cause
		}
	}
	h.on.TransactionEnded(&e)
}
