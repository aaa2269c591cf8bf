package producertest

import (
	"fmt"
	"slices"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// NotWritten returns the error of a record that was sent and is certainly not in the log: a broker has refused it with a
// protocol.ErrorCode, for example. The double sets the topic, the partition and the elapsed time in it.
func NotWritten(why error) *producer.SendError {
	return &producer.SendError{Attempts: 1, Err: given(why, "NotWritten")}
}

// MayBeWritten returns the error of a record that was sent and may be in the log all the same, as after
// producer.ErrDeliveryTimeout: to send it again may write it twice. The double sets the topic, the partition and the elapsed
// time in it.
func MayBeWritten(why error) *producer.SendError {
	return &producer.SendError{Attempts: 1, Err: given(why, "MayBeWritten"), MayBeWritten: true}
}

// given panics where an error has to be given, and none is.
func given(err error, by string) error {
	if err == nil {
		panic(fmt.Sprintf("producertest: %s is given no error, and has to say what goes wrong", by))
	}
	return err
}

// Call is a method of a producer, by its name.
type Call string

// The calls that can be made to fail. Coordinators answer the first five.
const (
	CallInitTransactions  Call = txn.CallInit
	CallBeginTransaction  Call = txn.CallBegin
	CallSendOffsets       Call = txn.CallOffsets
	CallCommitTransaction Call = txn.CallCommit
	CallAbortTransaction  Call = txn.CallAbort
	CallFlush             Call = "Flush"
	CallClose             Call = "Close"
	CallLoadTopics        Call = "LoadTopics"
	CallPartitions        Call = "Partitions"
	CallPing              Call = "Ping"
	CallReady             Call = "Ready"
)

var calls = []Call{
	CallInitTransactions, CallBeginTransaction, CallSendOffsets, CallCommitTransaction, CallAbortTransaction,
	CallFlush, CallClose, CallLoadTopics, CallPartitions, CallPing, CallReady,
}

func (c Call) transactional() bool { return slices.Contains(calls[:5], c) }

// faults are what a test has asked for, and has not come yet.
type faults struct {
	calls           map[Call][]verdict
	handed, taken   int           // records so far
	refusals        map[int]error // by the number of the record that is handed over
	failures        map[int]error // by that of the record that is taken
	rejects, failed []*rule
}

// A verdict is what becomes of a call.
type verdict struct {
	err  error              // of what is no transaction's
	code protocol.ErrorCode // the coordinator's answer
	lost bool               // there is no answer
	done bool               // though the coordinator has done what it was asked for
}

type rule struct{ f func(producer.Record) error }

func (f *faults) add(c Call, v verdict) {
	if f.calls == nil {
		f.calls = map[Call][]verdict{}
	}
	f.calls[c] = append(f.calls[c], v)
}

// next takes what becomes of a call off the list.
func (f *faults) next(c Call) (v verdict) {
	if list := f.calls[c]; len(list) > 0 {
		v, f.calls[c] = list[0], list[1:]
	}
	return v
}

func (f *faults) take(c Call) error { return f.next(c).err }

func (f *faults) has(c Call) bool { return len(f.calls[c]) > 0 }

// refusal counts a record that is handed over, and returns why it is not taken.
func (f *faults) refusal() error {
	f.handed++
	err := f.refusals[f.handed]
	delete(f.refusals, f.handed)
	return err
}

// failure counts a record that is taken, and returns what it ends with.
func (f *faults) failure() error {
	f.taken++
	err := f.failures[f.taken]
	delete(f.failures, f.taken)
	return err
}

// rule asks the rules why a record is not taken, and what it ends with otherwise.
func (p *Producer) rule(rec *producer.Record) (refusal, fate error) {
	p.mu.Lock()
	rejects, failed := slices.Clone(p.faults.rejects), slices.Clone(p.faults.failed)
	p.mu.Unlock()
	ask := func(rules []*rule) error {
		for _, r := range rules {
			if err := r.f(copied(rec)); err != nil {
				return err
			}
		}
		return nil
	}
	if refusal = ask(rejects); refusal != nil {
		return refusal, nil
	}
	return nil, ask(failed)
}

// FailNth makes the n-th record from now on end with err: at once, or when it is completed. 1 stands for the next record that
// is taken. If err is a *producer.SendError, as NotWritten and MayBeWritten return it, the program gets that. Otherwise it gets
// NotWritten(err).
func (p *Producer) FailNth(n int, err error) {
	p.nth("FailNth", n, err, func() {
		if p.faults.failures == nil {
			p.faults.failures = map[int]error{}
		}
		p.faults.failures[p.faults.taken+n] = err
	})
}

// RejectNth makes the double refuse the n-th record from now on, with err as the reason, such as producer.ErrBufferFull. 1
// stands for the next record that is handed over. The program gets a *producer.AdmissionError. A record does not count if it is
// refused before that for another reason: by a transaction, by a ctx that has ended, or after Close.
func (p *Producer) RejectNth(n int, err error) {
	p.nth("RejectNth", n, err, func() {
		if p.faults.refusals == nil {
			p.faults.refusals = map[int]error{}
		}
		p.faults.refusals[p.faults.handed+n] = err
	})
}

func (p *Producer) nth(call string, n int, err error, set func()) {
	given(err, call)
	if n < 1 {
		panic(fmt.Sprintf("producertest: %s of record %d: the next is 1", call, n))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	set()
}

// FailOn makes each record for which f returns an error end with that error, as FailNth does. The Send of each record that is
// taken calls f, which sees the record as interceptors have left it. If several rules fail a record, the first counts. stop
// ends this one.
func (p *Producer) FailOn(f func(rec producer.Record) error) (stop func()) {
	return p.addRule(&p.faults.failed, f)
}

// RejectOn makes the double refuse each record for which f returns an error, as RejectNth does. stop ends that.
func (p *Producer) RejectOn(f func(rec producer.Record) error) (stop func()) {
	return p.addRule(&p.faults.rejects, f)
}

func (p *Producer) addRule(rules *[]*rule, f func(rec producer.Record) error) (stop func()) {
	r := &rule{f}
	p.mu.Lock()
	defer p.mu.Unlock()
	*rules = append(*rules, r)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		*rules = slices.DeleteFunc(slices.Clone(*rules), func(other *rule) bool { return other == r })
	}
}

// FailCall makes the next call of that method fail. Several calls of FailCall are for the calls of the method one after the
// other.
//
// For a method of transactions err must be a protocol.ErrorCode: the answer of the coordinator. The call ends as it would with
// a cluster. If Kafka's clients try again after this code, the double does so at once, and the call succeeds. This is what some
// codes do to a commit:
//
//	protocol.TransactionAbortable    NextAbort: nothing is committed, and the transaction can be aborted
//	protocol.ProducerFenced          ErrFenced: nothing is committed, and the producer is of no more use
//	protocol.UnknownServerError      OutcomeUnknown for good: NextNewProducer
//
// For any other method err is the reason. Flush and Close then do not wait, and return it in a *producer.FlushError or
// *producer.CloseError that counts what is left. LoadTopics fails for each topic.
func (p *Producer) FailCall(c Call, err error) {
	given(err, "FailCall")
	v := verdict{err: err}
	switch code, isCode := err.(protocol.ErrorCode); {
	case !slices.Contains(calls, c):
		panic(fmt.Sprintf("producertest: FailCall of %q: it can have %v fail", c, calls))
	case c.transactional() && !isCode:
		panic(fmt.Sprintf("producertest: FailCall of %s with %v: what fails it is an answer of a coordinator, a protocol.ErrorCode. LoseAnswer has none come", c, err))
	case c.transactional():
		v = verdict{code: code}
	}
	p.fault(c, v)
}

// LoseAnswer makes the coordinator do what the next call of that transaction method asks for, and loses the answer. The call
// fails as one that max.block has ended. The error of CommitTransaction says OutcomeUnknown, while consumers see the
// transaction. The same call, made again, finds the answer.
func (p *Producer) LoseAnswer(c Call) { p.lose("LoseAnswer", c, true) }

// LoseRequest is LoseAnswer for a request that never comes to the coordinator. The error of CommitTransaction is the same, but
// consumers do not see the transaction before the same call is made again.
func (p *Producer) LoseRequest(c Call) { p.lose("LoseRequest", c, false) }

func (p *Producer) lose(by string, c Call, done bool) {
	if !c.transactional() {
		panic(fmt.Sprintf("producertest: %s of %q: only what asks a coordinator can lose something: %v", by, c, calls[:5]))
	}
	p.fault(c, verdict{lost: true, done: done})
}

func (p *Producer) fault(c Call, v verdict) {
	if c.transactional() && p.tx == nil {
		panic(fmt.Sprintf("producertest: %s cannot be made to fail so without a transactional id: it fails in any case. New takes Transactional", c))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.add(c, v)
}

// PendingFaults returns how many of FailNth, RejectNth, FailCall, LoseAnswer and LoseRequest have not happened yet. A test that
// ends with some may not have tested what it was meant to.
func (p *Producer) PendingFaults() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.faults.failures) + len(p.faults.refusals)
	for _, list := range p.faults.calls {
		n += len(list)
	}
	return n
}
