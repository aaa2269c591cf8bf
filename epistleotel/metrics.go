package epistleotel

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// metrics are the two that the conventions have for one who sends. It is a hook that is told of batches alone, so that a record
// costs nothing.
type metrics struct {
	duration metric.Float64Histogram
	messages metric.Int64Counter

	spans bool // records have some, to be named by exemplars

	mu   sync.Mutex
	kept map[labelled]*labels // of success, which is the rule
}

// mostKept is how many labels are kept. Beyond it each is made anew.
const mostKept = 10_000

// labelled is what labels of success are of.
type labelled struct{ topic, addr string }

// labels are those of both metrics, as the calls take them.
type labels struct {
	duration []metric.RecordOption
	messages []metric.AddOption
}

// boundaries are those of the conventions, in seconds. The SDK's own are meant for milliseconds.
var boundaries = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

func newMetrics(meter metric.Meter) (*metrics, error) {
	m, err := &metrics{kept: map[labelled]*labels{}}, error(nil)
	m.duration, err = meter.Float64Histogram("messaging.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of messaging operation initiated by a producer or consumer client."),
		metric.WithExplicitBucketBoundaries(boundaries...))
	if err != nil {
		return nil, err
	}
	m.messages, err = meter.Int64Counter("messaging.client.sent.messages", metric.WithUnit("{message}"),
		metric.WithDescription("Number of messages producer attempted to send to the broker."))
	return m, err
}

// MayRunAnywhere: to measure takes no lock but OpenTelemetry's own.
func (m *metrics) MayRunAnywhere() {}

// OnBatchAcknowledged measures a batch that is written.
func (m *metrics) OnBatchAcknowledged(e producer.BatchAcknowledged) {
	m.ended(e.Batch, e.Batch.Records, nil)
}

// OnBatchSplit measures the record at fault, which has ended. The parts go on.
func (m *metrics) OnBatchSplit(e producer.BatchSplit) {
	if e.Err != nil && e.Fault > 0 {
		m.ended(e.Batch, e.Fault, e.Err)
	}
}

// OnBatchFailed measures a batch that has failed, whether it was ever sent or not.
func (m *metrics) OnBatchFailed(e producer.BatchFailed) { m.ended(e.Batch, e.Batch.Records, e.Err) }

// ended measures n records of b, which have ended with err.
func (m *metrics) ended(b producer.Batch, n int, err error) {
	ctx, l := context.Background(), m.labels(b, err)
	if m.spans {
		ctx = exemplar(b)
	}
	m.duration.Record(ctx, time.Since(b.Opened).Seconds(), l.duration...)
	if b.Attempt > 0 {
		m.messages.Add(ctx, int64(n), l.messages...)
	}
}

// exemplar returns the context of a record in b whose span is sampled, for the measurement to name it.
func exemplar(b producer.Batch) context.Context {
	for ctx := range b.Contexts() {
		if trace.SpanContextFromContext(ctx).IsSampled() {
			return ctx
		}
	}
	return context.Background()
}

// labels returns what measurements of b are of.
func (m *metrics) labels(b producer.Batch, err error) *labels {
	if err != nil {
		return labelsOf(b, err)
	}
	of := labelled{b.Topic, b.Broker.Addr}
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.kept[of]
	if l == nil {
		l = labelsOf(b, nil)
		if len(m.kept) < mostKept {
			m.kept[of] = l
		}
	}
	return l
}

func labelsOf(b producer.Batch, err error) *labels {
	attrs := measured(b.Topic, err)
	duration := metric.WithAttributeSet(attribute.NewSet(attrs...))
	messages := metric.WithAttributeSet(attribute.NewSet(append(attrs, server(b.Broker.Addr)...)...))
	return &labels{[]metric.RecordOption{duration}, []metric.AddOption{messages}}
}

// measured returns what a measurement is of. There is no partition in it: there may be thousands.
func measured(topic string, err error) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 8)
	attrs = append(attrs, semconv.MessagingSystemKafka, semconv.MessagingOperationName(opSend), semconv.MessagingOperationTypeSend,
		semconv.MessagingDestinationName(topic))
	if err != nil {
		attrs = append(attrs, errorType(err))
	}
	return attrs
}

// A reason is an error that has a name of its own.
type reason struct {
	err  error
	name string
}

// ends are those that end records for what has happened to others. What that was may be inside of them, and is another's reason.
var ends = []reason{
	{producer.ErrFenced, "fenced"},
	{producer.ErrTransactionAborted, "aborted"},
}

// reasons are all others. The first that an error is counts.
var reasons = []reason{
	{producer.ErrDeliveryTimeout, "timeout"},
	{producer.ErrMaxBlock, "timeout"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "canceled"},
	{producer.ErrBufferFull, "buffer_full"},
	{producer.ErrClosed, "closed"},
}

// errorType is error.type of err: a word of ours, or Kafka's name of what a broker has answered. There are few.
func errorType(err error) attribute.KeyValue {
	for _, r := range ends {
		if errors.Is(err, r.err) {
			return semconv.ErrorTypeKey.String(r.name)
		}
	}
	return errorKind(err)
}

// errorKind is errorType of what is inside of an error that ends records for what has happened to others.
func errorKind(err error) attribute.KeyValue {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return semconv.ErrorTypeKey.String(r.name)
		}
	}
	if code, ok := errors.AsType[protocol.ErrorCode](err); ok {
		if name := code.Name(); !strings.HasPrefix(name, "ERROR_") { // else nobody knows it, and there may be thousands
			return semconv.ErrorTypeKey.String(name)
		}
		return semconv.ErrorTypeOther
	}
	_, noTopic := errors.AsType[*producer.UnknownTopicError](err)
	if _, noPartition := errors.AsType[*producer.NoSuchPartitionError](err); noTopic || noPartition {
		return semconv.ErrorTypeKey.String(protocol.UnknownTopicOrPartition.Name())
	}
	if _, ok := errors.AsType[*producer.RecordTooLargeError](err); ok {
		return semconv.ErrorTypeKey.String("too_large")
	}
	if _, ok := errors.AsType[*producer.BrokerError](err); ok {
		return semconv.ErrorTypeKey.String("disconnected")
	}
	return semconv.ErrorTypeOther
}
