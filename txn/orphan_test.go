package txn

import (
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// The coordinator may never have heard of a transaction whose producer has died for want of a permission. In the new protocol a
// new epoch aborts what may be open, as in any abort. In the old one nothing is open, and the coordinator says so.
func TestAnOrphanThatMayNeverHaveBegun(t *testing.T) {
	t.Run("new", func(t *testing.T) {
		r := ready(t, 2)
		r.call((*Txn).Begin).want("ok")
		r.Joins()
		r.Fail(protocol.TransactionalIDAuthorizationFailed)
		r.wantState(Orphaned)
		w := r.call((*Txn).Abort)
		r.answer(&protocol.InitProducerIDResponse{ErrorCode: protocol.ConcurrentTransactions})
		w.want("waits")
		step := r.answer(&protocol.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: 4})
		if req := step.Request.(*protocol.InitProducerIDRequest); req.ProducerID != 7 || req.ProducerEpoch != 3 {
			t.Errorf("it asks as %d/%d, want 7/3: anything else would fence who has taken over", req.ProducerID, req.ProducerEpoch)
		}
		w.want("ok")
		r.wantState(Fatal)
		r.call((*Txn).Begin).want("aborted, make a new producer")
	})
	t.Run("old", func(t *testing.T) {
		r := ready(t, 1)
		r.call((*Txn).Begin).want("ok")
		r.Add(Partition{"t", 0})
		r.answer(added("t", 0, protocol.TransactionalIDAuthorizationFailed))
		r.wantState(Orphaned)
		w := r.call((*Txn).Abort)
		r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.InvalidTxnState})
		w.want("ok")
	})
}

// An abort for which InitProducerId was asked, and refused, is an orphan as any other.
func TestAnEpochThatWasToAbortIsRefused(t *testing.T) {
	r := ready(t, 2)
	r.call((*Txn).Begin).want("ok")
	r.Joins()
	w := r.call((*Txn).Abort)
	r.answer(&protocol.InitProducerIDResponse{ErrorCode: protocol.TransactionalIDAuthorizationFailed, ProducerID: -1, ProducerEpoch: -1})
	w.want("aborted, put the configuration right")
	again := r.call((*Txn).Abort)
	r.answer(&protocol.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: 4})
	again.want("ok")
}

// What an orphan's abort is answered for good, and whether it can be asked for again.
func TestWhatEndsTheAbortOfAnOrphan(t *testing.T) {
	for code, want := range map[protocol.ErrorCode]struct{ told, again string }{
		protocol.TransactionalIDAuthorizationFailed: {misfit, "waits"},
		protocol.UnsupportedVersion:                 {misfit, "waits"},
		protocol.ProducerFenced:                     {dead, dead},
		protocol.InvalidTxnState:                    {dead, misfit},
		protocol.UnknownServerError:                 {dead, misfit},
	} {
		r := open(t, 2)
		r.call((*Txn).Commit)
		r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.TransactionalIDAuthorizationFailed})
		w := r.call((*Txn).Abort)
		step := r.answer(&protocol.EndTxnResponse{ErrorCode: code})
		if step.Request.(*protocol.EndTxnRequest).Committed {
			t.Error("a commit is asked for")
		}
		w.want(want.told)
		r.call((*Txn).Abort).want(want.again)
	}
}

// A commit of which an attempt got no answer may be done, also if a later attempt is refused for want of a permission. It is no
// orphan: nobody aborts it (pitfall 15).
func TestACommitInDoubtIsNoOrphan(t *testing.T) {
	const told = "unknown, put the configuration right"
	r := open(t, 2)
	w := r.call((*Txn).Commit)
	r.loseAnswer()
	r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.TransactionalIDAuthorizationFailed})
	w.want(told)
	r.wantState(Fatal)
	r.call((*Txn).Abort).want(told)
}

// Answers to what was asked before the producer died are no answers to its abort.
func TestLateAnswersDoNotEndTheAbortOfAnOrphan(t *testing.T) {
	r := open(t, 2)
	r.offsets()
	search := r.sent() // for the group's coordinator
	r.Fail(protocol.TransactionalIDAuthorizationFailed)
	w := r.call((*Txn).Abort)
	r.Answer(r.now, search, &protocol.FindCoordinatorResponse{ErrorCode: protocol.GroupAuthorizationFailed, NodeID: -1}, nil, true)
	w.want("waits")
	r.answer(r.ended())
	w.want("ok")
}
