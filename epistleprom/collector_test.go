package epistleprom

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sender"
)

// A reading is what a producer would say.
type reading struct{ m producer.Metrics }

func (r *reading) Metrics() producer.Metrics { return r.m }

// busy is of a producer that has seen a lot.
func busy() producer.Metrics {
	times := producer.Histogram{Bounds: []float64{0.001, 0.002}, Counts: []uint64{1, 2, 3}, Sum: 9, Count: 6}
	sizes := producer.Histogram{Bounds: []float64{64, 128, 256}, Counts: []uint64{1, 0, 2, 1}, Sum: 900, Count: 4}
	of := func(name string, n int64) producer.TopicMetrics {
		return producer.TopicMetrics{Topic: name, RecordMetrics: producer.RecordMetrics{Acknowledged: n, Batches: n, Bytes: 10 * n}, OldestAge: time.Duration(n) * time.Second}
	}
	call := producer.CallMetrics{Calls: 2, Time: time.Second}
	return producer.Metrics{
		Records:  producer.RecordMetrics{Acknowledged: 10, Batches: 10, Bytes: 100},
		Topics:   []producer.TopicMetrics{of("a", 1), of("b", 2), of("c", 3)},
		Failures: []producer.FailureMetrics{{Topic: "", Reason: "closed", Records: 1}, {Topic: "a", Reason: "timeout", MayBeWritten: true, Records: 2}, {Topic: "c", Reason: "closed", Records: 4}},
		Retries:  []producer.RetryMetrics{{Topic: "a", Reason: "disconnected", Records: 5, Batches: 1}},
		Refusals: []producer.RefusalMetrics{{Reason: "buffer_full", Records: 6}},
		Brokers: []producer.BrokerMetrics{{
			ID: 1, BytesWritten: 100, BytesRead: 50, InFlight: 1, ThrottleTime: time.Second,
			Requests:    []producer.RequestMetrics{{API: "Produce", Sent: 3, Answered: 1, Failed: 1, InFlight: 1, Latency: times}},
			Connections: producer.ConnectionMetrics{Open: 1, Created: 2, Closed: 1, Failed: []producer.ConnectionFailure{{Stage: producer.StageTLS, Count: 3}}},
		}},
		Metadata:     producer.MetadataMetrics{Refreshed: time.Unix(1, 0), Age: time.Minute},
		Transactions: producer.TransactionMetrics{Committed: 1, Init: call, Commit: call},
		BatchBytes:   sizes, QueueTime: times,
	}
}

// Names, types and helps are as Prometheus wants them, and each metric that is described can come.
func TestTheMetricsAreAsPrometheusWantsThem(t *testing.T) {
	c := New(&reading{busy()}, Options{ConstLabels: prometheus.Labels{"client_id": "orders"}})
	problems, err := testutil.CollectAndLint(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != len(metrics) {
		t.Errorf("%d metrics came, of %d that are described", len(families), len(metrics))
	}
}

// Topics beyond the bound are one. A topic that is forgotten keeps its label and its counts, so nothing comes up elsewhere.
func TestTopicsAreBounded(t *testing.T) {
	r := &reading{busy()}
	c := New(r, Options{MaxTopics: 2})
	check := func(want string) {
		t.Helper()
		want = "# HELP kafka_producer_records_sent_total Records that were acknowledged.\n# TYPE kafka_producer_records_sent_total counter\n" + want
		if err := testutil.CollectAndCompare(c, strings.NewReader(want), "kafka_producer_records_sent_total"); err != nil {
			t.Error(err)
		}
	}
	check(`kafka_producer_records_sent_total{topic="_other"} 7
kafka_producer_records_sent_total{topic="a"} 1
kafka_producer_records_sent_total{topic="b"} 2
`)
	r.m.Topics = r.m.Topics[1:] // a is forgotten, and gives its label to nobody
	check(`kafka_producer_records_sent_total{topic="_other"} 7
kafka_producer_records_sent_total{topic="a"} 1
kafka_producer_records_sent_total{topic="b"} 2
`)
	want := `# HELP kafka_producer_records_failed_total Records that were taken and have failed. With written=maybe they may be in the log all the same.
# TYPE kafka_producer_records_failed_total counter
kafka_producer_records_failed_total{reason="closed",topic="_other",written="no"} 5
kafka_producer_records_failed_total{reason="timeout",topic="a",written="maybe"} 2
`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), "kafka_producer_records_failed_total"); err != nil {
		t.Error(err)
	}
	if c = New(r, Options{MaxTopics: -1}); testutil.CollectAndCount(c, "kafka_producer_records_sent_total") != 1 {
		t.Error("with no topics at all there is more than one series")
	}
}

// A histogram has the values where a histogram of Prometheus' own library has them, in classic buckets and in native ones. What
// is above the last bound is in the native bucket behind it, however large it is.
func TestHistograms(t *testing.T) {
	c := New(&reading{}, Options{})
	for name, tt := range map[string]struct {
		metric string
		bounds []float64
		values []float64
	}{
		"times": {"queue_seconds", sender.Bounds(sender.Times), []float64{0, 0.00001, 0.0001220703125, 0.00013, 0.001, 0.5, 0.7, 1, 1.1, 128, 200}},
		"sizes": {"batch_bytes", sender.Bounds(sender.Bytes), []float64{61, 64, 65, 127, 128, 16_384, 16 << 20, 17 << 20}},
		"few":   {"batch_records", sender.Bounds(sender.Records), []float64{1, 1, 1, 2, 3, 65_536, 65_537}},
		"none":  {"callbacks_seconds", sender.Bounds(sender.Times), nil},
	} {
		t.Run(name, func(t *testing.T) {
			theirs := prometheus.NewHistogram(prometheus.HistogramOpts{
				Name: name, Buckets: tt.bounds, NativeHistogramBucketFactor: 2, NativeHistogramZeroThreshold: tt.bounds[0],
			})
			ours := producer.Histogram{Bounds: tt.bounds, Counts: make([]uint64, len(tt.bounds)+1)}
			for _, v := range tt.values {
				theirs.Observe(v)
				i, _ := slices.BinarySearch(tt.bounds, v)
				ours.Counts[i]++
				ours.Count, ours.Sum = ours.Count+1, ours.Sum+v
			}
			var want, got dto.Metric
			if err := errors.Join(theirs.Write(&want), newHistogram(c.descs.of(tt.metric), ours, nil).Write(&got)); err != nil {
				t.Fatal(err)
			}
			if got, want := classic(got.Histogram), classic(want.Histogram); !slices.Equal(got, want) || len(got) != len(tt.bounds) {
				t.Errorf("classic buckets: %v, want %v", got, want)
			}
			if got, want := native(got.Histogram), native(want.Histogram); !maps.Equal(got, want) {
				t.Errorf("native buckets, by the power of two that they end with: %v, want %v", got, want)
			}
			g, w := got.Histogram, want.Histogram
			if g.GetSampleCount() != w.GetSampleCount() || g.GetSampleSum() != w.GetSampleSum() ||
				g.Schema == nil || g.GetSchema() != w.GetSchema() || g.GetZeroThreshold() != w.GetZeroThreshold() {
				t.Errorf("%v, want %v", g, w)
			}
		})
	}
}

// The compression ratio, whose bounds are no powers of two, has classic buckets alone.
func TestHistogramOfRatios(t *testing.T) {
	bounds := sender.Bounds(sender.Ratios)
	var out dto.Metric
	h := producer.Histogram{Bounds: bounds, Counts: make([]uint64, len(bounds)+1)}
	if err := newHistogram(New(&reading{}, Options{}).descs.of("compression_ratio"), h, nil).Write(&out); err != nil {
		t.Fatal(err)
	}
	if h := out.Histogram; h.Schema != nil || len(h.PositiveSpan) != 0 || len(h.Bucket) != len(bounds) {
		t.Errorf("ratios have other than classic buckets: %v", h)
	}
}

// All histograms of times and sizes of a producer have native buckets.
func TestEveryHistogramButThatOfRatiosIsNative(t *testing.T) {
	kafka := brokertest.New(t, brokertest.Topic("t", 1))
	p, err := producer.New(producer.DefaultConfig(kafka.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	if _, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Value: []byte("12.50")}); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(New(p, Options{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	histograms := 0
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if m.Histogram == nil {
				continue
			}
			histograms++
			if native := m.Histogram.Schema != nil; native == strings.HasSuffix(family.GetName(), "_ratio") {
				t.Errorf("%s has native buckets: %v", family.GetName(), native)
			}
		}
	}
	if histograms < 10 {
		t.Errorf("there are %d histograms, want at least 10", histograms)
	}
}

// classic returns what is not above each bound.
func classic(h *dto.Histogram) (all []string) {
	for _, b := range h.Bucket {
		all = append(all, fmt.Sprint(b.GetUpperBound(), ": ", b.GetCumulativeCount()))
	}
	return all
}

// zeroBucket stands for the zero bucket among powers of two.
const zeroBucket = math.MinInt32

// native returns what is in each bucket of schema 0 that is not empty, by the power of two that the bucket ends with.
func native(h *dto.Histogram) map[int32]int64 {
	all := map[int32]int64{}
	if n := h.GetZeroCount(); n > 0 {
		all[zeroBucket] = int64(n)
	}
	power, n, deltas := int32(0), int64(0), h.PositiveDelta
	for _, span := range h.PositiveSpan {
		power += span.GetOffset()
		for range span.GetLength() {
			n += deltas[0]
			deltas = deltas[1:]
			if n > 0 {
				all[power] = n
			}
			power++
		}
	}
	return all
}
