package cause

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A context may end for a reason of its own. Who asks for the context's error finds it, and who asks for the reason too.
func TestBothTheContextsErrorAndItsCauseMatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom, ours := errors.New("boom"), errors.New("max.block passed")
		cancelled := func(why error) context.Context {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(why)
			return ctx
		}
		late := func(ctx context.Context, cancel context.CancelFunc) context.Context {
			t.Cleanup(cancel)
			<-ctx.Done()
			return ctx
		}
		inner := func(parent context.Context) context.Context {
			return late(Within(parent, time.Hour, ours))
		}
		for name, test := range map[string]struct {
			ctx      context.Context
			is, isNo []error
			text     string
		}{
			"cancelled":             {cancelled(nil), []error{context.Canceled}, []error{context.DeadlineExceeded}, "context canceled"},
			"cancelled for a cause": {cancelled(boom), []error{context.Canceled, boom}, []error{context.DeadlineExceeded}, "boom (context canceled)"},
			"a deadline":            {late(context.WithTimeout(t.Context(), time.Second)), []error{context.DeadlineExceeded}, []error{context.Canceled}, "context deadline exceeded"},
			"a deadline with a cause": {late(context.WithTimeoutCause(t.Context(), time.Second, boom)), []error{context.DeadlineExceeded, boom}, []error{context.Canceled},
				"boom (context deadline exceeded)"},
			"a bound of ours":     {late(Within(t.Context(), time.Second, ours)), []error{ours}, []error{context.DeadlineExceeded, context.Canceled}, "max.block passed"},
			"the caller's before": {inner(cancelled(boom)), []error{context.Canceled, boom}, []error{ours, context.DeadlineExceeded}, "boom (context canceled)"},
		} {
			err := Of(test.ctx)
			for _, want := range test.is {
				if !errors.Is(err, want) {
					t.Errorf("%s: %v does not match %v", name, err, want)
				}
			}
			for _, not := range test.isNo {
				if errors.Is(err, not) {
					t.Errorf("%s: %v matches %v", name, err, not)
				}
			}
			if err == nil || err.Error() != test.text {
				t.Errorf("%s: got %q, want %q", name, err, test.text)
			}
		}
		if err := Of(t.Context()); err != nil {
			t.Errorf("a context that goes on: %v", err)
		}
	})
}
