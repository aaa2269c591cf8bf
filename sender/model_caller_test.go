package sender

import (
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// A modelCaller is the application of a transactional producer: it does what the errors tell it to.
type modelCaller struct {
	h       *history
	state   callerState
	number  int64 // of the transaction that it is about
	call    *modelCall
	offsets []*modelCall
	begun   bool // identified once
	fenced  bool // a call has said so
	died    bool // a call has said that the producer is of no use
}

type callerState uint8

const (
	callerFresh      callerState = iota // InitTransactions is next
	callerIdle                          // no transaction
	callerOpen                          // records may be sent
	callerCommitting                    // CommitTransaction has been called, and is called again if it was left
	callerAborting                      // the same of AbortTransaction
	callerMustAbort                     // an error has said so
	callerOrphan                        // the producer is of no use, and the transaction can be aborted
	callerDead
)

func (s callerState) String() string {
	return [...]string{"fresh", "idle", "open", "committing", "aborting", "must abort", "orphan", "dead"}[s]
}

// A modelCall is a transactional call that has not returned.
type modelCall struct {
	*txnCall
	misuse bool // it must be refused
	number int64
	value  int64 // of offsets
}

// A modelTransaction is what callers know of one of their transactions.
type modelTransaction struct {
	number     int64
	records    []*modelRecord
	offset     int64 // the last that was taken; 0: none
	lastOffset int64 // the last that was sent
	committing bool  // CommitTransaction was called
	commits    int   // EndTxn requests for that which were sent, less those that certainly were not done
	ended      bool  // a call has said so
	claims     []txn.Outcome
	isNew      bool // the protocol, once a request has shown it
	shown      bool
}

func (c *modelCaller) start(name string, misuse bool) {
	h := c.h
	call := &modelCall{txnCall: &txnCall{name: name, ended: make(chan struct{})}, misuse: misuse, number: c.number}
	switch name {
	case txn.CallInit:
		call.start = func(t *transactor, tc *txnCall) { t.Init(&tc.Op) }
	case txn.CallBegin:
		call.start = func(t *transactor, tc *txnCall) { t.Begin(&tc.Op) }
	case txn.CallCommit:
		call.start = func(t *transactor, tc *txnCall) { t.Commit(&tc.Op) }
	case txn.CallAbort:
		call.start = func(t *transactor, tc *txnCall) { t.Abort(&tc.Op) }
	case txn.CallOffsets:
		t := h.transactions[c.number]
		h.nextOffset++
		call.value, t.lastOffset = h.nextOffset, h.nextOffset
		call.Op = txn.Op{Group: txn.Group{ID: "group", Generation: -1}, Offsets: []protocol.TxnOffsetCommitTopic{{
			Name: h.topics[0].name, Partitions: []protocol.TxnOffsetCommitPartition{{CommittedOffset: h.nextOffset}},
		}}}
		call.start = func(t *transactor, tc *txnCall) { t.SendOffsets(t.c.now, &tc.Op) }
	}
	if h.tracing {
		h.tracef("%s() misuse=%v", name, misuse)
	}
	switch {
	case misuse:
	case name == txn.CallCommit:
		c.state = callerCommitting
		h.transactions[c.number].committing = true
	case name == txn.CallAbort && c.state != callerOrphan:
		c.state = callerAborting
	}
	h.core.handle(h.now, calling{call.txnCall})
	switch {
	case misuse:
		if !call.returned() {
			h.fail("%s in state %q is not refused at once", name, c.state)
		}
		c.checkMisuse(call)
	case name == txn.CallOffsets:
		c.offsets = append(c.offsets, call)
	default:
		c.call = call
	}
	c.poll()
}

func (call *modelCall) returned() bool {
	select {
	case <-call.ended:
		return true
	default:
		return false
	}
}

func (c *modelCaller) checkMisuse(call *modelCall) {
	if call.err == nil {
		c.h.fail("%s in state %q succeeded", call.name, c.state)
	}
	c.checkFenced(call)
}

// checkFenced demands that a fenced producer says so on every call (pitfall 18), and that a dead one stays dead.
func (c *modelCaller) checkFenced(call *modelCall) {
	if c.fenced && !errors.Is(call.err, txn.ErrFenced) {
		c.h.fail("I7: the producer was fenced, and %s says %v", call.name, call.err)
	}
	if c.died && call.err == nil && c.state != callerOrphan {
		c.h.fail("%s succeeds after the producer was said to be of no use", call.name)
	}
	c.fenced = c.fenced || errors.Is(call.err, txn.ErrFenced)
}

// poll sees which calls have returned.
func (c *modelCaller) poll() {
	for i := 0; i < len(c.offsets); i++ {
		if call := c.offsets[i]; call.returned() {
			c.offsets = append(c.offsets[:i], c.offsets[i+1:]...)
			i--
			c.h.traceReturn(call)
			c.checkFenced(call)
			if call.err == nil {
				c.h.transactions[call.number].offset = call.value
			}
		}
	}
	if c.call != nil && c.call.returned() {
		call := c.call
		c.call = nil
		c.h.traceReturn(call)
		c.checkFenced(call)
		c.returned(call)
	}
}

func (h *history) traceReturn(call *modelCall) {
	if h.tracing {
		h.tracef("%s of %d returned %v", call.name, call.txnCall.number, call.err)
	}
}

// returned does what the end of a call means for the next.
func (c *modelCaller) returned(call *modelCall) {
	h := c.h
	if h.closing && call.err != nil {
		c.state = callerDead
		c.claim(call, call.err)
		return
	}
	failed := (*txn.Error)(nil)
	switch {
	case c.state == callerOrphan:
		c.buried(call)
	case call.err == nil && call.name == txn.CallInit:
		c.state, c.begun = callerIdle, true
	case call.err == nil && call.name == txn.CallBegin:
		if call.txnCall.number <= c.number {
			h.fail("transaction %d was begun after %d", call.txnCall.number, c.number)
		}
		c.state, c.number = callerOpen, call.txnCall.number
		h.transactions[c.number] = &modelTransaction{number: c.number}
	case call.err == nil:
		c.end(call.name == txn.CallCommit)
	case !errors.As(call.err, &failed):
		h.fail("%s in state %q failed with %v", call.name, c.state, call.err)
	case failed.Next == txn.NewProducer, failed.Next == txn.FixConfiguration && call.name != txn.CallInit && (call.name != txn.CallBegin || failed.Outcome != txn.Open):
		c.state, c.died = callerDead, true
		h.counts[tallyFatal]++
		c.claim(call, call.err)
		if failed.Next == txn.FixConfiguration && failed.Outcome == txn.Aborted {
			c.state = callerOrphan
		}
	case call.name == txn.CallInit:
		c.state = callerFresh
	case call.name == txn.CallBegin: // a new epoch was refused: it is asked for again
		c.state = callerIdle
	case call.name == txn.CallCommit && failed.Next == txn.Abort:
		if failed.Outcome != txn.Open {
			h.fail("I7: CommitTransaction says %q and asks for AbortTransaction", failed.Outcome)
		}
		c.state = callerMustAbort
	default:
		h.fail("%s in state %q failed with %v", call.name, c.state, call.err)
	}
}

// buried takes what AbortTransaction of a producer that is of no use says. It is called until nothing is left open, as an
// application would whose permissions are put right.
func (c *modelCaller) buried(call *modelCall) {
	failed := (*txn.Error)(nil)
	switch {
	case call.err == nil:
		c.end(false)
		c.state = callerDead
	case !errors.As(call.err, &failed):
		c.h.fail("%s in state %q failed with %v", call.name, c.state, call.err)
	case failed.Next == txn.FixConfiguration && c.h.core.transactor().CanAbort():
	default:
		c.claim(call, call.err)
		c.state = callerDead
	}
}

// undone notes that an EndTxn certainly was not done, as its sender can tell.
func (h *history) undone(f *flight) {
	if req, ok := f.call.Request.(*protocol.EndTxnRequest); ok && req.Committed {
		h.transactions[f.number].commits--
	}
}

// claim notes what an error says of the transaction's outcome.
func (c *modelCaller) claim(call *modelCall, err error) {
	failed := (*txn.Error)(nil)
	if t := c.h.transactions[call.number]; errors.As(err, &failed) && t != nil && (call.name == txn.CallCommit || call.name == txn.CallAbort) {
		t.claims = append(t.claims, failed.Outcome)
		if failed.Outcome == txn.Unknown {
			c.h.counts[tallyUnknown]++
		}
	}
}

// end takes the coordinator's word that the transaction has ended (I7).
func (c *modelCaller) end(commit bool) {
	h, t := c.h, c.h.transactions[c.number]
	c.state = callerIdle
	t.ended = true
	if h.txn.state == txnOngoing && h.txn.number == c.number {
		h.fail("I7: transaction %d is said to have ended, and is open", c.number)
	}
	d, decided := h.decisions[c.number]
	if !commit {
		h.counts[tallyAbort]++
		t.claims = append(t.claims, txn.Aborted)
		if decided && d.commit {
			h.fail("I7: AbortTransaction of %d succeeded, and it is committed", c.number)
		}
		return
	}
	h.counts[tallyCommit]++
	t.claims = append(t.claims, txn.Committed)
	h.poll()
	for _, r := range t.records {
		if (!r.done || r.err != nil) && !r.late {
			h.fail("I7: the commit of %d succeeded, and record %d ended with %v", c.number, r.id, r.err)
		}
	}
	if (len(t.records) > 0 || t.offset > 0) && !d.commit && !t.allLate() {
		h.fail("I7: the commit of %d succeeded, and the coordinator has not committed it", c.number)
	}
}

func (t *modelTransaction) allLate() bool {
	for _, r := range t.records {
		if !r.late {
			return false
		}
	}
	return t.offset == 0
}

// leave ends the waiting of the call.
func (c *modelCaller) leave() {
	h := c.h
	e := &leaving{call: c.call.txnCall, left: make(chan struct{})}
	h.core.handle(h.now, e)
	if c.call.returned() {
		c.poll()
		return
	}
	if h.tracing {
		h.tracef("%s is left: %v", c.call.name, e.how)
	}
	if t := h.transactions[c.number]; t != nil && (c.state == callerCommitting || c.state == callerAborting) {
		t.claims = append(t.claims, e.how)
		if c.state == callerCommitting && e.how == txn.Aborted {
			h.fail("I7: a commit that was left is said to be aborted")
		}
	}
	c.call = nil
}

// step is the next thing that the caller does.
func (c *modelCaller) step() {
	h := c.h
	if c.call != nil {
		c.surprise()
		if c.call == nil {
			return
		}
		if h.chance(0.05) && !h.calm {
			c.leave()
		} else if h.chance(0.1) && c.state == callerCommitting {
			c.start(txn.CallBegin, true)
		}
		return
	}
	if !h.calm && h.chance(0.05) {
		if name := map[callerState]string{callerIdle: txn.CallCommit, callerOpen: txn.CallBegin, callerMustAbort: txn.CallBegin, callerDead: txn.CallBegin}[c.state]; name != "" {
			c.start(name, true)
			return
		}
	}
	switch c.state {
	case callerFresh:
		c.start(txn.CallInit, false)
	case callerIdle:
		c.start(txn.CallBegin, false)
	case callerOpen:
		switch r := h.rng.IntN(10); {
		case r < 3 && h.level >= 0:
			c.start(txn.CallOffsets, false)
		case r < 8 || h.calm:
			c.start(txn.CallCommit, false)
		default:
			c.start(txn.CallAbort, false)
		}
	case callerCommitting:
		c.start(txn.CallCommit, false)
	case callerAborting, callerMustAbort, callerOrphan:
		c.start(txn.CallAbort, false)
	}
}

// surprise ends the producer's days, now and then, while nobody knows whether its commit was done.
func (c *modelCaller) surprise() {
	h := c.h
	if c.state != callerCommitting || h.calm || h.faults == 0 || !h.chance(0.06) {
		return
	}
	if h.chance(0.5) {
		h.close()
	} else {
		h.takeOver()
	}
}

// mayInit reports whether InitProducerId may be sent now: never in the middle of a transaction (pitfall 17).
func (c *modelCaller) mayInit() error {
	switch c.state {
	case callerOpen, callerCommitting, callerMustAbort:
		switch c.h.core.transactor().State() {
		case txn.Ready, txn.CommitUnreported, txn.AbortUnreported, txn.Renewing, txn.AbortingByEpoch:
			return nil // it has ended, or ends so, and the caller will learn of it
		}
		return fmt.Errorf("transaction %d is %v", c.number, c.state)
	case callerDead:
		if c.h.closing {
			return nil // Close aborts what is open
		}
		return errors.New("the producer is dead")
	}
	return nil
}
