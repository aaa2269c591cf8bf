package brokertest

import (
	"cmp"
	"math"

	"github.com/epistle-kafka/epistle/protocol"
)

// noOperations says that authorized operations were not asked for, or are not known.
const noOperations = math.MinInt32

// metadata answers Metadata, and creates topics if it may. The caller holds c.mu.
func (c *Cluster) metadata(m *protocol.MetadataRequest, version int16, create bool) *protocol.MetadataResponse {
	id := c.id
	resp := &protocol.MetadataResponse{
		ClusterID: &id, ControllerID: -1, ClusterAuthorizedOperations: noOperations,
	}
	for _, b := range c.brokers {
		if b.up {
			resp.Brokers = append(resp.Brokers, protocol.MetadataBroker{NodeID: b.id, Host: b.host, Port: b.port})
			if resp.ControllerID < 0 {
				resp.ControllerID = b.id
			}
		}
	}
	if m.Topics == nil || version == 0 && len(m.Topics) == 0 {
		for _, t := range c.sortedTopics() {
			if !c.denied[t.name].describe {
				resp.Topics = append(resp.Topics, c.describeTopic(t))
			}
		}
		return c.authorize(m, version, resp)
	}
	if version >= 10 && version < 12 && asksByID(m) {
		// These versions have a field for the topic ID, and brokers refuse a request that uses it.
		resp = &protocol.MetadataResponse{ControllerID: -1, ClusterAuthorizedOperations: noOperations}
		for i := range m.Topics {
			resp.Topics = append(resp.Topics, protocol.MetadataTopic{
				ErrorCode: protocol.InvalidRequest, Name: cmp.Or(m.Topics[i].Name, new(string)), TopicID: m.Topics[i].TopicID,
				TopicAuthorizedOperations: noOperations,
			})
		}
		return resp
	}
	create = create && (version < 4 || m.AllowAutoTopicCreation)
	for i := range m.Topics {
		resp.Topics = append(resp.Topics, c.lookUp(&m.Topics[i], create))
	}
	return c.authorize(m, version, resp)
}

func asksByID(m *protocol.MetadataRequest) bool {
	for i := range m.Topics {
		if m.Topics[i].Name == nil || m.Topics[i].TopicID != (protocol.UUID{}) {
			return true
		}
	}
	return false
}

// lookUp answers for one topic, by ID if there is no name. The request that creates a topic is still told that it is unknown.
// The caller holds c.mu.
func (c *Cluster) lookUp(asked *protocol.MetadataRequestTopic, create bool) protocol.MetadataTopic {
	unknown := protocol.MetadataTopic{
		ErrorCode: protocol.UnknownTopicOrPartition, Name: asked.Name, TopicAuthorizedOperations: noOperations,
	}
	if asked.Name == nil || asked.TopicID != (protocol.UUID{}) {
		t := c.topicIDs[asked.TopicID]
		unknown.Name, unknown.TopicID = nil, asked.TopicID
		switch {
		case t == nil:
			unknown.ErrorCode = protocol.UnknownTopicID
		case c.denied[t.name].describe:
			unknown.ErrorCode = protocol.TopicAuthorizationFailed
		default:
			return c.describeTopic(t)
		}
		return unknown
	}
	name := *asked.Name
	switch {
	case c.denied[name].describe:
		unknown.ErrorCode = protocol.TopicAuthorizationFailed
	case c.topics[name] != nil:
		return c.describeTopic(c.topics[name])
	case illegalTopicName(name) != "":
		unknown.ErrorCode = protocol.InvalidTopicException
	case create:
		c.create(name, c.opts.partitions, min(3, len(c.brokers)), c.opts.topicConfig())
	}
	return unknown
}

// describeTopic returns Metadata's answer for a topic. The caller holds c.mu.
func (c *Cluster) describeTopic(t *topic) protocol.MetadataTopic {
	answer := protocol.MetadataTopic{Name: &t.name, TopicID: t.id, TopicAuthorizedOperations: noOperations}
	for i, p := range t.partitions {
		d := protocol.MetadataPartition{
			PartitionIndex: int32(i), LeaderID: p.leader, LeaderEpoch: p.epoch,
			ReplicaNodes: append([]int32{}, p.replicas...), ISRNodes: append([]int32{}, p.isr...), OfflineReplicas: []int32{},
		}
		for _, r := range p.replicas {
			if !c.broker(r).up {
				d.OfflineReplicas = append(d.OfflineReplicas, r)
			}
		}
		if p.leader < 0 {
			d.ErrorCode = protocol.LeaderNotAvailable
		}
		answer.Partitions = append(answer.Partitions, d)
	}
	return answer
}

// refuseMetadata answers Metadata with a scripted code for the topics, or for the topic or partition that the action names. A
// code for the whole answer has a field of its own since version 13.
func (b *broker) refuseMetadata(r *Request, a *Action) (protocol.Response, bool) {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	if !b.up {
		return nil, false
	}
	resp := b.c.metadata(r.Message.(*protocol.MetadataRequest), r.Version, false)
	if a.code == protocol.IllegalSaslState { // a client that has not logged in is told nothing of the cluster
		resp.Brokers, resp.ClusterID, resp.ControllerID = nil, nil, -1
	}
	if a.code == protocol.RebootstrapRequired || len(resp.Topics) == 0 {
		resp.ErrorCode = a.code
		return resp, true
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		switch {
		case a.topic != "" && (t.Name == nil || *t.Name != a.topic):
		case a.index < 0:
			*t = protocol.MetadataTopic{ErrorCode: a.code, Name: t.Name, TopicAuthorizedOperations: noOperations}
		case int(a.index) < len(t.Partitions):
			p := &t.Partitions[a.index]
			p.ErrorCode, p.LeaderID = a.code, -1
		}
	}
	return resp, true
}
