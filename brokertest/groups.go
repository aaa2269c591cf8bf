package brokertest

import (
	"maps"
	"slices"
	"unicode/utf16"

	"github.com/epistle-kafka/epistle/protocol"
)

// group is a consumer group, as far as a producer meets one: its offsets, and who may commit them in a transaction. Guarded by
// Cluster.mu.
type group struct {
	generation int32
	members    []string // empty: anybody without a generation may commit
	offsets    map[TopicPartition]GroupOffset
	pending    map[int64]map[TopicPartition]GroupOffset // by the producer ID of the open transaction
}

// GroupOffset is what a group has committed for a partition.
type GroupOffset struct {
	Offset      int64 // offset of the record to read next
	LeaderEpoch int32 // -1: none was given
	Metadata    string

	order int64 // among the commits of all groups; a commit does not overwrite a later one
}

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Kafka keeps the offsets of groups in a topic. Its partitions belong to transactions like any others. The hash of a group's
// name gives its partition.
const (
	offsetsTopic      = "__consumer_offsets"
	offsetsPartitions = 50
)

func offsetsPartition(groupID string) TopicPartition {
	var hash int32
	for _, unit := range utf16.Encode([]rune(groupID)) { // as Java's String.hashCode
		hash = 31*hash + int32(unit)
	}
	return TopicPartition{offsetsTopic, hash & 0x7fffffff % offsetsPartitions}
}

// endOffsets commits or drops what a producer's transaction has written to a partition of the offsets topic. The caller holds
// c.mu.
func (c *Cluster) endOffsets(p TopicPartition, producerID int64, commit bool) {
	for id, g := range c.groups {
		if offsetsPartition(id) != p {
			continue
		}
		for q, offset := range g.pending[producerID] {
			if commit && offset.order > g.offsets[q].order {
				g.offsets[q] = offset
			}
		}
		delete(g.pending, producerID)
	}
}

// admits returns the code for a member that commits offsets, as Kafka does for a group of the classic protocol in a
// transaction.
func (g *group) admits(m *protocol.TxnOffsetCommitRequest) protocol.ErrorCode {
	generation := m.GenerationIDOrMemberEpoch
	switch {
	case generation < 0 && len(g.members) == 0, generation < 0 && m.MemberID == "" && m.GroupInstanceID == nil:
		return protocol.NoError
	case !slices.Contains(g.members, m.MemberID):
		return protocol.UnknownMemberID
	case generation != g.generation:
		return protocol.IllegalGeneration
	}
	return protocol.NoError
}

// group returns a group, and makes it if there is none. The caller holds c.mu.
func (c *Cluster) group(id string) *group {
	g := c.groups[id]
	if g == nil {
		g = &group{offsets: map[TopicPartition]GroupOffset{}, pending: map[int64]map[TopicPartition]GroupOffset{}}
		c.groups[id] = g
	}
	return g
}

// SetGroup gives a consumer group these members in this generation, as after a rebalance. In a transaction, offsets are then
// taken from these members under this generation, and refused from anybody else who claims to be a member (KIP-447). Without
// members the group is empty.
func (c *Cluster) SetGroup(groupID string, generation int32, memberIDs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.group(groupID)
	g.generation, g.members = generation, memberIDs
}

// GroupOffsets returns what a group has committed. What belongs to transactions that are not complete is not in it.
func (c *Cluster) GroupOffsets(groupID string) map[TopicPartition]GroupOffset {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	offsets := map[TopicPartition]GroupOffset{}
	if g := c.groups[groupID]; g != nil {
		maps.Copy(offsets, g.offsets)
	}
	return offsets
}

// PendingOffsets returns what a group will have committed once the transactions that wrote it are committed.
func (c *Cluster) PendingOffsets(groupID string) map[TopicPartition]GroupOffset {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	offsets := map[TopicPartition]GroupOffset{}
	if g := c.groups[groupID]; g != nil {
		for _, pending := range g.pending {
			maps.Copy(offsets, pending)
		}
	}
	return offsets
}
