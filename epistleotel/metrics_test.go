package epistleotel_test

import (
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/epistleotel"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

const (
	duration = "messaging.client.operation.duration"
	messages = "messaging.client.sent.messages"
)

// Two records whose batch takes two seconds: one measurement in the buckets of the conventions, whose exemplar leads to a
// record's span, and two messages.
func TestMetricsOfRecordsThatAreWritten(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		l.cluster.On(brokertest.Produce).Do(brokertest.Pass().Delayed(2 * time.Second))
		l.Send(t.Context(), record("a"))
		l.Send(t.Context(), record("b"))
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := l.metrics(t)
		h, ok := all[duration].Data.(metricdata.Histogram[float64])
		if !ok || all[duration].Unit != "s" || len(h.DataPoints) != 1 {
			t.Fatalf("%s is %+v, want one histogram in seconds", duration, all[duration])
		}
		point := h.DataPoints[0]
		want := []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
		if point.Count != 1 || !slices.Equal(point.Bounds, want) || point.BucketCounts[10] != 1 {
			t.Errorf("%d were measured, in %v with bounds %v; want 1 of 2 s", point.Count, point.BucketCounts, point.Bounds)
		}
		labels := attrs(point.Attributes.ToSlice())
		if labels["messaging.system"] != "kafka" || labels["messaging.operation.name"] != "send" || labels["messaging.destination.name"] != "t" || labels["error.type"] != "" {
			t.Errorf("the measurement is of %v", labels)
		}
		if len(point.Exemplars) == 0 {
			t.Fatal("there is no exemplar")
		}
		found := false
		for _, s := range l.spans("create t") {
			id := s.SpanContext().SpanID()
			found = found || slices.Equal(point.Exemplars[0].SpanID, id[:])
		}
		if !found {
			t.Error("the exemplar does not lead to the span of a record")
		}
		wantMessages(t, all, map[string]int64{"": 2})
	})
}

// wantMessages compares how many messages were counted, by error.type.
func wantMessages(t *testing.T, all map[string]metricdata.Metrics, want map[string]int64) {
	t.Helper()
	got := map[string]int64{}
	if sum, ok := all[messages].Data.(metricdata.Sum[int64]); ok {
		if !sum.IsMonotonic || all[messages].Unit != "{message}" {
			t.Errorf("%s is %+v, want a counter of messages", messages, all[messages])
		}
		for _, point := range sum.DataPoints {
			labels := attrs(point.Attributes.ToSlice())
			got[labels["error.type"]] += point.Value
		}
	}
	for kind, n := range want {
		if got[kind] != n {
			t.Errorf("of error.type %q there are %d messages, want %d", kind, got[kind], n)
		}
		delete(got, kind)
	}
	if len(got) > 0 {
		t.Errorf("there are messages more: %v", got)
	}
}

// A record is counted once, however often it is sent, by how it has ended; one that was not taken is in no batch, and neither
// measured nor counted.
func TestMetricsOfRecordsThatFail(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		l.cluster.On(brokertest.Produce).Do(brokertest.Error(protocol.NotEnoughReplicas))
		if _, err := l.SendSync(t.Context(), record("retried")); err != nil {
			t.Fatal(err)
		}
		l.cluster.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRequiredAcks))
		if _, err := l.SendSync(t.Context(), record("refused")); err == nil {
			t.Fatal("a record succeeded that was refused")
		}
		bad := record("not taken")
		bad.Partition = producer.OnPartition(-1)
		if err := l.TrySend(bad, nil); err == nil {
			t.Fatal("a record was taken for a partition that cannot be")
		}
		all := l.metrics(t)
		wantMessages(t, all, map[string]int64{"": 1, "INVALID_REQUIRED_ACKS": 1})
		h, _ := all[duration].Data.(metricdata.Histogram[float64])
		kinds := map[string]uint64{}
		for _, point := range h.DataPoints {
			kinds[attrs(point.Attributes.ToSlice())["error.type"]] += point.Count
		}
		if len(kinds) != 2 || kinds[""] != 1 || kinds["INVALID_REQUIRED_ACKS"] != 1 {
			t.Errorf("durations were measured of %v, want one of each", kinds)
		}
	})
}

// A record at fault is counted apart from those that were in its batch.
func TestMetricsOfARecordAtFault(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		l.cluster.SetCompacted("t", true)
		for _, key := range []string{"k", "", "k"} {
			rec := record("v")
			if key != "" {
				rec.Key = []byte(key)
			}
			l.Send(t.Context(), rec)
		}
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantMessages(t, l.metrics(t), map[string]int64{"": 2, "INVALID_RECORD": 1})
	})
}

// Nobody is there to send a record to: it is measured, and no message was sent.
func TestMetricsOfARecordThatIsNotSent(t *testing.T) {
	inLabWith(t, patient, func(t *testing.T, l *lab) {
		l.cluster.StopBroker(1)
		if _, err := l.SendSync(t.Context(), record("a")); err == nil {
			t.Fatal("the record succeeded")
		}
		all := l.metrics(t)
		wantMessages(t, all, nil)
		if h, ok := all[duration].Data.(metricdata.Histogram[float64]); !ok || len(h.DataPoints) != 1 {
			t.Errorf("%s is %+v, want one measurement", duration, all[duration])
		}
	})
}

// Without spans there are metrics all the same, and neither headers nor a hook that is told of records.
func TestMetricsWithoutSpans(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		ctx, _ := l.tracer.Start(t.Context(), "handler")
		if _, err := l.SendSync(ctx, record("a")); err != nil {
			t.Fatal(err)
		}
		all := l.metrics(t)
		wantMessages(t, all, map[string]int64{"": 1})
		if _, ok := all[duration].Data.(metricdata.Histogram[float64]); !ok {
			t.Errorf("%s is %+v, want a histogram", duration, all[duration])
		}
		if n := len(l.recorder.Ended()); n != 0 || len(l.header(t, "traceparent")) != 0 {
			t.Errorf("%d spans have ended, and the record has traceparent %v; want neither", n, l.header(t, "traceparent"))
		}
	}, epistleotel.WithoutSpans())
	cfg := producer.DefaultConfig("localhost:9092")
	if err := epistleotel.Instrument(&cfg, epistleotel.WithoutSpans()); err != nil {
		t.Fatal(err)
	}
	for _, h := range cfg.Hooks {
		if _, told := h.(producer.RecordEndedHook); told {
			t.Errorf("a %T is told of records, which costs each of them allocations", h)
		}
	}
}
