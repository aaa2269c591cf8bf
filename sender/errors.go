package sender

import (
	"errors"
	"fmt"
	"time"
)

// Errors that a record can end with, besides a broker's [protocol.ErrorCode].
var (
	// ErrClosed: the producer was closed before the record could be delivered.
	ErrClosed = errors.New("the producer is closed")
	// ErrDeliveryTimeout: delivery.timeout passed without a definite answer.
	ErrDeliveryTimeout = errors.New("delivery.timeout passed")
	// ErrTopicRecreated: the topic was deleted and made again, and the record may be in the log that was deleted.
	ErrTopicRecreated = errors.New("the topic was deleted and made again")
	// ErrForgotten: the topic was idle, and its queues are no longer in use. It has to be looked up again. No record ends with
	// this error.
	ErrForgotten = errors.New("the topic was idle for too long and has been forgotten")
	// ErrClusterReplaced: another cluster has taken the place of the last one, and the record may be in the old one's log. It
	// is an ErrTopicRecreated.
	ErrClusterReplaced error = clusterReplaced{}
	// ErrPartitionGone: the topic was made again with fewer partitions.
	ErrPartitionGone = errors.New("the partition no longer exists")
)

type clusterReplaced struct{}

func (clusterReplaced) Error() string {
	return "the cluster is another one than before, by its id or by those of its topics: it was made again, or its address leads elsewhere now"
}

func (clusterReplaced) Is(target error) bool { return target == ErrTopicRecreated }

// An IdentityError says that the cluster refuses the producer id that idempotence needs.
type IdentityError struct{ Err error }

func (e *IdentityError) Error() string {
	return fmt.Sprintf("the cluster gives no producer id, which idempotence needs: %v", e.Err)
}

func (e *IdentityError) Unwrap() error { return e.Err }

// Undelivered counts records without an acknowledgement, by whether they may be in the log.
type Undelivered struct{ NotWritten, MayBeWritten int64 }

// An Error says why a record was not acknowledged.
type Error struct {
	Topic     string
	Partition int32
	Attempts  int           // how often its batch was sent; 0: never
	Elapsed   time.Duration // from admission to the end
	Err       error         // errors.Is and As reach a broker's code through it

	// MayBeWritten says that the record may be in the log all the same: some attempt ended without a definite answer.
	MayBeWritten bool
}

func (e *Error) Error() string {
	fate := "it is not in the log"
	if e.MayBeWritten {
		fate = "it may be in the log all the same"
	}
	return fmt.Sprintf("sending to %s-%d: %v (%s, %s; %s)", e.Topic, e.Partition, e.Err, attempts(e.Attempts), e.Elapsed.Round(time.Millisecond), fate)
}

func (e *Error) Unwrap() error { return e.Err }

func attempts(n int) string {
	switch n {
	case 0:
		return "never sent"
	case 1:
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}
