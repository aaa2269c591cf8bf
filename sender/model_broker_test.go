package sender

import (
	"fmt"
	"math"
	"slices"

	"github.com/epistle-kafka/epistle/protocol"
)

// process lets a broker work at a request, and writes the answer to resp. With faults it may answer something else than
// what is true.
func (h *history) process(f *flight, resp protocol.Response, faults bool) {
	h.expireTxn()
	f.processed = true
	switch req := f.call.Request.(type) {
	case *protocol.MetadataRequest:
		h.describe(req, resp.(*protocol.MetadataResponse))
	case *protocol.ApiVersionsRequest:
		h.apiVersions(resp.(*protocol.ApiVersionsResponse))
	case *protocol.FindCoordinatorRequest:
		h.findCoordinator(f, req, resp.(*protocol.FindCoordinatorResponse), faults)
	case *protocol.ProduceRequest:
		h.produce(f, req, resp.(*protocol.ProduceResponse), faults)
	case *protocol.InitProducerIDRequest:
		r := resp.(*protocol.InitProducerIDResponse)
		r.ProducerID, r.ProducerEpoch = -1, -1
		r.ErrorCode = h.coordinated(f, h.idCodes(), faults, func() protocol.ErrorCode { return h.initProducerID(req, r, f.call.Version) })
		if r.ErrorCode != protocol.NoError {
			r.ProducerID, r.ProducerEpoch = -1, -1
		}
	case *protocol.AddPartitionsToTxnRequest:
		h.addPartitions(f, req, resp.(*protocol.AddPartitionsToTxnResponse), faults)
	case *protocol.AddOffsetsToTxnRequest:
		resp.(*protocol.AddOffsetsToTxnResponse).ErrorCode = h.coordinated(f, addCodes, faults, func() protocol.ErrorCode {
			return h.addOffsets(req, f)
		})
	case *protocol.TxnOffsetCommitRequest:
		h.commitOffsets(f, req, resp.(*protocol.TxnOffsetCommitResponse), faults)
	case *protocol.EndTxnRequest:
		r := resp.(*protocol.EndTxnResponse)
		r.ErrorCode = h.coordinated(f, endCodes, faults, func() protocol.ErrorCode { return h.endTxn(req, r, f.call.Version) })
		if r.ErrorCode != protocol.NoError {
			r.ProducerID, r.ProducerEpoch = -1, -1
		}
		if r.ErrorCode.Retriable() && faults && h.fault() {
			h.takeOver() // before it can be asked again
		}
	default:
		h.fail("a request that the model does not know: %T", req)
	}
	if h.tracing {
		h.tracef("broker %d: %v: %v", f.conn.broker, describe(f), shortAnswer(resp))
	}
}

// Codes that a coordinator may answer with instead of doing what was asked, or after having done it.
type faultCodes struct {
	before, after []protocol.ErrorCode
	final         []protocol.ErrorCode // before; they may end the transaction, or the producer
}

var (
	moving   = []protocol.ErrorCode{protocol.NotCoordinator, protocol.CoordinatorNotAvailable, protocol.CoordinatorLoadInProgress, protocol.ConcurrentTransactions}
	moved    = []protocol.ErrorCode{protocol.NotCoordinator, protocol.CoordinatorNotAvailable}
	addCodes = faultCodes{moving, moved, []protocol.ErrorCode{protocol.TransactionAbortable}}
	endCodes = faultCodes{moving, append(slices.Clone(moved), protocol.RequestTimedOut), []protocol.ErrorCode{
		protocol.UnknownServerError, protocol.TransactionalIDAuthorizationFailed,
	}}
	offsetCodes = faultCodes{
		[]protocol.ErrorCode{protocol.NotCoordinator, protocol.CoordinatorNotAvailable, protocol.CoordinatorLoadInProgress, protocol.UnknownTopicOrPartition},
		append(slices.Clone(moved), protocol.RequestTimedOut),
		[]protocol.ErrorCode{protocol.IllegalGeneration, protocol.GroupAuthorizationFailed, protocol.TransactionAbortable},
	}
	plainIDCodes = faultCodes{
		before: []protocol.ErrorCode{protocol.CoordinatorLoadInProgress, protocol.CoordinatorNotAvailable, protocol.RequestTimedOut},
		final:  []protocol.ErrorCode{protocol.ClusterAuthorizationFailed},
	}
	txnIDCodes = faultCodes{moving, moved, []protocol.ErrorCode{protocol.TransactionalIDAuthorizationFailed}}
)

func (h *history) idCodes() faultCodes {
	if h.core.transactor() == nil {
		return plainIDCodes
	}
	return txnIDCodes
}

func pick[T any](h *history, from []T) T { return from[h.rng.IntN(len(from))] }

// coordinated does what a coordinator was asked to, or answers with a fault.
func (h *history) coordinated(f *flight, codes faultCodes, faults bool, do func() protocol.ErrorCode) protocol.ErrorCode {
	if h.core.transactor() != nil && (f.conn.broker != h.coordinator || f.conn.former()) {
		return protocol.NotCoordinator
	}
	if faults && h.fault() {
		switch {
		case len(codes.after) > 0 && h.chance(0.4):
			if code := do(); code != protocol.NoError {
				return code
			}
			return pick(h, codes.after)
		case len(codes.final) > 0 && h.chance(0.1):
			code := pick(h, codes.final)
			h.mayDie = code.Name()
			return code
		}
		return pick(h, codes.before)
	}
	return do()
}

func (h *history) initProducerID(req *protocol.InitProducerIDRequest, resp *protocol.InitProducerIDResponse, version int16) protocol.ErrorCode {
	if req.TransactionalID == nil {
		resp.ProducerID, resp.ProducerEpoch = h.newProducerID(), h.firstEpoch
		h.given[resp.ProducerID] = true
		delete(h.spoiled, resp.ProducerID)
		return protocol.NoError
	}
	t := h.txn
	if t.epoch == -1 && t.id < 0 {
		t.id, t.epoch = h.newProducerID(), h.firstEpoch-1
	}
	h.asked(req.ProducerID)
	owns := t.epoch == -1 || req.ProducerID == t.id || req.ProducerID == t.previousID && req.ProducerEpoch >= lastClientEpoch
	switch {
	case req.ProducerID != -1 && !owns:
		if req.ProducerEpoch >= lastClientEpoch {
			h.mayDie = "the coordinator remembers who had the last epoch for one more attempt only"
		}
		return protocol.ProducerFenced
	case t.state.deciding():
		return protocol.ConcurrentTransactions
	case t.state == txnOngoing:
		if h.flips && h.level < 2 {
			h.mayDie = "the cluster has gone back to the old protocol, in which that fences for good"
		}
		h.fenceTxn()
		return protocol.ConcurrentTransactions
	}
	code := t.initialise(h, req.ProducerID, req.ProducerEpoch)
	if code == protocol.ProducerFenced && version < 4 {
		code = protocol.InvalidProducerEpoch
	}
	resp.ProducerID, resp.ProducerEpoch = t.id, t.epoch
	return code
}

func (h *history) addPartitions(f *flight, req *protocol.AddPartitionsToTxnRequest, resp *protocol.AddPartitionsToTxnResponse, faults bool) {
	code := h.coordinated(f, addCodes, faults, func() protocol.ErrorCode {
		h.asked(req.ProducerID)
		code := h.addToTxn(req.ProducerID, req.ProducerEpoch, f.number)
		if code != protocol.NoError {
			return code
		}
		for i := range req.Topics {
			for _, index := range req.Topics[i].Partitions {
				p := h.topic(req.Topics[i].Name).parts[index]
				h.txn.parts[p] = true
				h.added[addition{f.number, p}] = true
			}
		}
		return code
	})
	for i := range req.Topics {
		answer := protocol.AddPartitionsToTxnTopicResult{Name: req.Topics[i].Name}
		for _, index := range req.Topics[i].Partitions {
			answer.ResultsByPartition = append(answer.ResultsByPartition, protocol.AddPartitionsToTxnPartitionResult{PartitionIndex: index, PartitionErrorCode: code})
		}
		resp.ResultsByTopic = append(resp.ResultsByTopic, answer)
	}
}

// addition is a partition that has become part of one of the client's transactions.
type addition struct {
	number int64
	part   *modelPart
}

func (h *history) addOffsets(req *protocol.AddOffsetsToTxnRequest, f *flight) protocol.ErrorCode {
	h.asked(req.ProducerID)
	code := h.addToTxn(req.ProducerID, req.ProducerEpoch, f.number)
	if code == protocol.NoError && h.txn.groups[req.GroupID] == nil {
		h.txn.groups[req.GroupID] = map[int32]int64{}
	}
	return code
}

func (h *history) commitOffsets(f *flight, req *protocol.TxnOffsetCommitRequest, resp *protocol.TxnOffsetCommitResponse, faults bool) {
	if faults && h.babbles() {
		return
	}
	code := h.coordinated(f, offsetCodes, faults, func() protocol.ErrorCode {
		h.asked(req.ProducerID)
		isNew := f.call.Version >= 5
		if h.timedOut {
			h.mayDie = "a transaction that has timed out was to have offsets"
		}
		if code := h.verify(nil, req.ProducerID, req.ProducerEpoch, f.number, isNew, f.call.Version >= 4); code != protocol.NoError {
			return code
		}
		if h.txn.groups[req.GroupID] == nil {
			if !isNew {
				h.fail("I7: offsets of group %q were sent before it belonged to transaction %d", req.GroupID, f.number)
			}
			h.txn.groups[req.GroupID] = map[int32]int64{}
		}
		for i := range req.Topics {
			for _, p := range req.Topics[i].Partitions {
				h.txn.groups[req.GroupID][p.PartitionIndex] = p.CommittedOffset
			}
		}
		return protocol.NoError
	})
	for i := range req.Topics {
		answer := protocol.TxnOffsetCommitTopicResponse{Name: req.Topics[i].Name, TopicID: req.Topics[i].TopicID}
		for _, p := range req.Topics[i].Partitions {
			answer.Partitions = append(answer.Partitions, protocol.TxnOffsetCommitPartitionResponse{PartitionIndex: p.PartitionIndex, ErrorCode: code})
		}
		resp.Topics = append(resp.Topics, answer)
	}
}

func (h *history) endTxn(req *protocol.EndTxnRequest, resp *protocol.EndTxnResponse, version int16) protocol.ErrorCode {
	t := h.txn
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	h.asked(req.ProducerID)
	bumps := version >= 5
	if t.state.deciding() && (req.ProducerEpoch > math.MaxInt16-3 || h.mixes()) {
		// The one before is not complete yet. With the last epochs, and once the cluster has gone back to the old
		// protocol, there is no other way to abort than this.
		h.mayDie = "the last epochs are used up"
	}
	if h.timedOut && req.Committed {
		h.mayDie = "a transaction that has timed out was to be committed"
	}
	var decided bool
	var code protocol.ErrorCode
	if bumps {
		decided, code = t.judgeNew(req.ProducerID, req.ProducerEpoch, req.Committed)
	} else {
		decided, code = t.judgeOld(req.ProducerID, req.ProducerEpoch, req.Committed)
	}
	if decided {
		h.decide(req.Committed, bumps)
		resp.ProducerID, resp.ProducerEpoch = t.id, t.epoch
		if t.nextID >= 0 {
			resp.ProducerID, resp.ProducerEpoch = t.nextID, 0
		}
	} else if code == protocol.NoError {
		resp.ProducerID, resp.ProducerEpoch = t.id, t.epoch
	}
	if code == protocol.ProducerFenced && version < 2 {
		code = protocol.InvalidProducerEpoch
	}
	return code
}

func (h *history) describe(req *protocol.MetadataRequest, resp *protocol.MetadataResponse) {
	cluster := h.cluster
	resp.ClusterID = &cluster
	if h.mode == modeRebootstrap && h.fault() {
		resp.ErrorCode = protocol.RebootstrapRequired
		return
	}
	for id := int32(1); id <= h.brokers; id++ {
		if h.away[id] {
			continue
		}
		host := h.host(id)
		if h.hosts[id] > 0 && (h.fault() || h.mode == modeDisagreeing && !h.calm && h.chance(0.7)) {
			host = fmt.Sprintf("host%d-%d", id, h.rng.IntN(h.hosts[id])) // this broker has not heard of it yet
		}
		resp.Brokers = append(resp.Brokers, protocol.MetadataBroker{NodeID: id, Host: host, Port: 9092})
	}
	for _, asked := range req.Topics {
		t := h.topic(*asked.Name)
		if h.fault() || h.ignore.After(h.now) && !h.calm {
			// A broker that has just started knows no topic yet.
			resp.Topics = append(resp.Topics, protocol.MetadataTopic{Name: asked.Name, ErrorCode: protocol.UnknownTopicOrPartition})
			continue
		}
		m := protocol.MetadataTopic{Name: asked.Name, TopicID: t.id}
		for _, p := range t.existing() {
			m.Partitions = append(m.Partitions, protocol.MetadataPartition{PartitionIndex: p.index, LeaderID: p.leader, LeaderEpoch: p.epoch})
		}
		resp.Topics = append(resp.Topics, m)
	}
}

func (h *history) apiVersions(resp *protocol.ApiVersionsResponse) {
	resp.FinalizedFeaturesEpoch = h.featureEpoch
	resp.FinalizedFeatures = []protocol.FinalizedFeature{{Name: "transaction.version", MaxVersionLevel: h.level}}
}

func (h *history) findCoordinator(f *flight, req *protocol.FindCoordinatorRequest, resp *protocol.FindCoordinatorResponse, faults bool) {
	code, node := protocol.NoError, h.coordinator
	if faults && h.fault() {
		code, node = protocol.CoordinatorNotAvailable, -1
	}
	c := protocol.Coordinator{Key: req.Key, NodeID: node, Host: h.host(node), Port: 9092, ErrorCode: code}
	if f.call.Version < 4 {
		resp.ErrorCode, resp.NodeID, resp.Host, resp.Port = code, node, c.Host, c.Port
		return
	}
	resp.Coordinators = append(resp.Coordinators, c)
}

func (h *history) topic(name string) *modelTopic {
	for _, t := range h.topics {
		if t.name == name {
			return t
		}
	}
	h.fail("the core asks for topic %q, which nobody wants", name)
	return nil
}
