package main

import "github.com/epistle-kafka/epistle/protocol"

// The sink coordinates transactions without keeping any: every one begins and ends at once.

func (s *sink) initProducerID(req *protocol.InitProducerIDRequest) protocol.Response {
	if req.ProducerID >= 0 {
		return &protocol.InitProducerIDResponse{ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch + 1}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	return &protocol.InitProducerIDResponse{ProducerID: s.lastID}
}

func (s *sink) findCoordinator(req *protocol.FindCoordinatorRequest) protocol.Response {
	host, port := s.node(1)
	resp := &protocol.FindCoordinatorResponse{NodeID: 1, Host: host, Port: port}
	for _, key := range req.CoordinatorKeys {
		resp.Coordinators = append(resp.Coordinators, protocol.Coordinator{Key: key, NodeID: 1, Host: host, Port: port})
	}
	return resp
}

func addPartitions(req *protocol.AddPartitionsToTxnRequest) protocol.Response {
	resp := &protocol.AddPartitionsToTxnResponse{}
	for _, t := range req.Topics {
		answer := protocol.AddPartitionsToTxnTopicResult{Name: t.Name}
		for _, p := range t.Partitions {
			answer.ResultsByPartition = append(answer.ResultsByPartition, protocol.AddPartitionsToTxnPartitionResult{PartitionIndex: p})
		}
		resp.ResultsByTopic = append(resp.ResultsByTopic, answer)
	}
	return resp
}

// endTxn raises the epoch, as the new protocol demands, and gives a new producer id before epochs run out.
func (s *sink) endTxn(req *protocol.EndTxnRequest) protocol.Response {
	const last = 32766
	if req.ProducerEpoch < last {
		return &protocol.EndTxnResponse{ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch + 1}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	return &protocol.EndTxnResponse{ProducerID: s.lastID}
}
