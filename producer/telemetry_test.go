package producer_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// wants makes a cluster in memory whose brokers want all metrics that often.
func wants(t *testing.T, every time.Duration, opts ...brokertest.Option) *brokertest.Cluster {
	t.Helper()
	c := brokertest.New(t, append([]brokertest.Option{brokertest.InMemory(), brokertest.Telemetry(), brokertest.Topic("t", 1)}, opts...)...)
	c.SubscribeMetrics(brokertest.MetricsSubscription{Metrics: []string{"*"}, Interval: every})
	return c
}

const sentTotal = "org.apache.kafka.producer.record.send.total"

// askedAboutMetrics returns how often brokers were asked about metrics, by any request.
func askedAboutMetrics(c *brokertest.Cluster) int {
	return c.Count(brokertest.GetTelemetrySubscriptions) + c.Count(brokertest.PushTelemetry)
}

// What was counted is pushed about an interval after the subscription, then once an interval, as differences, and once more
// when the producer is closed.
func TestMetricsArePushed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, 10*time.Second)
		p := start(t, c, func(cfg *producer.Config) { cfg.ClientID, cfg.ClientRack = "orders", "r1" })
		began := time.Now()
		for i := range 5 {
			send(t, p, record(fmt.Sprint(i)))
		}
		time.Sleep(17 * time.Second) // a second and a half, and one and a half intervals
		pushes := c.MetricsPushes()
		if len(pushes) == 0 || len(pushes) > 2 {
			t.Fatalf("%d pushes, want one or two", len(pushes))
		}
		first := pushes[0]
		if at := first.At.Sub(began); at < 5500*time.Millisecond || at > 16500*time.Millisecond {
			t.Errorf("the first push came after %v, want 0.5 to 1.5 s and 0.5 to 1.5 intervals", at)
		}
		if v, ok := first.Value(sentTotal); !ok || v != 5 || first.Err != nil {
			t.Errorf("%s is %v (%t, %v), want 5", sentTotal, v, ok, first.Err)
		}
		if v, ok := first.Value("org.apache.kafka.producer.buffer.total.bytes"); !ok || v != 32<<20 {
			t.Errorf("buffer.total.bytes is %v (%t), want 32 MiB", v, ok)
		}
		if first.ClientID != "orders" || first.Terminating || first.Codec != int8(protocol.CodecZstd) || first.Resource["client_rack"] != "r1" {
			t.Errorf("the push is %+v", first)
		}
		if id, err := p.ClientInstanceID(t.Context()); err != nil || id != first.ClientInstanceID {
			t.Errorf("ClientInstanceID is %v, %v, want %v", id, err, first.ClientInstanceID)
		}

		send(t, p, record("another"))
		time.Sleep(10 * time.Second)
		if err := closeWithin(p, time.Minute); err != nil {
			t.Fatal(err)
		}
		total := 0.0
		pushes = c.MetricsPushes()
		for i, push := range pushes {
			v, _ := push.Value(sentTotal)
			total += v
			if push.ClientInstanceID != first.ClientInstanceID || push.Terminating != (i == len(pushes)-1) {
				t.Errorf("push %d of %d is %+v", i, len(pushes), push)
			}
			if i > 0 && i < len(pushes)-1 && push.At.Sub(pushes[i-1].At) != 10*time.Second {
				t.Errorf("push %d came %v after the one before, want the interval", i, push.At.Sub(pushes[i-1].At))
			}
		}
		if total != 6 {
			t.Errorf("all pushes together have %v records, want 6", total)
		}
		if n := c.Count(brokertest.GetTelemetrySubscriptions); n != 1 {
			t.Errorf("the subscription was asked for %d times, want once", n)
		}
	})
}

// Brokers without a receiver of metrics are never asked about any, and neither are others if the producer is told not to.
func TestNobodyIsAskedInVain(t *testing.T) {
	for name, test := range map[string]struct {
		opts []brokertest.Option
		push bool
	}{
		"no receiver":  {nil, true},
		"switched off": {[]brokertest.Option{brokertest.Telemetry()}, false},
		"one request":  {[]brokertest.Option{brokertest.Telemetry(), brokertest.Without(brokertest.PushTelemetry)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, append(test.opts, brokertest.InMemory(), brokertest.Topic("t", 1))...)
				p := start(t, c, func(cfg *producer.Config) { cfg.EnableMetricsPush = test.push })
				for range 10 {
					send(t, p, record("x"))
					time.Sleep(10 * time.Minute)
				}
				if err := closeWithin(p, time.Minute); err != nil {
					t.Error(err)
				}
				if n := askedAboutMetrics(c); n != 0 {
					t.Errorf("brokers were asked %d times, want never", n)
				}
			})
		})
	}
}

// What a program does first waits for nothing: no request about metrics comes before the first record, or is on a connection
// of records at any time. A program that is done soon asks nothing.
func TestRecordsComeFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, 100*time.Millisecond, brokertest.Brokers(3), brokertest.Delay(5*time.Millisecond))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxInFlightRequestsPerConnection = 1 })
		began := time.Now()
		for time.Since(began) < 10*time.Second {
			send(t, p, record("x"))
		}
		connections := map[int]bool{} // of records
		var first time.Time
		for _, r := range c.Requests() {
			switch r.APIKey {
			case brokertest.Produce:
				connections[r.Connection] = true
			case brokertest.GetTelemetrySubscriptions, brokertest.PushTelemetry:
				if first.IsZero() {
					first = r.At
				}
				if connections[r.Connection] {
					t.Fatalf("%d was asked on a connection of records", r.APIKey)
				}
			}
		}
		if wait := first.Sub(began); wait < 500*time.Millisecond || wait > 2*time.Second {
			t.Errorf("metrics were first asked about after %v, want some 0.5 to 1.5 s", wait)
		}
		if n := len(c.MetricsPushes()); n < 60 {
			t.Errorf("%d pushes in some 8 s, want about ten a second", n)
		}

		c = wants(t, time.Second)
		p = start(t, c)
		send(t, p, record("x"))
		time.Sleep(400 * time.Millisecond)
		if err := closeWithin(p, time.Minute); err != nil {
			t.Error(err)
		}
		if n := askedAboutMetrics(c); n != 0 {
			t.Errorf("a short program has asked %d times, want never", n)
		}
	})
}

// A broker that has nobody subscribed yet is asked again after its interval, and pushes begin once somebody is. What is wanted
// can change at any time.
func TestTheSubscriptionChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, time.Second)
		c.SubscribeMetrics(brokertest.MetricsSubscription{})
		p := start(t, c)
		send(t, p, record("x"))
		time.Sleep(14 * time.Minute)
		if n, pushes := c.Count(brokertest.GetTelemetrySubscriptions), c.Count(brokertest.PushTelemetry); n != 3 || pushes != 0 {
			t.Errorf("in 14 minutes the subscription was asked for %d times, and there were %d pushes, want 3 and none", n, pushes)
		}
		c.SubscribeMetrics(brokertest.MetricsSubscription{Metrics: []string{"org.apache.kafka.producer.record."}, Interval: time.Second, Cumulative: true})
		time.Sleep(3 * time.Minute)
		pushes := c.MetricsPushes()
		if len(pushes) < 60 {
			t.Fatalf("%d pushes in a minute or two, want one a second", len(pushes))
		}
		for _, m := range pushes[len(pushes)-1].Metrics {
			if !strings.HasPrefix(m.Name, "org.apache.kafka.producer.record.") || m.Sum && m.Delta || m.Name == sentTotal && m.Value != 1 {
				t.Errorf("pushed: %+v", m)
			}
		}
		c.SubscribeMetrics(brokertest.MetricsSubscription{Metrics: []string{"org.apache.kafka.producer.buffer"}, Interval: 10 * time.Second})
		time.Sleep(30 * time.Second)
		now := c.MetricsPushes()
		if last := now[len(now)-1]; len(now)-len(pushes) > 5 || len(last.Metrics) < 2 || slices.ContainsFunc(last.Metrics, func(m brokertest.PushedMetric) bool {
			return !strings.HasPrefix(m.Name, "org.apache.kafka.producer.buffer")
		}) {
			t.Errorf("%d pushes in half a minute, the last is %+v", len(now)-len(pushes), last)
		}
	})
}

// The broker that gets the pushes goes away, and another one gets them, under the same instance id.
func TestTheBrokerThatIsToldGoesAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, 10*time.Second, brokertest.Brokers(2), brokertest.Topic("u", 2))
		p := start(t, c)
		warm(t, p, "t", "u")
		time.Sleep(time.Minute)
		before := c.MetricsPushes()
		if len(before) < 3 {
			t.Fatalf("%d pushes in a minute, want some", len(before))
		}
		told := before[0].Broker
		for _, push := range before {
			if push.Broker != told {
				t.Errorf("broker %d was told, then %d, want one alone", told, push.Broker)
			}
		}
		c.StopBroker(told)
		time.Sleep(15 * time.Minute)
		after := c.MetricsPushes()[len(before):]
		if len(after) < 3 {
			t.Fatalf("%d pushes after the broker had gone, want some", len(after))
		}
		for _, push := range after {
			if push.Broker == told || push.ClientInstanceID != before[0].ClientInstanceID {
				t.Errorf("broker %d was told by %v, want the other one, by %v", push.Broker, push.ClientInstanceID, before[0].ClientInstanceID)
			}
		}
	})
}

// A producer that is idle, and has no connection any more, makes none to push its metrics.
func TestNobodyIsDialledForMetrics(t *testing.T) {
	dials := func(t *testing.T, push bool) (n int32) {
		bubble(t, func(t *testing.T) {
			c := wants(t, 5*time.Minute)
			var dialled atomic.Int32
			p := start(t, c, func(cfg *producer.Config) {
				cfg.EnableMetricsPush = push
				cfg.ConnectionsMaxIdle, cfg.MetadataMaxAge, cfg.MetadataMaxIdle = time.Minute, 100*time.Hour, 100*time.Hour
				cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					dialled.Add(1)
					return c.DialContext(ctx, network, addr)
				}
			})
			for range 5 {
				send(t, p, record("x"))
				time.Sleep(time.Hour)
			}
			n = dialled.Load()
		})
		return n
	}
	if with, without := dials(t, true), dials(t, false); with != without || with == 0 {
		t.Errorf("%d connections with metrics, and %d without", with, without)
	}
}

// Application metrics are pushed under names made by Java's rule. One that has a name of the producer's own is left out, and a
// function that panics, or takes long, harms nothing else.
func TestApplicationMetrics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, 10*time.Second)
		orders, calls := 0.0, atomic.Int64{} // a call may begin at the moment in which the test looks
		p := start(t, c, func(cfg *producer.Config) {
			cfg.ApplicationMetrics = []func() []producer.JavaMetric{
				func() []producer.JavaMetric {
					calls.Add(1)
					time.Sleep(3 * time.Second)
					orders += 2
					return []producer.JavaMetric{
						{Group: "app-metrics", Name: "orders-total", Tags: map[string]string{"shop-name": "a"}, Value: orders, Total: true},
						{Group: "producer-metrics", Name: "record-send-total", Value: 1000, Total: true},
					}
				},
				func() []producer.JavaMetric { panic("not a good day") },
				func() []producer.JavaMetric {
					return []producer.JavaMetric{{Group: "app-metrics", Name: "load", Value: 0.5}}
				},
			}
		})
		for range 60 {
			began := time.Now()
			send(t, p, record("x"))
			if took := time.Since(began); took > 0 {
				t.Fatalf("a record took %v", took)
			}
			time.Sleep(time.Second)
		}
		pushes := c.MetricsPushes()
		if n := int(calls.Load()); len(pushes) < 3 || n < len(pushes) {
			t.Fatalf("%d pushes of %d calls", len(pushes), n)
		}
		total := 0.0
		for _, push := range pushes {
			orders, ok := push.Value("org.apache.kafka.app.orders.total", "shop_name", "a")
			load, ok2 := push.Value("org.apache.kafka.app.load")
			if !ok || orders != 2 || !ok2 || load != 0.5 {
				t.Errorf("orders: %v (%t), load: %v (%t), want 2 and 0.5", orders, ok, load, ok2)
			}
			v, _ := push.Value(sentTotal)
			total += v
		}
		if err := closeWithin(p, time.Minute); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Second) // the function that takes long has returned
		if total > 60 {
			t.Errorf("%v records were pushed, of which 60 are the producer's", total)
		}
	})
}

// Nil is no function.
func TestApplicationMetricsAreChecked(t *testing.T) {
	cfg := producer.DefaultConfig("localhost:1")
	cfg.ApplicationMetrics = []func() []producer.JavaMetric{nil}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "ApplicationMetrics") {
		t.Errorf("got %v", err)
	}
}
