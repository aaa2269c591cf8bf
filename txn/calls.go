package txn

import (
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Rules that callers may have broken.
const (
	ruleInit       = "call InitTransactions first"
	ruleNone       = "no transaction is open: call BeginTransaction first"
	ruleOpen       = "a transaction is open, and whoever has begun it has to commit or abort it first. " + ruleOverlap
	ruleOverlap    = "If that is another goroutine, calls overlap: give each a producer with a transactional.id of its own, or call one after the other"
	ruleCommitting = "a commit is in progress, and only its end can tell the outcome: call CommitTransaction again"
	ruleAborting   = "the transaction is being aborted: call AbortTransaction again to wait for it"
	ruleUnclaimed  = "the outcome of the last commit has been told to nobody: call CommitTransaction again"
	ruleTwice      = "it has been called already, and has not returned"
)

// Init is InitTransactions.
func (t *Txn) Init(op *Op) {
	switch t.state {
	case Uninitialized:
		t.move(initialize)
		t.failures, t.notBefore = 0, time.Time{}
		t.inits = append(t.inits, op)
	case Initializing:
		t.inits = append(t.inits, op)
	case Fatal:
		op.Done(t.dead(CallInit))
	case Ready, Renewing:
		op.Done(nil)
	default:
		op.Done(&StateError{CallInit, ruleOpen})
	}
}

// Begin is BeginTransaction.
func (t *Txn) Begin(op *Op) {
	switch t.state {
	case Ready:
		if t.unclaimed && t.committing {
			op.Done(&StateError{CallBegin, ruleUnclaimed})
			return
		}
		if t.unspoken != nil {
			op.Done(t.failure(CallBegin, Open, FixConfiguration, t.unspoken))
			return
		}
		t.unclaimed = false
		if t.renewal || t.newest >= 2 && t.level < 2 {
			// What a delayed request of the old protocol would do to a transaction of the new one is kept out by the epoch.
			t.move(renew)
			t.beginning = op
			return
		}
		t.open()
		op.Done(nil)
	case Renewing:
		switch {
		case t.clearing:
			op.Done(&StateError{CallBegin, ruleAborting})
		case t.beginning != nil:
			op.Done(&StateError{CallBegin, ruleTwice})
		default:
			t.beginning = op
		}
	case Uninitialized, Initializing:
		op.Done(&StateError{CallBegin, ruleInit})
	case Fatal:
		op.Done(t.dead(CallBegin))
	case Committing:
		op.Done(&StateError{CallBegin, ruleCommitting})
	case Aborting:
		op.Done(&StateError{CallBegin, ruleAborting})
	default:
		op.Done(&StateError{CallBegin, ruleOpen})
	}
}

// open begins a transaction, in the protocol that the cluster has finalised.
func (t *Txn) open() {
	t.move(begin)
	t.level = max(min(t.newest, 2), 1)
	t.number++
	t.began = t.now
	t.cause = nil
	t.committing, t.started, t.sure, t.blank, t.asked, t.doubt = false, false, false, false, false, false
	t.oldEnd, t.crossed, t.oldOffsets = false, false, false
	t.pending, t.added, t.groups = nil, nil, map[string]bool{}
}

// SendOffsets is SendOffsetsToTransaction.
func (t *Txn) SendOffsets(now time.Time, op *Op) {
	if err := t.Refusal(CallOffsets); err != nil {
		op.Done(err)
		return
	}
	op.until = now.Add(t.cfg.Patience)
	t.offsets = append(t.offsets, op)
}

// Commit is CommitTransaction. A call that was left is taken up again by another.
func (t *Txn) Commit(op *Op) {
	switch t.state {
	case InTransaction:
		t.move(commit)
		t.committing = true
		t.endings = append(t.endings, op)
	case Committing:
		t.endings = append(t.endings, op)
	case Ready:
		if !t.unclaimed || !t.committing {
			op.Done(&StateError{CallCommit, ruleNone})
			return
		}
		t.unclaimed = false
		op.Done(nil)
	case Failed:
		op.Done(t.failure(CallCommit, Open, Abort, t.cause))
	case Fatal:
		op.Done(t.dead(CallCommit))
	case Aborting:
		op.Done(&StateError{CallCommit, ruleAborting})
	case Renewing:
		rule := ruleNone
		if t.clearing {
			rule = ruleAborting
		}
		op.Done(&StateError{CallCommit, rule})
	default:
		op.Done(&StateError{CallCommit, ruleInit})
	}
}

// Abort is AbortTransaction. Nothing is aborted once a commit is under way (pitfall 15).
func (t *Txn) Abort(op *Op) {
	switch t.state {
	case InTransaction, Failed:
		t.move(abort)
		if t.cause == nil {
			t.cause = ErrAborted
		}
		t.pending = nil
		t.dropOffsets()
		t.endings = append(t.endings, op)
	case Aborting:
		t.endings = append(t.endings, op)
	case Renewing:
		if !t.clearing {
			op.Done(&StateError{CallAbort, ruleNone})
			return
		}
		t.endings = append(t.endings, op)
	case Ready:
		if !t.unclaimed || t.committing {
			op.Done(&StateError{CallAbort, ruleNone})
			return
		}
		t.unclaimed = false
		op.Done(nil)
	case Committing:
		op.Done(&StateError{CallAbort, ruleCommitting})
	case Fatal:
		t.abortOrphan(op)
	default:
		op.Done(&StateError{CallAbort, ruleInit})
	}
}

// Leave ends the waiting of a call. What it began goes on.
func (t *Txn) Leave(op *Op) {
	is := func(o *Op) bool { return o == op }
	t.inits = slices.DeleteFunc(t.inits, is)
	t.endings = slices.DeleteFunc(t.endings, is)
	if t.beginning == op {
		t.beginning = nil
	}
	op.Done = func(error) {} // of offsets that are on their way
}

// InDoubt is what the caller can be told of the outcome who leaves a call that ends the transaction, or sends offsets.
func (t *Txn) InDoubt() Outcome {
	switch {
	case t.state == Fatal:
		return t.fatal.Outcome
	case t.state == Committing:
		return Unknown
	case t.state == Aborting, t.clearing:
		return Aborted
	}
	return Open
}

// Add asks for a partition to be made part of the transaction, by the old protocol.
func (t *Txn) Add(p Partition) {
	if t.state == InTransaction || t.state == Committing {
		t.pending = append(t.pending, p)
	}
}

// Joins notes that a partition may become part of the transaction by a Produce, in the new protocol.
func (t *Txn) Joins() { t.started = true }

// Joined notes that a partition has become part of it so.
func (t *Txn) Joined() { t.confirmed() }

// Added returns the partitions that have become part of the transaction since the last call.
func (t *Txn) Added() []Partition {
	added := t.added
	t.added = nil
	return added
}

// Fail notes that a record or a request of the transaction has failed for good, so that it cannot be committed (I7).
func (t *Txn) Fail(err error) {
	code, _ := codeOf(err)
	switch {
	case t.state == Committing && t.asked:
		panic("txn: a record failed after EndTxn was sent: " + err.Error())
	case code == protocol.ProducerFenced:
		t.die(t.fencedError(t.lostOutcome(), code))
		return
	case code.Reach() == protocol.ReachProducer && !(t.fresh && code == protocol.InvalidProducerIDMapping):
		t.die(t.failure(t.endCall(), t.lostOutcome(), nextAfter(code), err))
		return
	}
	if t.state != InTransaction && t.state != Committing {
		return // it is lost already
	}
	if t.state == Committing {
		t.committing = false
	}
	t.move(fail)
	t.cause = err
	t.pending = nil
	t.finishEndings(t.failure(CallCommit, Open, Abort, err))
	t.dropOffsets()
}

// Die makes the producer useless, because of something that trying again cannot mend.
func (t *Txn) Die(next Next, err error) { t.die(t.failure(t.endCall(), t.lostOutcome(), next, err)) }

// GiveUp ends the producer while its transaction is open or its end awaited, because of err, and returns what the call of
// that name can be told. What was not committed the coordinator aborts, when it sees that nobody does.
func (t *Txn) GiveUp(call string, err error) error {
	if t.lostOutcome() == Aborted {
		err = t.lasting(err)
	}
	t.Die(NewProducer, err)
	if t.orphaned { // it has died before
		t.bury(NewProducer, err)
	}
	return t.failure(call, t.fatal.Outcome, NewProducer, err)
}

// lasting adds to err what becomes of a transaction that stays open.
func (t *Txn) lasting(err error) error {
	return fmt.Errorf("%w; the cluster aborts it once transaction.timeout.ms (%v) has passed since it began, and until then "+
		"consumers that read committed records wait for it", err, t.cfg.Timeout)
}

// dropOffsets ends the calls whose offsets will not be committed. One at work goes on without its caller.
func (t *Txn) dropOffsets() {
	t.finishOffsets(t.failure(CallOffsets, Open, Abort, t.cause))
}

// finishOffsets and finishEndings forget the calls first: what the end of one sets off may end the others.
func (t *Txn) finishOffsets(err error) {
	ops := t.offsets
	t.offsets = nil
	for _, op := range ops {
		done := op.Done
		op.Done = func(error) {}
		done(err)
	}
}

func (t *Txn) finishEndings(err error) {
	ops := t.endings
	t.endings = nil
	for _, op := range ops {
		op.Done(err)
	}
}

// endCall is the method that ends the transaction as it stands.
func (t *Txn) endCall() string {
	switch {
	case t.state == Initializing:
		return CallInit
	case t.state == Renewing && !t.clearing:
		return CallBegin
	case t.committing:
		return CallCommit
	}
	return CallAbort
}

// lostOutcome is the outcome of a transaction whose producer dies: nobody can commit it any more, unless a commit was sent.
func (t *Txn) lostOutcome() Outcome {
	switch {
	case t.state == Fatal:
		return t.fatal.Outcome
	case t.state == Committing && (t.doubt || t.waits(end)):
		return Unknown
	case t.state == Ready && t.unclaimed && t.committing:
		return Committed
	case t.state == InTransaction, t.state == Failed, t.state == Committing, t.state == Aborting, t.clearing:
		return Aborted
	}
	return Open // there is none
}

// die moves to Fatal, once, and tells everybody who waits.
func (t *Txn) die(err *Error) {
	if t.state == Fatal {
		return
	}
	// A setting or a permission that is wrong can be put right, and need not concern EndTxn.
	t.orphaned = err.Next == FixConfiguration && err.Outcome == Aborted && t.started && !t.blank
	t.unclaimed = false
	t.move(die)
	t.fatal = err
	t.pending = nil
	for _, op := range t.inits {
		op.Done(t.dead(CallInit))
	}
	if t.beginning != nil {
		t.beginning.Done(t.dead(CallBegin))
	}
	t.inits, t.beginning = nil, nil
	t.finishOffsets(t.dead(CallOffsets))
	t.finishEndings(err)
}
