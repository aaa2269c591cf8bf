package txn

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
)

// endAnswered deals with the answer to EndTxn. The outcome of a commit is certain only if this is the answer to the only
// attempt, or if the answer says that the commit is done.
func (t *Txn) endAnswered(now time.Time, s *Step, resp *protocol.EndTxnResponse) {
	code := resp.ErrorCode
	switch {
	case code == protocol.NoError && t.state == AbortingOrphan:
		t.endOrphanBy(s, code)
	case code == protocol.NoError && t.state == Aborting && s.old && t.current.stray && t.current.known != registered:
		// In the old protocol it is no error that nothing is open, if the transaction before was aborted as well. So nothing may
		// have been open here, as with InvalidTxnState below, and the request without an answer may still arrive.
		t.fresh.meet()
		t.abortByEpoch()
	case code == protocol.NoError:
		t.fresh.meet()
		t.endedAs(s, resp)
	case code.Retriable():
		// Each of these codes may come after the decision was written: a coordinator looks at the transaction once more before
		// it answers, and it may have been moved, or be loading, by then.
		t.current.doubt()
		t.retry(now, s, code)
	case code == protocol.InvalidTxnState && t.state == Aborting && s.old && t.current.known != registered:
		// In the old protocol it is an error that nothing is open. A request that would open something may still arrive, and a
		// new epoch makes sure that it is refused. The epoch cannot be asked for without EndTxn: a producer that does so while
		// something is open is fenced.
		t.fresh.meet()
		t.abortByEpoch()
	case code == protocol.InvalidTxnState && t.state == AbortingOrphan && s.old && t.current.known != registered:
		t.endOrphanBy(s, protocol.NoError) // the same, and no transaction comes after it
	case t.unknownYet(now, s, code) && t.current.known != registered:
		t.retry(now, s, code)
	case s.old && t.current.end == endLowered && (fenced(code) || code == protocol.InvalidProducerIDMapping):
		t.endedAlready(s, code)
	case t.state == AbortingOrphan:
		t.endOrphanBy(s, code)
	case t.state == Committing && code.Class() == protocol.ClassAbortable && !t.current.doubtful():
		t.current.end = endNotSent
		t.Fail(code)
	case fenced(code):
		t.die(t.fencedError(t.lostOutcome(), code))
	default:
		if code.MayBeWritten() {
			t.current.doubt()
		}
		t.Die(nextAfter(code), t.Overdue(s.answered(code)))
	}
}

// endedAlready deals with an EndTxn of the old protocol that was refused for its epoch or its producer id, after the answer to
// one of the new protocol was lost. Either the new one was done, or another producer has taken over, or the transaction has
// timed out. An abort is done in each case, a commit only in the first.
func (t *Txn) endedAlready(s *Step, code protocol.ErrorCode) {
	switch t.state {
	case AbortingOrphan:
		t.endOrphanBy(s, protocol.NoError)
	case Aborting:
		t.abortByEpoch() // the coordinator knows our epoch, and whether another producer has taken over
	default:
		t.die(t.failure(CallCommit, Unknown, NewProducer, fmt.Errorf(
			"EndTxn: either the one before was done, whose answer was lost, or another producer has taken over: %w", t.Overdue(code))))
	}
}

// abortByEpoch ends an abort with a new epoch. Nothing is open, but a request that would open something may still arrive.
func (t *Txn) abortByEpoch() {
	t.current.known = unregistered
	t.move(renew)
}

// endedAs ends the transaction. In the new protocol the answer has the identity for the next one (KIP-890).
func (t *Txn) endedAs(s *Step, resp *protocol.EndTxnResponse) {
	if s.old {
		t.renewal = t.renewal || t.UsesV2() // a late request of the new protocol would begin a transaction under the same epoch
	} else {
		id := idempotent.Identity{ID: resp.ProducerID, Epoch: resp.ProducerEpoch}
		if id.ID < 0 || id.Epoch < 0 || id.ID == t.identity.ID && id.Epoch <= t.identity.Epoch {
			outcome := Aborted
			if t.state == Committing {
				outcome = Committed
			}
			t.die(t.failure(t.endCall(), outcome, NewProducer, fmt.Errorf(
				"the coordinator has answered what it cannot: producer id %d, epoch %d after id %d, epoch %d",
				id.ID, id.Epoch, t.identity.ID, t.identity.Epoch)))
			return
		}
		t.fresh.given(id.ID != t.identity.ID)
		t.identity, t.renewal = id, false
	}
	t.attempts.succeeded()
	t.ended()
}

// ended ends the transaction, and the calls that wait for that.
func (t *Txn) ended() {
	m := finish
	if len(t.endings) == 0 {
		m = finishUnreported
	}
	t.move(m)
	t.finishEndings(nil)
}
