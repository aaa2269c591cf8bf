package overdue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/internal/overdue"
)

// late is a context that hears of its deadline later than it should, as in a process that stood still meanwhile.
type late struct {
	context.Context
	deadline time.Time
}

func (l late) Deadline() (time.Time, bool) { return l.deadline, true }

// A wait that ends when it should takes no longer. One that ends late takes what comes within a moment, and no more than that.
func TestAwait(t *testing.T) {
	for _, c := range []struct {
		name        string
		late        time.Duration // how late the context hears of its deadline, which is after a second
		cancelled   bool          // it is cancelled, in place of that
		comes, want time.Duration
	}{
		{"in time", 0, false, time.Minute, time.Second},
		{"as late as a busy machine is", overdue.Punctual, false, time.Minute, time.Second + overdue.Punctual},
		{"just later", overdue.Punctual + 1, false, time.Minute, time.Second + overdue.Punctual + 1 + overdue.Moment},
		{"an answer after a pause", time.Minute, false, 61*time.Second + 50*time.Millisecond, 61*time.Second + 50*time.Millisecond},
		{"an answer that comes too late", time.Minute, false, 62 * time.Second, 61*time.Second + overdue.Moment},
		{"cancelled", time.Minute, true, time.Hour, 61 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second+c.late)
				if c.cancelled {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(time.Second+c.late, cancel)
				}
				defer cancel()
				done := make(chan struct{})
				time.AfterFunc(c.comes, func() { close(done) })
				overdue.Await(late{ctx, began.Add(time.Second)}, done, nil)
				if took := time.Since(began); took != c.want {
					t.Errorf("the wait took %v, want %v", took, c.want)
				}
				<-done
			})
		})
	}
}

// Whoever asks with a deadline that has passed already asks for what is there.
func TestAwaitOfThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
		defer cancel()
		began := time.Now()
		overdue.Await(ctx, make(chan struct{}), nil)
		if took := time.Since(began); took != 0 {
			t.Errorf("it waited for %v", took)
		}
	})
}
