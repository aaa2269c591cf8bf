// Package cause says why a context has ended, in the same way everywhere. What it returns matches, by errors.Is, both the
// context's own error and the cause that its canceller gave.
package cause

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Of returns why ctx has ended; nil if it has not. If the cause is an error of its own, both match: code that checks for
// context.Canceled or context.DeadlineExceeded need not know who ended the context.
func Of(ctx context.Context) error {
	err, why := ctx.Err(), context.Cause(ctx)
	var own *bound
	switch {
	case err == nil:
		return nil
	case errors.As(why, &own):
		return own.err
	case errors.Is(why, err):
		return why
	}
	return &both{why, err}
}

// both is a cause, and the error of the context that it ended.
type both struct{ why, err error }

func (b *both) Error() string   { return fmt.Sprintf("%v (%v)", b.why, b.err) }
func (b *both) Unwrap() []error { return []error{b.why, b.err} }

// Within returns a context that also ends after d. Of then returns err. That is a bound of our own, so err does not match
// context.DeadlineExceeded: no deadline of the caller's has passed.
func Within(ctx context.Context, d time.Duration, err error) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, &bound{err})
}

// bound marks an error as the end of a wait that Within has set.
type bound struct{ err error }

func (b *bound) Error() string { return b.err.Error() }
func (b *bound) Unwrap() error { return b.err }
