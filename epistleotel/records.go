package epistleotel

import (
	"context"
	"strconv"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/producer"
)

// The operations, by the names that spans have.
const (
	opCreate = "create"
	opSend   = "send"
)

// writtenKey says whether a record, or a batch, is in the log. The conventions have nothing like it.
const writtenKey = attribute.Key("epistle.written")

// written is its value for what has ended with err, and may be written or not.
func written(err error, maybe bool) attribute.KeyValue {
	switch {
	case err == nil:
		return writtenKey.String("yes")
	case maybe:
		return writtenKey.String("maybe")
	}
	return writtenKey.String("no")
}

// A record is what is remembered of one, in its context.
type record struct {
	span     trace.Span        // nil: it has none
	creation trace.SpanContext // what its headers name: that of span, or what they named before
}

type recordKey struct{}

// recordOf returns what OnRecordBegun has put into a record's context, or nil.
func recordOf(ctx context.Context) *record {
	r, _ := ctx.Value(recordKey{}).(*record)
	return r
}

// sampledOnly is an instrumentation that makes spans for records within a sampled span alone.
type sampledOnly struct{ *instrumentation }

// WantsRecord leaves out all others.
func (sampledOnly) WantsRecord(ctx context.Context, _ string) bool {
	return trace.SpanContextFromContext(ctx).IsSampled()
}

// MayRunAnywhere: few spans are made, and to hand one to a processor is quick, as WithSampledParentsOnly asks for.
func (sampledOnly) MayRunAnywhere() {}

// OnRecordBegun begins a record's span, and has its headers name it, unless they name another already.
func (in *instrumentation) OnRecordBegun(ctx context.Context, e *producer.RecordBegun) context.Context {
	carrier := &headers{e.Record.Headers}
	r := &record{creation: trace.SpanContextFromContext(in.propagator.Extract(context.Background(), carrier))}
	kept := r.creation.IsValid()
	if kept && in.batches {
		return context.WithValue(ctx, recordKey{}, r)
	}
	operation, kind := opCreate, trace.SpanKindProducer
	if !in.batches {
		operation = opSend
	}
	options := []trace.SpanStartOption{trace.WithAttributes(in.begun(operation, e.Record)...)}
	if kept {
		kind = trace.SpanKindClient // what is in the message is another's
		options = append(options, trace.WithLinks(trace.Link{SpanContext: r.creation}))
	}
	options = append(options, trace.WithSpanKind(kind))
	ctx, r.span = in.tracer.Start(ctx, operation+" "+e.Record.Topic, options...)
	if !kept {
		r.creation = r.span.SpanContext()
		in.inject(ctx, r.creation, carrier)
		e.Record.Headers = carrier.list
	}
	return context.WithValue(ctx, recordKey{}, r)
}

// inject writes the span of ctx into headers. What they had of the propagator's could not be read, and goes, since some of it
// might be taken for the new span's; but for baggage, which stands for itself.
func (in *instrumentation) inject(ctx context.Context, span trace.SpanContext, carrier *headers) {
	if span.IsValid() {
		for _, field := range in.propagator.Fields() {
			if field != "baggage" {
				carrier.remove(field)
			}
		}
	}
	in.propagator.Inject(ctx, carrier)
}

// begun returns what a record's span says when it begins, for samplers to see.
func (in *instrumentation) begun(operation string, rec *producer.Record) []attribute.KeyValue {
	attrs := append(in.common(operation, rec.Topic), semconv.MessagingMessageBodySize(len(rec.Value)))
	if rec.Value == nil {
		attrs = append(attrs, semconv.MessagingKafkaMessageTombstone(true))
	}
	if in.keys && rec.Key != nil && utf8.Valid(rec.Key) {
		attrs = append(attrs, semconv.MessagingKafkaMessageKey(string(rec.Key)))
	}
	return attrs
}

// common returns what all spans of a topic say.
func (in *instrumentation) common(operation, topic string) []attribute.KeyValue {
	kind := semconv.MessagingOperationTypeSend
	if operation == opCreate {
		kind = semconv.MessagingOperationTypeCreate
	}
	attrs := make([]attribute.KeyValue, 0, 12)
	attrs = append(attrs, semconv.MessagingSystemKafka, semconv.MessagingOperationName(operation), kind, semconv.MessagingDestinationName(topic))
	return append(attrs, in.client...)
}

// OnRecordEnded ends a record's span.
func (in *instrumentation) OnRecordEnded(ctx context.Context, e producer.RecordEnded) {
	r := recordOf(ctx)
	if r == nil || r.span == nil {
		return
	}
	attrs := []attribute.KeyValue{written(e.Err, e.MayBeWritten)}
	if e.Metadata.Partition >= 0 {
		attrs = append(attrs, partitionID(e.Metadata.Partition))
	}
	if e.Metadata.Offset >= 0 {
		attrs = append(attrs, semconv.MessagingKafkaOffset(int(e.Metadata.Offset)))
	}
	r.span.SetAttributes(attrs...)
	fail(r.span, e.Err)
	r.span.End()
}

func partitionID(n int32) attribute.KeyValue {
	return semconv.MessagingDestinationPartitionID(strconv.Itoa(int(n)))
}

// fail has a span say that it has failed; nil: it has not.
func fail(span trace.Span, err error) {
	if err != nil {
		span.SetAttributes(errorType(err))
		span.SetStatus(codes.Error, err.Error())
	}
}
