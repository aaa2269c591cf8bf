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
// A nil Value is null, which is not the same as empty. It is declared in package
// protocol, since a record's headers go to the encoder as they are.
type Header = protocol.Header

// Record is what is sent. The producer copies what the slices hold before Send
// returns, so the caller may reuse them at once. It may get further fields, such as
// a deadline of its own; their zero value will mean what is done today.
type Record struct {
	// Topic is required.
	Topic string
	// Partition is chosen by the partitioner if it is the zero value; see
	// OnPartition.
	Partition Partition
	// Key decides the partition, unless Partition does. Nil is null: no key.
	Key []byte
	// Value may be nil, which is null: in a compacted topic a tombstone.
	Value   []byte
	Headers []Header
	// Timestamp is the record's CreateTime, in milliseconds; the zero time
	// stands for the time of Send. It must not be before 1970. A topic with
	// message.timestamp.type=LogAppendTime replaces it.
	Timestamp time.Time

	unserialized *SerializationError // set for one that is not to be sent; see Unserialized
}

// Partition names a partition, or leaves the choice to the partitioner, which
// is its zero value.
type Partition struct {
	n     int32
	named bool
}

// OnPartition names partition n. One that the topic lacks, a negative one
// included, fails the record with a *NoSuchPartitionError.
func OnPartition(n int32) Partition { return Partition{n, true} }

// Get returns the partition, and false if the partitioner is to choose it.
func (p Partition) Get() (n int32, named bool) { return p.n, p.named }

// RecordMetadata says where a record is.
type RecordMetadata struct {
	Topic string
	// Partition is -1 if the record failed before one was chosen.
	Partition int32
	// Offset is -1 if it is unknown: after a failure, with acks=0, or if the
	// broker only said that it has the record already.
	Offset int64
	// Timestamp is the record's own, or the broker's where the topic has
	// message.timestamp.type=LogAppendTime. In whole milliseconds.
	Timestamp time.Time
}

// Callback gets the outcome of one record, once. With an error, md tells the
// topic, and the partition if one was chosen. One function may serve any
// number of records.
//
// Callbacks run on one goroutine, in the order in which the records ended: one
// that takes its time delays the others, but no sending. For a partition that
// is the order of its records, unless an answer was lost or said that a batch
// may be written, and a younger one was acknowledged before the repetition of
// the older. In the log they are in order all the same.
// TrySend is allowed inside; Send, Flush and Close are not: they may wait for
// what only this callback's return can bring, until their ctx or max.block
// ends it. A panic inside is not recovered.
type Callback = func(md RecordMetadata, err error)
