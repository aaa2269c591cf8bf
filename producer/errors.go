package producer

import (
	"errors"
	"fmt"
	"math"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
)

// What a record, or a call, fails with. Other errors wrap these, so errors.Is has to look for them. What brokers answer is a
// [protocol.ErrorCode], which errors.Is finds in the same way. The package documentation says which error types wrap them.
var (
	// ErrClosed: Close was called. A record that was not taken for that reason is not in the log. The SendError of a record
	// that Close gave up says whether that one may be.
	ErrClosed = sender.ErrClosed
	// ErrDeliveryTimeout: delivery.timeout passed before the record was acknowledged.
	ErrDeliveryTimeout = sender.ErrDeliveryTimeout
	// ErrTopicRecreated: the topic was deleted and made again while the record was on its way to the old one. If the record may
	// be written, it may be in the log of the old topic. With brokers that are told topics by name (Produce before version 13),
	// a late request may also write it to the new topic, behind newer records.
	ErrTopicRecreated = sender.ErrTopicRecreated
	// ErrClusterReplaced: the brokers tell another cluster id than before, so another cluster has taken the place of the old
	// one. The record may be in the log of the old cluster. errors.Is finds ErrTopicRecreated in it, too.
	ErrClusterReplaced = sender.ErrClusterReplaced
	// ErrPartitionGone: the topic was made again with fewer partitions.
	ErrPartitionGone = sender.ErrPartitionGone
	// ErrMaxBlock: a call has waited for max.block. Of a Send the record was not taken. What the call has begun goes on, such
	// as the look-up of a topic, so the same call may succeed later.
	ErrMaxBlock = errors.New("max.block passed")
	// ErrBufferFull: the record was not taken, since buffer.memory is used up. TrySend returns it at once. Send waits for room
	// first, so its error also wraps ErrMaxBlock or the error of ctx.
	ErrBufferFull = errors.New("buffer.memory is used up")
	// ErrTopicNotLoaded: TrySend does not know the topic yet. It has started to look it up: try again soon, or call LoadTopics
	// first. The error also wraps what brokers have answered of the topic meanwhile, such as UNKNOWN_TOPIC_OR_PARTITION, and why
	// none can be reached. A topic that nothing was sent to for metadata.max.idle is forgotten, and has to be looked up again.
	ErrTopicNotLoaded = errors.New("the topic's metadata is not loaded yet")
	// ErrOutcomeUnknown: the ctx of Future.Wait or SendSync ended before the record had an outcome. The record goes on, and may
	// be delivered. A later Wait can learn the outcome.
	ErrOutcomeUnknown = errors.New("stopped waiting for the outcome, which is not known")
	// ErrCallback: Flush or Close gave up, since one callback has been running for max.block, or for 1 s if max.block is less.
	// A callback that calls Flush or Close waits for itself.
	ErrCallback = sender.ErrCallback
)

// MayBeWritten reports whether a record that failed with err may be in the log all the same. If so, sending it again could
// write it twice. If not, the record is certainly not in the log. MayBeWritten(nil) is false: the record has not failed.
func MayBeWritten(err error) bool {
	var send *SendError
	switch {
	case err == nil:
		return false // it has not failed
	case errors.As(err, &send):
		return send.MayBeWritten
	case errors.Is(err, ErrOutcomeUnknown):
		return true
	}
	var admission *AdmissionError
	var serialization *SerializationError
	var load *LoadError
	return !errors.As(err, &admission) && !errors.As(err, &serialization) && !errors.As(err, &load)
}

// AdmissionError says why a record was not taken. Nothing of it was kept, and it is not in the log. Err wraps the reason:
//
//   - the wait ended: ErrMaxBlock, ErrBufferFull, or the error of ctx. A ctx that has ended before Send counts, too.
//   - the record cannot be sent: *InvalidTopicError, *UnknownTopicError, *TopicError, *NoSuchPartitionError,
//     *RecordTooLargeError, *InvalidTimestampError, or the partitioner's error.
//   - the producer takes no record now: ErrClosed, ErrFenced, *TransactionError, or *TransactionStateError where no transaction
//     is open.
type AdmissionError struct {
	Topic string
	Err   error
}

func (e *AdmissionError) Error() string {
	return fmt.Sprintf("record for topic %s not taken: %v", protocol.Quoted(e.Topic), e.Err)
}

// Unwrap returns the reason.
func (e *AdmissionError) Unwrap() error { return e.Err }

// LoadError says why LoadTopics could not look a topic up. It is not about a record.
type LoadError struct {
	Topic string
	Err   error
}

func (e *LoadError) Error() string {
	return fmt.Sprintf("topic %s could not be loaded: %v", protocol.Quoted(e.Topic), e.Err)
}

// Unwrap returns the reason.
func (e *LoadError) Unwrap() error { return e.Err }

// loadErrors are the errors of many topics.
type loadErrors []error

func joined(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return loadErrors(errs)
}

// Error writes out the first maxListed of them, one a line.
func (e loadErrors) Error() string {
	text := errors.Join(e[:min(len(e), maxListed)]...).Error()
	if len(e) > maxListed {
		text += fmt.Sprintf("\nand %d topics more", len(e)-maxListed)
	}
	return text
}

// Unwrap returns all of them.
func (e loadErrors) Unwrap() []error { return e }

// InvalidTopicError says that no topic can have this name.
type InvalidTopicError struct {
	Name string // as the caller gave it
	Rule string // what it has to be, to be read after "it must"
}

func (e *InvalidTopicError) Error() string {
	return fmt.Sprintf("%s is not a topic name: it must %s", protocol.Quoted(e.Name), e.Rule)
}

// NoSuchPartitionError says that the topic lacks the partition that the record names, or that the partitioner has chosen.
//
// Somebody may be adding partitions. So where a record names the partition, Send asks the cluster again and again, and returns
// this error after max.block. TrySend returns it at once, by what the cluster told last. So does Send if a partitioner has
// chosen the partition. Both have the topic looked up again.
type NoSuchPartitionError struct {
	Want int32 // the partition that was named or chosen
	Have int32 // number of partitions of the topic: they are 0 to Have-1
}

func (e *NoSuchPartitionError) Error() string {
	if e.Want < 0 {
		return fmt.Sprintf("partition %d does not exist: the topic has %d, numbered from 0; a record that names none gets one by its key", e.Want, e.Have)
	}
	return fmt.Sprintf("partition %d does not exist: the topic has %d, numbered from 0", e.Want, e.Have)
}

// RecordTooLargeError says that the record can never be sent with these settings.
type RecordTooLargeError struct {
	Size  int    // bytes, with the batch around it, uncompressed
	Limit int64  // bytes
	Key   string // the setting that is too small
	Also  string // buffer.memory, if that is too small as well
}

func (e *RecordTooLargeError) Error() string {
	text := fmt.Sprintf("the record takes %d bytes, and %s is %d: raise it", e.Size, e.Key, e.Limit)
	if e.Also != "" {
		text += ", and " + e.Also + " too"
	}
	return text + "; the topic's max.message.bytes (on brokers message.max.bytes, by default 1048588) must not be below it either"
}

// InvalidTimestampError says that the record's timestamp is before 1970, or so far in the future that its milliseconds do not
// fit into an int64. Kafka has no number for either.
type InvalidTimestampError struct {
	Milliseconds int64 // math.MaxInt64 if it is too far in the future, math.MinInt64 if it is as far in the past
}

func (e *InvalidTimestampError) Error() string {
	switch e.Milliseconds {
	case math.MaxInt64:
		return "the timestamp is too far in the future: Kafka counts milliseconds since 1970, and has no number for it"
	case math.MinInt64:
		return "the timestamp is too far in the past: Kafka's times begin with 1970"
	}
	return fmt.Sprintf("timestamp of %d ms is negative: Kafka's times begin with 1970", e.Milliseconds)
}
