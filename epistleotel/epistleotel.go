package epistleotel

import (
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/producer"
)

// scope is the name that spans and metrics are recorded under.
const scope = "github.com/epistle-kafka/epistle/epistleotel"

// An Option is a choice made for one Instrument.
type Option func(*settings)

type settings struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
	noSpans    bool
	noBatches  bool
	chosen     bool
	keys       bool
}

// WithTracerProvider has spans be made by p. The default is that of otel.GetTracerProvider when Instrument is called.
func WithTracerProvider(p trace.TracerProvider) Option { return func(s *settings) { s.tracers = p } }

// WithMeterProvider has metrics be recorded with p. The default is that of otel.GetMeterProvider when Instrument is called.
func WithMeterProvider(p metric.MeterProvider) Option { return func(s *settings) { s.meters = p } }

// WithPropagator has the context of spans be written into headers by p. The default is that of
// otel.GetTextMapPropagator when Instrument is called, which writes nothing unless the program has set one.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(s *settings) { s.propagator = p }
}

// WithoutBatchSpans leaves out the spans of batches, which have links to those of their records. The spans of records are then
// named send, and not create.
func WithoutBatchSpans() Option { return func(s *settings) { s.noBatches = true } }

// WithoutSpans leaves out all spans, and headers with them: what remains is metrics, which cost a record nothing.
func WithoutSpans() Option { return func(s *settings) { s.noSpans = true } }

// WithSampledParentsOnly has a record have a span only if it is sent within a span that is sampled. The others have neither a
// span nor headers, and cost a look at their ctx. The span of a batch is then there only if one of its records has one, and it
// is a child of the first such record's span, with links to the others'. It may end on any goroutine, within Send, too, so the
// span processor has to be quick, as OpenTelemetry's batch span processor is.
//
// Without this option each record costs a span, which the provider's sampler may drop: too much for a producer of hundreds of
// thousands of records a second. What is lost with it: a consumer does not learn that the sender has decided against a trace,
// and decides by itself.
func WithSampledParentsOnly() Option { return func(s *settings) { s.chosen = true } }

// WithMessageKeys puts keys of records into their spans, as messaging.kafka.message.key, if they are valid UTF-8. Without it
// they are left out: keys are often personal data.
func WithMessageKeys() Option { return func(s *settings) { s.keys = true } }

// errTwice: each record would have two spans, and headers of the second.
var errTwice = errors.New("epistleotel: the Config is instrumented already: call Instrument once for each")

// Instrument has producers that are made of cfg from now on record spans and metrics, by hooks that it adds to cfg.Hooks. They
// go behind the hooks that are there. Several producers may be made of one cfg. The error is one of the meter provider's, or
// says that cfg is instrumented already; cfg is as it was then.
func Instrument(cfg *producer.Config, options ...Option) error {
	for _, h := range cfg.Hooks {
		if _, twice := h.(*metrics); twice {
			return errTwice
		}
	}
	s := settings{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider(), propagator: otel.GetTextMapPropagator()}
	for _, option := range options {
		option(&s)
	}
	m, err := newMetrics(s.meters.Meter(scope, metric.WithInstrumentationVersion(producer.Version), metric.WithSchemaURL(semconv.SchemaURL)))
	if err != nil {
		return fmt.Errorf("epistleotel: %w", err)
	}
	m.spans = !s.noSpans
	cfg.Hooks = append(slices.Clip(cfg.Hooks), m)
	if s.noSpans {
		return nil
	}
	in := &instrumentation{
		tracer:     s.tracers.Tracer(scope, trace.WithInstrumentationVersion(producer.Version), trace.WithSchemaURL(semconv.SchemaURL)),
		propagator: s.propagator, batches: !s.noBatches, chosen: s.chosen, keys: s.keys,
	}
	if cfg.ClientID != "" {
		in.client = []attribute.KeyValue{semconv.MessagingClientID(cfg.ClientID)}
	}
	if in.chosen {
		cfg.Hooks = append(cfg.Hooks, sampledOnly{in})
	} else {
		cfg.Hooks = append(cfg.Hooks, in)
	}
	return nil
}

// An instrumentation is the hook that makes spans. All that it has is set by Instrument, so that it can be called by any number
// of goroutines.
type instrumentation struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	batches    bool                 // have spans
	chosen     bool                 // are the records that have spans: those within a sampled one
	keys       bool                 // are put into spans
	client     []attribute.KeyValue // of all spans
}
