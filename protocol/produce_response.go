package protocol

import "time"

// ProduceResponse tells what became of each batch of a ProduceRequest.
//
// DecodeResponse reuses the slices of a response that was used before. So whatever was kept of them changes then. Strings do
// not change, and nothing refers to the frame. A steady stream of answers of one shape allocates nothing.
type ProduceResponse struct {
	Topics        []ProduceTopicResponse
	ThrottleTime  time.Duration
	NodeEndpoints []NodeEndpoint // from v10: where the brokers named in CurrentLeader listen
}

// ProduceTopicResponse is the answer for one topic, which has its name up to v12 and its ID from v13 on.
type ProduceTopicResponse struct {
	Name       string
	TopicID    UUID
	Partitions []ProducePartitionResponse
}

// ProducePartitionResponse is the answer for one partition's batch.
type ProducePartitionResponse struct {
	Index          int32
	ErrorCode      ErrorCode
	BaseOffset     int64            // of the batch's first record; means nothing after an error
	LogAppendTime  int64            // ms since 1970; -1 where the topic keeps the records' own timestamps
	LogStartOffset int64            // from v5; -1 = unknown
	RecordErrors   []RecordError    // from v8: the records because of which the whole batch was refused (KIP-467)
	ErrorMessage   *string          // from v8
	CurrentLeader  LeaderIDAndEpoch // from v10, after NotLeaderOrFollower (KIP-951)
}

// RecordError names a record for which its batch was refused.
type RecordError struct {
	BatchIndex int32 // of the record in its batch, from 0
	Message    *string
}

// LeaderIDAndEpoch tells a partition's leader. {-1, -1} is none.
type LeaderIDAndEpoch struct{ LeaderID, LeaderEpoch int32 }

var noLeader = LeaderIDAndEpoch{LeaderID: -1, LeaderEpoch: -1}

// NodeEndpoint is where a broker listens.
type NodeEndpoint struct {
	NodeID int32
	Host   string
	Port   int32
	Rack   *string
}

func (*ProduceResponse) API() API { return (*ProduceRequest)(nil).API() }

func (m *ProduceResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *ProduceResponse) encode(e *messageEncoder) {
	encodeArray(e, m.Topics)
	e.millis(m.ThrottleTime)
	e.taggedFields(
		tagged(0, e.version >= 10 && len(m.NodeEndpoints) > 0, func() { encodeArray(e, m.NodeEndpoints) }),
	)
}

func (*ProduceResponse) selfContained() {}

// Not decodeArray, here and below: its calls through a type parameter would put the decoder on the heap, for each answer.
func (m *ProduceResponse) decode(d *decoder) {
	used := *m // its slices are the memory for the new ones
	*m = ProduceResponse{}
	m.Topics = decodeInto(d, 3, used.Topics)
	for i := range m.Topics {
		m.Topics[i].decode(d)
	}
	m.ThrottleTime = d.millis()
	d.taggedFields(func(tag uint32) bool {
		if d.version < 10 || tag != 0 {
			return false
		}
		m.NodeEndpoints = decodeInto(d, 11, used.NodeEndpoints)
		for i := range m.NodeEndpoints {
			m.NodeEndpoints[i].decode(d)
		}
		return true
	})
}

func (t *ProduceTopicResponse) encode(e *messageEncoder) {
	if e.version >= 13 {
		e.uuid(t.TopicID)
	} else {
		e.string(t.Name)
	}
	encodeArray(e, t.Partitions)
	e.tags()
}

func (t *ProduceTopicResponse) decode(d *decoder) {
	used := *t
	*t = ProduceTopicResponse{}
	if d.version >= 13 {
		t.TopicID = d.uuid()
	} else {
		t.Name = d.stringLike(used.Name)
	}
	t.Partitions = decodeInto(d, 22, used.Partitions)
	for i := range t.Partitions {
		t.Partitions[i].decode(d)
	}
	d.tags()
}

func (p *ProducePartitionResponse) encode(e *messageEncoder) {
	e.int32(p.Index)
	e.errorCode(p.ErrorCode)
	e.int64(p.BaseOffset)
	e.int64(p.LogAppendTime)
	if e.version >= 5 {
		e.int64(p.LogStartOffset)
	}
	if e.version >= 8 {
		encodeArray(e, p.RecordErrors)
		e.nullableString(p.ErrorMessage)
	}
	e.taggedFields(
		tagged(0, e.version >= 10 && p.CurrentLeader != noLeader, func() { p.CurrentLeader.encode(e) }),
	)
}

func (p *ProducePartitionResponse) decode(d *decoder) {
	used := p.RecordErrors
	*p = ProducePartitionResponse{LogStartOffset: -1, CurrentLeader: noLeader}
	p.Index = d.int32()
	p.ErrorCode = d.errorCode()
	p.BaseOffset = d.int64()
	p.LogAppendTime = d.int64()
	if d.version >= 5 {
		p.LogStartOffset = d.int64()
	}
	if d.version >= 8 {
		p.RecordErrors = decodeInto(d, 5, used)
		for i := range p.RecordErrors {
			p.RecordErrors[i].decode(d)
		}
		p.ErrorMessage = d.nullableString()
	}
	d.taggedFields(func(tag uint32) bool {
		if d.version < 10 || tag != 0 {
			return false
		}
		p.CurrentLeader.decode(d)
		return true
	})
}

func (r *RecordError) encode(e *messageEncoder) {
	e.int32(r.BatchIndex)
	e.nullableString(r.Message)
	e.tags()
}

func (r *RecordError) decode(d *decoder) {
	r.BatchIndex = d.int32()
	r.Message = d.nullableString()
	d.tags()
}

func (l *LeaderIDAndEpoch) encode(e *messageEncoder) {
	e.int32(l.LeaderID)
	e.int32(l.LeaderEpoch)
	e.tags()
}

func (l *LeaderIDAndEpoch) decode(d *decoder) {
	l.LeaderID = d.int32()
	l.LeaderEpoch = d.int32()
	d.tags()
}

func (n *NodeEndpoint) encode(e *messageEncoder) {
	e.int32(n.NodeID)
	e.string(n.Host)
	e.int32(n.Port)
	e.nullableString(n.Rack)
	e.tags()
}

func (n *NodeEndpoint) decode(d *decoder) {
	n.NodeID = d.int32()
	n.Host = d.string()
	n.Port = d.int32()
	n.Rack = d.nullableString()
	d.tags()
}
