package epistleotel_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/epistleotel"
	"github.com/epistle-kafka/epistle/producer"
)

// A lab is a producer in fake time, with all that its instrumentation records.
type lab struct {
	*producer.Producer
	cluster  *brokertest.Cluster
	recorder *tracetest.SpanRecorder
	tracer   trace.Tracer // the program's
	reader   *sdkmetric.ManualReader
}

// inLab runs f in one, with topic t of one partition.
func inLab(t *testing.T, f func(t *testing.T, l *lab), options ...epistleotel.Option) {
	t.Helper()
	inLabWith(t, func(*producer.Config) {}, f, options...)
}

func inLabWith(t *testing.T, change func(*producer.Config), f func(t *testing.T, l *lab), options ...epistleotel.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{
			cluster:  brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1)),
			recorder: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader(),
		}
		tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(l.recorder))
		l.tracer = tracers.Tracer("program")
		cfg := producer.DefaultConfig(l.cluster.Bootstrap()...)
		cfg.DialContext, cfg.ClientID = l.cluster.DialContext, "orders-service"
		change(&cfg)
		err := epistleotel.Instrument(&cfg, append([]epistleotel.Option{
			epistleotel.WithTracerProvider(tracers),
			epistleotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(l.reader))),
			epistleotel.WithPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})),
		}, options...)...)
		if err != nil {
			t.Fatal(err)
		}
		if l.Producer, err = producer.New(cfg); err != nil {
			t.Fatal(err)
		}
		defer l.Close(context.Background())
		if _, err := l.Partitions(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		f(t, l)
	})
}

// spans returns those that have ended, of a name.
func (l *lab) spans(name string) (some []sdktrace.ReadOnlySpan) {
	synctest.Wait()
	for _, s := range l.recorder.Ended() {
		if s.Name() == name {
			some = append(some, s)
		}
	}
	return some
}

// only returns the one span of a name.
func (l *lab) only(t *testing.T, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	all := l.spans(name)
	if len(all) != 1 {
		t.Fatalf("there are %d spans %q, want 1", len(all), name)
	}
	return all[0]
}

// attrs is what a span says, as text.
func attrs(list []attribute.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range list {
		m[string(a.Key)] = a.Value.String()
	}
	return m
}

// wantAttrs compares some of what a span says; "" stands for an attribute that it must not have.
func wantAttrs(t *testing.T, s sdktrace.ReadOnlySpan, want map[string]string) {
	t.Helper()
	got := attrs(s.Attributes())
	for key, value := range want {
		if got[key] != value {
			t.Errorf("span %q has %s=%q, want %q", s.Name(), key, got[key], value)
		}
	}
}

// header returns the values of a header of the only record in the log.
func (l *lab) header(t *testing.T, key string) (values []string) {
	t.Helper()
	records := l.cluster.Records("t", 0)
	if len(records) != 1 {
		t.Fatalf("the log has %d records, want 1", len(records))
	}
	for _, h := range records[0].Headers {
		if h.Key == key {
			values = append(values, string(h.Value))
		}
	}
	return values
}

// traceparent is how a span is written into a header.
func traceparent(s trace.SpanContext) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), s), carrier)
	return carrier["traceparent"]
}

// metrics returns what was measured, by name.
func (l *lab) metrics(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	synctest.Wait()
	var all metricdata.ResourceMetrics
	if err := l.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	m := map[string]metricdata.Metrics{}
	for _, scope := range all.ScopeMetrics {
		for _, one := range scope.Metrics {
			m[one.Name] = one
		}
	}
	return m
}

func record(value string) producer.Record {
	return producer.Record{Topic: "t", Partition: producer.OnPartition(0), Value: []byte(value)}
}

// patient is a Config in which a record waits for a minute at most.
func patient(cfg *producer.Config) {
	cfg.RequestTimeout, cfg.DeliveryTimeout = 10*time.Second, 30*time.Second
}

// linked returns to which spans a span has links, in order.
func linked(s sdktrace.ReadOnlySpan) (ids []trace.SpanID) {
	for _, link := range s.Links() {
		ids = append(ids, link.SpanContext.SpanID())
	}
	slices.SortFunc(ids, func(a, b trace.SpanID) int { return slices.Compare(a[:], b[:]) })
	return ids
}
