package protocol

import "time"

// AddPartitionsToTxnRequest makes partitions part of a transaction before anything is written to them. It has only the versions
// of clients: brokers speak v4 and v5 among themselves.
type AddPartitionsToTxnRequest struct {
	TransactionalID string
	ProducerID      int64
	ProducerEpoch   int16
	Topics          []AddPartitionsToTxnTopic
}

// AddPartitionsToTxnTopic is a topic and those of its partitions that are to join.
type AddPartitionsToTxnTopic struct {
	Name       string
	Partitions []int32
}

func (*AddPartitionsToTxnRequest) API() API {
	return API{Name: "AddPartitionsToTxn", Key: 24, Min: 0, Max: 3, Flexible: 3, ClientThrottled: 1}
}

func (*AddPartitionsToTxnRequest) NewResponse() Response { return new(AddPartitionsToTxnResponse) }

func (m *AddPartitionsToTxnRequest) encode(e *messageEncoder) {
	e.string(m.TransactionalID)
	e.int64(m.ProducerID)
	e.int16(m.ProducerEpoch)
	encodeArray(e, m.Topics)
	e.tags()
}

func (m *AddPartitionsToTxnRequest) decode(d *decoder) {
	m.TransactionalID = d.string()
	m.ProducerID = d.int64()
	m.ProducerEpoch = d.int16()
	m.Topics = decodeArray[AddPartitionsToTxnTopic](d, 3)
	d.tags()
}

func (t *AddPartitionsToTxnTopic) encode(e *messageEncoder) {
	e.string(t.Name)
	e.int32s(t.Partitions)
	e.tags()
}

func (t *AddPartitionsToTxnTopic) decode(d *decoder) {
	t.Name = d.string()
	t.Partitions = d.int32s()
	d.tags()
}

// AddPartitionsToTxnResponse tells for each partition whether it joined.
type AddPartitionsToTxnResponse struct {
	ThrottleTime   time.Duration
	ResultsByTopic []AddPartitionsToTxnTopicResult
}

// AddPartitionsToTxnTopicResult is the answer for one topic.
type AddPartitionsToTxnTopicResult struct {
	Name               string
	ResultsByPartition []AddPartitionsToTxnPartitionResult
}

// AddPartitionsToTxnPartitionResult is the answer for one partition.
type AddPartitionsToTxnPartitionResult struct {
	PartitionIndex     int32
	PartitionErrorCode ErrorCode
}

func (*AddPartitionsToTxnResponse) API() API { return (*AddPartitionsToTxnRequest)(nil).API() }

func (m *AddPartitionsToTxnResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *AddPartitionsToTxnResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	encodeArray(e, m.ResultsByTopic)
	e.tags()
}

func (m *AddPartitionsToTxnResponse) decode(d *decoder) {
	m.ThrottleTime = d.millis()
	m.ResultsByTopic = decodeArray[AddPartitionsToTxnTopicResult](d, 3)
	d.tags()
}

func (t *AddPartitionsToTxnTopicResult) encode(e *messageEncoder) {
	e.string(t.Name)
	encodeArray(e, t.ResultsByPartition)
	e.tags()
}

func (t *AddPartitionsToTxnTopicResult) decode(d *decoder) {
	t.Name = d.string()
	t.ResultsByPartition = decodeArray[AddPartitionsToTxnPartitionResult](d, 6)
	d.tags()
}

func (p *AddPartitionsToTxnPartitionResult) encode(e *messageEncoder) {
	e.int32(p.PartitionIndex)
	e.errorCode(p.PartitionErrorCode)
	e.tags()
}

func (p *AddPartitionsToTxnPartitionResult) decode(d *decoder) {
	p.PartitionIndex = d.int32()
	p.PartitionErrorCode = d.errorCode()
	d.tags()
}
