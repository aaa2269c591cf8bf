package brokertest

import (
	"github.com/epistle-kafka/epistle/protocol"
)

// produce answers a Produce request. It reports false if the connection must be closed instead, as Kafka does with acks=0 after
// any error.
func (b *broker) produce(r *Request, m *protocol.ProduceRequest, a *Action) (protocol.Response, bool) {
	checked := make([][]checkedBatch, len(m.Topics))
	for i := range m.Topics {
		for j := range m.Topics[i].Partitions {
			batch := checkBatch(contiguous(m.Topics[i].Partitions[j].Records), r.Version)
			if batch.unreadable != "" {
				return unreadableRequest(m, batch.unreadable)
			}
			checked[i] = append(checked[i], batch)
		}
	}

	c := b.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.up {
		return nil, false
	}
	c.settle()
	resp := &protocol.ProduceResponse{}
	failed, mixed := false, mixesProducers(checked)
	for i := range m.Topics {
		asked := &m.Topics[i]
		answer := protocol.ProduceTopicResponse{Name: asked.Name, TopicID: asked.TopicID}
		t := c.topics[asked.Name]
		if r.Version >= 13 {
			t = c.topicIDs[asked.TopicID]
		}
		for j := range asked.Partitions {
			index := asked.Partitions[j].Index
			p := b.producePartition(&produceCall{
				request: r, message: m, topic: t, name: asked.Name, index: index, batch: &checked[i][j], action: a,
				mixed: mixed,
			})
			if p.ErrorCode == protocol.NotLeaderOrFollower {
				c.hintLeader(resp, &p, t, r.Version)
			}
			failed = failed || p.ErrorCode != protocol.NoError
			answer.Partitions = append(answer.Partitions, p)
		}
		resp.Topics = append(resp.Topics, answer)
	}
	if m.Acks == 0 {
		return nil, !failed
	}
	return resp, true
}

// unreadableRequest refuses all partitions of a request.
func unreadableRequest(m *protocol.ProduceRequest, text string) (protocol.Response, bool) {
	if m.Acks == 0 {
		return nil, false
	}
	resp := &protocol.ProduceResponse{}
	for i := range m.Topics {
		answer := protocol.ProduceTopicResponse{Name: m.Topics[i].Name, TopicID: m.Topics[i].TopicID}
		for j := range m.Topics[i].Partitions {
			p := refusal(m.Topics[i].Partitions[j].Index, protocol.CorruptMessage)
			p.ErrorMessage = &text
			answer.Partitions = append(answer.Partitions, p)
		}
		resp.Topics = append(resp.Topics, answer)
	}
	return resp, true
}

// produceCall is one partition of a Produce request.
type produceCall struct {
	request *Request
	message *protocol.ProduceRequest
	topic   *topic // nil if there is none
	name    string // empty since version 13, if the topic is not known
	index   int32
	batch   *checkedBatch
	action  *Action
	mixed   bool // the request has transactional batches of more than one producer
}

func mixesProducers(checked [][]checkedBatch) bool {
	first := protocol.BatchHeader{ProducerID: -1}
	for _, partitions := range checked {
		for i := range partitions {
			h := &partitions[i].header
			switch {
			case !h.Transactional || h.ProducerID < 0:
			case first.ProducerID < 0:
				first = *h
			case h.ProducerID != first.ProducerID || h.ProducerEpoch != first.ProducerEpoch:
				return true
			}
		}
	}
	return false
}

// producePartition appends one batch, if all is well and no scripted fault forbids it. The caller holds c.mu.
func (b *broker) producePartition(call *produceCall) protocol.ProducePartitionResponse {
	name := call.name
	if call.topic != nil {
		name = call.topic.name
	}
	code, after, scripted := call.action.codeFor(name, call.index)
	if scripted && !after {
		return refusal(call.index, code)
	}
	answer := b.appendBatch(call)
	if scripted && answer.ErrorCode == protocol.NoError {
		return refusal(call.index, code)
	}
	return answer
}

// refusal returns the answer for a partition that has a code and nothing else.
func refusal(index int32, code protocol.ErrorCode) protocol.ProducePartitionResponse {
	return protocol.ProducePartitionResponse{
		Index: index, ErrorCode: code, BaseOffset: -1, LogAppendTime: -1, LogStartOffset: -1,
		CurrentLeader: protocol.LeaderIDAndEpoch{LeaderID: -1, LeaderEpoch: -1},
	}
}

// appendBatch makes Kafka's checks of a batch in Kafka's order, and appends it. The caller holds c.mu.
func (b *broker) appendBatch(call *produceCall) protocol.ProducePartitionResponse {
	t, batch, answer := call.topic, call.batch, refusal(call.index, protocol.NoError)
	if code := b.admitPartition(call); code != protocol.NoError {
		answer.ErrorCode = code
		return answer
	}
	p := t.partitions[call.index]
	if p.leader != b.id || call.request.former {
		answer.ErrorCode = protocol.NotLeaderOrFollower
		return answer
	}
	if answer.ErrorCode, answer.ErrorMessage = b.c.verifyTransaction(call); answer.ErrorCode != protocol.NoError {
		return answer
	}
	switch {
	case batch.offset == protocol.NoError && len(batch.bytes) > t.config.maxMessageBytes:
		answer.ErrorCode = protocol.MessageTooLarge
		return answer
	case batch.offset == protocol.NoError && batch.crc != protocol.NoError:
		answer.ErrorCode = batch.crc
		return answer
	}

	// From here on Kafka tells where the log starts, also with an error.
	answer.LogStartOffset = 0
	if call.message.Acks == -1 && len(p.isr) < min(t.config.minISR, len(p.replicas)) {
		answer.ErrorCode = protocol.NotEnoughReplicas
		return answer
	}
	if code := either(batch.offset, batch.content); code != protocol.NoError {
		answer.ErrorCode = code
		return answer
	}
	now := b.c.opts.now().UnixMilli()
	if errs, code, text := batch.recordErrors(t, call.index, now); len(errs) > 0 {
		answer.ErrorCode, answer.RecordErrors, answer.ErrorMessage = code, errs, &text
		return answer
	}
	h := batch.header
	p.log.forget(now, b.c.opts.expiration.Milliseconds())
	if h.ProducerID >= 0 {
		duplicate, code := p.log.admit(h)
		if code != protocol.NoError {
			answer.ErrorCode = code
			return answer
		}
		if duplicate != nil {
			answer.BaseOffset, answer.LogAppendTime = duplicate.firstOffset, duplicate.timestamp
			return answer
		}
	}
	appendTime := int64(0)
	if t.config.logAppendTime {
		appendTime, answer.LogAppendTime = now, now
		h.MaxTimestamp = now
	}
	h.BaseOffset = p.log.append(h, batch.bytes, p.epoch, appendTime, !b.c.opts.discard)
	p.log.remember(h)
	answer.BaseOffset = h.BaseOffset
	return answer
}

// admitPartition checks what Kafka checks before it looks for the partition's leader. The caller holds c.mu.
func (b *broker) admitPartition(call *produceCall) protocol.ErrorCode {
	t, m := call.topic, call.message
	switch {
	case call.batch.header.Transactional && m.TransactionalID == nil:
		return protocol.TransactionalIDAuthorizationFailed
	case m.TransactionalID != nil && b.c.rights.noTransaction[*m.TransactionalID]:
		return protocol.TransactionalIDAuthorizationFailed
	case t == nil && call.request.Version >= 13:
		return protocol.UnknownTopicID
	case t != nil && b.c.denied[t.name].write, b.c.denied[call.name].write:
		return protocol.TopicAuthorizationFailed
	case t == nil, call.index < 0, int(call.index) >= len(t.partitions):
		return protocol.UnknownTopicOrPartition
	case call.batch.shape != protocol.NoError:
		return call.batch.shape
	case m.Acks < -1 || m.Acks > 1:
		return protocol.InvalidRequiredAcks
	}
	return protocol.NoError
}

// hintLeader tells who leads a partition, since version 10 (KIP-951). The caller holds c.mu.
func (c *Cluster) hintLeader(resp *protocol.ProduceResponse, p *protocol.ProducePartitionResponse, t *topic, version int16) {
	if version < 10 || t == nil || p.Index < 0 || int(p.Index) >= len(t.partitions) {
		return
	}
	p.CurrentLeader = t.partitions[p.Index].hint()
	leader := p.CurrentLeader.LeaderID
	if leader < 0 {
		return
	}
	for i := range resp.NodeEndpoints {
		if resp.NodeEndpoints[i].NodeID == leader {
			return
		}
	}
	b := c.broker(leader)
	resp.NodeEndpoints = append(resp.NodeEndpoints, protocol.NodeEndpoint{NodeID: b.id, Host: b.host, Port: b.port})
}

// contiguous joins the chunks of a batch; decoding makes one chunk.
func contiguous(chunks [][]byte) []byte {
	if len(chunks) == 1 {
		return chunks[0]
	}
	var all []byte
	for _, chunk := range chunks {
		all = append(all, chunk...)
	}
	return all
}
