package txn

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A rig drives a Txn as a sender does, by values alone.
type rig struct {
	*Txn
	t     *testing.T
	now   time.Time
	calls []*waiting
}

const delay = 100 * time.Millisecond // of the first backoff, and of each

func newRig(t *testing.T, level int16) *rig {
	r := &rig{t: t, now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	r.Txn = New(Config{
		ID: "tx", Timeout: time.Minute, Patience: 2 * time.Minute,
		Delay:    func(int) time.Duration { return delay },
		Hindered: func(time.Time) error { return r.Trouble() },
	})
	r.SetLevel(level)
	return r
}

// ready is a rig whose InitTransactions has got producer id 7, epoch 3, and which knows its coordinator, node 1.
func ready(t *testing.T, level int16) *rig {
	t.Helper()
	r := newRig(t, level)
	init := r.call((*Txn).Init)
	r.answer(found(1))
	r.answer(&protocol.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: 3})
	init.want("ok")
	return r
}

// open is ready, in a transaction of which the coordinator knows.
func open(t *testing.T, level int16) *rig {
	t.Helper()
	r := ready(t, level)
	r.call((*Txn).Begin).want("ok")
	r.join()
	return r
}

// join makes partition t-0 part of the transaction.
func (r *rig) join() {
	r.t.Helper()
	if r.UsesV2() {
		r.Joins()
		r.Joined()
		return
	}
	r.Add(Partition{"t", 0})
	r.answer(added("t", 0, protocol.NoError))
}

// opening begins a transaction whose first request to the coordinator gets no answer.
func (r *rig) opening() {
	r.t.Helper()
	r.call((*Txn).Begin).want("ok")
	r.Add(Partition{"t", 0})
	r.loseAnswer()
}

func found(node int32) *protocol.FindCoordinatorResponse {
	return &protocol.FindCoordinatorResponse{Coordinators: []protocol.Coordinator{
		{Key: "tx", NodeID: node, Host: "host", Port: 9092}, {Key: "g", NodeID: node, Host: "host", Port: 9092},
	}}
}

func added(topic string, index int32, code protocol.ErrorCode) *protocol.AddPartitionsToTxnResponse {
	return &protocol.AddPartitionsToTxnResponse{ResultsByTopic: []protocol.AddPartitionsToTxnTopicResult{{
		Name: topic, ResultsByPartition: []protocol.AddPartitionsToTxnPartitionResult{{PartitionIndex: index, PartitionErrorCode: code}},
	}}}
}

func committed(code protocol.ErrorCode) *protocol.TxnOffsetCommitResponse {
	return &protocol.TxnOffsetCommitResponse{Topics: []protocol.TxnOffsetCommitTopicResponse{{
		Name: "t", Partitions: []protocol.TxnOffsetCommitPartitionResponse{{ErrorCode: code}},
	}}}
}

// ended is the answer to EndTxn, in either protocol.
func (r *rig) ended() *protocol.EndTxnResponse {
	if !r.UsesV2() {
		return &protocol.EndTxnResponse{ProducerID: -1, ProducerEpoch: -1}
	}
	return &protocol.EndTxnResponse{ProducerID: r.Identity().ID, ProducerEpoch: r.Identity().Epoch + 1}
}

// due returns the request that is due, nil if none is now. Nothing of records waits or is in flight.
func (r *rig) due() *Step {
	step, at := r.Next(r.now, true)
	if step == nil && !at.IsZero() {
		r.now = at
		step, _ = r.Next(r.now, true)
	}
	return step
}

// sent returns the request that is due, and sends it.
func (r *rig) sent() *Step {
	r.t.Helper()
	step := r.due()
	if step == nil {
		r.t.Fatalf("in state %q nothing is to be sent", r.State())
	}
	r.Sent(step)
	return step
}

// answer sends what is due and answers it. A search for a coordinator is answered first, unless resp is one.
func (r *rig) answer(resp protocol.Response) *Step {
	r.t.Helper()
	step := r.sent()
	if _, wanted := resp.(*protocol.FindCoordinatorResponse); step.kind == find && !wanted {
		r.Answer(r.now, r.inFlight[0], found(1), nil, true)
		step = r.sent()
	}
	r.Answer(r.now, r.inFlight[0], resp, nil, true)
	return step
}

// loseAnswer sends what is due, and the connection breaks.
func (r *rig) loseAnswer() {
	r.t.Helper()
	r.breakOff(true)
}

// breakOff sends what is due, and the connection breaks, before or after that was written.
func (r *rig) breakOff(written bool) {
	r.t.Helper()
	step := r.sent()
	for step.kind == find {
		r.Answer(r.now, r.inFlight[0], found(1), nil, true)
		step = r.sent()
	}
	r.Answer(r.now, r.inFlight[0], nil, errors.New("connection reset"), written)
}

// A waiting is a call and what it was told.
type waiting struct {
	t    *testing.T
	op   *Op
	told []error
}

func (r *rig) call(f func(*Txn, *Op)) *waiting {
	w := &waiting{t: r.t, op: &Op{}}
	w.op.Done = func(err error) { w.told = append(w.told, err) }
	r.calls = append(r.calls, w)
	f(r.Txn, w.op)
	return w
}

func (r *rig) offsets(topics ...protocol.TxnOffsetCommitTopic) *waiting {
	if len(topics) == 0 {
		topics = []protocol.TxnOffsetCommitTopic{{Name: "t", Partitions: []protocol.TxnOffsetCommitPartition{{CommittedOffset: 5}}}}
	}
	return r.call(func(t *Txn, op *Op) {
		op.Group, op.Offsets = Group{ID: "g", Generation: -1}, topics
		t.SendOffsets(r.now, op)
	})
}

// got is what the call was told: "waits", "ok", "refused", or outcome and next step.
func (w *waiting) got() string {
	if len(w.told) == 0 {
		return "waits"
	}
	if len(w.told) > 1 {
		return fmt.Sprintf("told %d times: %v", len(w.told), w.told)
	}
	return describe(w.told[0])
}

func describe(err error) string {
	var failure *Error
	var state *StateError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &failure):
		return fmt.Sprintf("%v, %v", failure.Outcome, failure.Next)
	case errors.As(err, &state):
		return "refused"
	}
	return err.Error()
}

func (w *waiting) want(want string) {
	w.t.Helper()
	if got := w.got(); got != want {
		w.t.Errorf("the call was told %q, want %q", got, want)
	}
}

func (w *waiting) err() error {
	if len(w.told) == 0 {
		return nil
	}
	return w.told[0]
}

func (r *rig) wantState(want State) {
	r.t.Helper()
	if got := r.State(); got != want {
		r.t.Errorf("state %q, want %q", got, want)
	}
}
