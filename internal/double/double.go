// Package double is what package producer lends to its double in package producertest: rules that are producer's own, and that
// it does not export. The double asks the very same, so that the two cannot differ in them.
//
// Package producer sets the functions when it is initialised, and nobody else does: whoever imports it finds them set. What
// they are given of producer's types is any here, since a package that producer imports cannot name them.
package double

import (
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// The rules.
var (
	// CheckTopic returns what is wrong with the name of a topic: an *InvalidTopicError, or nil.
	CheckTopic func(name string) error
	// Milliseconds returns the Unix time of a time.Time that is not zero, and an *InvalidTimestampError if no record can have it.
	Milliseconds func(when any) (int64, error)
	// Offsets brings a map[TopicPartition]OffsetAndMetadata and a ConsumerGroupMetadata into the protocol's form.
	Offsets func(offsets, group any) (txn.Group, []protocol.TxnOffsetCommitTopic, error)
	// Outward puts producer's error types in the place of those of inner packages.
	Outward func(error) error
	// CalledBy puts the name of a method into the error of another one that it has called.
	CalledBy func(call string, err error) error
	// InTransact does that for Transact, unless it is the other method which is to be called again.
	InTransact func(err error) error
	// AbortFailed joins the error for which Transact was to abort and that of the abort. Only one of them says what to do next.
	AbortFailed func(err, aborted error, abortSays bool) error
	// NotTransactional is the error of a transactional method of a producer without a transactional id.
	NotTransactional func(call string) error
	// Passes reports whether what has failed a transaction may be over when the next one comes to it.
	Passes func(err error) bool
	// Retries returns the number that a []TransactOption allows.
	Retries func(options any) int
	// Grace returns how long a producer with a Config looks for a topic before it says that there is none.
	Grace func(config any) time.Duration
	// PartitionerFailed is the error of a record for which the program's partitioner has returned err.
	PartitionerFailed func(err error) error
	// SoFar sets what the Wait of a Future of NewFuture returns of a RecordMetadata when its ctx ends it. It is called before
	// anybody else has the Future.
	SoFar func(future, metadata any)
	// Joined makes one error of the LoadErrors of a LoadTopics; nil of none.
	Joined func(errs []error) error
)

// Errors of calls that are made when they cannot be.
var (
	ErrTxEnded error // by the Tx of a transaction that has ended
	ErrOverlap error // Transact beside, or inside of, another one
	ErrGone    error // of a record whose partitioner has not returned, but panicked
)

// UnserializedKey is the key of a context in which a *SerializationError says that the record has no key and value.
type UnserializedKey struct{}

// Open is how many transactions of doubles are open in the process. A Typed looks at it: while one is open, what it could not
// serialize must get there and fail it.
var Open atomic.Int32
