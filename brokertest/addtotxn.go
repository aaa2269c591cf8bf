package brokertest

import "github.com/epistle-kafka/epistle/protocol"

// addPartitionsToTxn answers AddPartitionsToTxn: either all partitions are added, or none. The caller holds c.mu.
func (b *broker) addPartitionsToTxn(m *protocol.AddPartitionsToTxnRequest, version int16) protocol.Response {
	refused := map[TopicPartition]protocol.ErrorCode{}
	var all []TopicPartition
	for i := range m.Topics {
		for _, index := range m.Topics[i].Partitions {
			p := TopicPartition{m.Topics[i].Name, index}
			all = append(all, p)
			if code := b.c.canAdd(p); code != protocol.NoError {
				refused[p] = code
			}
		}
	}
	if len(refused) > 0 {
		return addedPartitions(m, func(p TopicPartition) protocol.ErrorCode {
			return either(refused[p], protocol.OperationNotAttempted)
		})
	}
	t, code := b.coordinated(m.TransactionalID)
	if code == protocol.NoError {
		code = t.add(m.ProducerID, m.ProducerEpoch, b.c.opts.now(), all...)
	}
	code = forVersion(code, version >= 2)
	return addedPartitions(m, func(TopicPartition) protocol.ErrorCode { return code })
}

// canAdd says whether a client may add a partition to a transaction. The caller holds c.mu.
func (c *Cluster) canAdd(p TopicPartition) protocol.ErrorCode {
	switch t := c.topics[p.Topic]; {
	case c.denied[p.Topic].write, p.Topic == offsetsTopic, p.Topic == "__transaction_state":
		return protocol.TopicAuthorizationFailed
	case t == nil, p.Partition < 0, int(p.Partition) >= len(t.partitions):
		return protocol.UnknownTopicOrPartition
	}
	return protocol.NoError
}

// addedPartitions answers AddPartitionsToTxn with a code for each partition.
func addedPartitions(m *protocol.AddPartitionsToTxnRequest, code func(TopicPartition) protocol.ErrorCode) protocol.Response {
	resp := &protocol.AddPartitionsToTxnResponse{}
	for i := range m.Topics {
		answer := protocol.AddPartitionsToTxnTopicResult{Name: m.Topics[i].Name}
		for _, index := range m.Topics[i].Partitions {
			answer.ResultsByPartition = append(answer.ResultsByPartition, protocol.AddPartitionsToTxnPartitionResult{
				PartitionIndex: index, PartitionErrorCode: code(TopicPartition{answer.Name, index}),
			})
		}
		resp.ResultsByTopic = append(resp.ResultsByTopic, answer)
	}
	return resp
}

// refuseToAdd answers AddPartitionsToTxn with a scripted code for what the action names; the rest is then not attempted.
func refuseToAdd(m *protocol.AddPartitionsToTxnRequest, a *Action) protocol.Response {
	return addedPartitions(m, func(p TopicPartition) protocol.ErrorCode {
		if code, _, scripted := a.codeFor(p.Topic, p.Partition); scripted {
			return code
		}
		return protocol.OperationNotAttempted
	})
}

// addOffsetsToTxn answers AddOffsetsToTxn. The caller holds c.mu.
func (b *broker) addOffsetsToTxn(m *protocol.AddOffsetsToTxnRequest, version int16) protocol.Response {
	t, code := b.coordinated(m.TransactionalID)
	if code == protocol.NoError {
		code = t.add(m.ProducerID, m.ProducerEpoch, b.c.opts.now(), offsetsPartition(m.GroupID))
	}
	return &protocol.AddOffsetsToTxnResponse{ErrorCode: forVersion(code, version >= 2)}
}
