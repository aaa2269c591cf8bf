package epistleotel

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/producer"
)

// What the conventions have nothing for.
const (
	transactionalIDKey = attribute.Key("epistle.transactional.id")
	transactionKey     = attribute.Key("epistle.transaction.number")
)

// OnTransactionEnded makes the span of a commit or an abort, now that it has ended. One that nobody has asked for is an abort
// that takes no time.
func (in *instrumentation) OnTransactionEnded(e producer.TransactionEnded) {
	if in.chosen { // a root would be sampled by its own chance
		return
	}
	ended := time.Now()
	operation, began := "abort", e.Asked
	if e.Commit {
		operation = "commit"
	}
	if began.IsZero() {
		began = ended
	}
	attrs := append([]attribute.KeyValue{
		semconv.MessagingSystemKafka, semconv.MessagingOperationName(operation),
		transactionalIDKey.String(e.Transaction.ID), transactionKey.Int64(e.Transaction.Number), committed(e.Outcome),
	}, in.client...)
	_, span := in.tracer.Start(context.Background(), operation, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(began), trace.WithAttributes(attrs...))
	fail(span, e.Err)
	if errors.Is(e.Err, producer.ErrTransactionAborted) { // that it was aborted is no news: what for is
		if kind := errorKind(e.Err); kind != semconv.ErrorTypeOther {
			span.SetAttributes(kind)
		}
	}
	span.End(trace.WithTimestamp(ended))
}

// committed says whether the records of a transaction are in the log for those who read what is committed.
func committed(o producer.TransactionOutcome) attribute.KeyValue {
	switch o {
	case producer.OutcomeCommitted:
		return writtenKey.String("yes")
	case producer.OutcomeAborted:
		return writtenKey.String("no")
	default: // OutcomeUnknown: an end is never open
		return writtenKey.String("maybe")
	}
}
