package txn

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

var calls = map[string]func(*Txn, *Op){
	CallInit: (*Txn).Init, CallBegin: (*Txn).Begin, CallCommit: (*Txn).Commit, CallAbort: (*Txn).Abort,
	CallOffsets: func(t *Txn, op *Op) { t.SendOffsets(time.Time{}, op) },
}

// A situation is a rig in a state, and what methods say there.
type situation struct {
	name  string
	state State
	make  func(*testing.T) *rig
	want  map[string]string
}

// situations are rigs in each state, with what each method says there; those that are missing are refused.
var situations = []situation{
	{"before InitTransactions", Uninitialized, func(t *testing.T) *rig { return newRig(t, 2) }, map[string]string{CallInit: "waits"}},
	{"during InitTransactions", Initializing, func(t *testing.T) *rig {
		r := newRig(t, 2)
		r.call((*Txn).Init)
		return r
	}, map[string]string{CallInit: "waits"}},
	{"without a transaction", Ready, func(t *testing.T) *rig { return ready(t, 2) }, map[string]string{CallInit: "ok", CallBegin: "ok"}},
	{"in a transaction", InTransaction, func(t *testing.T) *rig { return open(t, 2) },
		map[string]string{CallCommit: "waits", CallAbort: "waits", CallOffsets: "waits"}},
	{"in a transaction that has failed", Failed, func(t *testing.T) *rig {
		r := open(t, 2)
		r.Fail(protocol.MessageTooLarge)
		return r
	}, map[string]string{CallCommit: "open, abort the transaction", CallAbort: "waits", CallOffsets: "open, abort the transaction"}},
	{"during a commit", Committing, func(t *testing.T) *rig {
		r := open(t, 2)
		r.call((*Txn).Commit)
		return r
	}, map[string]string{CallCommit: "waits"}},
	{"during an abort", Aborting, func(t *testing.T) *rig {
		r := open(t, 2)
		r.call((*Txn).Abort)
		return r
	}, map[string]string{CallAbort: "waits"}},
	{"during an abort by a new epoch", AbortingByEpoch, func(t *testing.T) *rig {
		r := ready(t, 1)
		r.opening()
		r.call((*Txn).Abort)
		r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.InvalidTxnState})
		r.loseAnswer()
		return r
	}, map[string]string{CallInit: "ok", CallAbort: "waits"}},
	{"while a new epoch is got", Renewing, func(t *testing.T) *rig {
		r := ready(t, 1)
		r.Renew()
		r.call((*Txn).Begin)
		return r
	}, map[string]string{CallInit: "ok"}},
	{"while a new epoch is got for nobody", Renewing, func(t *testing.T) *rig {
		r := ready(t, 1)
		r.Renew()
		r.Leave(r.call((*Txn).Begin).op)
		return r
	}, map[string]string{CallInit: "ok", CallBegin: "waits"}},
	{"with a commit that nobody was told of", CommitUnreported, func(t *testing.T) *rig {
		r := open(t, 2)
		r.Leave(r.call((*Txn).Commit).op)
		r.answer(r.ended())
		return r
	}, map[string]string{CallInit: "ok", CallCommit: "ok"}},
	{"with an abort that nobody was told of", AbortUnreported, func(t *testing.T) *rig {
		r := open(t, 2)
		r.Leave(r.call((*Txn).Abort).op)
		r.answer(r.ended())
		return r
	}, map[string]string{CallInit: "ok", CallAbort: "ok", CallBegin: "ok"}},
	{"with an abort by a new epoch that nobody was told of", AbortUnreported, func(t *testing.T) *rig {
		r := ready(t, 1)
		r.opening()
		r.Leave(r.call((*Txn).Abort).op)
		r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.InvalidTxnState})
		r.answer(&protocol.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: 4})
		return r
	}, map[string]string{CallInit: "ok", CallAbort: "ok", CallBegin: "ok"}},
	{"dead, with what can be aborted", Orphaned, orphaned, orphans("waits")},
	{"dead, during an abort", AbortingOrphan, func(t *testing.T) *rig {
		r := orphaned(t)
		r.call((*Txn).Abort)
		return r
	}, orphans("waits")},
	{"dead, with an abort that nobody was told of", OrphanUnreported, func(t *testing.T) *rig {
		r := orphaned(t)
		r.Leave(r.call((*Txn).Abort).op)
		r.answer(r.ended())
		return r
	}, map[string]string{
		CallInit: "aborted, make a new producer", CallBegin: "aborted, make a new producer", CallCommit: misfit, CallOffsets: misfit, CallAbort: "ok",
	}},
	{"dead", Fatal, func(t *testing.T) *rig {
		r := open(t, 2)
		r.Die(NewProducer, errors.New("connection reset"))
		return r
	}, map[string]string{
		CallInit: "aborted, make a new producer", CallBegin: "aborted, make a new producer", CallCommit: "aborted, make a new producer",
		CallAbort: "aborted, make a new producer", CallOffsets: "aborted, make a new producer",
	}},
}

// orphaned is a rig whose producer has died for want of a permission, in an open transaction.
func orphaned(t *testing.T) *rig {
	r := open(t, 2)
	r.Die(FixConfiguration, protocol.TransactionalIDAuthorizationFailed)
	return r
}

// orphans is what each method says in the states of an orphan.
func orphans(abort string) map[string]string {
	return map[string]string{CallInit: misfit, CallBegin: misfit, CallCommit: misfit, CallOffsets: misfit, CallAbort: abort}
}

// Each state is in the list, so that what is said in it is told by calls, and not by the table alone.
func TestEveryStateIsReached(t *testing.T) {
	for s := range stateCount {
		if !slices.ContainsFunc(situations, func(c situation) bool { return c.state == s }) {
			t.Errorf("no test calls anything in state %q", s)
		}
	}
}

// What each method says at once in each state: a mistake of the caller's is refused, and changes nothing.
func TestEveryCallInEveryState(t *testing.T) {
	for _, c := range situations {
		for name, call := range calls {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				r := c.make(t)
				r.wantState(c.state)
				want, ok := c.want[name]
				if !ok {
					want = "refused"
				}
				w := r.call(call)
				w.want(want)
				if want == "refused" {
					r.wantState(c.state)
				}
			})
		}
	}
}

// A commit whose caller has left is unclaimed: it can be taken up once, and no transaction begins before.
func TestAnUnclaimedCommitIsToldOnce(t *testing.T) {
	r := open(t, 2)
	w := r.call((*Txn).Commit)
	if got := r.InDoubt(); got != Unknown {
		t.Errorf("a commit that is left is %v, want unknown", got)
	}
	r.Leave(w.op)
	r.answer(r.ended())
	w.want("waits")
	r.call((*Txn).Begin).want("refused")
	r.call((*Txn).Commit).want("ok")
	r.call((*Txn).Commit).want("refused")
	r.call((*Txn).Begin).want("ok")
}

// A call that is left says what there is to say of its transaction.
func TestWhatACallThatIsLeftSays(t *testing.T) {
	for name, c := range map[string]struct {
		make func(*testing.T) *rig
		want Outcome
	}{
		"init":    {func(t *testing.T) *rig { r := newRig(t, 2); r.call((*Txn).Init); return r }, Open},
		"offsets": {func(t *testing.T) *rig { r := open(t, 2); r.offsets(); return r }, Open},
		"commit":  {func(t *testing.T) *rig { r := open(t, 2); r.call((*Txn).Commit); return r }, Unknown},
		"abort":   {func(t *testing.T) *rig { r := open(t, 2); r.call((*Txn).Abort); return r }, Aborted},
		"begin, which waits for an epoch": {func(t *testing.T) *rig {
			r := ready(t, 2)
			r.Renew()
			r.call((*Txn).Begin)
			return r
		}, Open},
		"abort by a new epoch": {func(t *testing.T) *rig {
			r := ready(t, 1)
			r.opening()
			r.call((*Txn).Abort)
			r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.InvalidTxnState})
			r.sent()
			return r
		}, Aborted},
	} {
		if got := c.make(t).InDoubt(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What dies says the truth of its transaction: only a commit that was sent, and not answered by a definite no, is unknown.
func TestWhatADeadProducerSaysOfItsTransaction(t *testing.T) {
	die := func(r *rig) { r.Die(NewProducer, errors.New("dead")) }
	for name, c := range map[string]struct {
		make func(*testing.T) *rig
		want Outcome
	}{
		"no transaction":          {func(t *testing.T) *rig { return ready(t, 2) }, Open},
		"open":                    {func(t *testing.T) *rig { return open(t, 2) }, Aborted},
		"commit, records are out": {func(t *testing.T) *rig { r := open(t, 2); r.call((*Txn).Commit); return r }, Aborted},
		"EndTxn is under way": {func(t *testing.T) *rig {
			r := open(t, 2)
			r.call((*Txn).Commit)
			r.sent()
			return r
		}, Unknown},
		"EndTxn got no answer": {func(t *testing.T) *rig {
			r := open(t, 2)
			r.call((*Txn).Commit)
			r.loseAnswer()
			return r
		}, Unknown},
		"EndTxn was never written": {func(t *testing.T) *rig {
			r := open(t, 2)
			r.call((*Txn).Commit)
			r.sent()
			r.Answer(r.now, r.inFlight[0], nil, errors.New("connection reset"), false)
			return r
		}, Aborted},
		"the commit is done, and nobody was told": {func(t *testing.T) *rig {
			r := open(t, 2)
			r.Leave(r.call((*Txn).Commit).op)
			r.answer(r.ended())
			return r
		}, Committed},
		"an abort under way": {func(t *testing.T) *rig { r := open(t, 2); r.call((*Txn).Abort); r.sent(); return r }, Aborted},
	} {
		r := c.make(t)
		die(r)
		w := r.call((*Txn).Commit)
		var failure *Error
		if !errors.As(w.err(), &failure) || failure.Outcome != c.want {
			t.Errorf("%s: %v, want %v", name, w.err(), c.want)
		}
	}
}

// A commit never succeeds after a record of it has failed (I7), whenever that was.
func TestNoCommitAfterAFailure(t *testing.T) {
	t.Run("before the call", func(t *testing.T) {
		r := open(t, 2)
		r.Fail(protocol.MessageTooLarge)
		r.call((*Txn).Commit).want("open, abort the transaction")
		r.wantState(Failed)
	})
	t.Run("while the commit waits for records", func(t *testing.T) {
		r := open(t, 2)
		w := r.call((*Txn).Commit)
		if step, _ := r.Next(r.now, false); step != nil {
			t.Fatalf("%s is sent while records are in flight", step.Request.API().Name)
		}
		r.Fail(protocol.MessageTooLarge)
		w.want("open, abort the transaction")
		if step := r.due(); step != nil {
			t.Errorf("%s is sent for a transaction that has failed", step.Request.API().Name)
		}
		r.call((*Txn).Abort)
		if end := r.answer(r.ended()).Request.(*protocol.EndTxnRequest); end.Committed {
			t.Error("a transaction that has failed is committed")
		}
	})
	t.Run("after EndTxn was sent", func(t *testing.T) {
		r := open(t, 2)
		r.call((*Txn).Commit)
		r.sent()
		defer func() {
			if recover() == nil {
				t.Error("a record that fails now is a bug of ours, and nothing happens")
			}
		}()
		r.Fail(protocol.MessageTooLarge)
	})
}

// The old protocol calls it an error if EndTxn is to abort what is not open. That is not the producer's end if the request to
// open it was lost, or refused; a new epoch sees to it that it does not come late.
func TestOldAbortOfWhatMayNotBeOpen(t *testing.T) {
	for name, start := range map[string]func(*rig){
		"the partition's request was lost": func(r *rig) { r.Add(Partition{"t", 0}); r.loseAnswer() },
		"the partition was refused":        func(r *rig) { r.Add(Partition{"t", 0}); r.answer(added("t", 0, protocol.TopicAuthorizationFailed)) },
		"the request for offsets was lost": func(r *rig) { r.offsets(); r.loseAnswer() },
		"the request for offsets is refused": func(r *rig) {
			r.offsets()
			r.answer(&protocol.AddOffsetsToTxnResponse{ErrorCode: protocol.GroupAuthorizationFailed})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := ready(t, 1)
			r.call((*Txn).Begin).want("ok")
			start(r)
			w := r.call((*Txn).Abort)
			r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.InvalidTxnState})
			r.wantAbortByEpoch(w)
		})
	}
}

// wantAbortByEpoch demands that an abort asks for a new epoch, which the next transaction has.
func (r *rig) wantAbortByEpoch(w *waiting) {
	r.t.Helper()
	w.want("waits")
	step := r.answer(&protocol.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: 4})
	if req := step.Request.(*protocol.InitProducerIDRequest); req.ProducerID != 7 || req.ProducerEpoch != 3 {
		r.t.Errorf("it asks as %d/%d, want 7/3: anything else would fence itself", req.ProducerID, req.ProducerEpoch)
	}
	w.want("ok")
	r.call((*Txn).Begin).want("ok")
	if got := r.Identity().Epoch; got != 4 {
		r.t.Errorf("the next transaction has epoch %d, want 4", got)
	}
}

// After an aborted transaction it is no error that nothing is open. So a success does not say that the coordinator has heard of
// the transaction, either, and what was lost may still arrive. Where nothing was lost, nothing can, and the epoch stays.
func TestOldAbortOfWhatMayNotBeOpenSucceeds(t *testing.T) {
	busy := &protocol.AddOffsetsToTxnResponse{ErrorCode: protocol.ConcurrentTransactions}
	for name, c := range map[string]struct {
		start func(*rig)
		lost  bool
	}{
		"the partition's request was lost":  {func(r *rig) { r.Add(Partition{"t", 0}); r.loseAnswer() }, true},
		"the request for offsets was lost":  {func(r *rig) { r.offsets(); r.loseAnswer() }, true},
		"the partition was not taken yet":   {func(r *rig) { r.Add(Partition{"t", 0}); r.answer(added("t", 0, protocol.ConcurrentTransactions)) }, false},
		"the offsets were not taken yet":    {func(r *rig) { r.offsets(); r.answer(busy) }, false},
		"the partition's request is unsent": {func(r *rig) { r.Add(Partition{"t", 0}); r.breakOff(false) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := ready(t, 1)
			r.call((*Txn).Begin).want("ok")
			c.start(r)
			w := r.call((*Txn).Abort)
			r.answer(r.ended())
			if c.lost {
				r.wantAbortByEpoch(w)
				return
			}
			w.want("ok")
			r.call((*Txn).Begin).want("ok")
			if got := r.Identity().Epoch; got != 3 {
				t.Errorf("the next transaction has epoch %d, want 3", got)
			}
		})
	}
}

// An EndTxn without an answer may come late. In the old protocol the next transaction is kept from it by a new epoch; in the
// new one each has its own anyway.
func TestTheEpochAfterAnUnansweredEndTxn(t *testing.T) {
	for level, want := range map[int16]string{1: "waits", 2: "ok"} {
		r := open(t, level)
		w := r.call((*Txn).Commit)
		r.loseAnswer()
		r.answer(r.ended())
		w.want("ok")
		r.call((*Txn).Begin).want(want)
	}
}

// That something is open, and cannot be aborted, is the end of the producer.
func TestOldAbortOfWhatIsOpenIsRefused(t *testing.T) {
	r := open(t, 1)
	w := r.call((*Txn).Abort)
	r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.InvalidTxnState})
	w.want("aborted, make a new producer")
}

// An empty transaction is known to nobody, and ends without a request.
func TestAnEmptyTransactionAsksNobody(t *testing.T) {
	for _, level := range []int16{1, 2} {
		for _, end := range []func(*Txn, *Op){(*Txn).Commit, (*Txn).Abort} {
			r := ready(t, level)
			r.call((*Txn).Begin).want("ok")
			w := r.call(end)
			if step := r.due(); step != nil {
				t.Errorf("it asks %s", step.Request.API().Name)
			}
			w.want("ok")
			r.wantState(Ready)
		}
	}
}
