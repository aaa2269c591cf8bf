package brokertest

import (
	"hash/crc32"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
)

// The key types of FindCoordinator.
const (
	groupKey       int8 = 0
	transactionKey int8 = 1
	shareKey       int8 = 2
)

// findCoordinator answers FindCoordinator. As in Kafka, the first request for a key type makes the topic in which the
// coordinators keep their state, and is answered COORDINATOR_NOT_AVAILABLE. The caller holds c.mu.
func (c *Cluster) findCoordinator(m *protocol.FindCoordinatorRequest, version int16) protocol.Response {
	keyType := m.KeyType
	if version == 0 {
		keyType = groupKey
	}
	switch {
	case keyType < groupKey || keyType > shareKey:
		return refuseCoordinator(m, version, protocol.InvalidRequest, malformed)
	case keyType == shareKey && version < 6:
		return refuseCoordinator(m, version, protocol.InvalidRequest, "")
	case !c.coordinators[keyType] && keyType != shareKey:
		c.coordinators[keyType] = true
		return refuseCoordinator(m, version, protocol.CoordinatorNotAvailable, "")
	}
	find := func(key string) protocol.Coordinator {
		if keyType == shareKey && strings.Count(key, ":") < 2 {
			return noCoordinator(key, protocol.InvalidRequest, "")
		}
		id := c.coordinator(key)
		if id < 0 {
			return noCoordinator(key, protocol.CoordinatorNotAvailable, "")
		}
		b := c.broker(id)
		return protocol.Coordinator{Key: key, NodeID: b.id, Host: b.host, Port: b.port, ErrorMessage: new(string)}
	}
	resp := &protocol.FindCoordinatorResponse{}
	if version < 4 {
		one := find(m.Key)
		if text := one.ErrorCode.Name(); *one.ErrorMessage == "" {
			one.ErrorMessage = &text
		}
		resp.ErrorCode, resp.ErrorMessage = one.ErrorCode, one.ErrorMessage
		resp.NodeID, resp.Host, resp.Port = one.NodeID, one.Host, one.Port
		return resp
	}
	for _, key := range m.CoordinatorKeys {
		resp.Coordinators = append(resp.Coordinators, find(key))
	}
	return resp
}

// coordinator returns the broker that coordinates a key; -1 if no broker is up. The caller holds c.mu.
func (c *Cluster) coordinator(key string) int32 {
	if id, ok := c.moved[key]; ok && c.broker(id).up {
		return id
	}
	n := uint32(len(c.brokers))
	first := crc32.ChecksumIEEE([]byte(key)) % n
	for i := range n {
		if b := c.brokers[(first+i)%n]; b.up {
			return b.id
		}
	}
	return -1
}

// Coordinator returns the node ID of the broker that coordinates a transactional ID or a group now; -1 if no broker is up.
func (c *Cluster) Coordinator(key string) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.coordinator(key)
}

// MoveCoordinator makes a broker the coordinator of a transactional ID or a group, for as long as that broker is up. All state
// moves there. Other brokers answer NOT_COORDINATOR from then on.
func (c *Cluster) MoveCoordinator(key string, nodeID int32) {
	c.broker(nodeID)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved[key] = nodeID
}

// malformed is Kafka's text for a request that it could read and cannot answer.
const malformed = "This most likely occurs because of a request being malformed by the client library or the message was " +
	"sent to an incompatible broker. See the broker logs for more details."

func noCoordinator(key string, code protocol.ErrorCode, text string) protocol.Coordinator {
	return protocol.Coordinator{Key: key, NodeID: -1, Port: -1, ErrorCode: code, ErrorMessage: &text}
}

func refuseCoordinator(m *protocol.FindCoordinatorRequest, version int16, code protocol.ErrorCode, text string) protocol.Response {
	resp := &protocol.FindCoordinatorResponse{}
	if version < 4 {
		one := noCoordinator(m.Key, code, text)
		resp.ErrorCode, resp.ErrorMessage, resp.NodeID, resp.Port = one.ErrorCode, one.ErrorMessage, one.NodeID, one.Port
		return resp
	}
	for _, key := range m.CoordinatorKeys {
		resp.Coordinators = append(resp.Coordinators, noCoordinator(key, code, text))
	}
	return resp
}
