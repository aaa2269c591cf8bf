package epistleotel

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// metrics are the two that the conventions have for one who sends.
type metrics struct {
	duration metric.Float64Histogram
	messages metric.Int64Counter
}

// boundaries are those of the conventions, in seconds. The SDK's own are meant for milliseconds.
var boundaries = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

func newMetrics(meter metric.Meter) (m metrics, err error) {
	m.duration, err = meter.Float64Histogram("messaging.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of messaging operation initiated by a producer or consumer client."),
		metric.WithExplicitBucketBoundaries(boundaries...))
	if err != nil {
		return metrics{}, err
	}
	m.messages, err = meter.Int64Counter("messaging.client.sent.messages", metric.WithUnit("{message}"),
		metric.WithDescription("Number of messages producer attempted to send to the broker."))
	return m, err
}

// ended measures a record, in its own context, which has its span.
func (m *metrics) ended(ctx context.Context, e producer.RecordEnded) {
	m.duration.Record(ctx, time.Since(e.Began).Seconds(), metric.WithAttributes(measured(e.Metadata.Topic, e.Err)...))
}

// sent counts n records of b, which have ended with err.
func (m *metrics) sent(b producer.Batch, n int, err error) {
	if n > 0 {
		m.messages.Add(context.Background(), int64(n), metric.WithAttributes(append(measured(b.Topic, err), server(b.Broker)...)...))
	}
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

// reasons are the errors that have a name of their own. The first that err is counts.
var reasons = []struct {
	err  error
	name string
}{
	{producer.ErrDeliveryTimeout, "timeout"},
	{producer.ErrMaxBlock, "timeout"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "canceled"},
	{producer.ErrBufferFull, "buffer_full"},
	{producer.ErrTransactionAborted, "aborted"},
	{producer.ErrFenced, "fenced"},
	{producer.ErrClosed, "closed"},
}

// errorType is error.type of err: a word of ours, or Kafka's name of what a broker has answered. There are few.
func errorType(err error) attribute.KeyValue {
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
