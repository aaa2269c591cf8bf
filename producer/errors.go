package producer

import (
	"errors"
	"fmt"
	"math"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
)

// What a record, or a call, can fail with; see also [protocol.ErrorCode] for
// what brokers answer. All of them are to be looked for by errors.Is, and the
// error types of this package by errors.As, since other errors wrap them.
var (
	// ErrClosed: the producer was closed.
	ErrClosed = sender.ErrClosed
	// ErrDeliveryTimeout: delivery.timeout passed without a definite answer.
	ErrDeliveryTimeout = sender.ErrDeliveryTimeout
	// ErrTopicRecreated: the topic was deleted and made again, and the record
	// was for the old one, where it may be. If the error says that it may be
	// written, and brokers are told the names of topics (Produce before version
	// 13), a late request may also write it to the new one, behind newer records.
	ErrTopicRecreated = sender.ErrTopicRecreated
	// ErrClusterReplaced: another cluster is in the place of the one that was, by
	// its id, and the record may be in the log of the old. errors.Is finds
	// ErrTopicRecreated in it, too.
	ErrClusterReplaced = sender.ErrClusterReplaced
	// ErrPartitionGone: the topic was made again with fewer partitions.
	ErrPartitionGone = sender.ErrPartitionGone
	// ErrMaxBlock: Send has waited for max.block, for metadata or for memory. What
	// it waited for goes on: a look-up, or the sending that makes room.
	ErrMaxBlock = errors.New("max.block passed")
	// ErrBufferFull: buffer.memory is used up.
	ErrBufferFull = errors.New("buffer.memory is used up")
	// ErrTopicNotLoaded: TrySend does not know the topic yet. It has started to
	// look it up; try again soon, or call LoadTopics first. It may have known the
	// topic before: one that is idle for metadata.max.idle is forgotten.
	ErrTopicNotLoaded = errors.New("the topic's metadata is not loaded yet")
	// ErrOutcomeUnknown: the wait for a record's outcome was ended by its
	// context. The record itself goes on, and may be delivered.
	ErrOutcomeUnknown = errors.New("stopped waiting for the outcome, which is not known")
	// ErrCallback: a callback has been running for max.block.
	ErrCallback = sender.ErrCallback
)

// MayBeWritten reports whether a record that failed with err may be in the log
// all the same: whether sending it again could write it twice. It is false
// only where that is certain, and for nil, which is no failure.
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

// AdmissionError says why a record was not taken. Nothing of it was kept, and
// it is not in the log.
type AdmissionError struct {
	Topic string
	Err   error
}

func (e *AdmissionError) Error() string {
	return fmt.Sprintf("record for topic %s not taken: %v", protocol.Quoted(e.Topic), e.Err)
}

func (e *AdmissionError) Unwrap() error { return e.Err }

// LoadError says why LoadTopics could not load a topic. There is no record that
// it is about.
type LoadError struct {
	Topic string
	Err   error
}

func (e *LoadError) Error() string {
	return fmt.Sprintf("topic %s could not be loaded: %v", protocol.Quoted(e.Topic), e.Err)
}

// Unwrap returns the reason.
func (e *LoadError) Unwrap() error { return e.Err }

// loadErrors are those of many topics.
type loadErrors []error

func joined(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return loadErrors(errs)
}

// Error writes out the first of them, one a line.
func (e loadErrors) Error() string {
	text := errors.Join(e[:min(len(e), maxListed)]...).Error()
	if len(e) > maxListed {
		text += fmt.Sprintf("\nand %d topics more", len(e)-maxListed)
	}
	return text
}

// Unwrap returns all of them.
func (e loadErrors) Unwrap() []error { return e }

// InvalidTopicError: the name is not one that a topic can have.
type InvalidTopicError struct {
	Name, Rule string
}

func (e *InvalidTopicError) Error() string {
	return fmt.Sprintf("%s is not a topic name: it must %s", protocol.Quoted(e.Name), e.Rule)
}

// NoSuchPartitionError: the record names a partition that the topic lacks, or
// the partitioner chose one. Send says so of a named one when it has asked the
// cluster again and again for max.block. TrySend, and Send of what a partitioner
// has chosen, say it at once, by what was heard last, and have the topic looked
// up again.
type NoSuchPartitionError struct {
	Want int32 // as named
	Have int32 // partitions of the topic: 0 up to Have-1
}

func (e *NoSuchPartitionError) Error() string {
	if e.Want < 0 {
		return fmt.Sprintf("partition %d does not exist: the topic has %d, numbered from 0; a record that names none gets one by its key", e.Want, e.Have)
	}
	return fmt.Sprintf("partition %d does not exist: the topic has %d, numbered from 0", e.Want, e.Have)
}

// RecordTooLargeError: the record can never be sent with these settings.
type RecordTooLargeError struct {
	Size  int // bytes, with the batch around it, uncompressed
	Limit int64
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

// InvalidTimestampError: the timestamp is before 1970, or so far in the future that its milliseconds are no int64. Kafka can
// have neither.
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
