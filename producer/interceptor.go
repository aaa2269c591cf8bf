package producer

import "context"

// Interceptor sees each record on its way out and each result on its way back (KIP-42, KIP-512): for headers that every record
// must have, for counting, for simple tracing. A [Hook] sees more: batches, connections, transactions.
//
// Interceptors are called in the order of Config.Interceptors, by many goroutines at once. So they guard their own state. They
// must not block, since a record waits for OnSend, and the results of its partition wait for OnAcknowledgement.
//
// An interceptor never fails a record. If it returns an error or panics, a warning goes to Config.Logger, and the record goes
// on as the interceptor before it left it.
//
// Interceptor gets no further methods. What it is told may grow by fields of Record and Acknowledgement. What it is asked may
// grow by further interfaces, which an interceptor may implement besides.
type Interceptor interface {
	// OnSend is called within Send, on the caller's goroutine and with the caller's ctx, before the partition is chosen and the
	// record is measured. It may change *rec during the call, and must not keep it. It may append to Headers or replace them,
	// but must not write into them, since the elements of the slice are the caller's. The same goes for the bytes of Key and
	// Value.
	OnSend(ctx context.Context, rec *Record) error

	// OnAcknowledgement is called once for each record that OnSend has seen, just before the record's callback and on the same
	// goroutine. ctx is that of OnSend, for the values that it carries: it may have ended, which says nothing of the record.
	OnAcknowledgement(ctx context.Context, ack Acknowledgement)
}

// Acknowledgement is the outcome of a record, as an Interceptor is told it. It may get further fields.
type Acknowledgement struct {
	// Metadata is what the callback gets. After a failure it names the topic, Offset is -1, and Partition is -1 if none was
	// chosen.
	Metadata RecordMetadata
	// Headers are those that were sent: as the last OnSend left them. They are valid during the call only, and must not be
	// changed.
	Headers []Header
	// Err is nil if the record was acknowledged. Else it is what the callback or the future gets.
	Err error
}
