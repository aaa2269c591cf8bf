package main

import (
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
)

// answer returns the answer to any request but Produce; nil if there is none.
func (s *sink) answer(req protocol.Request) protocol.Response {
	switch req := req.(type) {
	case *protocol.ApiVersionsRequest:
		return s.versions()
	case *protocol.MetadataRequest:
		return s.metadata(req)
	case *protocol.InitProducerIDRequest:
		return s.initProducerID(req)
	case *protocol.FindCoordinatorRequest:
		return s.findCoordinator(req)
	case *protocol.AddPartitionsToTxnRequest:
		return addPartitions(req)
	case *protocol.EndTxnRequest:
		return s.endTxn(req)
	}
	return nil
}

func (s *sink) versions() *protocol.ApiVersionsResponse {
	level := int16(s.options.Level)
	resp := &protocol.ApiVersionsResponse{FinalizedFeaturesEpoch: 1, FinalizedFeatures: []protocol.FinalizedFeature{
		{Name: "transaction.version", MaxVersionLevel: level, MinVersionLevel: level},
	}}
	for _, m := range []protocol.Request{
		new(protocol.ProduceRequest), new(protocol.MetadataRequest),
		new(protocol.ApiVersionsRequest), new(protocol.InitProducerIDRequest), new(protocol.FindCoordinatorRequest),
		new(protocol.AddPartitionsToTxnRequest), new(protocol.EndTxnRequest),
	} {
		a := m.API()
		resp.APIKeys = append(resp.APIKeys, protocol.ApiVersion{APIKey: a.Key, MinVersion: a.Min, MaxVersion: a.Max})
	}
	// librdkafka writes batches of magic 2, and zstd, only to a broker that could also serve them.
	resp.APIKeys = append(resp.APIKeys, protocol.ApiVersion{APIKey: fetchKey, MinVersion: 4, MaxVersion: 10})
	return resp
}

// fetchKey is the API key of Fetch. No client here sends one.
const fetchKey = 1

func (s *sink) metadata(req *protocol.MetadataRequest) protocol.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	cluster := "sink"
	resp := &protocol.MetadataResponse{ClusterID: &cluster, ControllerID: 1}
	for i := range s.listeners {
		host, port := s.node(int32(i + 1))
		resp.Brokers = append(resp.Brokers, protocol.MetadataBroker{NodeID: int32(i + 1), Host: host, Port: port})
	}
	if req.Topics == nil {
		for name, id := range s.ids {
			resp.Topics = append(resp.Topics, s.topic(name, id))
		}
	}
	for _, t := range req.Topics {
		name, id := "", t.TopicID
		if t.Name != nil {
			name = *t.Name
			if id = s.ids[name]; id == (protocol.UUID{}) {
				copy(id[:], "sink-"+strconv.Itoa(len(s.ids)+1))
				s.ids[name] = id
			}
		} else {
			for n, of := range s.ids {
				if of == id {
					name = n
				}
			}
		}
		resp.Topics = append(resp.Topics, s.topic(name, id))
	}
	return resp
}

// topic describes a topic. One with a name such as idle-10000 has as many partitions as that says.
func (s *sink) topic(name string, id protocol.UUID) protocol.MetadataTopic {
	topic := protocol.MetadataTopic{Name: &name, TopicID: id}
	partitions := s.options.Partitions
	if number, ok := strings.CutPrefix(name, "idle-"); ok {
		if n, err := strconv.Atoi(number); err == nil {
			partitions = n
		}
	}
	for i := range int32(partitions) {
		node := s.leader(i)
		topic.Partitions = append(topic.Partitions, protocol.MetadataPartition{
			PartitionIndex: i, LeaderID: node, ReplicaNodes: []int32{node}, ISRNodes: []int32{node},
		})
	}
	return topic
}
