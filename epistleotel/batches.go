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
		in.attempt(e.Batch, e.Err)
	}
}

// OnBatchFailed records an attempt that was the last.
func (in *instrumentation) OnBatchFailed(e producer.BatchFailed) {
	in.attempt(e.Batch, e.Err, written(e.Err, e.MayBeWritten))
}

// attempt makes the span of an attempt to send a batch, now that it has ended. There is none if the batch was waiting.
func (in *instrumentation) attempt(b producer.Batch, err error, more ...attribute.KeyValue) {
	if !in.batches || b.Sent.IsZero() {
		return
	}
	links := links(b)
	if in.chosen && len(links) == 0 {
		return
	}
	attrs := append(in.common(opSend, b.Topic),
		partitionID(b.Partition), semconv.MessagingBatchMessageCount(b.Records), semconv.MessagingMessageBodySize(b.UncompressedBytes),
		attribute.Int("epistle.attempt", b.Attempt))
	attrs = append(append(attrs, server(b.Broker.Addr)...), more...)
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(b.Sent), trace.WithAttributes(attrs...),
		trace.WithLinks(links...),
	}
	ctx := context.Background()
	if in.chosen { // a root would be sampled by its own chance, and most records would lead to no batch
		ctx = trace.ContextWithSpanContext(ctx, links[0].SpanContext)
	} else {
		options = append(options, trace.WithNewRoot())
	}
	_, span := in.tracer.Start(ctx, opSend+" "+b.Topic, options...)
	fail(span, err)
	span.End()
}

// links returns links to the contexts in which the records of b were created.
func links(b producer.Batch) []trace.Link {
	var list []trace.Link
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
func server(addr string) []attribute.KeyValue {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil
	}
	attrs := []attribute.KeyValue{semconv.ServerAddress(host)}
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, semconv.ServerPort(n))
	}
	return attrs
}
