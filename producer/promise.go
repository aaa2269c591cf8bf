package producer

import (
	"context"
	"fmt"
	"sync"

	"github.com/epistle-kafka/epistle/internal/cause"
)

// NewFuture returns a future, and the function that gives it its outcome. It is for a [Sender] that is no producer, such as a
// fake in a test, or one that keeps records for later. complete may be called from any goroutine, before or after somebody
// waits. Only its first call counts.
func NewFuture() (f Future, complete func(md RecordMetadata, err error)) {
	r := &refusal{soFar: RecordMetadata{Partition: -1, Offset: -1}, done: make(chan struct{})}
	var once sync.Once
	return Future{failed: r}, func(md RecordMetadata, err error) {
		once.Do(func() {
			r.md, r.err = md, err
			close(r.done)
		})
	}
}

// ended returns a channel that is closed when the outcome is there.
func (r *refusal) ended() <-chan struct{} {
	if r.done == nil {
		return closed
	}
	return r.done
}

// wait is Future.Wait.
func (r *refusal) wait(ctx context.Context) (RecordMetadata, error) {
	select {
	case <-r.ended():
		return r.md, r.err
	default:
	}
	select {
	case <-r.ended():
		return r.md, r.err
	case <-ctx.Done():
		return r.soFar, fmt.Errorf("%w: %w", ErrOutcomeUnknown, cause.Of(ctx))
	}
}
