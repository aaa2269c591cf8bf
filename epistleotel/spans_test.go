package epistleotel_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/epistleotel"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A record's span is a child of the caller's, lasts until the outcome, says where the record is, and is named in its headers.
func TestARecordsSpan(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		ctx, root := l.tracer.Start(t.Context(), "handler")
		l.cluster.On(brokertest.Produce).Do(brokertest.Pass().Delayed(time.Second))
		if _, err := l.SendSync(ctx, record("a")); err != nil {
			t.Fatal(err)
		}
		s := l.only(t, "create t")
		if s.SpanKind() != trace.SpanKindProducer || s.Parent().SpanID() != root.SpanContext().SpanID() || s.Status().Code != codes.Unset {
			t.Errorf("the span is of kind %v, below %v, with status %v", s.SpanKind(), s.Parent().SpanID(), s.Status())
		}
		if d := s.EndTime().Sub(s.StartTime()); d != time.Second {
			t.Errorf("the span has lasted %v, want until the answer, which takes 1 s", d)
		}
		wantAttrs(t, s, map[string]string{
			"messaging.system": "kafka", "messaging.operation.name": "create", "messaging.operation.type": "create",
			"messaging.destination.name": "t", "messaging.client.id": "orders-service", "messaging.message.body.size": "1",
			"messaging.destination.partition.id": "0", "messaging.kafka.offset": "0", "epistle.written": "yes",
			"error.type": "", "messaging.kafka.message.tombstone": "", "messaging.kafka.message.key": "",
		})
		if got, want := l.header(t, "traceparent"), []string{traceparent(s.SpanContext())}; !slices.Equal(got, want) {
			t.Errorf("the record has traceparent %v, want %v", got, want)
		}
	})
}

// The span of a batch has links to those of its records, and is of a trace of its own.
func TestABatchsSpan(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, v := range []string{"a", "b", "c"} {
			l.Send(t.Context(), record(v))
		}
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var want []trace.SpanID
		for _, s := range l.spans("create t") {
			want = append(want, s.SpanContext().SpanID())
		}
		slices.SortFunc(want, func(a, b trace.SpanID) int { return slices.Compare(a[:], b[:]) })
		s := l.only(t, "send t")
		if got := linked(s); !slices.Equal(got, want) || len(got) != 3 {
			t.Errorf("the batch has links to %v, want those of its records: %v", got, want)
		}
		if s.SpanKind() != trace.SpanKindClient || s.Parent().IsValid() {
			t.Errorf("the span is of kind %v, below %v; want a client's without parent", s.SpanKind(), s.Parent())
		}
		wantAttrs(t, s, map[string]string{
			"messaging.system": "kafka", "messaging.operation.name": "send", "messaging.operation.type": "send",
			"messaging.destination.name": "t", "messaging.batch.message_count": "3", "messaging.destination.partition.id": "0",
			"messaging.kafka.offset": "0", "messaging.client.id": "orders-service", "epistle.attempt": "1", "epistle.written": "yes",
		})
		if got := attrs(s.Attributes()); got["server.address"] == "" || got["server.port"] == "" {
			t.Errorf("the span does not say where the broker is: %v", got)
		}
	})
}

// A batch of many records has links to some of them.
func TestLinksAreBounded(t *testing.T) {
	inLabWith(t, func(cfg *producer.Config) { cfg.BatchSize = 1 << 20 }, func(t *testing.T, l *lab) {
		for i := range 300 {
			l.SendFunc(t.Context(), record(fmt.Sprint(i)), nil)
		}
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := l.only(t, "send t")
		if n := len(s.Links()); n != 128 || s.DroppedLinks() != 0 {
			t.Errorf("the span has %d links, and the SDK has dropped %d; want 128 and 0", n, s.DroppedLinks())
		}
		wantAttrs(t, s, map[string]string{"messaging.batch.message_count": "300"})
	})
}

// Each attempt has a span; the record has one, and one header, though it is sent three times.
func TestAttemptsHaveSpans(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		l.cluster.On(brokertest.Produce).Do(brokertest.Error(protocol.NotEnoughReplicas))
		l.cluster.On(brokertest.Produce).Do(brokertest.Drop())
		if _, err := l.SendSync(t.Context(), record("a")); err != nil {
			t.Fatal(err)
		}
		attempts := l.spans("send t")
		if len(attempts) != 3 {
			t.Fatalf("there are %d spans of attempts, want 3", len(attempts))
		}
		for i, want := range []string{"NOT_ENOUGH_REPLICAS", "disconnected", ""} {
			wantAttrs(t, attempts[i], map[string]string{"error.type": want, "epistle.attempt": fmt.Sprint(i + 1)})
			if failed := attempts[i].Status().Code == codes.Error; failed != (want != "") {
				t.Errorf("attempt %d has status %v", i+1, attempts[i].Status())
			}
		}
		wantAttrs(t, l.only(t, "create t"), map[string]string{"error.type": "", "epistle.written": "yes"})
		if got := l.header(t, "traceparent"); len(got) != 1 {
			t.Errorf("the record has the headers %v, want one", got)
		}
	})
}

// A record that fails says why, and whether it may be in the log.
func TestAFailuresSpan(t *testing.T) {
	for name, tt := range map[string]struct {
		fault         *brokertest.Action
		kind, written string
	}{
		"refused":     {brokertest.Error(protocol.InvalidRequiredAcks), "INVALID_REQUIRED_ACKS", "no"},
		"no answer":   {brokertest.Swallow(), "timeout", "maybe"},
		"of nobody's": {brokertest.Error(12345), "_OTHER", "maybe"},
	} {
		t.Run(name, func(t *testing.T) {
			inLabWith(t, patient, func(t *testing.T, l *lab) {
				l.cluster.On(brokertest.Produce).Always().Do(tt.fault)
				_, err := l.SendSync(t.Context(), record("a"))
				if err == nil {
					t.Fatal("the record succeeded")
				}
				s := l.only(t, "create t")
				wantAttrs(t, s, map[string]string{
					"error.type": tt.kind, "messaging.kafka.offset": "", "messaging.destination.partition.id": "0",
				})
				if s.Status().Code != codes.Error || s.Status().Description != err.Error() {
					t.Errorf("the status is %v, want the error: %v", s.Status(), err)
				}
				want := "no"
				if producer.MayBeWritten(err) {
					want = "maybe"
				}
				wantAttrs(t, s, map[string]string{"epistle.written": want})
				if want != tt.written {
					t.Errorf("the record may be written: %s, want %s", want, tt.written)
				}
			})
		})
	}
}

// A batch was refused, and its time is over while it waits to be sent again: there is one attempt, and no second span of it.
func TestABatchThatWaitsHasNoSpan(t *testing.T) {
	inLabWith(t, func(cfg *producer.Config) {
		patient(cfg)
		cfg.RetryBackoff, cfg.RetryBackoffMax = time.Minute, time.Minute
	}, func(t *testing.T, l *lab) {
		l.cluster.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
		if _, err := l.SendSync(t.Context(), record("a")); err == nil {
			t.Fatal("the record succeeded")
		}
		wantAttrs(t, l.only(t, "send t"), map[string]string{"error.type": "NOT_ENOUGH_REPLICAS", "epistle.attempt": "1", "epistle.written": ""})
		wantAttrs(t, l.only(t, "create t"), map[string]string{"error.type": "timeout"})
	})
}

// A record that is not taken has a span, too, and no batch has one.
func TestARefusedRecordsSpan(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		ctx, root := l.tracer.Start(t.Context(), "handler")
		rec := record("a")
		rec.Partition = producer.OnPartition(-1)
		if _, err := l.SendSync(ctx, rec); err == nil {
			t.Fatal("the record was taken")
		}
		s := l.only(t, "create t")
		wantAttrs(t, s, map[string]string{"error.type": "UNKNOWN_TOPIC_OR_PARTITION", "epistle.written": "no"})
		if s.Parent().SpanID() != root.SpanContext().SpanID() {
			t.Error("the span is not below the caller's")
		}
		if n := len(l.spans("send t")); n != 0 {
			t.Errorf("%d batches have spans, want none", n)
		}
	})
}

// A record that is passed on names a context already: it stays, no span takes its place, and the batch has a link to it. The
// caller's span goes on.
func TestACreationContextIsKept(t *testing.T) {
	const theirs = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
	inLab(t, func(t *testing.T, l *lab) {
		ctx, root := l.tracer.Start(t.Context(), "handler")
		rec := record("a")
		rec.Headers = []producer.Header{{Key: "traceparent", Value: []byte(theirs)}}
		if _, err := l.SendSync(ctx, rec); err != nil {
			t.Fatal(err)
		}
		if got := l.header(t, "traceparent"); !slices.Equal(got, []string{theirs}) {
			t.Errorf("the record has traceparent %v, want the one that it had", got)
		}
		if n := len(l.spans("create t")); n != 0 {
			t.Errorf("%d spans say that the record was created here, want none", n)
		}
		s := l.only(t, "send t")
		if links := s.Links(); len(links) != 1 || links[0].SpanContext.TraceID().String() != theirs[3:35] {
			t.Errorf("the batch has links to %v, want one to what the record names", links)
		}
		if !root.IsRecording() {
			t.Error("the caller's span was ended")
		}
	})
}

// The same without spans of batches: the record has one, with the link.
func TestACreationContextIsKeptWithoutBatchSpans(t *testing.T) {
	const theirs = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
	inLab(t, func(t *testing.T, l *lab) {
		rec := record("a")
		rec.Headers = []producer.Header{{Key: "traceparent", Value: []byte(theirs)}}
		if _, err := l.SendSync(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		s := l.only(t, "send t")
		if links := s.Links(); s.SpanKind() != trace.SpanKindClient || len(links) != 1 || links[0].SpanContext.TraceID().String() != theirs[3:35] {
			t.Errorf("the span is of kind %v with links to %v, want a client's with one to what the record names", s.SpanKind(), links)
		}
		if got := l.header(t, "traceparent"); !slices.Equal(got, []string{theirs}) {
			t.Errorf("the record has traceparent %v, want the one that it had", got)
		}
	}, epistleotel.WithoutBatchSpans())
}

// Headers that name nothing are replaced: there is never a second of a kind, and no tracestate of somebody else's. What the
// caller holds is left alone. Baggage goes along.
func TestHeadersAreReplaced(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		own := []producer.Header{
			{Key: "traceparent", Value: []byte("nonsense")}, {Key: "own", Value: []byte("x")}, {Key: "traceparent"},
			{Key: "tracestate", Value: []byte("theirs=1")}, {Key: "baggage", Value: []byte("theirs=1")},
		}
		rec := record("a")
		rec.Headers = slices.Clone(own)
		member, _ := baggage.NewMember("tenant", "7")
		bag, _ := baggage.New(member)
		if _, err := l.SendSync(baggage.ContextWithBaggage(t.Context(), bag), rec); err != nil {
			t.Fatal(err)
		}
		s := l.only(t, "create t")
		for key, want := range map[string][]string{
			"traceparent": {traceparent(s.SpanContext())}, "tracestate": nil, "own": {"x"}, "baggage": {"tenant=7"},
		} {
			if got := l.header(t, key); !slices.Equal(got, want) {
				t.Errorf("the record has %s %v, want %v", key, got, want)
			}
		}
		for i := range own {
			if rec.Headers[i].Key != own[i].Key || string(rec.Headers[i].Value) != string(own[i].Value) {
				t.Errorf("header %d of the caller's was changed to %v", i, rec.Headers[i])
			}
		}
	})
}

// Without spans of batches that of a record is its send span. Keys are told if that is asked for, and if they are text.
func TestSendSpansWithKeys(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, key := range []string{"customer-7", "\xff"} {
			rec := record("")
			rec.Key, rec.Value = []byte(key), nil
			if _, err := l.SendSync(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
		}
		all := l.spans("send t")
		if len(all) != 2 {
			t.Fatalf("there are %d spans, want one for each record and none else", len(all))
		}
		for i, key := range []string{"customer-7", ""} {
			wantAttrs(t, all[i], map[string]string{
				"messaging.kafka.message.key": key, "messaging.kafka.message.tombstone": "true",
				"messaging.operation.name": "send", "messaging.operation.type": "send",
			})
			if all[i].SpanKind() != trace.SpanKindProducer {
				t.Errorf("the span is of kind %v, want a producer's", all[i].SpanKind())
			}
		}
	}, epistleotel.WithoutBatchSpans(), epistleotel.WithMessageKeys())
}

// Where only records within sampled spans have spans, the others have neither those nor headers. The batch's span is below that of
// the first record that has one, with links to all of these, and is missing where there is none.
func TestSampledParentsOnly(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		sampled, _ := l.tracer.Start(t.Context(), "handler")
		dropped := trace.ContextWithSpanContext(t.Context(), trace.SpanContextFromContext(sampled).WithTraceFlags(0))
		flush := func(all ...context.Context) {
			for _, ctx := range all {
				l.Send(ctx, record("a"))
			}
			if err := l.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		flush(dropped, t.Context())
		if n := len(l.spans("send t")) + len(l.spans("create t")); n != 0 {
			t.Fatalf("%d spans were made for records outside of any sampled one, want none", n)
		}
		flush(dropped, sampled, t.Context(), sampled)
		var created []trace.SpanID
		for _, s := range l.spans("create t") {
			created = append(created, s.SpanContext().SpanID())
		}
		batch := l.only(t, "send t")
		if len(created) != 2 || batch.Parent().SpanID() != created[0] || batch.SpanContext().TraceID() != trace.SpanContextFromContext(sampled).TraceID() || len(linked(batch)) != 2 {
			t.Errorf("records %v have spans; the batch's is below %v with links to %v; want it below the first of two, with links to both", created, batch.Parent().SpanID(), linked(batch))
		}
		for i, r := range l.cluster.Records("t", 0) {
			if traced := i == 3 || i == 5; (len(r.Headers) > 0) != traced {
				t.Errorf("record %d has headers %v, traced: %v", i, r.Headers, traced)
			}
		}
		if h := l.metrics(t)[duration].Data.(metricdata.Histogram[float64]); h.DataPoints[0].Count != 2 || len(h.DataPoints[0].Exemplars) != 1 {
			t.Errorf("%+v was measured, want two batches, and an exemplar of the one with a sampled record", h.DataPoints)
		}
	}, epistleotel.WithSampledParentsOnly())
}

// To instrument a Config twice would give each record two spans.
func TestInstrumentTwice(t *testing.T) {
	cfg := producer.DefaultConfig("localhost:9092")
	if err := epistleotel.Instrument(&cfg); err != nil {
		t.Fatal(err)
	}
	once := len(cfg.Hooks)
	if err := epistleotel.Instrument(&cfg); err == nil || len(cfg.Hooks) != once {
		t.Errorf("the second Instrument: %v, and %d hooks; want an error and %d", err, len(cfg.Hooks), once)
	}
}
