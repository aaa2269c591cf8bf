package brokertest

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A metricsClient asks and pushes as it is told.
type metricsClient struct{ *client }

func (k metricsClient) get(id protocol.UUID) *protocol.GetTelemetrySubscriptionsResponse {
	k.t.Helper()
	k.send(0, &protocol.GetTelemetrySubscriptionsRequest{ClientInstanceID: id})
	resp := &protocol.GetTelemetrySubscriptionsResponse{}
	k.receive(0, resp)
	return resp
}

func (k metricsClient) push(m protocol.PushTelemetryRequest) protocol.ErrorCode {
	k.t.Helper()
	k.send(0, &m)
	resp := &protocol.PushTelemetryResponse{}
	k.receive(0, resp)
	return resp.ErrorCode
}

// What a broker answers to clients with metrics, step by step, as Kafka 4.4.0 has answered the same requests.
func TestMetricsAreAnsweredAsByKafka(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Telemetry(), Brokers(2))
		c.SubscribeMetrics(MetricsSubscription{Metrics: []string{"*"}, Interval: time.Second})
		k := metricsClient{dial(t, c, 1)}
		expect := func(what string, got, want protocol.ErrorCode) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %s, want %s", what, got.Name(), want.Name())
			}
		}
		none := protocol.NoError

		sub := k.get(protocol.UUID{})
		if sub.ErrorCode != none || sub.ClientInstanceID == (protocol.UUID{}) || !slices.Equal(sub.AcceptedCompressionTypes, []int8{4, 3, 1, 2}) ||
			sub.TelemetryMaxBytes != 1<<20 || !sub.DeltaTemporality || sub.PushInterval != time.Second || !slices.Equal(sub.RequestedMetrics, []string{"*"}) {
			t.Errorf("the first subscription is %+v", sub)
		}
		id := sub.ClientInstanceID
		push := protocol.PushTelemetryRequest{ClientInstanceID: id, SubscriptionID: sub.SubscriptionID}
		with := func(change func(*protocol.PushTelemetryRequest)) protocol.PushTelemetryRequest {
			changed := push
			change(&changed)
			return changed
		}

		again := k.get(id)
		expect("asking again within the interval", again.ErrorCode, protocol.ThrottlingQuotaExceeded)
		if again.ClientInstanceID != (protocol.UUID{}) || again.PushInterval != 0 || again.RequestedMetrics != nil {
			t.Errorf("an answer that throttles has %+v", again)
		}
		expect("the first push, of nothing", k.push(push), none)
		expect("one that is too soon", k.push(push), protocol.ThrottlingQuotaExceeded)

		time.Sleep(time.Second)
		expect("of another subscription", k.push(with(func(m *protocol.PushTelemetryRequest) { m.SubscriptionID++ })), protocol.UnknownSubscriptionID)
		expect("asking at once after that", k.get(id).ErrorCode, none)
		expect("a push at once after that", k.push(push), none)

		time.Sleep(time.Second)
		expect("a byte too many", k.push(with(func(m *protocol.PushTelemetryRequest) { m.Metrics = make([]byte, 1<<20+1) })), protocol.TelemetryTooLarge)
		time.Sleep(time.Second)
		expect("codec 9", k.push(with(func(m *protocol.PushTelemetryRequest) { m.CompressionType = 9 })), protocol.UnsupportedCompressionType)
		expect("asking at once after that", k.get(id).ErrorCode, none)
		expect("garbage", k.push(with(func(m *protocol.PushTelemetryRequest) { m.Metrics = []byte("garbage") })), none)
		time.Sleep(time.Second)
		packed := compressed(t, make([]byte, 1<<20+1))
		expect("too many when decompressed", k.push(with(func(m *protocol.PushTelemetryRequest) { m.CompressionType, m.Metrics = 1, packed })), protocol.TelemetryTooLarge)
		expect("by nobody", k.push(with(func(m *protocol.PushTelemetryRequest) { m.ClientInstanceID = protocol.UUID{} })), protocol.InvalidRequest)

		// Another broker, or the same after its restart, has never seen the client, and takes it up under its id.
		other := metricsClient{dial(t, c, 2)}
		expect("at another broker", other.push(push), protocol.UnknownSubscriptionID)
		if there := other.get(id); there.ErrorCode != none || there.ClientInstanceID != id || there.SubscriptionID == sub.SubscriptionID {
			t.Errorf("the other broker's subscription is %+v", there)
		}
		c.StopBroker(1)
		if err := c.StartBroker(1); err != nil {
			t.Fatal(err)
		}
		k = metricsClient{dial(t, c, 1)}
		expect("after a restart", k.push(push), protocol.UnknownSubscriptionID)
		expect("asking at once after that", k.get(id).ErrorCode, none)

		expect("a push", k.push(push), none)
		expect("the last, however soon", k.push(with(func(m *protocol.PushTelemetryRequest) { m.Terminating = true })), none)
		time.Sleep(time.Minute)
		expect("another one after the last", k.push(push), protocol.InvalidRequest)

		var all []bool
		for _, p := range c.MetricsPushes() {
			all = append(all, p.Terminating)
			if p.ClientInstanceID != id || p.ClientID != "test" {
				t.Errorf("a push of %v, %q was kept", p.ClientInstanceID, p.ClientID)
			}
		}
		if !slices.Equal(all, []bool{false, false, false, false, true}) {
			t.Errorf("%d pushes were kept (%v), want the 5 that were answered NONE, of which the last is the client's last", len(all), all)
		}
	})
}

func compressed(t *testing.T, raw []byte) []byte {
	t.Helper()
	compressor, err := protocol.NewCompressor(protocol.CodecGzip, protocol.LevelDefault)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := compressor.Compress(nil, [][]byte{raw})
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// A change of what is wanted reaches a client with its next push, which is refused, and with what it asks then.
func TestTheSubscriptionToMetricsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Telemetry())
		k := metricsClient{dial(t, c, 1)}
		sub := k.get(protocol.UUID{})
		if len(sub.RequestedMetrics) != 0 || sub.PushInterval != 5*time.Minute {
			t.Errorf("without a subscription the answer is %+v", sub)
		}
		c.SubscribeMetrics(MetricsSubscription{Metrics: []string{"a", "b"}, Cumulative: true, MaxBytes: 10, Codecs: []int8{3}})
		push := protocol.PushTelemetryRequest{ClientInstanceID: sub.ClientInstanceID, SubscriptionID: sub.SubscriptionID}
		if code := k.push(push); code != protocol.UnknownSubscriptionID {
			t.Errorf("a push for what is no longer wanted: %s", code.Name())
		}
		sub = k.get(sub.ClientInstanceID)
		if !slices.Equal(sub.RequestedMetrics, []string{"a", "b"}) || sub.DeltaTemporality || sub.TelemetryMaxBytes != 10 || !slices.Equal(sub.AcceptedCompressionTypes, []int8{3}) {
			t.Errorf("the new subscription is %+v", sub)
		}
		push.SubscriptionID, push.CompressionType = sub.SubscriptionID, 4
		if code := k.push(push); code != protocol.UnsupportedCompressionType {
			t.Errorf("a push by a codec that is not taken: %s", code.Name())
		}
	})
}

// protoField is a field of a protobuf message: bytes with their length, or a number of eight bytes, or a small one.
func protoField(number int, value any) []byte {
	switch v := value.(type) {
	case []byte:
		return append([]byte{byte(number<<3 | 2), byte(len(v))}, v...)
	case string:
		return protoField(number, []byte(v))
	case uint64:
		return binary.LittleEndian.AppendUint64([]byte{byte(number<<3 | 1)}, v)
	default:
		return []byte{byte(number << 3), byte(v.(int))}
	}
}

// What is pushed can be read: gauges and sums, with their attributes, in as many parts as a client likes. What is cut short has
// an error, and harms nobody.
func TestPushedMetricsAreRead(t *testing.T) {
	attribute := func(key, value string) []byte {
		return slices.Concat(protoField(1, key), protoField(2, protoField(1, value)))
	}
	gauge := slices.Concat(protoField(1, "load"), protoField(5, slices.Concat(
		protoField(1, slices.Concat(protoField(3, uint64(2e9)), protoField(4, math.Float64bits(1.5)), protoField(7, attribute("n", "a")))),
		protoField(1, slices.Concat(protoField(3, uint64(2e9)), protoField(6, uint64(7)))))))
	sum := slices.Concat(protoField(1, "sent"), protoField(7, slices.Concat(
		protoField(1, slices.Concat(protoField(2, uint64(1e9)), protoField(3, uint64(2e9)), protoField(4, math.Float64bits(2)))),
		protoField(2, 1), protoField(3, 1))))
	part := func(metric []byte) []byte {
		return protoField(1, slices.Concat(protoField(1, protoField(1, attribute("client_rack", "r"))), protoField(2, protoField(2, metric))))
	}
	data := slices.Concat(part(gauge), part(sum))

	var p MetricsPush
	if err := p.read(data); err != nil {
		t.Fatal(err)
	}
	if len(p.Metrics) != 3 || p.Resource["client_rack"] != "r" {
		t.Fatalf("read %+v of %+v", p.Metrics, p.Resource)
	}
	if v, ok := p.Value("load", "n", "a"); !ok || v != 1.5 {
		t.Errorf("load of a is %v, %t", v, ok)
	}
	if v, ok := p.Value("load"); !ok || v != 7 {
		t.Errorf("load is %v, %t", v, ok)
	}
	if v, ok := p.Value("load", "n", "b"); ok {
		t.Errorf("load of b is %v", v)
	}
	if m := p.Metrics[2]; m.Name != "sent" || !m.Sum || !m.Delta || m.Value != 2 || m.Start.Unix() != 1 || m.Time.Unix() != 2 {
		t.Errorf("the sum is %+v", m)
	}
	if m := p.Metrics[0]; m.Sum || m.Delta {
		t.Errorf("the gauge is %+v", m)
	}
	for n := range data {
		_ = new(MetricsPush).read(data[:n])
	}
	if err := new(MetricsPush).read(data[:len(data)-1]); err == nil {
		t.Error("what is cut short was read")
	}
}
