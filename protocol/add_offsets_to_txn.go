package protocol

import "time"

// AddOffsetsToTxnRequest makes a consumer group's offsets part of a transaction.
type AddOffsetsToTxnRequest struct {
	TransactionalID string
	ProducerID      int64
	ProducerEpoch   int16
	GroupID         string
}

func (*AddOffsetsToTxnRequest) API() API {
	return API{Name: "AddOffsetsToTxn", Key: 25, Min: 0, Max: 4, Flexible: 3, ClientThrottled: 1}
}

func (*AddOffsetsToTxnRequest) NewResponse() Response { return new(AddOffsetsToTxnResponse) }

func (m *AddOffsetsToTxnRequest) encode(e *messageEncoder) {
	e.string(m.TransactionalID)
	e.int64(m.ProducerID)
	e.int16(m.ProducerEpoch)
	e.string(m.GroupID)
	e.tags()
}

func (m *AddOffsetsToTxnRequest) decode(d *decoder) {
	m.TransactionalID = d.string()
	m.ProducerID = d.int64()
	m.ProducerEpoch = d.int16()
	m.GroupID = d.string()
	d.tags()
}

// AddOffsetsToTxnResponse tells whether the group's offsets joined the transaction.
type AddOffsetsToTxnResponse struct {
	ThrottleTime time.Duration
	ErrorCode    ErrorCode
}

func (*AddOffsetsToTxnResponse) API() API { return (*AddOffsetsToTxnRequest)(nil).API() }

func (m *AddOffsetsToTxnResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *AddOffsetsToTxnResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	e.errorCode(m.ErrorCode)
	e.tags()
}

func (m *AddOffsetsToTxnResponse) decode(d *decoder) {
	m.ThrottleTime = d.millis()
	m.ErrorCode = d.errorCode()
	d.tags()
}
