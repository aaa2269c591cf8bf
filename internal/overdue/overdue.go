// Package overdue is for waits that end by the clock. A process that was stopped, or whose machine was, goes on with timers
// that have gone off long ago, and with answers that nobody has read yet. What the answers say is evidence, what the clock says
// is a guess. So whoever finds that a wait has ended later than it should have looks for a moment more.
package overdue

import (
	"context"
	"time"
)

const (
	// Punctual is how late a timer may be on a busy machine. If it is later, the process has stood still.
	Punctual = 10 * time.Millisecond
	// Moment is how long answers that lie in the sockets are given to be read.
	Moment = 100 * time.Millisecond
)

// Await waits for done, for stop, or until ctx ends. If ctx has ended by its deadline while the process stood still, done has a
// moment more. A ctx that was over before the wait has none. A nil stop never comes.
func Await(ctx context.Context, done, stop <-chan struct{}) {
	over := ctx.Err() != nil
	select {
	case <-done:
		return
	case <-stop:
		return
	case <-ctx.Done():
	}
	if !over {
		After(ctx, done, stop)
	}
}

// After is Look for a wait that ctx has ended.
func After(ctx context.Context, done, stop <-chan struct{}) bool {
	deadline, ok := ctx.Deadline()
	return ok && ctx.Err() == context.DeadlineExceeded && Look(deadline, done, stop)
}

// Look is for a wait that should have ended at deadline, and has ended by the clock now. If that is late, it waits a moment for
// done, or for stop. It reports whether it has received from done.
func Look(deadline time.Time, done, stop <-chan struct{}) bool {
	if time.Since(deadline) <= Punctual {
		return false
	}
	moment := time.NewTimer(Moment)
	defer moment.Stop()
	select {
	case <-done:
		return true
	case <-stop:
	case <-moment.C:
	}
	return false
}
