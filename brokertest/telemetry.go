package brokertest

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// telemetrySubscriptions answers GetTelemetrySubscriptions as a broker does on which no client metrics are configured: nothing
// is wanted, and nothing is to be pushed. The caller holds c.mu.
func (c *Cluster) telemetrySubscriptions(m *protocol.GetTelemetrySubscriptionsRequest) protocol.Response {
	id := m.ClientInstanceID
	if id == (protocol.UUID{}) {
		id = c.newID()
	}
	return &protocol.GetTelemetrySubscriptionsResponse{
		ClientInstanceID: id, AcceptedCompressionTypes: []int8{
			int8(protocol.CodecZstd), int8(protocol.CodecLZ4), int8(protocol.CodecGzip), int8(protocol.CodecSnappy),
		},
		PushInterval: 5 * time.Minute, TelemetryMaxBytes: 1 << 20, DeltaTemporality: true, RequestedMetrics: []string{},
	}
}
