package txn

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// What an answer leads to.
const (
	again      = "again"
	searched   = "again, after a search for the coordinator"
	failed     = "failed"
	dead       = "aborted, make a new producer"
	misfit     = "aborted, put the configuration right"
	unknown    = "unknown, make a new producer"
	misfitOpen = "open, put the configuration right"
	retryOpen  = "open, call it again"
	deadOpen   = "open, make a new producer"
)

type codes = map[protocol.ErrorCode]string

var (
	retriable = codes{
		protocol.CoordinatorLoadInProgress: again, protocol.ConcurrentTransactions: again,
		protocol.NotCoordinator: searched, protocol.CoordinatorNotAvailable: searched, protocol.RequestTimedOut: searched,
	}
	fatal = codes{
		protocol.ProducerFenced: dead, protocol.InvalidProducerEpoch: dead, protocol.InvalidProducerIDMapping: dead,
		protocol.TransactionalIDAuthorizationFailed: misfit,
	}
)

// requests are those of coordinators, with what makes each due, and what each code in its answer leads to.
var requests = []struct {
	name  string
	level int16
	begin func(*rig) // what makes the request due
	resp  func(protocol.ErrorCode) protocol.Response
	codes []codes
}{
	{"InitProducerId", 2, func(r *rig) { r.call((*Txn).Init); r.answer(found(1)) },
		func(code protocol.ErrorCode) protocol.Response {
			return &protocol.InitProducerIDResponse{ErrorCode: code, ProducerID: -1, ProducerEpoch: -1}
		},
		[]codes{retriable, {
			protocol.TransactionalIDAuthorizationFailed: misfitOpen, protocol.InvalidTransactionTimeout: misfitOpen,
			protocol.ClusterAuthorizationFailed: misfitOpen, protocol.UnknownServerError: retryOpen, 999: retryOpen,
			protocol.ProducerFenced: deadOpen, protocol.InvalidProducerEpoch: deadOpen,
		}}},
	{"AddPartitionsToTxn", 1, func(r *rig) { r.Add(Partition{"t", 1}) },
		func(code protocol.ErrorCode) protocol.Response { return added("t", 1, code) },
		[]codes{retriable, fatal, {
			protocol.UnknownTopicOrPartition: again, protocol.InvalidTxnState: dead,
			protocol.TopicAuthorizationFailed: failed, protocol.TransactionAbortable: failed, protocol.UnknownServerError: failed, 999: failed,
		}}},
	{"AddOffsetsToTxn", 1, func(r *rig) { r.offsets() },
		func(code protocol.ErrorCode) protocol.Response {
			return &protocol.AddOffsetsToTxnResponse{ErrorCode: code}
		},
		[]codes{retriable, fatal, {
			protocol.InvalidTxnState: dead, protocol.GroupAuthorizationFailed: failed, protocol.TransactionAbortable: failed,
			protocol.UnknownServerError: failed, 999: failed,
		}}},
	{"TxnOffsetCommit", 2, func(r *rig) { r.offsets(); r.answer(found(1)) },
		func(code protocol.ErrorCode) protocol.Response { return committed(code) },
		[]codes{retriable, {
			protocol.ProducerFenced: dead, protocol.InvalidProducerEpoch: dead, protocol.TransactionalIDAuthorizationFailed: misfit,
			protocol.UnknownTopicOrPartition: again, protocol.UnknownTopicID: again, protocol.UnstableOffsetCommit: again,
			protocol.UnknownMemberID: failed, protocol.IllegalGeneration: failed, protocol.FencedInstanceID: failed,
			protocol.GroupAuthorizationFailed: failed, protocol.TopicAuthorizationFailed: failed,
			protocol.TransactionAbortable: failed, protocol.InvalidTxnState: failed, protocol.UnknownServerError: failed, 999: failed,
		}}},
	{"EndTxn, commit", 2, func(r *rig) { r.call((*Txn).Commit) },
		func(code protocol.ErrorCode) protocol.Response { return &protocol.EndTxnResponse{ErrorCode: code} },
		[]codes{retriable, fatal, {
			protocol.TransactionAbortable: failed, protocol.InvalidTxnState: dead, protocol.UnknownServerError: unknown, 999: unknown,
		}}},
	{"EndTxn, abort", 2, func(r *rig) { r.call((*Txn).Abort) },
		func(code protocol.ErrorCode) protocol.Response { return &protocol.EndTxnResponse{ErrorCode: code} },
		[]codes{retriable, fatal, {
			protocol.TransactionAbortable: dead, protocol.InvalidTxnState: dead, protocol.UnknownServerError: dead, 999: dead,
		}}},
}

// What each code of each coordinator request leads to: the same request again, a transaction that can only be aborted, or the
// end of the producer. A code that is not in the list is one of "others".
func TestEveryCodeOfEachRequest(t *testing.T) {
	for _, c := range requests {
		for _, list := range c.codes {
			for code, want := range list {
				t.Run(c.name+"/"+code.Name(), func(t *testing.T) {
					var r *rig
					if c.name == "InitProducerId" {
						r = newRig(t, c.level)
					} else {
						r = open(t, c.level)
					}
					c.begin(r)
					api := r.due().Request.API().Name
					if !strings.HasPrefix(c.name, api) {
						t.Fatalf("%s is due, want %s", api, c.name)
					}
					before := r.State()
					r.answer(c.resp(code))
					if got := reaction(r, before, api); got != want {
						t.Errorf("%s leads to %q, want %q", code.Name(), got, want)
					}
				})
			}
		}
	}
}

// reaction says what an answer has led to.
func reaction(r *rig, before State, api string) string {
	switch r.State() {
	case Fatal, Orphaned:
		return describe(r.Refusal(CallCommit))
	case Failed:
		return "failed"
	case Uninitialized:
		return r.calls[len(r.calls)-1].got()
	case before:
	default:
		return "state " + r.State().String()
	}
	step, at := r.Next(r.now, true)
	if step != nil || !at.After(r.now) {
		return "at once, which is too soon"
	}
	switch step := r.due(); {
	case step == nil:
		return "nothing"
	case step.kind == find:
		r.Sent(step)
		r.Answer(r.now, r.inFlight[0], found(2), nil, true)
		if next := r.due(); next == nil || next.Node != 2 || next.Request.API().Name != api {
			return "a search that leads to nothing"
		}
		return "again, after a search for the coordinator"
	case step.Request.API().Name == api:
		return "again"
	default:
		return step.Request.API().Name
	}
}

// An offset that the answer leaves out may not be committed. Without it, what was read would be worked on twice.
func TestOffsetsThatTheAnswerLeavesOut(t *testing.T) {
	r := open(t, 2)
	call := r.offsets(protocol.TxnOffsetCommitTopic{Name: "t", Partitions: []protocol.TxnOffsetCommitPartition{
		{PartitionIndex: 0, CommittedOffset: 5}, {PartitionIndex: 1, CommittedOffset: 7},
	}})
	r.answer(found(1))
	for _, incomplete := range []*protocol.TxnOffsetCommitResponse{{}, committed(protocol.NoError)} {
		before := r.State()
		r.answer(incomplete)
		if got := reaction(r, before, "TxnOffsetCommit"); got != again || call.got() != "waits" {
			t.Fatalf("%d topics in the answer lead to %q, and the call is told %q, want it again, and the call to wait", len(incomplete.Topics), got, call.got())
		}
		if trouble := r.Trouble(); trouble == nil || !strings.Contains(trouble.Error(), "the answer does not mention partition") {
			t.Errorf("the trouble is %v, want the partition that is left out", trouble)
		}
	}
	complete := committed(protocol.NoError)
	complete.Topics[0].Partitions = append(complete.Topics[0].Partitions, protocol.TxnOffsetCommitPartitionResponse{PartitionIndex: 1})
	r.answer(complete)
	if call.got() != "ok" {
		t.Errorf("the call is told %q, want ok", call.got())
	}
}

// A backoff grows with failures, ends with a success, and is short while the transaction before is being completed.
func TestConcurrentTransactionsIsAskedAgainSoon(t *testing.T) {
	r := open(t, 2)
	r.call((*Txn).Commit)
	for i, want := range []time.Duration{5, 10, 20, 40, 80, 100, 100} {
		r.Sent(r.due())
		r.Answer(r.now, r.inFlight[0], &protocol.EndTxnResponse{ErrorCode: protocol.ConcurrentTransactions}, nil, true)
		if _, at := r.Next(r.now, true); at.Sub(r.now) != want*time.Millisecond {
			t.Errorf("attempt %d comes after %v, want %v ms", i+2, at.Sub(r.now), int(want))
		}
	}
}

// A coordinator that makes no sense ends the producer with an error, never with a panic, and is not asked in circles.
func TestImpossibleAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		level int16
		do    func(*rig) *waiting
		want  string
	}{
		"InitProducerId without an id": {2, func(r *rig) *waiting {
			r.call((*Txn).Commit)
			r.answer(r.ended())
			r.Renew()
			w := r.call((*Txn).Begin)
			r.answer(&protocol.InitProducerIDResponse{ProducerID: -1, ProducerEpoch: -1})
			return w
		}, "open, make a new producer"},
		"InitProducerId with the same epoch": {2, func(r *rig) *waiting {
			r.call((*Txn).Commit)
			r.answer(r.ended())
			r.Renew()
			w := r.call((*Txn).Begin)
			r.answer(&protocol.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: r.Identity().Epoch})
			return w
		}, "open, make a new producer"},
		"InitProducerId with an older epoch": {2, func(r *rig) *waiting {
			r.call((*Txn).Commit)
			r.answer(r.ended())
			r.Renew()
			w := r.call((*Txn).Begin)
			r.answer(&protocol.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: 1})
			return w
		}, "open, make a new producer"},
		"EndTxn without an id": {2, func(r *rig) *waiting {
			w := r.call((*Txn).Commit)
			r.answer(&protocol.EndTxnResponse{ProducerID: -1, ProducerEpoch: -1})
			return w
		}, "committed, make a new producer"},
		"EndTxn with the same epoch": {2, func(r *rig) *waiting {
			w := r.call((*Txn).Abort)
			r.answer(&protocol.EndTxnResponse{ProducerID: 7, ProducerEpoch: 3})
			return w
		}, "aborted, make a new producer"},
		"AddPartitionsToTxn that lacks a partition": {1, func(r *rig) *waiting {
			r.Add(Partition{"t", 1})
			w := r.call((*Txn).Commit)
			r.answer(added("t", 0, protocol.NoError))
			return w
		}, "aborted, make a new producer"},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, c.level)
			w := c.do(r)
			w.want(c.want)
			r.wantState(Fatal)
			if step := r.due(); step != nil {
				t.Errorf("a dead producer asks %s", step.Request.API().Name)
			}
		})
	}
}

// A search that names nobody is a failed attempt: it is made again, and who waits is told why.
func TestASearchThatNamesNobody(t *testing.T) {
	for name, resp := range map[string]*protocol.FindCoordinatorResponse{
		"no answer for the key": {},
		"another key":           {Coordinators: []protocol.Coordinator{{Key: "other", NodeID: 1, Host: "host", Port: 9092}}},
		"no node":               found(-1),
		"old, no node":          {NodeID: -1, Host: "host"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 2)
			w := r.call((*Txn).Init)
			r.answer(resp)
			w.want("waits")
			if r.Trouble() == nil {
				t.Error("nobody could tell what is wrong")
			}
			if step, at := r.Next(r.now, true); step != nil || at.Sub(r.now) != delay {
				t.Errorf("the next attempt is %v at %v, want it after a backoff", step, at)
			}
			r.answer(found(1))
			r.answer(&protocol.InitProducerIDResponse{ProducerID: 7})
			w.want("ok")
		})
	}
}

// An answer to what a dead producer had asked changes nothing, and a second cause does not hide the first (pitfall 19).
func TestLateAnswersToADeadProducer(t *testing.T) {
	r := open(t, 2)
	w := r.call((*Txn).Commit)
	r.sent()
	r.Die(NewProducer, errors.New("first"))
	w.want("unknown, make a new producer") // its EndTxn is on the way
	r.Answer(r.now, r.inFlight[0], r.ended(), nil, true)
	r.Fail(protocol.ProducerFenced)
	r.Die(FixConfiguration, errors.New("second"))
	r.wantState(Fatal)
	again := r.call((*Txn).Commit)
	again.want("unknown, make a new producer")
	if !strings.Contains(again.err().Error(), "first") {
		t.Errorf("error = %v, want the first cause", again.err())
	}
}
