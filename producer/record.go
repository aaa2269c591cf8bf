package producer

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Header is a record header:
//
//	type Header struct {
//		Key   string
//		Value []byte
//	}
//
// A nil Value is null, which is not the same as empty. Header is declared in package protocol, since a record's headers go to
// the encoder as they are.
type Header = protocol.Header

// Record is what is sent. The producer copies what the slices hold before Send returns, so the caller may reuse them at once.
// Record may get further fields, such as a deadline; their zero value will mean what is done today.
type Record struct {
	// Topic is required.
	Topic string
	// Partition names the partition, by OnPartition. The zero value leaves the choice to the partitioner.
	Partition Partition
	// Key decides the partition, unless Partition does. Nil is null: the record has no key. An empty key is a key.
	Key []byte
	// Value is the payload. Nil is null, which a compacted topic takes for a tombstone. An empty value is not null.
	Value []byte
	// Headers are sent in this order. A key may occur more than once.
	Headers []Header
	// Timestamp is the record's CreateTime, of which whole milliseconds count. The zero time stands for the time of Send. A
	// time before 1970 is an *InvalidTimestampError. A topic with message.timestamp.type=LogAppendTime replaces the timestamp.
	Timestamp time.Time

	unserialized *SerializationError // set for one that is not to be sent; see Unserialized
}

// Partition names a partition. The zero value names none, and leaves the choice to the partitioner.
type Partition struct {
	n     int32
	named bool
}

// OnPartition names partition n. If the topic lacks it, or n is negative, the record fails with a *NoSuchPartitionError.
func OnPartition(n int32) Partition { return Partition{n, true} }

// Get returns the partition and true, or false if the partitioner is to choose.
func (p Partition) Get() (n int32, named bool) { return p.n, p.named }

// RecordMetadata says where a record is in the log.
type RecordMetadata struct {
	Topic string
	// Partition is -1 if the record failed before one was chosen.
	Partition int32
	// Offset is -1 if it is not known: after a failure, with acks=0, or if the broker only said that it has the record already.
	Offset int64
	// Timestamp is the record's own, or the broker's where the topic has message.timestamp.type=LogAppendTime. It has whole
	// milliseconds.
	Timestamp time.Time
}

// Callback gets the outcome of one record, once: where the record is, or why it failed. With an error, md tells the topic, and
// the partition if one was chosen. One function may serve any number of records.
//
// Callbacks of records that were taken run on one goroutine of the producer, one after the other. So a slow callback delays the
// other callbacks, but no sending. The callback of a record that was not taken runs on the goroutine of the caller of SendFunc.
// So a function that serves several records may run on several goroutines at once, and has to guard its state.
//
// Callbacks run in the order in which the records ended. For a partition that is the order of its records, with one exception:
// if an answer was lost, or said that a batch may be written, a younger batch may be acknowledged before the repetition of the
// older one. In the log the records are in order all the same.
//
// A callback may call TrySend, Stats, Brokers and Metrics. It must not call Send, SendFunc, SendSync, Flush, Close or a
// transaction method: they may wait for what only the return of this callback can bring, until ctx or max.block ends them. To
// send from a callback where TrySend does not do, hand the record to another goroutine. A panic in a callback is not recovered:
// on the producer's goroutine it ends the program.
type Callback = func(md RecordMetadata, err error)
