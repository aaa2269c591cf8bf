package protocol

import "time"

// PushTelemetryRequest delivers the client's metrics (KIP-714).
type PushTelemetryRequest struct {
	ClientInstanceID UUID
	SubscriptionID   int32
	Terminating      bool   // the client's last push
	CompressionType  int8   // the number of a Codec
	Metrics          []byte // OpenTelemetry MetricsData v1; decoding gives a slice of the frame
}

func (*PushTelemetryRequest) API() API {
	return API{Name: "PushTelemetry", Key: 72, Min: 0, Max: 0, Flexible: 0}
}

func (*PushTelemetryRequest) NewResponse() Response { return new(PushTelemetryResponse) }

func (m *PushTelemetryRequest) encode(e *messageEncoder) {
	e.uuid(m.ClientInstanceID)
	e.int32(m.SubscriptionID)
	e.bool(m.Terminating)
	e.int8(m.CompressionType)
	e.bytes(m.Metrics)
	e.tags()
}

func (m *PushTelemetryRequest) decode(d *decoder) {
	m.ClientInstanceID = d.uuid()
	m.SubscriptionID = d.int32()
	m.Terminating = d.bool()
	m.CompressionType = d.int8()
	m.Metrics = d.bytes()
	d.tags()
}

// PushTelemetryResponse tells whether the push was taken.
type PushTelemetryResponse struct {
	ThrottleTime time.Duration
	ErrorCode    ErrorCode
}

func (*PushTelemetryResponse) API() API { return (*PushTelemetryRequest)(nil).API() }

func (m *PushTelemetryResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *PushTelemetryResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	e.errorCode(m.ErrorCode)
	e.tags()
}

func (m *PushTelemetryResponse) decode(d *decoder) {
	m.ThrottleTime = d.millis()
	m.ErrorCode = d.errorCode()
	d.tags()
}
