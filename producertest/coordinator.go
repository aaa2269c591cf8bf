package producertest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// A coordinator is what a double keeps of transactions: the producer's own state, which package txn has, and that of a
// coordinator that answers it at once. Producer.mu guards it.
type coordinator struct {
	tx    *txn.Txn  // nil: no transactional id
	again time.Time // when offsets that nobody takes fail the transaction; zero: there are none
	held  *txn.Step // was sent, and its answer is lost; nil: none is
	holds Call      // whose it is

	fenced  bool
	began   time.Time                        // when the coordinator heard of the open one first; zero: it has not
	late    bool                             // it has aborted the last one, which took too long, and nobody has taken note
	settled int64                            // number of the last transaction that has ended
	touched map[producer.TopicPartition]bool // has records of the open one
	staged  map[string]Offsets               // by group: of the open one
	groups  map[string]Offsets               // committed
	counts  Transactions
	counted bool // in double.Open
}

// newProtocol is the level of transaction.version at which a Produce adds its partition (KIP-890).
const newProtocol = 2

func (c *coordinator) start(cfg *producer.Config) {
	c.tx = txn.New(txn.Config{
		ID: cfg.TransactionalID, Timeout: cfg.TransactionTimeout, Patience: cfg.DeliveryTimeout,
		Delay: func(int) time.Duration { return 0 }, // what makes it come to nothing is over at once
	})
	c.tx.SetLevel(newProtocol)
	c.tx.Pass(time.Now())
}

// count tells the process whether a transaction is open.
func (c *coordinator) count(open bool) {
	if c.counted == open {
		return
	}
	c.counted = open
	if open {
		double.Open.Add(1)
	} else {
		double.Open.Add(-1)
	}
}

// joined notes that a record of the open transaction is in the log.
func (p *Producer) joined(e *entry) {
	p.tx.Joined()
	if p.touched == nil {
		p.touched = map[producer.TopicPartition]bool{}
	}
	p.touched[producer.TopicPartition{Topic: e.rec.Topic, Partition: e.partition}] = true
}

// drive has all requests answered that are due.
func (p *Producer) drive() {
	if p.tx == nil {
		return
	}
	p.expire()
	for p.again = (time.Time{}); ; {
		p.drop()
		step, at := p.tx.Next(time.Now(), len(p.pending) == 0)
		if step == nil {
			p.again = at
			break
		}
		p.tx.Sent(step)
		resp, answered := p.answer(step)
		if !answered {
			p.held, p.holds = step, p.asks(step)
			break
		}
		p.tx.Answer(time.Now(), step, resp, nil, true)
	}
	p.drop()
	p.count(!p.ended && p.tx.Number() != 0 && p.tx.Refusal("Send") == nil)
}

var errEnded = errors.New("its transaction has ended")

// drop ends what waits of a transaction that takes no more, or is lost.
func (p *Producer) drop() {
	for p.tx != nil && p.tx.Number() == 0 && len(p.pending) > 0 {
		why := p.tx.Cause()
		if why == nil {
			why = errEnded
		}
		p.finish(p.pending[0], &producer.SendError{Err: double.Outward(why)})
	}
}

// unhold has a request whose answer was lost be made again, when its call is; offsets, when anything is called.
func (p *Producer) unhold(c Call) {
	if s := p.held; s != nil && (p.holds == c || p.holds == CallSendOffsets || c == CallClose) {
		p.held = nil
		p.tx.Answer(time.Now(), s, nil, fmt.Errorf("the answer to %s was lost", s.Request.API().Name), true)
		p.tx.Pass(time.Now())
	}
}

// answer is what the coordinator says to a request, and false if that is lost.
func (p *Producer) answer(s *txn.Step) (protocol.Response, bool) {
	p.expire()
	switch req := s.Request.(type) {
	case *protocol.FindCoordinatorRequest:
		return &protocol.FindCoordinatorResponse{
			Coordinators: []protocol.Coordinator{{Key: req.Key, NodeID: broker, Host: "producertest", Port: 9092}},
		}, true
	case *protocol.InitProducerIDRequest:
		return p.initialise(p.asks(s))
	case *protocol.TxnOffsetCommitRequest:
		code, done, answered := p.decide(p.asks(s))
		switch {
		case done && p.late:
			code = protocol.InvalidProducerEpoch
		case done:
			p.stage(req)
		}
		return offsetsAnswer(req, code), answered
	case *protocol.EndTxnRequest:
		code, done, answered := p.decide(p.asks(s))
		switch {
		case done && p.late && req.Committed:
			code = protocol.InvalidTxnState
		case done:
			p.late = false // what is aborted already is aborted
			p.settle(req.Committed)
		}
		id, epoch := p.nextIdentity(code)
		return &protocol.EndTxnResponse{ErrorCode: code, ProducerID: id, ProducerEpoch: epoch}, answered
	}
	panic("producertest: a coordinator is asked " + s.Request.API().Name)
}

// decide says what becomes of a request: the code in its answer, whether it is done, and whether there is an answer.
func (p *Producer) decide(c Call) (code protocol.ErrorCode, done, answered bool) {
	v := p.faults.next(c)
	switch {
	case p.fenced:
		return protocol.ProducerFenced, false, true
	case v.lost:
		return 0, v.done, false
	case v.code != protocol.NoError:
		return v.code, false, true
	}
	return protocol.NoError, true, true
}

// asks is the call that a request is for.
func (p *Producer) asks(s *txn.Step) Call {
	switch req := s.Request.(type) {
	case *protocol.TxnOffsetCommitRequest:
		return CallSendOffsets
	case *protocol.EndTxnRequest:
		if req.Committed {
			return CallCommitTransaction
		}
		return CallAbortTransaction
	}
	switch p.tx.State() {
	case txn.Renewing:
		return CallBeginTransaction
	case txn.AbortingByEpoch:
		return CallAbortTransaction
	}
	return CallInitTransactions
}

// initialise answers InitProducerId: of InitTransactions, of a begin or an abort that needs a new epoch.
func (p *Producer) initialise(call Call) (protocol.Response, bool) {
	code, done, answered := p.decide(call)
	if done {
		p.late = false // a new epoch
	}
	switch {
	case !done:
	case call == CallInitTransactions:
		p.counts.Initialized = true
	case call == CallAbortTransaction:
		p.settle(false)
	}
	id, epoch := p.nextIdentity(code)
	return &protocol.InitProducerIDResponse{ErrorCode: code, ProducerID: id, ProducerEpoch: epoch}, answered
}

// nextIdentity is what a coordinator gives to who has asked with success.
func (p *Producer) nextIdentity(code protocol.ErrorCode) (id int64, epoch int16) {
	now := p.tx.Identity()
	switch {
	case code != protocol.NoError:
		return -1, -1
	case now.ID < 0:
		return 1, 0
	case now.Epoch >= math.MaxInt16-2:
		return now.ID + 1, 0
	}
	return now.ID, now.Epoch + 1
}

// stage notes offsets that are committed with the open transaction.
func (p *Producer) stage(req *protocol.TxnOffsetCommitRequest) {
	p.heard()
	if p.staged == nil {
		p.staged = map[string]Offsets{}
	}
	if p.staged[req.GroupID] == nil {
		p.staged[req.GroupID] = Offsets{}
	}
	for _, t := range req.Topics {
		for _, o := range t.Partitions {
			committed := producer.OffsetAndMetadata{Offset: o.CommittedOffset, LeaderEpoch: max(o.CommittedLeaderEpoch, 0)}
			if o.CommittedMetadata != nil {
				committed.Metadata = *o.CommittedMetadata
			}
			p.staged[req.GroupID][producer.TopicPartition{Topic: t.Name, Partition: o.PartitionIndex}] = committed
		}
	}
}

func offsetsAnswer(req *protocol.TxnOffsetCommitRequest, code protocol.ErrorCode) *protocol.TxnOffsetCommitResponse {
	resp := &protocol.TxnOffsetCommitResponse{}
	for _, t := range req.Topics {
		answer := protocol.TxnOffsetCommitTopicResponse{Name: t.Name}
		for _, o := range t.Partitions {
			answer.Partitions = append(answer.Partitions, protocol.TxnOffsetCommitPartitionResponse{PartitionIndex: o.PartitionIndex, ErrorCode: code})
		}
		resp.Topics = append(resp.Topics, answer)
	}
	return resp
}

// heard notes that the coordinator knows of the open transaction, which from now on may take TransactionTimeout.
func (p *Producer) heard() {
	if p.began.IsZero() {
		p.began = time.Now()
	}
}

// expire has the coordinator abort a transaction that has taken longer. It bumps the epoch, too, so that what comes of the
// transaction meanwhile is refused.
func (p *Producer) expire() {
	if p.began.IsZero() || time.Since(p.began) <= p.cfg.TransactionTimeout {
		return
	}
	p.late = true
	p.settle(false)
}

// settle ends the last transaction, once: its records are seen, or never will be.
func (p *Producer) settle(commit bool) {
	number := p.tx.Last()
	if number == p.settled {
		return
	}
	p.settled = number
	state := StateAborted
	if commit {
		state = StateCommitted
		p.counts.Committed++
	} else {
		p.counts.Aborted++
	}
	for i := len(p.history) - 1; i >= 0 && (p.history[i].txn == 0 || p.history[i].txn >= number); i-- {
		if e := p.history[i]; e.state == StateUncommitted {
			e.state = state
		}
	}
	for tp := range p.touched {
		p.topics[tp.Topic].ends[tp.Partition]++ // the marker
	}
	if p.groups == nil {
		p.groups = map[string]Offsets{}
	}
	for group, offsets := range p.staged {
		if !commit {
			continue
		}
		if p.groups[group] == nil {
			p.groups[group] = Offsets{}
		}
		maps.Copy(p.groups[group], offsets)
	}
	p.touched, p.staged, p.began = nil, nil, time.Time{}
}
