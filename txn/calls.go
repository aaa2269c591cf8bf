package txn

import (
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Init is InitTransactions.
func (t *Txn) Init(op *Op) {
	switch t.reply(CallInit, t.said().init, op) {
	case starts:
		t.move(initialize)
		t.attempts.anew()
		t.inits = append(t.inits, op)
	case waits:
		t.inits = append(t.inits, op)
	}
}

// Begin is BeginTransaction.
func (t *Txn) Begin(op *Op) {
	r := t.said().begin
	switch {
	case r == waits && t.beginning != nil:
		r = isWaited
	case r == starts && t.unspoken != nil:
		op.Done(t.failure(CallBegin, Open, FixConfiguration, t.unspoken))
		return
	}
	switch t.reply(CallBegin, r, op) {
	case waits:
		t.beginning = op
	case starts:
		if t.renewal || t.newest >= 2 && t.level < 2 {
			// A delayed request of the old protocol could end a transaction of the new one. A new epoch makes sure that it is
			// refused.
			t.move(renew)
			t.beginning = op
			return
		}
		t.open()
		op.Done(nil)
	}
}

// open begins a transaction, in the protocol that the cluster has finalised.
func (t *Txn) open() {
	t.move(begin)
	t.level = max(min(t.newest, 2), 1)
	t.current = newTransaction(t.current.number+1, t.now, t.level)
}

// SendOffsets is SendOffsetsToTransaction.
func (t *Txn) SendOffsets(now time.Time, op *Op) {
	if t.reply(CallOffsets, t.said().add, op) == starts {
		op.until = now.Add(t.cfg.Patience)
		t.offsets = append(t.offsets, op)
	}
}

// Commit is CommitTransaction. A call that was left is taken up again by another.
func (t *Txn) Commit(op *Op) {
	switch t.reply(CallCommit, t.said().commit, op) {
	case starts:
		t.move(commit)
		t.endings = append(t.endings, op)
	case waits:
		t.endings = append(t.endings, op)
	}
}

// Abort is AbortTransaction. Nothing is aborted once a commit is under way (pitfall 15).
func (t *Txn) Abort(op *Op) {
	switch t.reply(CallAbort, t.said().abort, op) {
	case starts:
		t.startAbort()
		t.endings = append(t.endings, op)
	case waits:
		t.endings = append(t.endings, op)
	}
}

func (t *Txn) startAbort() {
	orphaned := t.state == Orphaned
	t.move(abort)
	if orphaned { // what has gone wrong before is not about this attempt
		t.attempts = attempts{}
		return
	}
	if t.current.cause == nil {
		t.current.cause = ErrAborted
	}
	t.current.pending = nil
	t.dropOffsets()
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

// InDoubt returns what is known of the outcome for a caller who leaves a call that ends the transaction, or sends offsets.
func (t *Txn) InDoubt() Outcome {
	if t.state.Dead() {
		return t.fatal.Outcome
	}
	return t.said().left
}

// Add makes a partition part of the transaction, in the old protocol. It is added by a later step.
func (t *Txn) Add(p Partition) {
	if t.state == InTransaction || t.state == Committing {
		t.current.pending = append(t.current.pending, p)
	}
}

// Joins notes that a Produce was sent that may make a partition part of the transaction, in the new protocol.
func (t *Txn) Joins() { t.current.announced() }

// Joined notes that such a Produce has made it part of the transaction.
func (t *Txn) Joined() { t.confirmed() }

// Added returns the partitions that have become part of the transaction since the last call.
func (t *Txn) Added() []Partition {
	added := t.current.added
	t.current.added = nil
	return added
}

// Fail notes that a record or a request of the transaction has failed for good, so that it cannot be committed (I7).
func (t *Txn) Fail(err error) {
	code, _ := codeOf(err)
	switch {
	case t.state == Committing && t.Asked():
		panic("txn: a record failed after EndTxn was sent: " + err.Error())
	case code == protocol.ProducerFenced:
		t.die(t.fencedError(t.lostOutcome(), code))
		return
	case code.Reach() == protocol.ReachProducer && !(t.Fresh() && code == protocol.InvalidProducerIDMapping):
		t.die(t.failure(t.endCall(), t.lostOutcome(), nextAfter(code), err))
		return
	}
	before := t.state
	if t.move(fail); t.state == before {
		return // it is lost already, or over
	}
	t.current.cause = err
	t.current.pending = nil
	t.finishEndings(t.failure(CallCommit, Open, Abort, err))
	t.dropOffsets()
}

// Die ends the producer, because of something that another attempt cannot mend.
func (t *Txn) Die(next Next, err error) { t.die(t.failure(t.endCall(), t.lostOutcome(), next, err)) }

// GiveUp ends the producer, because of err, while its transaction is open or its end is awaited. It returns the error of the
// call of that name. The coordinator aborts what was not committed, when it sees that nobody does.
func (t *Txn) GiveUp(call string, err error) error {
	if t.lostOutcome() == Aborted {
		err = t.lasting(err)
	}
	t.Die(NewProducer, err)
	if t.state.open() { // it has died before, and left an orphan
		t.endOrphan(NewProducer, err)
	}
	return t.failure(call, t.fatal.Outcome, NewProducer, err)
}

// lasting adds to err what becomes of the transaction, which stays open.
func (t *Txn) lasting(err error) error {
	return fmt.Errorf("%w; the cluster aborts it once transaction.timeout.ms (%v) has passed since it began, and until then "+
		"consumers that read committed records wait for it", err, t.cfg.Timeout)
}

// dropOffsets ends the calls whose offsets will not be committed. A request that is under way goes on without its caller.
func (t *Txn) dropOffsets() {
	t.finishOffsets(t.failure(CallOffsets, Open, Abort, t.current.cause))
}

// finishOffsets and finishEndings forget the calls before they end them, since the end of one may set off more calls.
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
	if t.state == Committing {
		return CallCommit
	}
	return CallAbort
}

// lostOutcome returns the outcome of the transaction if the producer dies now: nobody can commit it any more, unless a commit
// was sent.
func (t *Txn) lostOutcome() Outcome {
	switch {
	case t.state.Dead():
		return t.fatal.Outcome
	case t.state == Committing && (t.current.doubtful() || t.waits(end)):
		return Unknown
	}
	return t.said().lost
}

// die ends the producer, once, and all calls that wait.
func (t *Txn) die(err *Error) {
	if t.state.Dead() {
		return
	}
	m := die
	if err.Next == FixConfiguration && err.Outcome == Aborted && t.current.known != unregistered {
		m = orphan // a setting or a permission can be put right, and EndTxn may still be allowed
	}
	t.move(m)
	t.fatal = err
	t.current.pending = nil
	for _, op := range t.inits {
		op.Done(t.dead(CallInit))
	}
	if t.beginning != nil {
		t.beginning.Done(t.tooLate(CallBegin))
	}
	t.inits, t.beginning = nil, nil
	t.finishOffsets(t.dead(CallOffsets))
	t.finishEndings(err)
}
