package brokertest

import "github.com/epistle-kafka/epistle/protocol"

// The timestamps of ListOffsets that are not points in time.
const (
	latest               = -1
	earliest             = -2
	maxTimestamp         = -3 // since version 7
	earliestLocal        = -4 // since version 8
	latestTiered         = -5 // since version 9
	earliestNotYetTiered = -6 // since version 11
)

// listOffsets answers ListOffsets. The caller holds c.mu.
func (b *broker) listOffsets(m *protocol.ListOffsetsRequest, version int16) protocol.Response {
	resp := &protocol.ListOffsetsResponse{}
	for i := range m.Topics {
		t := &m.Topics[i]
		answer := protocol.ListOffsetsTopicResponse{Name: t.Name}
		for j := range t.Partitions {
			answer.Partitions = append(answer.Partitions, b.listOffset(m, t.Name, &t.Partitions[j], version))
		}
		resp.Topics = append(resp.Topics, answer)
	}
	return resp
}

func (b *broker) listOffset(m *protocol.ListOffsetsRequest, name string, asked *protocol.ListOffsetsPartition, version int16) protocol.ListOffsetsPartitionResponse {
	answer := protocol.ListOffsetsPartitionResponse{
		PartitionIndex: asked.PartitionIndex, Timestamp: -1, Offset: -1, LeaderEpoch: -1,
	}
	t := b.c.topics[name]
	switch {
	case b.c.denied[name].describe:
		answer.ErrorCode = protocol.TopicAuthorizationFailed
		return answer
	case t == nil, asked.PartitionIndex < 0, int(asked.PartitionIndex) >= len(t.partitions):
		answer.ErrorCode = protocol.UnknownTopicOrPartition
		return answer
	}
	p := t.partitions[asked.PartitionIndex]
	switch {
	case p.leader != b.id:
		answer.ErrorCode = protocol.NotLeaderOrFollower
		return answer
	case asked.CurrentLeaderEpoch >= 0 && asked.CurrentLeaderEpoch < p.epoch:
		answer.ErrorCode = protocol.FencedLeaderEpoch
		return answer
	case asked.CurrentLeaderEpoch > p.epoch:
		answer.ErrorCode = protocol.UnknownLeaderEpoch
		return answer
	}
	since := map[int64]int16{maxTimestamp: 7, earliestLocal: 8, latestTiered: 9, earliestNotYetTiered: 11}
	if asked.Timestamp < earliestNotYetTiered || version < since[asked.Timestamp] {
		answer.ErrorCode = protocol.UnsupportedVersion
		return answer
	}
	end := p.log.end
	if m.IsolationLevel == readCommitted {
		end = p.log.lastStable()
	}
	p.log.find(asked.Timestamp, end, &answer)
	if answer.Offset >= 0 {
		answer.LeaderEpoch = p.epoch
	}
	return answer
}

// readCommitted is the isolation level of ListOffsets that sees no open transaction.
const readCommitted int8 = 1

// find sets the offset, and the timestamp where a record is meant, for a timestamp of ListOffsets, in a log that ends for the
// reader at end.
func (l *log) find(at, end int64, answer *protocol.ListOffsetsPartitionResponse) {
	switch {
	case at == latest:
		answer.Offset = end
	case at == earliest || at == earliestLocal:
		answer.Offset = 0
	case at == maxTimestamp:
		for _, b := range l.batches {
			for _, r := range b.recordsIf(b.Header.MaxTimestamp > answer.Timestamp) {
				if r.Timestamp > answer.Timestamp {
					answer.Timestamp, answer.Offset = r.Timestamp, r.Offset
				}
			}
		}
		if answer.Offset >= end {
			answer.Timestamp, answer.Offset = -1, -1
		}
	case at >= 0:
		for _, b := range l.batches {
			for _, r := range b.recordsIf(b.Header.MaxTimestamp >= at) {
				if r.Timestamp >= at && r.Offset < end {
					answer.Timestamp, answer.Offset = r.Timestamp, r.Offset
					return
				}
			}
		}
	}
	// The other timestamps are about tiered storage, which there is not.
}

func (b Batch) recordsIf(needed bool) []Record {
	if !needed {
		return nil
	}
	return b.Records()
}

func refuseOffsets(m *protocol.ListOffsetsRequest, code protocol.ErrorCode) protocol.Response {
	resp := &protocol.ListOffsetsResponse{}
	for i := range m.Topics {
		answer := protocol.ListOffsetsTopicResponse{Name: m.Topics[i].Name}
		for _, p := range m.Topics[i].Partitions {
			answer.Partitions = append(answer.Partitions, protocol.ListOffsetsPartitionResponse{
				PartitionIndex: p.PartitionIndex, ErrorCode: code, Timestamp: -1, Offset: -1, LeaderEpoch: -1,
			})
		}
		resp.Topics = append(resp.Topics, answer)
	}
	return resp
}
