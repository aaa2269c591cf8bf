package protocol

import "fmt"

// ErrorCode is an error code of Kafka. It is an error itself, so errors.Is and errors.As find it inside another error. NoError
// is no error, and Err turns it into nil.
//
// What the methods say holds for the answer to one attempt. An unknown code is final for its batch, and the batch may be
// written.
type ErrorCode int16

// Err is nil for NoError, else the code.
func (c ErrorCode) Err() error {
	if c == NoError {
		return nil
	}
	return c
}

// Error names the code, and says what happened and what to do about it where a producer can meet it.
func (c ErrorCode) Error() string {
	entry, ok := c.lookup()
	switch {
	case !ok:
		return fmt.Sprintf("error code %d, which is not known here; a newer broker may have sent it", int16(c))
	case entry.text == "":
		return fmt.Sprintf("%s (%d)", entry.name, int16(c))
	default:
		return fmt.Sprintf("%s (%d): %s", entry.name, int16(c), entry.text)
	}
}

// Name is Kafka's name, such as "NOT_LEADER_OR_FOLLOWER", or the number of a code that is not known here.
func (c ErrorCode) Name() string {
	if entry, ok := c.lookup(); ok {
		return entry.name
	}
	return fmt.Sprintf("ERROR_%d", int16(c))
}

// Class returns the kind of reaction that the code calls for.
func (c ErrorCode) Class() Class {
	entry, _ := c.lookup()
	return entry.class
}

// Reach returns how much has failed if nothing is tried again.
func (c ErrorCode) Reach() Reach {
	entry, _ := c.lookup()
	return entry.reach
}

// Retriable reports whether the same request may succeed later. It is false for the codes about sequence numbers.
func (c ErrorCode) Retriable() bool {
	class := c.Class()
	return class == ClassRetriable || class == ClassRefreshRetriable
}

// RefreshMetadata reports whether the client should look up the leader again before the next attempt; or the coordinator, if
// the code comes from one.
func (c ErrorCode) RefreshMetadata() bool { return c.Class() == ClassRefreshRetriable }

// MayBeWritten reports whether a batch that got this code may be in the log all the same. It is false only for codes that
// brokers give before they append. It is about one attempt: an earlier one may have written the batch.
func (c ErrorCode) MayBeWritten() bool {
	entry, _ := c.lookup()
	return !entry.refused
}

func (c ErrorCode) lookup() (errorCode, bool) {
	if i := int(c) + 1; i >= 0 && i < len(errorCodes) {
		return errorCodes[i], true
	}
	return errorCode{}, false
}

// Class is the kind of reaction that an error calls for, as in KIP-1050.
type Class uint8

const (
	// ClassFatal is an error that another attempt does not mend, and every unknown code. Its Reach says what it ends.
	ClassFatal Class = iota
	// ClassRetriable is worth another attempt after a backoff.
	ClassRetriable
	// ClassRefreshRetriable is worth another attempt once the client has looked up the leader or the coordinator again.
	ClassRefreshRetriable
	// ClassAbortable ends the transaction; the producer can begin another.
	ClassAbortable
	// ClassApplicationRecoverable needs a new producer, or a restart of the consumer whose offsets are committed.
	ClassApplicationRecoverable
	// ClassInvalidConfiguration needs a change of settings, permissions or data by a human.
	ClassInvalidConfiguration
	// ClassSequence is about the sequence numbers of an idempotent producer. The producer knows what to do.
	ClassSequence
	// ClassNone is the class of NoError.
	ClassNone
)

func (c Class) String() string {
	names := [...]string{"fatal", "retriable", "refresh and retry", "abortable", "application-recoverable", "invalid configuration", "sequence", "none"}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}

// Reach is how much an error ends.
type Reach uint8

const (
	ReachBatch Reach = iota // the batch, and nothing else
	// ReachRecord is the records that the response names; the whole batch if it names none.
	ReachRecord
	// ReachTopic is everything for the topic.
	ReachTopic
	// ReachTransaction is the transaction. If a coordinator answers INVALID_PRODUCER_EPOCH or INVALID_TXN_STATE, and not a
	// leader to a Produce request, it is the producer.
	ReachTransaction
	// ReachProducer is the producer.
	ReachProducer
)

func (r Reach) String() string {
	names := [...]string{"batch", "record", "topic", "transaction", "producer"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("Reach(%d)", uint8(r))
}
