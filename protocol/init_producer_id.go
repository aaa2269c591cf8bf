package protocol

import "time"

// InitProducerIDRequest asks for a producer ID, or for a new epoch of one.
type InitProducerIDRequest struct {
	TransactionalID    *string       // nil = idempotent only
	TransactionTimeout time.Duration // after which the coordinator aborts a transaction, in whole milliseconds
	ProducerID         int64         // from v3: the ID whose epoch is to be bumped (KIP-360), -1 = a new one
	ProducerEpoch      int16         // from v3: its current epoch, or -1
}

func (*InitProducerIDRequest) API() API {
	return API{Name: "InitProducerId", Key: 22, Min: 0, Max: 5, Flexible: 2, ClientThrottled: 1}
}

func (*InitProducerIDRequest) NewResponse() Response { return new(InitProducerIDResponse) }

func (m *InitProducerIDRequest) encode(e *messageEncoder) {
	e.nullableString(m.TransactionalID)
	e.millis(m.TransactionTimeout)
	if e.version >= 3 {
		e.int64(m.ProducerID)
		e.int16(m.ProducerEpoch)
	}
	e.tags()
}

func (m *InitProducerIDRequest) decode(d *decoder) {
	*m = InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1}
	m.TransactionalID = d.nullableString()
	m.TransactionTimeout = d.millis()
	if d.version >= 3 {
		m.ProducerID = d.int64()
		m.ProducerEpoch = d.int16()
	}
	d.tags()
}

// InitProducerIDResponse carries the producer ID and epoch to use from now on.
type InitProducerIDResponse struct {
	ThrottleTime  time.Duration
	ErrorCode     ErrorCode
	ProducerID    int64 // -1 after an error
	ProducerEpoch int16
}

func (*InitProducerIDResponse) API() API { return (*InitProducerIDRequest)(nil).API() }

func (m *InitProducerIDResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *InitProducerIDResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	e.errorCode(m.ErrorCode)
	e.int64(m.ProducerID)
	e.int16(m.ProducerEpoch)
	e.tags()
}

func (m *InitProducerIDResponse) decode(d *decoder) {
	m.ThrottleTime = d.millis()
	m.ErrorCode = d.errorCode()
	m.ProducerID = d.int64()
	m.ProducerEpoch = d.int16()
	d.tags()
}
