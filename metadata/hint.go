package metadata

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Hint takes the new leader that a Produce answer names for a partition (KIP-951), with its address if the answer has it. It
// reports whether the hint was taken: then the partition may be sent to its new leader at once. Otherwise call RequestUpdate. A
// hint is taken only if its epoch is newer than the one known, and if the leader's address is known. Epochs belong to a topic
// id, so the caller passes only hints for the present id. Many hints before the next call of Topic cost one copy of the topic.
func (c *Cluster) Hint(now time.Time, name string, partition int32, leader protocol.LeaderIDAndEpoch, endpoints []protocol.NodeEndpoint) bool {
	t := c.topics[name]
	if t == nil || t.data == nil || t.foreign || partition < 0 || int(partition) >= len(t.data.Partitions) {
		return false
	}
	if leader.LeaderID < 0 || leader.LeaderEpoch <= t.data.Partitions[partition].LeaderEpoch {
		return false
	}
	_, known := c.brokers[leader.LeaderID]
	for i := range endpoints {
		if e := &endpoints[i]; e.NodeID == leader.LeaderID {
			c.setBroker(newBroker(e.NodeID, e.Host, e.Port, e.Rack))
			known = true
		}
	}
	if !known {
		return false
	}
	t.own().Partitions[partition] = Partition{Leader: leader.LeaderID, LeaderEpoch: leader.LeaderEpoch}
	t.touched = now
	return true
}
