package brokertest

import (
	"errors"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// MetricsSubscription is what brokers want to know of their clients (KIP-714). The zero value wants nothing.
type MetricsSubscription struct {
	Metrics  []string      // beginnings of names, such as "org.apache.kafka.producer."; "*" alone means all
	Interval time.Duration // between two pushes of a client; 0: 5 minutes

	MaxBytes   int32  // telemetry.max.bytes, for a push as it comes and decompressed; 0: 1 MiB
	Cumulative bool   // ask for counters as they are; Kafka itself always asks for differences
	Codecs     []int8 // numbers of the codecs that are taken, the favourite first; nil: zstd, lz4, gzip, snappy
}

// MetricsPush is a push of metrics that a broker has taken.
type MetricsPush struct {
	Broker           int32 // node ID
	ClientID         string
	ClientInstanceID protocol.UUID
	SubscriptionID   int32
	Terminating      bool      // the client says that this is its last push
	Codec            int8      // number of the codec; 0: none
	Size             int       // bytes, as they came
	At               time.Time // by the cluster's clock
	Resource         map[string]string
	Metrics          []PushedMetric
	Err              error // why Metrics cannot be read; Kafka itself leaves that to its plugin
}

// PushedMetric is one data point of a push.
type PushedMetric struct {
	Name       string
	Attributes map[string]string
	Value      float64
	Sum        bool // the metric is a counter; else it is a gauge
	Delta      bool // a counter has counted from Start to Time; else from the beginning
	Start      time.Time
	Time       time.Time
}

const (
	usualPushInterval   = 5 * time.Minute
	usualTelemetryBytes = 1 << 20
	mostInstances       = 16384 // that a broker remembers
)

// telemetry is what the brokers know of clients' metrics. Guarded by Cluster.mu.
type telemetry struct {
	wanted    MetricsSubscription
	version   int // of wanted
	instances map[instanceKey]*instance
	pushes    []MetricsPush
}

// Each broker remembers its own clients, by the ID that some broker has given.
type instanceKey struct {
	broker int32
	id     protocol.UUID
}

// An instance is what one broker remembers of one client.
type instance struct {
	subscription int32
	version      int
	pushed       time.Time // when its last push came that was taken
	heard        time.Time // when it last pushed so, or asked for its subscription
	asked        bool      // it has asked for its subscription since its last push
	terminated   bool
	mayAsk       bool // it may ask at once, since its last push was refused for want of a subscription or a codec
}

// SubscribeMetrics changes what the brokers want from their clients. A client learns of it when it asks or pushes next. It
// needs the option Telemetry, or no client asks.
func (c *Cluster) SubscribeMetrics(s MetricsSubscription) {
	if s.Interval <= 0 {
		s.Interval = usualPushInterval
	}
	if s.MaxBytes <= 0 {
		s.MaxBytes = usualTelemetryBytes
	}
	if s.Codecs == nil {
		s.Codecs = []int8{int8(protocol.CodecZstd), int8(protocol.CodecLZ4), int8(protocol.CodecGzip), int8(protocol.CodecSnappy)}
	}
	s.Metrics, s.Codecs = slices.Clone(s.Metrics), slices.Clone(s.Codecs)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.telemetry.wanted = s
	c.telemetry.version++
}

// MetricsPushes returns the pushes that brokers have taken, the oldest first.
func (c *Cluster) MetricsPushes() []MetricsPush {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.telemetry.pushes)
}

// Value returns the value of a metric with these attributes, and whether there is one. Attributes are pairs of a name and a
// value.
func (p *MetricsPush) Value(name string, attributes ...string) (float64, bool) {
	for _, m := range p.Metrics {
		if m.Name != name || len(m.Attributes) != len(attributes)/2 {
			continue
		}
		all := true
		for i := 0; i+1 < len(attributes); i += 2 {
			value, ok := m.Attributes[attributes[i]]
			all = all && ok && value == attributes[i+1]
		}
		if all {
			return m.Value, true
		}
	}
	return 0, false
}

// instanceOf returns what the broker knows of a client, and whether it has met the client before. A new one has the
// subscription of now. The caller holds c.mu.
func (b *broker) instanceOf(id protocol.UUID) (in *instance, met bool) {
	t := &b.c.telemetry
	key := instanceKey{b.id, id}
	if in, met = t.instances[key]; !met {
		if len(t.instances) >= mostInstances {
			clear(t.instances)
		}
		in = &instance{version: -1}
		t.instances[key] = in
	}
	if in.version != t.version {
		*in = instance{version: t.version, subscription: t.subscriptionID(b.id, id)}
	}
	return in, met
}

// subscriptionID is a checksum, as Kafka's, and differs between clients.
func (t *telemetry) subscriptionID(broker int32, id protocol.UUID) int32 {
	text := strings.Join(t.wanted.Metrics, ",") + t.wanted.Interval.String() + strconv.Itoa(t.version) + " " + strconv.Itoa(int(broker))
	return int32(crc32.ChecksumIEEE(append([]byte(text), id[:]...)))
}

// forgetInstances is called when a broker ends. The caller holds c.mu.
func (c *Cluster) forgetInstances(broker int32) {
	for key := range c.telemetry.instances {
		if key.broker == broker {
			delete(c.telemetry.instances, key)
		}
	}
}

// telemetrySubscriptions answers GetTelemetrySubscriptions: once in an interval, or at once after a push that was refused
// because the client knows too little. The caller holds c.mu.
func (b *broker) telemetrySubscriptions(m *protocol.GetTelemetrySubscriptionsRequest) protocol.Response {
	c := b.c
	id, now := m.ClientInstanceID, c.opts.now()
	if id == (protocol.UUID{}) {
		id = c.newID()
	}
	in, _ := b.instanceOf(id)
	wanted := &c.telemetry.wanted
	if !in.heard.IsZero() && now.Sub(in.heard) < wanted.Interval && !in.mayAsk {
		return &protocol.GetTelemetrySubscriptionsResponse{ErrorCode: protocol.ThrottlingQuotaExceeded}
	}
	in.heard, in.asked, in.mayAsk = now, true, false
	return &protocol.GetTelemetrySubscriptionsResponse{
		ClientInstanceID: id, SubscriptionID: in.subscription, AcceptedCompressionTypes: slices.Clone(wanted.Codecs),
		PushInterval: wanted.Interval, TelemetryMaxBytes: wanted.MaxBytes, DeltaTemporality: !wanted.Cumulative,
		RequestedMetrics: append([]string{}, wanted.Metrics...),
	}
}

// pushTelemetry takes metrics, or says why not. The caller holds c.mu.
func (b *broker) pushTelemetry(r *Request, m *protocol.PushTelemetryRequest) protocol.Response {
	if m.ClientInstanceID == (protocol.UUID{}) {
		return &protocol.PushTelemetryResponse{ErrorCode: protocol.InvalidRequest}
	}
	in, met := b.instanceOf(m.ClientInstanceID)
	code := b.judgePush(in, met, m)
	if code == protocol.NoError {
		code = b.takePush(r, m)
	}
	in.mayAsk = code == protocol.UnknownSubscriptionID || code == protocol.UnsupportedCompressionType
	in.terminated = in.terminated || m.Terminating
	return &protocol.PushTelemetryResponse{ErrorCode: code}
}

// takePush keeps a push. The caller holds c.mu.
func (b *broker) takePush(r *Request, m *protocol.PushTelemetryRequest) protocol.ErrorCode {
	t := &b.c.telemetry
	p := MetricsPush{
		Broker: b.id, ClientID: r.ClientID, ClientInstanceID: m.ClientInstanceID, SubscriptionID: m.SubscriptionID,
		Terminating: m.Terminating, Codec: m.CompressionType, Size: len(m.Metrics), At: b.c.opts.now(),
	}
	raw, err := protocol.Decompress(nil, protocol.Codec(p.Codec), m.Metrics, int(t.wanted.MaxBytes))
	switch {
	case errors.Is(err, protocol.ErrRawTooLarge):
		return protocol.TelemetryTooLarge
	case err == nil:
		err = p.read(raw)
	}
	p.Err = err
	t.pushes = append(t.pushes, p)
	return protocol.NoError
}

// judgePush says what is wrong with a push, in Kafka's order. The caller holds c.mu.
func (b *broker) judgePush(in *instance, met bool, m *protocol.PushTelemetryRequest) protocol.ErrorCode {
	wanted, now := &b.c.telemetry.wanted, b.c.opts.now()
	if in.terminated {
		return protocol.InvalidRequest
	}
	inTime := in.asked || now.Sub(in.pushed) >= wanted.Interval // a client may push as soon as it has asked
	if inTime {
		in.pushed, in.heard, in.asked = now, now, false
	}
	switch {
	case !inTime && !m.Terminating:
		return protocol.ThrottlingQuotaExceeded
	case !met || m.SubscriptionID != in.subscription:
		return protocol.UnknownSubscriptionID
	case m.CompressionType != int8(protocol.CodecNone) && !slices.Contains(wanted.Codecs, m.CompressionType):
		return protocol.UnsupportedCompressionType
	case len(m.Metrics) > int(wanted.MaxBytes):
		return protocol.TelemetryTooLarge
	}
	return protocol.NoError
}
