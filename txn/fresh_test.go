package txn

import (
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// stranger is a producer whose last EndTxn has given producer id 8, and which needs an epoch of it before its coordinator knows
// it: the cluster went back to the old protocol and on again meanwhile, and nothing was sent in between.
func stranger(t *testing.T) (r *rig, begin *waiting) {
	t.Helper()
	r = open(t, 2)
	r.call((*Txn).Commit)
	r.answer(&protocol.EndTxnResponse{ProducerID: 8, ProducerEpoch: 0})
	r.SetLevel(1)
	r.call((*Txn).Begin).want("ok")
	r.call((*Txn).Commit)
	r.due()
	r.SetLevel(2)
	return r, r.call((*Txn).Begin)
}

// refuse answers the request for an epoch, which has to be the one that was asked first, with PRODUCER_FENCED.
func (r *rig) refuse() {
	r.t.Helper()
	step := r.answer(&protocol.InitProducerIDResponse{ErrorCode: protocol.ProducerFenced, ProducerID: -1, ProducerEpoch: -1})
	if req, ok := step.Request.(*protocol.InitProducerIDRequest); !ok || req.ProducerID != 8 || req.ProducerEpoch != 0 {
		r.t.Errorf("%v is asked, want InitProducerId as 8/0", step.Request)
	}
}

// A coordinator that has not completed the transaction before does not know the id that it has given for the next, and calls
// its owner fenced. Nobody is: it is asked again as the same, until it knows.
func TestAFreshIDIsNotFenced(t *testing.T) {
	r, begin := stranger(t)
	for range 5 {
		r.refuse()
		begin.want("waits")
	}
	r.answer(&protocol.InitProducerIDResponse{ProducerID: 8, ProducerEpoch: 1})
	begin.want("ok")
}

// Somebody may have fenced it all the same, which nobody can tell apart but by waiting.
func TestAFreshIDIsFencedAfterDeliveryTimeout(t *testing.T) {
	r, begin := stranger(t)
	asked := r.now
	for r.State() != Fatal && r.now.Sub(asked) < 2*r.cfg.Patience {
		r.refuse()
	}
	if took := r.now.Sub(asked); took < r.cfg.Patience || took > r.cfg.Patience+2*delay {
		t.Errorf("the producer is given up after %v, want delivery.timeout (%v)", took, r.cfg.Patience)
	}
	begin.want("open, make a new producer")
}

// Once the coordinator has taken something under the fresh id it knows it, and fenced is fenced.
func TestAFreshIDThatWasTakenCanBeFenced(t *testing.T) {
	r := open(t, 2)
	r.call((*Txn).Commit)
	r.answer(&protocol.EndTxnResponse{ProducerID: 8, ProducerEpoch: 0})
	r.SetLevel(1)
	r.call((*Txn).Begin).want("ok")
	r.join()
	r.call((*Txn).Commit)
	r.answer(&protocol.EndTxnResponse{ProducerID: -1, ProducerEpoch: -1})
	r.SetLevel(2)
	begin := r.call((*Txn).Begin)
	r.refuse()
	begin.want("open, make a new producer")
}

// A coordinator that has lost a fresh id says the same as one that has not got it yet. It is believed after delivery.timeout,
// whatever is asked of it, so that an abort and a commit end.
func TestAFreshIDIsLostAfterDeliveryTimeout(t *testing.T) {
	lost := protocol.InvalidProducerIDMapping
	for name, ask := range map[string]struct {
		level  int16
		call   func(*Txn, *Op)
		answer protocol.Response
	}{
		"a commit": {2, (*Txn).Commit, &protocol.EndTxnResponse{ErrorCode: lost, ProducerID: -1, ProducerEpoch: -1}},
		"an abort": {2, (*Txn).Abort, &protocol.EndTxnResponse{ErrorCode: lost, ProducerID: -1, ProducerEpoch: -1}},
		"a partition": {1, nil, &protocol.AddPartitionsToTxnResponse{ResultsByTopic: []protocol.AddPartitionsToTxnTopicResult{{
			Name: "t", ResultsByPartition: []protocol.AddPartitionsToTxnPartitionResult{{PartitionErrorCode: lost}},
		}}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, 2)
			r.call((*Txn).Commit)
			r.answer(&protocol.EndTxnResponse{ProducerID: 8, ProducerEpoch: 0})
			r.SetLevel(ask.level)
			r.call((*Txn).Begin).want("ok")
			var call *waiting
			if ask.call == nil {
				r.Add(Partition{"t", 0})
			} else {
				r.Joins()
				call = r.call(ask.call)
			}
			asked := r.now
			for r.State() != Fatal && r.now.Sub(asked) < 2*r.cfg.Patience {
				r.answer(ask.answer)
			}
			if took := r.now.Sub(asked); took < r.cfg.Patience || took > r.cfg.Patience+2*delay {
				t.Errorf("the producer is given up after %v, want delivery.timeout (%v)", took, r.cfg.Patience)
			}
			if call != nil && call.got() == "waits" {
				t.Error("the call goes on waiting")
			}
		})
	}
}

// Once the coordinator has taken something under the fresh id, it has lost the id if it does not know it.
func TestAFreshIDThatWasTakenCanBeLost(t *testing.T) {
	r := open(t, 2)
	r.call((*Txn).Commit)
	r.answer(&protocol.EndTxnResponse{ProducerID: 8, ProducerEpoch: 0})
	r.SetLevel(1)
	r.call((*Txn).Begin).want("ok")
	r.join()
	r.call((*Txn).Abort)
	r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.InvalidProducerIDMapping, ProducerID: -1, ProducerEpoch: -1})
	if r.State() != Fatal {
		t.Errorf("the producer is %v, want it given up", r.State())
	}
}
