package telemetry

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// read has the library of OpenTelemetry's collector read what was pushed: a line for each point.
func read(t *testing.T, data []byte) (lines []string) {
	t.Helper()
	metrics, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(data)
	if err != nil {
		t.Fatalf("the collector's library: %v", err)
	}
	line := func(name, kind string, p pmetric.NumberDataPoint) {
		value := p.DoubleValue()
		if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
			value = float64(p.IntValue())
		}
		attributes := map[string]string{}
		p.Attributes().Range(func(key string, v pcommon.Value) bool {
			attributes[key] = v.AsString()
			return true
		})
		lines = append(lines, fmt.Sprint(name, " ", kind, " ", attributes, " ", value, " ", p.Timestamp().AsTime().UnixNano()))
	}
	for _, resource := range metrics.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					for _, p := range m.Gauge().DataPoints().All() {
						line(m.Name(), "gauge", p)
					}
				case pmetric.MetricTypeSum:
					kind := fmt.Sprintf("%v sum", m.Sum().AggregationTemporality())
					if !m.Sum().IsMonotonic() {
						kind = "a sum that may fall"
					}
					for _, p := range m.Sum().DataPoints().All() {
						if p.StartTimestamp() == 0 || p.StartTimestamp() > p.Timestamp() {
							t.Errorf("%s began at %v, and is of %v", m.Name(), p.StartTimestamp(), p.Timestamp())
						}
						line(m.Name(), kind, p)
					}
				default:
					t.Errorf("%s is a %v", m.Name(), m.Type())
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// TestTheCollectorReadsWhatIsPushed has the library with which OpenTelemetry's collector reads OTLP read the pushes of a
// producer, which are encoded by hand. It finds the same points as brokertest, which decodes by hand as well.
func TestTheCollectorReadsWhatIsPushed(t *testing.T) {
	for name, cumulative := range map[string]bool{"Delta": false, "Cumulative": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Telemetry(), brokertest.Topic("orders", 3))
				c.SubscribeMetrics(brokertest.MetricsSubscription{Metrics: []string{"*"}, Interval: time.Second, Cumulative: cumulative, Codecs: []int8{}})
				cfg := producer.DefaultConfig(c.Bootstrap()...)
				cfg.DialContext = c.DialContext
				p, err := producer.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				for range 20 {
					if _, err := p.SendSync(t.Context(), producer.Record{Topic: "orders", Value: []byte("12.50")}); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
				if err := p.Close(context.Background()); err != nil {
					t.Fatal(err)
				}
				var raw [][]byte
				for _, r := range c.Requests() {
					if push, ok := r.Message.(*protocol.PushTelemetryRequest); ok {
						raw = append(raw, push.Metrics)
					}
				}
				pushes := c.MetricsPushes()
				if len(pushes) < 10 || len(raw) != len(pushes) {
					t.Fatalf("there are %d pushes in %d requests", len(pushes), len(raw))
				}
				for i, push := range pushes {
					var want []string
					for _, m := range push.Metrics {
						kind := "gauge"
						if m.Sum {
							kind = name + " sum"
						}
						want = append(want, fmt.Sprint(m.Name, " ", kind, " ", m.Attributes, " ", m.Value, " ", m.Time.UnixNano()))
					}
					slices.Sort(want)
					got := read(t, raw[i])
					if len(want) < 50 {
						t.Errorf("push %d has %d points", i, len(want))
					}
					if !slices.Equal(got, want) {
						t.Errorf("push %d: the collector's library reads\n%q\nand brokertest\n%q", i, got, want)
					}
				}
			})
		})
	}
}
