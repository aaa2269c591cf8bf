package producer

import "context"

// Interceptor sees each record on its way out and each result on its way back (KIP-42, KIP-512): for tracing, headers
// that every record must have, counting. Interceptors are called in the order of Config.Interceptors, from many
// goroutines at once: they guard their own state, and they must not block, since a record waits for OnSend and the
// results of its partition wait for OnAcknowledgement.
//
// An interceptor never fails a record. What it returns as an error or panics with is logged as a warning to
// Config.Logger, and the record goes on as the interceptor before it left it.
//
// Interceptor gets no further methods. What it is told may become more, by further fields of Record and Acknowledgement; what
// it is asked may become more by interfaces of their own, which an interceptor may implement besides.
type Interceptor interface {
	// OnSend is called within Send, on the caller's goroutine and with its ctx, before the partition is chosen and
	// the record is measured. It may change *rec, which belongs to it for the duration of the call; Headers must be
	// replaced or appended to rather than written into, since the slice's elements are the caller's.
	OnSend(ctx context.Context, rec *Record) error

	// OnAcknowledgement is called once for each record that OnSend has seen, just before the record's callback. ctx is
	// that of OnSend, for what it carries: it may have ended, and says nothing of the record.
	OnAcknowledgement(ctx context.Context, ack Acknowledgement)
}

// Acknowledgement is the outcome of a record, as an Interceptor sees it. It may get further fields.
type Acknowledgement struct {
	// Metadata is what the callback gets. After a failure it names the topic, Offset is -1, and Partition is -1 if none was
	// chosen.
	Metadata RecordMetadata
	// Headers are those that were sent, as OnSend left them. They are valid only during the call and must not be changed.
	Headers []Header
	// Err is nil if the record is written, else what its callback or future gets.
	Err error
}
