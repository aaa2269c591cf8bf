package producer

import (
	"context"
	"time"
)

// Hook is told what happens in a producer: for tracing, metrics and audits that an Interceptor is not enough for. It is any
// value that has at least one of these interfaces, and as many of them as it likes:
//
//	records        RecordBegunHook, RecordPartitionedHook, RecordEndedHook, and RecordFilterHook beside them
//	batches        BatchSentHook, BatchAcknowledgedHook, BatchRetriedHook, BatchSplitHook, BatchFailedHook
//	brokers        BrokerConnectedHook, BrokerDisconnectedHook, RequestEndedHook, BrokerThrottledHook
//	partitions     LeaderMovedHook, EpochRenewedHook
//	transactions   TransactionBegunHook, TransactionEndedHook
//
// Hooks are called in the order of Config.Hooks, and under no lock of the producer's. Each comment says on which goroutine:
//
//   - The caller's, within Send: begun and partitioned, and the end of a record that was not taken.
//   - The one of the callbacks: the end of a record that was taken. One that takes its time delays callbacks, and no sending.
//   - The producer's own, which does all that there is to do between callers and connections: everything else. A hook there
//     has to be quick, as it holds up every record. What takes its time, such as writing a log, it hands to a goroutine of its
//     own.
//
// Whichever it is, a hook must not wait for the producer: not in Send, Flush, Close, Wait or a transactional method, which may
// wait for what only the return of the hook can bring. TrySend, Stats and Brokers are allowed. A panic inside is not recovered,
// as with a [Callback]: on the goroutine of a caller it goes up to the caller, and on the producer's it ends the program.
//
// Without hooks none of it costs anything. With hooks that are told of records, each record that they are told of costs some
// allocations: a RecordFilterHook leaves out those that it is not interested in. With hooks that are told of anything else,
// callers do no part of the sending themselves, so that with Linger 0 a record waits for another goroutine to wake: an
// AnyGoroutineHook spares it that.
//
// The interfaces get no further methods. What they are told may become more, by further fields of the structs, and there may be
// further interfaces.
type Hook any

// RecordFilterHook chooses the records that a hook is told of, for one that has another interface of records. It is asked once
// for each record, at the beginning of a Send of any kind, before the interceptors, and on the caller's goroutine; for a
// SendAllFunc it may be asked once for several records. A record that no hook wants costs what it costs without hooks, and the
// call of WantsRecord. ctx is the caller's.
type RecordFilterHook interface {
	WantsRecord(ctx context.Context, topic string) bool
}

// AnyGoroutineHook says of a hook that any goroutine may call it, that of a caller of Send among them: all of its methods are
// quick, and wait for no lock that a caller may hold. Where all of Config.Hooks say so, a caller goes on to send a record that
// may go at once, and what a hook would be told on the producer's own goroutine it may then be told within Send. It is still
// told one thing after the other. The interface alone makes no hook.
type AnyGoroutineHook interface {
	MayRunAnywhere()
}

// RecordBegunHook is told that a Send of any kind has begun, after the interceptors, and before the partition is chosen and
// the record is measured. It runs on the caller's goroutine. ctx is the caller's, or what the hook before has returned.
//
// What it returns, best something derived from ctx, goes with the record: the hooks behind, those that are told of the record
// later, and Batch.Contexts have it. Nil stands for ctx. The producer itself takes nothing from it: what bounds Send is the
// caller's.
type RecordBegunHook interface {
	OnRecordBegun(ctx context.Context, e *RecordBegun) context.Context
}

// RecordBegun is a record that is about to be sent.
type RecordBegun struct {
	// Record is a copy of what is sent. Of what a hook changes in it only Headers counts: append to it, or replace it. The
	// bytes that it points to are the caller's: they must not be changed, nor kept after the call.
	Record *Record
}

// RecordPartitionedHook is told which partition was chosen for a record, just before it is appended to the partition's open
// batch, which may wait for room in buffer.memory. It runs on the caller's goroutine. If another partition is chosen after
// all, since the topic was made again meanwhile or the batch is full, it is told again. ctx is that of OnRecordBegun.
type RecordPartitionedHook interface {
	OnRecordPartitioned(ctx context.Context, e RecordPartitioned)
}

// RecordPartitioned is where a record goes.
type RecordPartitioned struct {
	Topic     string
	Partition int32
}

// RecordEndedHook is told how a record has ended: once for each that OnRecordBegun was called for, also if it was not taken.
// It runs after the interceptors and before the record's callback, and on the same goroutine as that. Futures do not wait for
// it. ctx is that of OnRecordBegun, for what it carries: it may have ended, and says nothing of the record.
type RecordEndedHook interface {
	OnRecordEnded(ctx context.Context, e RecordEnded)
}

// RecordEnded is the outcome of a record.
type RecordEnded struct {
	// Metadata is what the callback gets. After a failure it names the topic, Offset is -1, and Partition is -1 if none was
	// chosen.
	Metadata RecordMetadata
	// Err is nil if the record is written, else what its callback or future gets.
	Err error
	// MayBeWritten says that the record has failed, and may be in the log all the same: see the function of that name.
	MayBeWritten bool
	// Began is when Send was called.
	Began time.Time
}
