package protocol

import "time"

// EndTxnRequest commits or aborts a transaction.
type EndTxnRequest struct {
	TransactionalID string
	ProducerID      int64
	ProducerEpoch   int16
	Committed       bool // false = abort
}

func (*EndTxnRequest) API() API {
	return API{Name: "EndTxn", Key: 26, Min: 0, Max: 5, Flexible: 3, ClientThrottled: 1}
}

func (*EndTxnRequest) NewResponse() Response { return new(EndTxnResponse) }

func (m *EndTxnRequest) encode(e *messageEncoder) {
	e.string(m.TransactionalID)
	e.int64(m.ProducerID)
	e.int16(m.ProducerEpoch)
	e.bool(m.Committed)
	e.tags()
}

func (m *EndTxnRequest) decode(d *decoder) {
	m.TransactionalID = d.string()
	m.ProducerID = d.int64()
	m.ProducerEpoch = d.int16()
	m.Committed = d.bool()
	d.tags()
}

// EndTxnResponse tells whether the transaction has ended. From v5 on each transaction ends with a new epoch, or a new producer
// ID (KIP-890), from which the next one starts at sequence 0.
type EndTxnResponse struct {
	ThrottleTime  time.Duration
	ErrorCode     ErrorCode
	ProducerID    int64 // from v5; -1 before it and after an error
	ProducerEpoch int16 // likewise
}

func (*EndTxnResponse) API() API { return (*EndTxnRequest)(nil).API() }

func (m *EndTxnResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *EndTxnResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	e.errorCode(m.ErrorCode)
	if e.version >= 5 {
		e.int64(m.ProducerID)
		e.int16(m.ProducerEpoch)
	}
	e.tags()
}

func (m *EndTxnResponse) decode(d *decoder) {
	*m = EndTxnResponse{ProducerID: -1, ProducerEpoch: -1}
	m.ThrottleTime = d.millis()
	m.ErrorCode = d.errorCode()
	if d.version >= 5 {
		m.ProducerID = d.int64()
		m.ProducerEpoch = d.int16()
	}
	d.tags()
}
