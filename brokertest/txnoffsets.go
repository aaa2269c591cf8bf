package brokertest

import "github.com/epistle-kafka/epistle/protocol"

// txnOffsetCommit answers TxnOffsetCommit: the offsets of partitions that exist are kept for the end of the transaction, all of
// them or none. The caller holds c.mu.
func (b *broker) txnOffsetCommit(m *protocol.TxnOffsetCommitRequest, version int16) protocol.Response {
	c := b.c
	missing := map[TopicPartition]protocol.ErrorCode{}
	offsets := map[TopicPartition]GroupOffset{}
	name := func(t *protocol.TxnOffsetCommitTopic) string {
		if known := c.topicIDs[t.TopicID]; version >= 6 && known != nil {
			return known.name
		}
		return t.Name
	}
	for i := range m.Topics {
		for j := range m.Topics[i].Partitions {
			asked := &m.Topics[i].Partitions[j]
			p := TopicPartition{name(&m.Topics[i]), asked.PartitionIndex}
			if code := c.canCommit(p, version); code != protocol.NoError {
				missing[p] = code
				continue
			}
			c.nextOffset++
			offsets[p] = GroupOffset{asked.CommittedOffset, asked.CommittedLeaderEpoch, *orEmpty(asked.CommittedMetadata), c.nextOffset}
		}
	}
	code := protocol.NoError
	if len(offsets) > 0 {
		code = b.keepOffsets(m, version, offsets)
	}
	return committedOffsets(m, func(t *protocol.TxnOffsetCommitTopic, index int32) protocol.ErrorCode {
		return either(missing[TopicPartition{name(t), index}], code)
	})
}

// canCommit returns the code for a partition of which an offset is committed. The caller holds c.mu.
func (c *Cluster) canCommit(p TopicPartition, version int16) protocol.ErrorCode {
	switch t := c.topics[p.Topic]; {
	case t == nil && version >= 6:
		return protocol.UnknownTopicID
	case c.denied[p.Topic].describe:
		return protocol.TopicAuthorizationFailed
	case t == nil, p.Partition < 0, int(p.Partition) >= len(t.partitions):
		return protocol.UnknownTopicOrPartition
	}
	return protocol.NoError
}

// keepOffsets keeps offsets for the end of the transaction. The caller holds c.mu.
func (b *broker) keepOffsets(m *protocol.TxnOffsetCommitRequest, version int16, offsets map[TopicPartition]GroupOffset) protocol.ErrorCode {
	c := b.c
	if m.GroupID == "" {
		return protocol.InvalidGroupID
	}
	if c.coordinator(m.GroupID) != b.id {
		return protocol.NotCoordinator
	}
	code := c.verify(m.TransactionalID, m.ProducerID, m.ProducerEpoch, offsetsPartition(m.GroupID), version >= 5, version >= 4)
	if code != protocol.NoError {
		return code
	}
	if c.groups[m.GroupID] == nil && m.GenerationIDOrMemberEpoch >= 0 && !c.opts.old {
		return protocol.IllegalGeneration
	}
	g := c.group(m.GroupID)
	if code := g.admits(m); code != protocol.NoError {
		return code
	}
	if g.pending[m.ProducerID] == nil {
		g.pending[m.ProducerID] = map[TopicPartition]GroupOffset{}
	}
	for p, offset := range offsets {
		g.pending[m.ProducerID][p] = offset
	}
	return protocol.NoError
}

// committedOffsets answers TxnOffsetCommit with a code for each partition.
func committedOffsets(m *protocol.TxnOffsetCommitRequest, code func(*protocol.TxnOffsetCommitTopic, int32) protocol.ErrorCode) protocol.Response {
	resp := &protocol.TxnOffsetCommitResponse{}
	for i := range m.Topics {
		answer := protocol.TxnOffsetCommitTopicResponse{Name: m.Topics[i].Name, TopicID: m.Topics[i].TopicID}
		for _, p := range m.Topics[i].Partitions {
			answer.Partitions = append(answer.Partitions, protocol.TxnOffsetCommitPartitionResponse{
				PartitionIndex: p.PartitionIndex, ErrorCode: code(&m.Topics[i], p.PartitionIndex),
			})
		}
		resp.Topics = append(resp.Topics, answer)
	}
	return resp
}
