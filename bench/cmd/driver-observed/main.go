// Driver-observed sends as driver-epistle does, with a producer that is watched as programs in production are. -set observe=
// says by what:
//
//	prometheus   epistleprom's collector, gathered each second
//	metrics      epistleotel's metrics, read each second, and no spans
//	traces       the same, and spans for the records that are sent within a sampled span: each hundredth
//	every        the same with a span for each record, of which the provider samples each hundredth
package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/bench/internal/epistle"
	"github.com/epistle-kafka/epistle/epistleotel"
	"github.com/epistle-kafka/epistle/epistleprom"
	"github.com/epistle-kafka/epistle/producer"
)

func main() { driver.Main("epistle", "github.com/epistle-kafka/epistle", open) }

// often is how often metrics are read: much more often than in production, as a run takes a second or two.
const often = time.Second

// sampled is one record of how many that is sent within a sampled span.
const sampled = 100

func open(o *driver.Options, results *driver.Results) (driver.Client, error) {
	how := o.Set.Text("observe")
	switch how {
	case "prometheus":
		c, err := epistle.OpenWith(o, results, func(*producer.Config) error { return nil })
		if err != nil {
			return nil, err
		}
		return c, gather(c.Producer)
	case "metrics", "traces", "every":
	default:
		return nil, fmt.Errorf("observe is prometheus, metrics, traces or every, not %q", how)
	}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(discard{}), sdktrace.WithSampler(samplerFor(how)))
	options := []epistleotel.Option{
		epistleotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(nowhere{}, sdkmetric.WithInterval(often))))),
		epistleotel.WithTracerProvider(tracers), epistleotel.WithPropagator(propagation.TraceContext{}),
	}
	switch how {
	case "metrics":
		options = append(options, epistleotel.WithoutSpans())
	case "traces":
		options = append(options, epistleotel.WithSampledParentsOnly())
	}
	c, err := epistle.OpenWith(o, results, func(cfg *producer.Config) error { return epistleotel.Instrument(cfg, options...) })
	if err != nil || how != "traces" {
		return c, err
	}
	within, span := tracers.Tracer("load").Start(context.Background(), "request")
	outside := trace.ContextWithSpanContext(context.Background(), span.SpanContext().WithTraceFlags(0))
	return &traced{Client: c, sampled: within, dropped: outside}, nil
}

// samplerFor returns the sampler of a program's traces: each record is one of its own where every one has a span.
func samplerFor(how string) sdktrace.Sampler {
	if how == "every" {
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(1.0 / sampled))
	}
	return sdktrace.ParentBased(sdktrace.AlwaysSample())
}

// gather reads Prometheus's metrics, as a scrape does, until the program ends.
func gather(p *producer.Producer) error {
	registry := prometheus.NewRegistry()
	if err := registry.Register(epistleprom.New(p, epistleprom.Options{})); err != nil {
		return err
	}
	go func() {
		for range time.Tick(often) {
			families, err := registry.Gather()
			if err != nil {
				driver.Fatal(err)
			}
			for _, f := range families {
				fmt.Fprint(io.Discard, f)
			}
		}
	}()
	return nil
}

// traced is a client whose records are sent within the spans of a program's requests.
type traced struct {
	*epistle.Client
	sampled, dropped context.Context
}

func (c *traced) within(n int64) context.Context {
	if n%sampled == 0 {
		return c.sampled
	}
	return c.dropped
}

// Group implements driver.Grouper: there is no other way to send than Send.
func (c *traced) Group() (send driver.Sender, rest func()) { return nil, nil }

// Send implements driver.Client.
func (c *traced) Send(key, value []byte, id int64) {
	c.Topic.SendFunc(c.within(id), key, value, func(_ producer.RecordMetadata, err error) { c.Results.DoneOf(id, err) })
}

// SendSlot implements driver.Client.
func (c *traced) SendSlot(key, value []byte, slot int) {
	c.Topic.SendFunc(c.within(int64(slot)), key, value, c.Slot(slot))
}

// discard takes spans, and nowhere metrics, as an exporter at no cost does.
type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }

type nowhere struct{}

func (nowhere) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	return sdkmetric.DefaultTemporalitySelector(k)
}
func (nowhere) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}
func (nowhere) Export(context.Context, *metricdata.ResourceMetrics) error { return nil }
func (nowhere) ForceFlush(context.Context) error                          { return nil }
func (nowhere) Shutdown(context.Context) error                            { return nil }
