package protocol

import "time"

// ListOffsetsRequest asks for the offset of the first record at or after a time, or at an end of the log.
type ListOffsetsRequest struct {
	ReplicaID      int32 // -1 from clients
	IsolationLevel int8  // from v2: 0 = read uncommitted, 1 = read committed
	Topics         []ListOffsetsTopic
	Timeout        time.Duration // from v10: that the broker waits for remote storage, in whole milliseconds
}

// Values of ListOffsetsPartition.Timestamp that are not times.
const (
	LatestTimestamp   int64 = -1 // the offset of the next record
	EarliestTimestamp int64 = -2 // the offset of the first record still there
)

// ListOffsetsTopic is a topic and those of its partitions that are asked for.
type ListOffsetsTopic struct {
	Name       string
	Partitions []ListOffsetsPartition
}

// ListOffsetsPartition is what is asked of one partition.
type ListOffsetsPartition struct {
	PartitionIndex     int32
	CurrentLeaderEpoch int32 // from v4; -1 = unknown
	Timestamp          int64 // ms since 1970, or LatestTimestamp or EarliestTimestamp
}

func (*ListOffsetsRequest) API() API {
	return API{Name: "ListOffsets", Key: 2, Min: 1, Max: 11, Flexible: 6, ClientThrottled: 3}
}

func (*ListOffsetsRequest) NewResponse() Response { return new(ListOffsetsResponse) }

func (m *ListOffsetsRequest) encode(e *messageEncoder) {
	e.int32(m.ReplicaID)
	if e.version >= 2 {
		e.int8(m.IsolationLevel)
	}
	encodeArray(e, m.Topics)
	if e.version >= 10 {
		e.millis(m.Timeout)
	}
	e.tags()
}

func (m *ListOffsetsRequest) decode(d *decoder) {
	*m = ListOffsetsRequest{}
	m.ReplicaID = d.int32()
	if d.version >= 2 {
		m.IsolationLevel = d.int8()
	}
	m.Topics = decodeArray[ListOffsetsTopic](d, 3)
	if d.version >= 10 {
		m.Timeout = d.millis()
	}
	d.tags()
}

func (t *ListOffsetsTopic) encode(e *messageEncoder) {
	e.string(t.Name)
	encodeArray(e, t.Partitions)
	e.tags()
}

func (t *ListOffsetsTopic) decode(d *decoder) {
	t.Name = d.string()
	t.Partitions = decodeArray[ListOffsetsPartition](d, 12)
	d.tags()
}

func (p *ListOffsetsPartition) encode(e *messageEncoder) {
	e.int32(p.PartitionIndex)
	if e.version >= 4 {
		e.int32(p.CurrentLeaderEpoch)
	}
	e.int64(p.Timestamp)
	e.tags()
}

func (p *ListOffsetsPartition) decode(d *decoder) {
	p.CurrentLeaderEpoch = -1
	p.PartitionIndex = d.int32()
	if d.version >= 4 {
		p.CurrentLeaderEpoch = d.int32()
	}
	p.Timestamp = d.int64()
	d.tags()
}

// ListOffsetsResponse is the answer.
type ListOffsetsResponse struct {
	ThrottleTime time.Duration // from v2
	Topics       []ListOffsetsTopicResponse
}

// ListOffsetsTopicResponse is the answer for one topic.
type ListOffsetsTopicResponse struct {
	Name       string
	Partitions []ListOffsetsPartitionResponse
}

// ListOffsetsPartitionResponse is the answer for one partition.
type ListOffsetsPartitionResponse struct {
	PartitionIndex int32
	ErrorCode      ErrorCode
	Timestamp      int64 // of the record, ms since 1970; -1 = none
	Offset         int64 // -1 = none
	LeaderEpoch    int32 // from v4; -1 = unknown
}

func (*ListOffsetsResponse) API() API { return (*ListOffsetsRequest)(nil).API() }

func (m *ListOffsetsResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *ListOffsetsResponse) encode(e *messageEncoder) {
	if e.version >= 2 {
		e.millis(m.ThrottleTime)
	}
	encodeArray(e, m.Topics)
	e.tags()
}

func (m *ListOffsetsResponse) decode(d *decoder) {
	*m = ListOffsetsResponse{}
	if d.version >= 2 {
		m.ThrottleTime = d.millis()
	}
	m.Topics = decodeArray[ListOffsetsTopicResponse](d, 3)
	d.tags()
}

func (t *ListOffsetsTopicResponse) encode(e *messageEncoder) {
	e.string(t.Name)
	encodeArray(e, t.Partitions)
	e.tags()
}

func (t *ListOffsetsTopicResponse) decode(d *decoder) {
	t.Name = d.string()
	t.Partitions = decodeArray[ListOffsetsPartitionResponse](d, 22)
	d.tags()
}

func (p *ListOffsetsPartitionResponse) encode(e *messageEncoder) {
	e.int32(p.PartitionIndex)
	e.errorCode(p.ErrorCode)
	e.int64(p.Timestamp)
	e.int64(p.Offset)
	if e.version >= 4 {
		e.int32(p.LeaderEpoch)
	}
	e.tags()
}

func (p *ListOffsetsPartitionResponse) decode(d *decoder) {
	p.LeaderEpoch = -1
	p.PartitionIndex = d.int32()
	p.ErrorCode = d.errorCode()
	p.Timestamp = d.int64()
	p.Offset = d.int64()
	if d.version >= 4 {
		p.LeaderEpoch = d.int32()
	}
	d.tags()
}
