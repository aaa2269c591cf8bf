package txn

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
)

// endAnswered deals with the answer to EndTxn. A commit has one outcome for certain only if this is the answer to the
// only attempt, or says that it is done.
func (t *Txn) endAnswered(now time.Time, s *Step, resp *protocol.EndTxnResponse) {
	code := resp.ErrorCode
	switch {
	case code == protocol.NoError && t.state == AbortingOrphan:
		t.buryAs(s, code)
	case code == protocol.NoError:
		t.fresh.meet()
		t.endedAs(s, resp)
	case code.Retriable():
		// All of them may come after the decision was written: a coordinator looks at the transaction once more before it
		// answers, and it may have been moved, or be loading, by then.
		t.current.doubt()
		t.retry(now, s, code)
	case code == protocol.InvalidTxnState && t.state == Aborting && s.old && t.current.known != sure:
		// The old protocol makes an error of it that nothing is open. A request that would open something may be late, and
		// under a new epoch it is refused. Not without EndTxn: who asks for a new epoch while something is open is fenced.
		t.fresh.meet()
		t.abortByEpoch()
	case code == protocol.InvalidTxnState && t.state == AbortingOrphan && s.old && t.current.known != sure:
		t.buryAs(s, protocol.NoError) // the same, and no transaction comes after it
	case t.unknownYet(now, code) && t.current.known != sure:
		t.retry(now, s, code)
	case s.old && t.current.end == crossed && (fenced(code) || code == protocol.InvalidProducerIDMapping):
		t.endedAlready(s, code)
	case t.state == AbortingOrphan:
		t.buryAs(s, code)
	case t.state == Committing && code.Class() == protocol.ClassAbortable && !t.current.doubtful():
		t.current.end = notAsked
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

// endedAlready deals with an old EndTxn that was refused for its epoch, or its producer id, after one of the new protocol
// whose answer was lost. That one may have been done, under another epoch; or another producer has taken over, or the
// transaction has timed out. An abort is done in each case. A commit is done in the first alone.
func (t *Txn) endedAlready(s *Step, code protocol.ErrorCode) {
	switch t.state {
	case AbortingOrphan:
		t.buryAs(s, protocol.NoError)
	case Aborting:
		t.abortByEpoch() // who we are the coordinator knows, and whether another has taken over
	default:
		t.die(t.failure(CallCommit, Unknown, NewProducer, fmt.Errorf(
			"EndTxn: either the one before was done, whose answer was lost, or another producer has taken over: %w", t.Overdue(code))))
	}
}

// abortByEpoch has an abort end with a new epoch: nothing is open, but what would open something may be late.
func (t *Txn) abortByEpoch() {
	t.current.known = unheard
	t.move(renew)
}

// endedAs ends the transaction, and takes the identity for the next from the answer of the new protocol (KIP-890).
func (t *Txn) endedAs(s *Step, resp *protocol.EndTxnResponse) {
	if s.old {
		t.renewal = t.renewal || t.New() // what is late of the new protocol would begin a transaction under the same epoch
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

// ended ends the transaction, and tells those who wait for that.
func (t *Txn) ended() {
	m := finish
	if len(t.endings) == 0 {
		m = finishUntold
	}
	t.move(m)
	t.finishEndings(nil)
}
