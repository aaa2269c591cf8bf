package epistleprom

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/epistle-kafka/epistle/producer"
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

// Topics beyond the bound are one, and so are those that were forgotten. What was counted never goes back.
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
	check(`kafka_producer_records_sent_total{topic="_other"} 8
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

// A histogram has classic buckets, and native ones where the bounds are those of native ones.
func TestHistograms(t *testing.T) {
	m := busy()
	c := New(&reading{m}, Options{})
	var out dto.Metric
	if err := newHistogram(c.descs.of("batch_bytes"), m.BatchBytes, nil).Write(&out); err != nil {
		t.Fatal(err)
	}
	h := out.Histogram
	if len(h.Bucket) != 3 || h.Bucket[2].GetCumulativeCount() != 3 || h.GetSampleCount() != 4 || h.GetSampleSum() != 900 {
		t.Errorf("classic: %v", h)
	}
	if h.GetSchema() != 0 || len(h.PositiveSpan) != 1 || h.PositiveSpan[0].GetOffset() != 6 || h.PositiveSpan[0].GetLength() != 4 {
		t.Errorf("native: %v", h)
	}
	n, all := int64(0), int64(0)
	for _, d := range h.PositiveDelta {
		n += d
		all += n
	}
	if all != 4 || math.Exp2(6) != m.BatchBytes.Bounds[0] {
		t.Errorf("native buckets hold %d values, want 4", all)
	}
	out.Reset()
	if err := newHistogram(c.descs.of("queue_seconds"), m.QueueTime, nil).Write(&out); err != nil {
		t.Fatal(err)
	}
	if out.Histogram.Schema != nil || len(out.Histogram.PositiveSpan) != 0 || len(out.Histogram.Bucket) != 2 {
		t.Errorf("times have no native buckets: %v", out.Histogram)
	}
}
