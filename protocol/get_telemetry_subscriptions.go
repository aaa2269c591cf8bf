package protocol

import "time"

// GetTelemetrySubscriptionsRequest asks which of the client's metrics the cluster wants pushed (KIP-714).
type GetTelemetrySubscriptionsRequest struct {
	ClientInstanceID UUID // zero in the first request
}

func (*GetTelemetrySubscriptionsRequest) API() API {
	return API{Name: "GetTelemetrySubscriptions", Key: 71, Min: 0, Max: 0, Flexible: 0}
}

func (*GetTelemetrySubscriptionsRequest) NewResponse() Response {
	return new(GetTelemetrySubscriptionsResponse)
}

func (m *GetTelemetrySubscriptionsRequest) encode(e *messageEncoder) {
	e.uuid(m.ClientInstanceID)
	e.tags()
}

func (m *GetTelemetrySubscriptionsRequest) decode(d *decoder) {
	m.ClientInstanceID = d.uuid()
	d.tags()
}

// GetTelemetrySubscriptionsResponse tells which metrics are wanted, how often and in which form.
type GetTelemetrySubscriptionsResponse struct {
	ThrottleTime             time.Duration
	ErrorCode                ErrorCode
	ClientInstanceID         UUID // given to the client if it had none, else zero
	SubscriptionID           int32
	AcceptedCompressionTypes []int8 // the numbers of Codec, the broker's favourite first
	PushInterval             time.Duration
	TelemetryMaxBytes        int32    // of one push
	DeltaTemporality         bool     // counters as deltas, else cumulative
	RequestedMetrics         []string // prefixes of names; none = nothing is wanted, one empty = all
}

func (*GetTelemetrySubscriptionsResponse) API() API {
	return (*GetTelemetrySubscriptionsRequest)(nil).API()
}

func (m *GetTelemetrySubscriptionsResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *GetTelemetrySubscriptionsResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	e.errorCode(m.ErrorCode)
	e.uuid(m.ClientInstanceID)
	e.int32(m.SubscriptionID)
	e.int8s(m.AcceptedCompressionTypes)
	e.millis(m.PushInterval)
	e.int32(m.TelemetryMaxBytes)
	e.bool(m.DeltaTemporality)
	e.strings(m.RequestedMetrics)
	e.tags()
}

func (m *GetTelemetrySubscriptionsResponse) decode(d *decoder) {
	m.ThrottleTime = d.millis()
	m.ErrorCode = d.errorCode()
	m.ClientInstanceID = d.uuid()
	m.SubscriptionID = d.int32()
	m.AcceptedCompressionTypes = d.int8s()
	m.PushInterval = d.millis()
	m.TelemetryMaxBytes = d.int32()
	m.DeltaTemporality = d.bool()
	m.RequestedMetrics = d.strings()
	d.tags()
}
