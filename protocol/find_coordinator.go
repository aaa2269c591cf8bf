package protocol

import "time"

// FindCoordinatorRequest asks which broker coordinates a transactional ID or a consumer group.
type FindCoordinatorRequest struct {
	Key             string   // up to v3
	KeyType         int8     // from v1; v0 knows groups alone
	CoordinatorKeys []string // from v4: several at once
}

// Values of FindCoordinatorRequest.KeyType.
const (
	CoordinatorKeyGroup       int8 = 0
	CoordinatorKeyTransaction int8 = 1
)

func (*FindCoordinatorRequest) API() API {
	return API{Name: "FindCoordinator", Key: 10, Min: 0, Max: 6, Flexible: 3, ClientThrottled: 2}
}

func (*FindCoordinatorRequest) NewResponse() Response { return new(FindCoordinatorResponse) }

func (m *FindCoordinatorRequest) encode(e *messageEncoder) {
	if e.version <= 3 {
		e.string(m.Key)
	}
	if e.version >= 1 {
		e.int8(m.KeyType)
	}
	if e.version >= 4 {
		e.strings(m.CoordinatorKeys)
	}
	e.tags()
}

func (m *FindCoordinatorRequest) decode(d *decoder) {
	*m = FindCoordinatorRequest{}
	if d.version <= 3 {
		m.Key = d.string()
	}
	if d.version >= 1 {
		m.KeyType = d.int8()
	}
	if d.version >= 4 {
		m.CoordinatorKeys = d.strings()
	}
	d.tags()
}

// FindCoordinatorResponse is the answer: up to v3 for the one key, in the response itself, from v4 on in Coordinators.
type FindCoordinatorResponse struct {
	ThrottleTime time.Duration // from v1

	// Up to v3.
	ErrorCode    ErrorCode
	ErrorMessage *string // from v1
	NodeID       int32
	Host         string
	Port         int32

	Coordinators []Coordinator // from v4
}

// Coordinator is the broker that coordinates one key.
type Coordinator struct {
	Key          string
	NodeID       int32
	Host         string
	Port         int32
	ErrorCode    ErrorCode
	ErrorMessage *string
}

func (*FindCoordinatorResponse) API() API { return (*FindCoordinatorRequest)(nil).API() }

func (m *FindCoordinatorResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *FindCoordinatorResponse) encode(e *messageEncoder) {
	if e.version >= 1 {
		e.millis(m.ThrottleTime)
	}
	if e.version <= 3 {
		e.errorCode(m.ErrorCode)
		if e.version >= 1 {
			e.nullableString(m.ErrorMessage)
		}
		e.int32(m.NodeID)
		e.string(m.Host)
		e.int32(m.Port)
	}
	if e.version >= 4 {
		encodeArray(e, m.Coordinators)
	}
	e.tags()
}

func (m *FindCoordinatorResponse) decode(d *decoder) {
	*m = FindCoordinatorResponse{}
	if d.version >= 1 {
		m.ThrottleTime = d.millis()
	}
	if d.version <= 3 {
		m.ErrorCode = d.errorCode()
		if d.version >= 1 {
			m.ErrorMessage = d.nullableString()
		}
		m.NodeID = d.int32()
		m.Host = d.string()
		m.Port = d.int32()
	}
	if d.version >= 4 {
		m.Coordinators = decodeArray[Coordinator](d, 14)
	}
	d.tags()
}

func (c *Coordinator) encode(e *messageEncoder) {
	e.string(c.Key)
	e.int32(c.NodeID)
	e.string(c.Host)
	e.int32(c.Port)
	e.errorCode(c.ErrorCode)
	e.nullableString(c.ErrorMessage)
	e.tags()
}

func (c *Coordinator) decode(d *decoder) {
	c.Key = d.string()
	c.NodeID = d.int32()
	c.Host = d.string()
	c.Port = d.int32()
	c.ErrorCode = d.errorCode()
	c.ErrorMessage = d.nullableString()
	d.tags()
}
