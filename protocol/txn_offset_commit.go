package protocol

import "time"

// TxnOffsetCommitRequest commits a consumer group's offsets as part of a transaction.
type TxnOffsetCommitRequest struct {
	TransactionalID string
	GroupID         string
	ProducerID      int64
	ProducerEpoch   int16

	// From v3: the consumer that the offsets come from.
	GenerationIDOrMemberEpoch int32   // -1 = none
	MemberID                  string  // empty = none
	GroupInstanceID           *string // nil = not a static member

	Topics []TxnOffsetCommitTopic
}

// TxnOffsetCommitTopic is a topic with offsets. It has its name up to v5 and its ID from v6 on.
type TxnOffsetCommitTopic struct {
	Name       string
	TopicID    UUID
	Partitions []TxnOffsetCommitPartition
}

// TxnOffsetCommitPartition is the offset of one partition.
type TxnOffsetCommitPartition struct {
	PartitionIndex       int32
	CommittedOffset      int64 // of the record to read next
	CommittedLeaderEpoch int32 // from v2: of the last record read, -1 = unknown
	CommittedMetadata    *string
}

func (*TxnOffsetCommitRequest) API() API {
	return API{Name: "TxnOffsetCommit", Key: 28, Min: 0, Max: 6, Flexible: 3, ClientThrottled: 1}
}

func (*TxnOffsetCommitRequest) NewResponse() Response { return new(TxnOffsetCommitResponse) }

func (m *TxnOffsetCommitRequest) encode(e *messageEncoder) {
	e.string(m.TransactionalID)
	e.string(m.GroupID)
	e.int64(m.ProducerID)
	e.int16(m.ProducerEpoch)
	if e.version >= 3 {
		e.int32(m.GenerationIDOrMemberEpoch)
		e.string(m.MemberID)
		e.nullableString(m.GroupInstanceID)
	}
	encodeArray(e, m.Topics)
	e.tags()
}

func (m *TxnOffsetCommitRequest) decode(d *decoder) {
	*m = TxnOffsetCommitRequest{GenerationIDOrMemberEpoch: -1}
	m.TransactionalID = d.string()
	m.GroupID = d.string()
	m.ProducerID = d.int64()
	m.ProducerEpoch = d.int16()
	if d.version >= 3 {
		m.GenerationIDOrMemberEpoch = d.int32()
		m.MemberID = d.string()
		m.GroupInstanceID = d.nullableString()
	}
	m.Topics = decodeArray[TxnOffsetCommitTopic](d, 3)
	d.tags()
}

func (t *TxnOffsetCommitTopic) encode(e *messageEncoder) {
	if e.version >= 6 {
		e.uuid(t.TopicID)
	} else {
		e.string(t.Name)
	}
	encodeArray(e, t.Partitions)
	e.tags()
}

func (t *TxnOffsetCommitTopic) decode(d *decoder) {
	if d.version >= 6 {
		t.TopicID = d.uuid()
	} else {
		t.Name = d.string()
	}
	t.Partitions = decodeArray[TxnOffsetCommitPartition](d, 14)
	d.tags()
}

func (p *TxnOffsetCommitPartition) encode(e *messageEncoder) {
	e.int32(p.PartitionIndex)
	e.int64(p.CommittedOffset)
	if e.version >= 2 {
		e.int32(p.CommittedLeaderEpoch)
	}
	e.nullableString(p.CommittedMetadata)
	e.tags()
}

func (p *TxnOffsetCommitPartition) decode(d *decoder) {
	p.CommittedLeaderEpoch = -1
	p.PartitionIndex = d.int32()
	p.CommittedOffset = d.int64()
	if d.version >= 2 {
		p.CommittedLeaderEpoch = d.int32()
	}
	p.CommittedMetadata = d.nullableString()
	d.tags()
}

// TxnOffsetCommitResponse tells for each partition whether its offset was taken.
type TxnOffsetCommitResponse struct {
	ThrottleTime time.Duration
	Topics       []TxnOffsetCommitTopicResponse
}

// TxnOffsetCommitTopicResponse is the answer for one topic, which has its name up to v5 and its ID from v6 on.
type TxnOffsetCommitTopicResponse struct {
	Name       string
	TopicID    UUID
	Partitions []TxnOffsetCommitPartitionResponse
}

// TxnOffsetCommitPartitionResponse is the answer for one partition.
type TxnOffsetCommitPartitionResponse struct {
	PartitionIndex int32
	ErrorCode      ErrorCode
}

func (*TxnOffsetCommitResponse) API() API { return (*TxnOffsetCommitRequest)(nil).API() }

func (m *TxnOffsetCommitResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *TxnOffsetCommitResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	encodeArray(e, m.Topics)
	e.tags()
}

func (m *TxnOffsetCommitResponse) decode(d *decoder) {
	m.ThrottleTime = d.millis()
	m.Topics = decodeArray[TxnOffsetCommitTopicResponse](d, 3)
	d.tags()
}

func (t *TxnOffsetCommitTopicResponse) encode(e *messageEncoder) {
	if e.version >= 6 {
		e.uuid(t.TopicID)
	} else {
		e.string(t.Name)
	}
	encodeArray(e, t.Partitions)
	e.tags()
}

func (t *TxnOffsetCommitTopicResponse) decode(d *decoder) {
	if d.version >= 6 {
		t.TopicID = d.uuid()
	} else {
		t.Name = d.string()
	}
	t.Partitions = decodeArray[TxnOffsetCommitPartitionResponse](d, 6)
	d.tags()
}

func (p *TxnOffsetCommitPartitionResponse) encode(e *messageEncoder) {
	e.int32(p.PartitionIndex)
	e.errorCode(p.ErrorCode)
	e.tags()
}

func (p *TxnOffsetCommitPartitionResponse) decode(d *decoder) {
	p.PartitionIndex = d.int32()
	p.ErrorCode = d.errorCode()
	d.tags()
}
