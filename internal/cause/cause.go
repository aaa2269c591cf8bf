// Package cause says why a context has ended, in one way everywhere: what it returns matches, by errors.Is, the context's
// own error and whatever its canceller gave as the cause.
package cause

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Of returns why ctx has ended; nil if it has not. If the cause is an error of its own, both match: code that asks for
// context.Canceled or context.DeadlineExceeded must not have to know who ended the context, nor how.
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

// Within returns a context that also ends after d, with err as what Of returns. That is a bound of ours, so err does not
// match context.DeadlineExceeded: it is not the caller's deadline that has passed.
func Within(ctx context.Context, d time.Duration, err error) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, &bound{err})
}

// bound marks an error as the end of a wait that Within has set.
type bound struct{ err error }

func (b *bound) Error() string { return b.err.Error() }
func (b *bound) Unwrap() error { return b.err }
