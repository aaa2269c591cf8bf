package sender

import (
	"fmt"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
)

// produce answers a Produce request, partition by partition.
func (h *history) produce(f *flight, req *protocol.ProduceRequest, resp *protocol.ProduceResponse, faults bool) {
	for i := range req.Topics {
		t := &req.Topics[i]
		resp.Topics = append(resp.Topics, protocol.ProduceTopicResponse{
			Name: t.Name, TopicID: t.TopicID, Partitions: make([]protocol.ProducePartitionResponse, len(t.Partitions)),
		})
	}
	for _, a := range f.attempts {
		answer := &resp.Topics[a.place].Partitions[a.inTopic]
		*answer = protocol.ProducePartitionResponse{
			Index: a.part.index, BaseOffset: -1, LogAppendTime: -1,
			CurrentLeader: protocol.LeaderIDAndEpoch{LeaderID: -1, LeaderEpoch: -1},
		}
		if a.fate != pending {
			h.fail("model: a batch was processed twice")
		}
		h.produceOne(f, a, answer, faults)
		if a.fate == pending {
			a.fate = refused
		}
		if answer.ErrorCode == protocol.NotLeaderOrFollower && f.call.Version >= 10 && a.part.leader >= 0 && h.chance(0.7) {
			answer.CurrentLeader = protocol.LeaderIDAndEpoch{LeaderID: a.part.leader, LeaderEpoch: a.part.epoch}
			resp.NodeEndpoints = append(resp.NodeEndpoints, protocol.NodeEndpoint{
				NodeID: a.part.leader, Host: h.host(a.part.leader), Port: 9092,
			})
			if faults && (h.fault() || h.mode == modeContradicting && !h.calm) { // a broker that believes what is not so, and that it is news
				answer.CurrentLeader.LeaderID = 1 + h.rng.Int32N(h.brokers)
				a.part.epoch++
				answer.CurrentLeader.LeaderEpoch = a.part.epoch
			}
		}
		a.vague = answer.ErrorCode.MayBeWritten()
		switch answer.ErrorCode {
		case protocol.NoError:
			if faults && h.babbles() {
				a.vague = true
				other := *answer
				other.ErrorCode = protocol.MessageTooLarge
				resp.Topics[a.place].Partitions = append(resp.Topics[a.place].Partitions, other)
				break
			}
			a.acked = true
		case protocol.InvalidProducerEpoch:
			f.spoils = append(f.spoils, a.id)
		case protocol.OutOfOrderSequenceNumber:
			h.counts[tallyOutOfOrder]++
		case protocol.MessageTooLarge:
			h.counts[tallyCut]++
		}
	}
}

// babbles reports whether an answer makes no sense, since it mentions a partition twice or not at all. In histories where brokers
// do that, every fourth does.
func (h *history) babbles() bool {
	if h.calm || h.faults == 0 || h.seed%9 != 4 {
		return false
	}
	h.answers++
	return h.answers%4 == 0
}

// Codes that a leader may give to a batch.
var (
	// It says them before it appends, and the client can rely on that.
	definite = []protocol.ErrorCode{
		protocol.NotEnoughReplicas, protocol.NotEnoughReplicas, protocol.UnknownTopicOrPartition, protocol.CorruptMessage,
	}
	// It says them before or after.
	doubtful = []protocol.ErrorCode{
		protocol.NotLeaderOrFollower, protocol.RequestTimedOut, protocol.KafkaStorageError, protocol.LeaderNotAvailable,
	}
	// The same, and the batch is not sent again.
	doubtfulFinal = []protocol.ErrorCode{protocol.UnknownServerError, protocol.ErrorCode(999)}
)

// produceOne appends a batch, or refuses it. A fault may come before, and a lie after.
func (h *history) produceOne(f *flight, a *modelAttempt, answer *protocol.ProducePartitionResponse, faults bool) {
	if faults && h.secondThoughts(a, answer) {
		return
	}
	if p := a.part; faults && p.returns && a.heard >= p.cutBackAt && !h.calm {
		p.returns = false
		answer.ErrorCode = protocol.NotEnoughReplicas // those that follow have yet to cut their logs back
		return
	}
	if faults && h.mode == modeContradicting && !h.calm && h.chance(0.6) {
		answer.ErrorCode = protocol.NotLeaderOrFollower
		return
	}
	if faults && h.fault() {
		switch r := h.rng.IntN(20); {
		case r < 8:
			answer.ErrorCode = pick(h, definite)
			return
		case r < 12:
			answer.ErrorCode = pick(h, doubtful)
			return
		case r == 12 && h.chance(0.3):
			answer.ErrorCode = pick(h, doubtfulFinal)
			return
		case r == 13 && h.chance(0.5):
			answer.ErrorCode = pick(h, []protocol.ErrorCode{protocol.TopicAuthorizationFailed, protocol.UnsupportedForMessageFormat})
			return
		case r == 14 && !h.elsewhere(a):
			h.refuseRecords(a, answer)
			return
		}
		h.appendBatch(f, a, answer, !faults)
		if a.fate == written && answer.ErrorCode == protocol.NoError {
			answer.ErrorCode = pick(h, append([]protocol.ErrorCode{protocol.NotEnoughReplicasAfterAppend}, doubtful...))
			if h.chance(0.05) {
				answer.ErrorCode = pick(h, doubtfulFinal)
			}
			answer.BaseOffset = -1
		}
		return
	}
	h.appendBatch(f, a, answer, !faults)
	if faults && a.fate == written && h.mumbling && !h.calm && h.chance(0.3) {
		answer.ErrorCode, answer.BaseOffset = protocol.NotEnoughReplicasAfterAppend, -1
	}
}

// secondThoughts refuses a batch for good that may be written by an attempt before (KAFKA-19479). Brokers look at sizes
// and records before they look whether they have the batch.
func (h *history) secondThoughts(a *modelAttempt, answer *protocol.ProducePartitionResponse) bool {
	if h.calm || h.faults == 0 || len(a.records) == 1 || a.life >= 0 && a.life != a.part.log.life {
		return false
	}
	again := slices.ContainsFunc(a.part.attempts, func(o *modelAttempt) bool {
		return o != a && o.sum == a.sum && (o.fate != refused || h.mode == modeDoubting)
	})
	if !again || h.elsewhere(a) || h.mumbling && h.chance(0.9) || !h.chance(0.3) {
		return false
	}
	if h.counts[tallySecondThoughts]++; h.chance(0.5) {
		answer.ErrorCode = protocol.MessageTooLarge
	} else {
		h.refuseRecords(a, answer)
		if len(answer.RecordErrors) == 0 {
			return true
		}
	}
	h.owe(a, answer.RecordErrors)
	return true
}

// elsewhere reports whether a batch may be written in a cluster that was there before, and the producer, which has a
// connection that has outlived it, sends to this one unawares: see outlive.
func (h *history) elsewhere(a *modelAttempt) bool {
	return h.blind && slices.ContainsFunc(a.part.attempts, func(o *modelAttempt) bool {
		return o != a && o.sum == a.sum && o.fate != refused && o.cluster != h.epochs
	})
}

// refuseRecords finds fault with some of a batch's records (KIP-467).
func (h *history) refuseRecords(a *modelAttempt, answer *protocol.ProducePartitionResponse) {
	answer.ErrorCode = protocol.InvalidRecord
	text := "the model does not like it"
	for i, r := range a.records {
		r.owed = false
		if h.chance(0.3) {
			answer.RecordErrors = append(answer.RecordErrors, protocol.RecordError{BatchIndex: int32(i), Message: &text})
		}
	}
}

// appendBatch does what Kafka does, in its order.
func (h *history) appendBatch(f *flight, a *modelAttempt, answer *protocol.ProducePartitionResponse, late bool) {
	p := a.part
	l := p.log
	switch {
	case !slices.Contains(p.topic.existing(), p):
		answer.ErrorCode = protocol.UnknownTopicOrPartition
		return
	case a.life >= 0 && a.life != l.life:
		answer.ErrorCode = protocol.UnknownTopicID
		return
	case p.leader != f.conn.broker || f.conn.former() || a.heard < p.cutBackAt:
		answer.ErrorCode = protocol.NotLeaderOrFollower
		return
	}
	if answer.ErrorCode = h.verifyBatch(l, a, f.numberOf(a), f.call.Version); answer.ErrorCode != protocol.NoError {
		return
	}
	if a.size > p.topic.maxBatch {
		if len(a.records) > 1 {
			h.refusedForSize(a)
		}
		answer.ErrorCode = protocol.MessageTooLarge
		return
	}
	if a.id >= 0 {
		if h.mode == modeStrangers && !late && !h.calm && h.chance(0.3) {
			h.twin(a)
		}
		duplicate, code := l.admit(a)
		if code != protocol.NoError {
			if code == protocol.OutOfOrderSequenceNumber && !late {
				h.checkForgotten(a)
			}
			if code == protocol.UnknownProducerID && p.doubts(a) {
				h.hurt = true
			}
			answer.ErrorCode = code
			return
		}
		if duplicate != nil {
			h.counts[tallyDuplicate]++
			switch {
			case !duplicate.strange:
				a.fate = written
			case h.blindTo(a):
				answer.ErrorCode = protocol.OutOfOrderSequenceNumber
				return
			}
			answer.BaseOffset, answer.LogAppendTime = duplicate.offset, h.now.UnixMilli()
			if h.chance(0.1) || duplicate.strange && h.chance(0.5) {
				answer.ErrorCode, answer.BaseOffset = protocol.DuplicateSequenceNumber, 0
			}
			return
		}
	}
	if s := l.producers[a.id]; a.txn && (s == nil || !s.open) && (h.txn.state != txnOngoing || !h.txn.parts[p]) {
		h.fail("I7: %v is written where its transaction is not: coordinator %v", a, h.txn)
	}
	a.fate = written
	answer.BaseOffset = l.append(h, a)
}

// doubts reports whether another attempt of a may be written, as far as the client can know. If a broker that refuses numbers
// but 0 knows nothing of the producer then, the batch fails: it could as well have been forgotten with the numbers. So it is
// even with the first batch of a partition whose numbers begin near the end, since that stands for many that were before it.
func (p *modelPart) doubts(a *modelAttempt) bool {
	return slices.ContainsFunc(p.attempts, func(o *modelAttempt) bool {
		return o != a && o.sum == a.sum && (o.fate != refused || o.vague)
	})
}

// checkForgotten: a batch that is sent again is among those that its broker remembers, if it is written in this log (I2). One
// that is written in the log of a topic before, and comes to this one since they have the same name, no broker could remember.
func (h *history) checkForgotten(a *modelAttempt) {
	l := a.part.log
	for _, e := range l.entries {
		if e.attempt.sum == a.sum && l.producers[a.id].epoch == a.epoch {
			h.fail("I2: %v is written, and comes again when its broker remembers it no more", a)
		}
	}
}

// numberOf returns the transaction of a batch.
func (f *flight) numberOf(a *modelAttempt) int64 { return a.records[0].txn }

func (a *modelAttempt) String() string {
	ids := make([]string, len(a.records))
	for i, r := range a.records {
		ids[i] = fmt.Sprint(r.id)
	}
	return fmt.Sprintf("%s-%d %d/%d+%d [%s]", a.part.topic.name, a.part.index, a.id, a.epoch, a.seq, strings.Join(ids, " "))
}

// describe names a request for the trace.
func describe(f *flight) string {
	name := fmt.Sprintf("%s v%d", f.call.Request.API().Name, f.call.Version)
	switch req := f.call.Request.(type) {
	case *protocol.ProduceRequest:
		for _, a := range f.attempts {
			name += " " + a.String()
		}
	case *protocol.EndTxnRequest:
		name += fmt.Sprintf(" %d/%d commit=%v of %d", req.ProducerID, req.ProducerEpoch, req.Committed, f.number)
	case *protocol.InitProducerIDRequest:
		name += fmt.Sprintf(" %d/%d", req.ProducerID, req.ProducerEpoch)
	case *protocol.AddPartitionsToTxnRequest:
		name += fmt.Sprintf(" %d/%d %v", req.ProducerID, req.ProducerEpoch, req.Topics)
	}
	return name
}

// shortAnswer is what the trace says of an answer.
func shortAnswer(resp protocol.Response) string {
	switch r := resp.(type) {
	case *protocol.ProduceResponse:
		var parts []string
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				parts = append(parts, fmt.Sprintf("%s-%d %s@%d", r.Topics[i].Name, p.Index, p.ErrorCode.Name(), p.BaseOffset))
			}
		}
		slices.Sort(parts)
		return strings.Join(parts, ", ")
	case *protocol.InitProducerIDResponse:
		return fmt.Sprintf("%s %d/%d", r.ErrorCode.Name(), r.ProducerID, r.ProducerEpoch)
	case *protocol.EndTxnResponse:
		return fmt.Sprintf("%s %d/%d", r.ErrorCode.Name(), r.ProducerID, r.ProducerEpoch)
	case *protocol.AddOffsetsToTxnResponse:
		return r.ErrorCode.Name()
	case *protocol.FindCoordinatorResponse:
		return fmt.Sprint(r.ErrorCode.Name(), r.NodeID, r.Coordinators)
	case *protocol.AddPartitionsToTxnResponse:
		return fmt.Sprintf("%+v", r.ResultsByTopic)
	case *protocol.TxnOffsetCommitResponse:
		return fmt.Sprintf("%+v", r.Topics)
	case *protocol.MetadataResponse:
		var parts []string
		for _, t := range r.Topics {
			parts = append(parts, fmt.Sprintf("%s %s", *t.Name, t.ErrorCode.Name()))
			for _, p := range t.Partitions {
				parts = append(parts, fmt.Sprintf("%d/%d", p.LeaderID, p.LeaderEpoch))
			}
		}
		return strings.Join(parts, " ")
	}
	return ""
}
