package producer

import (
	"context"
	"time"
)

// Hook is told what happens in a producer: for tracing, metrics and audits that an Interceptor is not enough for. A Hook is any
// value that implements at least one of these interfaces:
//
//	records        RecordBegunHook, RecordPartitionedHook, RecordEndedHook; RecordFilterHook besides chooses the records
//	batches        BatchSentHook, BatchAcknowledgedHook, BatchRetriedHook, BatchSplitHook, BatchFailedHook
//	brokers        BrokerConnectedHook, BrokerDisconnectedHook, RequestEndedHook, BrokerThrottledHook
//	partitions     LeaderMovedHook, EpochRenewedHook
//	transactions   TransactionBegunHook, TransactionEndedHook
//
// Hooks are called in the order of Config.Hooks. The producer holds no lock while it calls them. The comment of each interface
// says on which goroutine it is called:
//
//   - The caller's, within Send: when a record is begun, when its partition is chosen, and when it is not taken.
//   - That of the callbacks: when a record ends that was taken. A slow hook there delays callbacks, but no sending.
//   - The producer's own, which runs all that is between callers and connections: everything else. A slow hook there holds up
//     every record. So it has to hand slow work, such as writing a log, to a goroutine of its own.
//
// A hook must not wait for the producer. Send, Flush, Close, Wait, LoadTopics, Ready and the methods of transactions may wait
// for what only the return of the hook can bring. Metrics and Health ask the producer's own goroutine, so a hook that
// runs on it would wait for itself, for ever. TrySend, Stats and Brokers are allowed in all hooks; for anything else a hook
// starts a goroutine. A panic in a hook is not recovered, as with a
// [Callback]. On a caller's goroutine it goes up to the caller, and on the producer's it ends the program.
//
// Hooks cost nothing where there are none. A hook of records costs some allocations for each record that it is told of: a
// RecordFilterHook leaves records out. With any other hook, callers do no part of the sending themselves, so with Linger 0 a
// record waits for another goroutine to wake: an AnyGoroutineHook spares it that.
//
// The interfaces get no further methods. What they are told may grow by fields of the structs, and there may be further
// interfaces.
type Hook any

// RecordFilterHook chooses the records that a hook is told of. The hook also has to implement another interface of records.
// WantsRecord is asked once for each record, at the beginning of a Send of any kind, before the interceptors and on the
// caller's goroutine. A SendAllFunc asks for some of its records before it sends those in front of them. A record that no hook
// wants costs one call of WantsRecord more than without hooks. ctx is the caller's.
type RecordFilterHook interface {
	WantsRecord(ctx context.Context, topic string) bool
}

// AnyGoroutineHook says that any goroutine may call the hook's methods, also one that is in Send. So they have to be quick, and
// must not wait for a lock that a caller of Send may hold. If all of Config.Hooks implement it, a caller of Send may itself
// send a record that need not wait, and call the hooks of batches and brokers meanwhile. The hook is still told one thing after
// the other. The interface alone makes no hook.
type AnyGoroutineHook interface {
	MayRunAnywhere()
}

// RecordBegunHook is told that a Send of any kind has begun. It is called on the caller's goroutine, after the interceptors,
// and before the partition is chosen and the record is measured. ctx is the caller's, or what the hook before has returned.
//
// The context that it returns goes with the record: later hooks get it, and so does Batch.Contexts. It is best derived from
// ctx; nil stands for ctx. It does not bound Send: the caller's does.
type RecordBegunHook interface {
	OnRecordBegun(ctx context.Context, e *RecordBegun) context.Context
}

// RecordBegun is a record that is about to be sent.
type RecordBegun struct {
	// Record is a copy of the record. A hook may append to its Headers or replace them; other changes have no effect. The bytes
	// that it points to are the caller's: a hook must not change them, nor keep them after the call.
	Record *Record
}

// RecordPartitionedHook is told which partition was chosen for a record, before the record is appended to the partition's open
// batch, which may wait for room in buffer.memory. It is called on the caller's goroutine. It is called again if another
// partition is chosen after all, since the batch is full or the topic was made again meanwhile. ctx is what OnRecordBegun
// returned.
type RecordPartitionedHook interface {
	OnRecordPartitioned(ctx context.Context, e RecordPartitioned)
}

// RecordPartitioned says where a record goes.
type RecordPartitioned struct {
	Topic     string
	Partition int32
}

// RecordEndedHook is told how a record has ended: once for each record for which OnRecordBegun was called, also if the record
// was not taken. It is called after the interceptors, before the record's callback and on the same goroutine. Futures do not
// wait for it. ctx is what OnRecordBegun returned, for the values that it carries: it may have ended, which says nothing of the
// record.
type RecordEndedHook interface {
	OnRecordEnded(ctx context.Context, e RecordEnded)
}

// RecordEnded is the outcome of a record.
type RecordEnded struct {
	// Metadata is what the callback gets. After a failure it names the topic, Offset is -1, and Partition is -1 if none was
	// chosen.
	Metadata RecordMetadata
	// Err is nil if the record was acknowledged. Else it is what the callback or the future gets.
	Err error
	// MayBeWritten says that the record has failed, and may be in the log all the same, as the function MayBeWritten tells.
	MayBeWritten bool
	// Began is when Send was called.
	Began time.Time
}
