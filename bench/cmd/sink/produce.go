package main

import "github.com/epistle-kafka/epistle/protocol"

// produce acknowledges, and counts what it acknowledges.
func (c *conn) produce(clientID *string, req *protocol.ProduceRequest) protocol.Response {
	id := ""
	if clientID != nil {
		id = *clientID
	}
	if c.counter == nil || id != c.clientID {
		c.clientID, c.counter = id, c.counts.of(id)
	}
	resp := &protocol.ProduceResponse{Topics: make([]protocol.ProduceTopicResponse, 0, len(req.Topics))}
	var sum tally
	sum.requests = 1
	for _, t := range req.Topics {
		topic := protocol.ProduceTopicResponse{
			Name: t.Name, TopicID: t.TopicID,
			Partitions: make([]protocol.ProducePartitionResponse, 0, len(t.Partitions)),
		}
		for _, p := range t.Partitions {
			n, code := c.take(&t, &p, &sum)
			answer := protocol.ProducePartitionResponse{
				Index: p.Index, ErrorCode: code, BaseOffset: -1, LogAppendTime: -1,
				CurrentLeader: protocol.LeaderIDAndEpoch{LeaderID: -1, LeaderEpoch: -1},
			}
			if code == protocol.NoError {
				answer.BaseOffset = c.offsets(n)
			}
			topic.Partitions = append(topic.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	c.counter.add(sum)
	if req.Acks == 0 {
		return nil
	}
	return resp
}

// take counts the batch of one partition and returns the number of its records, or why it is refused.
func (c *conn) take(t *protocol.ProduceTopic, p *protocol.ProducePartition, sum *tally) (int64, protocol.ErrorCode) {
	var batch []byte
	if len(p.Records) > 0 {
		batch = p.Records[0]
	}
	h, code := protocol.BatchHeader{}, protocol.NoError
	if c.options.Verify {
		h, code = c.checks.batch(t, p.Index, batch)
	} else {
		var err error
		if h, err = protocol.ReadBatchHeader(batch); err != nil {
			code = protocol.CorruptMessage
		}
	}
	switch code {
	case protocol.NoError:
		sum.batches++
		sum.records += int64(h.Count)
		sum.bytes += int64(len(batch))
		return int64(h.Count), code
	case protocol.DuplicateSequenceNumber:
		sum.duplicates++
		return 0, code
	}
	sum.faults++
	return 0, code
}

func (s *sink) offsets(n int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += n
	return s.offset - n
}
