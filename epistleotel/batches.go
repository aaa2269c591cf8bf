package epistleotel

import (
	"context"
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/producer"
)

// mostLinks is how many records a batch's span has links to: as many as the SDK keeps unless it is told otherwise.
const mostLinks = 128

// OnBatchAcknowledged records an attempt that has succeeded.
func (in *instrumentation) OnBatchAcknowledged(e producer.BatchAcknowledged) {
	in.metrics.sent(e.Batch, e.Batch.Records, nil)
	attrs := []attribute.KeyValue{written(nil, false)}
	if e.Offset >= 0 {
		attrs = append(attrs, semconv.MessagingKafkaOffset(int(e.Offset)))
	}
	in.attempt(e.Batch, nil, attrs...)
}

// OnBatchRetried records an attempt that was in vain. Whether the batch is written another will tell.
func (in *instrumentation) OnBatchRetried(e producer.BatchRetried) { in.attempt(e.Batch, e.Err) }

// OnBatchSplit records an attempt after which the batch goes on in parts.
func (in *instrumentation) OnBatchSplit(e producer.BatchSplit) {
	if e.Err != nil {
		in.metrics.sent(e.Batch, e.Fault, e.Err)
		in.attempt(e.Batch, e.Err)
	}
}

// OnBatchFailed records an attempt that was the last.
func (in *instrumentation) OnBatchFailed(e producer.BatchFailed) {
	if e.Batch.Attempt > 0 {
		in.metrics.sent(e.Batch, e.Batch.Records, e.Err)
	}
	in.attempt(e.Batch, e.Err, written(e.Err, e.MayBeWritten))
}

// attempt makes the span of an attempt to send a batch, now that it has ended. There is none if the batch was waiting.
func (in *instrumentation) attempt(b producer.Batch, err error, more ...attribute.KeyValue) {
	if !in.batches || b.Sent.IsZero() {
		return
	}
	attrs := append(in.common(opSend, b.Topic),
		partitionID(b.Partition), semconv.MessagingBatchMessageCount(b.Records), semconv.MessagingMessageBodySize(b.UncompressedBytes),
		attribute.Int("epistle.attempt", b.Attempt))
	attrs = append(append(attrs, server(b.Broker)...), more...)
	_, span := in.tracer.Start(context.Background(), opSend+" "+b.Topic,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(b.Sent), trace.WithNewRoot(),
		trace.WithLinks(links(b)...), trace.WithAttributes(attrs...))
	fail(span, err)
	span.End()
}

// links returns links to the contexts in which the records of b were created.
func links(b producer.Batch) []trace.Link {
	list := make([]trace.Link, 0, min(b.Records, mostLinks))
	for ctx := range b.Contexts() {
		if r := recordOf(ctx); r != nil && r.creation.IsValid() {
			list = append(list, trace.Link{SpanContext: r.creation})
		}
		if len(list) == mostLinks {
			break
		}
	}
	return list
}

// server says where a broker is.
func server(b producer.Broker) []attribute.KeyValue {
	host, port, err := net.SplitHostPort(b.Addr)
	if err != nil {
		return nil
	}
	attrs := []attribute.KeyValue{semconv.ServerAddress(host)}
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, semconv.ServerPort(n))
	}
	return attrs
}
