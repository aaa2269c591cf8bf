package txn

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
)

// Answer deals with the end of a step that was Sent: with resp, or with err if there was no answer. written says whether the
// request may have reached the broker.
func (t *Txn) Answer(now time.Time, s *Step, resp protocol.Response, err error, written bool) {
	t.now = now
	t.removeInFlight(s)
	if t.state.Dead() && !t.forOrphan(s) {
		return
	}
	if err != nil {
		if s.kind == end && written {
			t.current.doubt()
			// The request may still arrive, and in the old protocol it would end a later transaction of the same epoch (pitfall
			// 15).
			t.renewal = t.renewal || s.old
		}
		t.current.stray = t.current.stray || written && (s.kind == addPartitions || s.kind == addOffsets)
		if t.coordinators[s.key] == s.Node { // no other has been found meanwhile
			delete(t.coordinators, s.key)
		}
		t.undo(s)
		t.backoff(now, err)
		return
	}
	switch s.kind {
	case find:
		t.found(now, s, resp.(*protocol.FindCoordinatorResponse))
	case initID:
		t.initialised(now, s, resp.(*protocol.InitProducerIDResponse))
	case addPartitions:
		t.partitionsAdded(now, s, resp.(*protocol.AddPartitionsToTxnResponse))
	case addOffsets:
		t.offsetsAdded(now, s, resp.(*protocol.AddOffsetsToTxnResponse).ErrorCode)
	case commitOffsets:
		t.offsetsCommitted(now, s, resp.(*protocol.TxnOffsetCommitResponse))
	case end:
		t.endAnswered(now, s, resp.(*protocol.EndTxnResponse))
	}
}

func (t *Txn) removeInFlight(s *Step) {
	t.inFlight = slices.DeleteFunc(t.inFlight, func(o *Step) bool { return o == s })
}

// Unsupported notes that a node knows none of the versions of s that would do. The step need not have been Sent.
func (t *Txn) Unsupported(s *Step, err error) {
	t.removeInFlight(s)
	switch {
	case t.state.Dead():
		if t.forOrphan(s) {
			t.endOrphan(FixConfiguration, t.lasting(err))
		}
	case t.state == Initializing:
		t.refuseInit(FixConfiguration, err)
	case s.kind == initID:
		t.Die(NewProducer, fmt.Errorf("a new epoch is needed, and the broker is too old to give it: %w", err))
	default:
		t.Die(FixConfiguration, err)
	}
}

// undo takes back what a step was for that had no effect.
func (t *Txn) undo(s *Step) {
	if s.kind == addPartitions && (t.state == InTransaction || t.state == Committing) {
		t.current.pending = append(s.parts, t.current.pending...)
	}
}

// retry has a step done again if code allows that, and reports whether it does.
func (t *Txn) retry(now time.Time, s *Step, code protocol.ErrorCode) bool {
	switch {
	case code == protocol.ConcurrentTransactions, t.unknownYet(now, s, code):
		t.undo(s)
		t.backoffBriefly(now, s.answered(code))
		return true
	case !code.Retriable():
		return false
	}
	if code != protocol.UnknownTopicOrPartition && code != protocol.UnknownTopicID && code.RefreshMetadata() || code == protocol.RequestTimedOut {
		delete(t.coordinators, s.key)
	}
	t.undo(s)
	t.backoff(now, s.answered(code))
	return true
}

// unknownYet reports whether code, the answer to s, only means that the producer id is fresh, or was when s was sent: the
// answer to another request may have overtaken this one.
func (t *Txn) unknownYet(now time.Time, s *Step, code protocol.ErrorCode) bool {
	return code == protocol.InvalidProducerIDMapping && (t.fresh.unknown(now, t.cfg.Patience) || s.early && t.fresh.stage == met)
}

// fencedAsUnknown reports whether the coordinator's PRODUCER_FENCED, for a request for a new epoch, only means that it does not
// know the fresh producer id yet. It looks at the id before it looks whether the last transaction is complete. The request is
// repeated as it is. If another producer has taken over meanwhile, it has the id's next epoch, or another id. Then the repeated
// request fences nobody and gets the same answer, which is final after delivery.timeout.
func (t *Txn) fencedAsUnknown(now time.Time, code protocol.ErrorCode) bool {
	return code == protocol.ProducerFenced && t.fresh.unknown(now, t.cfg.Patience)
}

// confirmed notes that the coordinator has taken something as part of the open transaction.
func (t *Txn) confirmed() {
	t.current.known = registered
	t.fresh.meet()
}

// fenced reports whether the coordinator takes this producer for an old one. That is final, and nothing may heal it (pitfall
// 18).
func fenced(code protocol.ErrorCode) bool {
	return code == protocol.ProducerFenced || code == protocol.InvalidProducerEpoch
}

func (t *Txn) fencedError(outcome Outcome, code protocol.ErrorCode) *Error {
	return t.failure(t.endCall(), outcome, NewProducer, t.fencing(code))
}

// fencing is ErrFenced with what it may mean.
func (t *Txn) fencing(code protocol.ErrorCode) error {
	return fmt.Errorf("%w: another producer with the same transactional id has taken over, or the transaction has timed out: %w",
		ErrFenced, t.Overdue(bareCode{code}))
}

// A bareCode is a code without its text, since the text gives advice that does not fit here.
type bareCode struct{ code protocol.ErrorCode }

func (b bareCode) Error() string { return fmt.Sprintf("%s (%d)", b.code.Name(), int16(b.code)) }
func (b bareCode) Unwrap() error { return b.code }

// nextAfter returns what the caller may do after a code that ends the producer.
func nextAfter(code protocol.ErrorCode) Next {
	if code.Class() == protocol.ClassInvalidConfiguration {
		return FixConfiguration
	}
	return NewProducer
}

// failBy fails the transaction, or the producer, because of what a coordinator has answered.
func (t *Txn) failBy(code protocol.ErrorCode, err error) {
	err = t.Overdue(err)
	switch {
	case fenced(code):
		t.die(t.fencedError(t.lostOutcome(), code))
	case code.Reach() == protocol.ReachProducer:
		t.Die(nextAfter(code), err)
	default:
		t.Fail(err)
	}
}

// failByCoordinator is failBy for an answer of the transaction's own coordinator. From it INVALID_TXN_STATE means that our
// state is wrong, so the producer is of no more use.
func (t *Txn) failByCoordinator(code protocol.ErrorCode, err error) {
	if code == protocol.InvalidTxnState {
		t.Die(NewProducer, t.Overdue(err))
		return
	}
	t.failBy(code, err)
}

func codeOf(err error) (code protocol.ErrorCode, ok bool) {
	ok = errors.As(err, &code)
	return code, ok
}

// located reads what an answer says of one key.
func located(k key, resp *protocol.FindCoordinatorResponse) (node int32, code protocol.ErrorCode, text *string) {
	node, code, text = resp.NodeID, resp.ErrorCode, resp.ErrorMessage
	if resp.Host == "" {
		node = -1 // such a version answers for several keys, in Coordinators
	}
	for i := range resp.Coordinators {
		if c := &resp.Coordinators[i]; c.Key == k.name {
			node, code, text = c.NodeID, c.ErrorCode, c.ErrorMessage
		}
	}
	return node, code, text
}

func (t *Txn) found(now time.Time, s *Step, resp *protocol.FindCoordinatorResponse) {
	node, code, text := located(s.key, resp)
	err := fmt.Errorf("looking for the coordinator: %w", s.answered(withText(code, text)))
	switch {
	case code == protocol.NoError && node < 0:
		t.backoff(now, s.answered(errors.New("the broker names no coordinator, and no reason")))
	case code == protocol.NoError:
		t.coordinators[s.key] = node
		t.attempts.anew() // the trouble stays: it may be about what the coordinator is needed for
	case code.Retriable():
		t.backoff(now, err)
	case t.state == Initializing:
		t.refuseInit(initNext(code), err)
	case t.state == AbortingOrphan && code.Class() == protocol.ClassInvalidConfiguration:
		t.endOrphan(FixConfiguration, t.lasting(err))
	case t.state == AbortingOrphan:
		t.backoff(now, err)
	case s.key.kind == protocol.CoordinatorKeyGroup:
		t.failBy(code, err)
	case code.Class() == protocol.ClassInvalidConfiguration:
		t.Die(FixConfiguration, err)
	default:
		t.backoff(now, err) // nothing is at stake
	}
}

func withText(code protocol.ErrorCode, text *string) error {
	if text == nil || *text == "" || *text == code.Name() {
		return code
	}
	return fmt.Errorf("%w: the broker says %s", code, protocol.Quoted(*text))
}

func (t *Txn) initialised(now time.Time, s *Step, resp *protocol.InitProducerIDResponse) {
	switch code := resp.ErrorCode; {
	case code == protocol.NoError && t.state == AbortingOrphan:
		t.endOrphanBy(s, code) // the new identity is of no use to a dead producer
	case code == protocol.NoError:
		t.identify(idempotent.Identity{ID: resp.ProducerID, Epoch: resp.ProducerEpoch})
	case t.retry(now, s, code):
	case t.fencedAsUnknown(now, code):
		t.backoffBriefly(now, s.answered(code))
	case t.state == AbortingOrphan:
		t.endOrphanBy(s, code)
	case t.state == Initializing && !fenced(code):
		t.refuseInit(initNext(code), code)
	case t.state == Renewing && code.Class() == protocol.ClassInvalidConfiguration:
		t.refuseBegin(s.answered(code))
	default:
		t.failBy(code, code)
		if t.state == Renewing || t.state == AbortingByEpoch { // without a new epoch there is no way on
			t.Die(NewProducer, code)
		}
	}
}

// identify takes the identity that the coordinator has given.
func (t *Txn) identify(id idempotent.Identity) {
	if id.ID < 0 || id.Epoch < 0 || id.ID == t.identity.ID && id.Epoch <= t.identity.Epoch {
		t.Die(NewProducer, fmt.Errorf("the coordinator has answered what it cannot: producer id %d, epoch %d", id.ID, id.Epoch))
		return
	}
	t.attempts.succeeded()
	t.identity, t.renewal, t.fresh = id, false, freshness{}
	t.level = max(min(t.newest, 2), 1)
	if t.state == AbortingByEpoch {
		t.ended()
		return
	}
	t.move(identified)
	for _, op := range t.inits {
		op.Done(nil)
	}
	t.inits = nil
	if op := t.beginning; op != nil {
		t.beginning = nil
		t.open()
		op.Done(nil)
	}
}

// refuseInit ends InitTransactions with an error after which it can be called again.
func (t *Txn) refuseInit(next Next, err error) {
	t.move(refuse)
	for _, op := range t.inits {
		op.Done(t.failure(CallInit, Open, next, err))
	}
	t.inits = nil
}

// refuseBegin ends BeginTransaction with an error after which it can be called again: nothing is open.
func (t *Txn) refuseBegin(err error) {
	t.move(refuse)
	if op := t.beginning; op != nil {
		t.beginning = nil
		op.Done(t.failure(CallBegin, Open, FixConfiguration, err))
	}
}

// TurnedAway notes that no broker lets this client in, and none ever has. InitTransactions ends, and can be called again.
func (t *Txn) TurnedAway(err error) {
	if t.state == Initializing && len(t.inFlight) == 0 {
		t.refuseInit(FixConfiguration, err)
	}
}

func initNext(code protocol.ErrorCode) Next {
	if code.Class() == protocol.ClassInvalidConfiguration || code == protocol.InvalidTransactionTimeout {
		return FixConfiguration
	}
	return RetryCall
}

func (t *Txn) partitionsAdded(now time.Time, s *Step, resp *protocol.AddPartitionsToTxnResponse) {
	answers := map[Partition]protocol.ErrorCode{}
	for i := range resp.ResultsByTopic {
		for _, p := range resp.ResultsByTopic[i].ResultsByPartition {
			answers[Partition{resp.ResultsByTopic[i].Name, p.PartitionIndex}] = p.PartitionErrorCode
		}
	}
	var again protocol.ErrorCode
	for _, p := range s.parts {
		code, ok := answers[p]
		switch {
		case !ok:
			t.Die(NewProducer, fmt.Errorf("the coordinator's answer does not mention %s-%d, which was to be added", p.Topic, p.Index))
			return
		case code == protocol.NoError, code == protocol.OperationNotAttempted:
		case code.Retriable(), t.unknownYet(now, s, code):
			again = code
		default:
			t.failByCoordinator(code, fmt.Errorf("adding %s-%d to the transaction: %w", p.Topic, p.Index, code))
			return
		}
		if code == protocol.OperationNotAttempted && again == protocol.NoError {
			again = protocol.UnknownTopicOrPartition // another partition has kept it from being added
		}
	}
	if again != protocol.NoError {
		t.retry(now, s, again)
		return
	}
	t.attempts.succeeded()
	t.confirmed()
	t.current.added = append(t.current.added, s.parts...)
}
