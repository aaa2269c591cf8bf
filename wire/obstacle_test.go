package wire

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

// reports is what Bounds.Hampered was told, and when.
type reports struct {
	mu    sync.Mutex
	began time.Time
	words []string
}

func (r *reports) take(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := "over"
	var e *Error
	if err != nil {
		text = err.Error()
		if !errors.As(err, &e) || e.Stage != StageSASL || e.API != "" {
			text = "no *Error of the SASL stage: " + text
		}
	}
	r.words = append(r.words, time.Since(r.began).String()+": "+text)
}

func (r *reports) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.words, "\n")
}

// What keeps credentials from coming is told while they are waited for: in the mechanism's own words, or when nothing has come
// for 3 s. The error of the attempt says it, too, whatever ended that.
func TestWhatKeepsCredentialsAway(t *testing.T) {
	down := errors.New("the endpoint has answered 503")
	const at = "bootstrap server kafka:9092: SASL: getting credentials for PLAIN: "
	type step func(ctx context.Context, target sasl.Target) error
	wait := func(d time.Duration, then error) step {
		return func(context.Context, sasl.Target) error { time.Sleep(d); return then }
	}
	says := func(words error) step {
		return func(_ context.Context, target sasl.Target) error { target.Trouble(words); return nil }
	}
	for _, c := range []struct {
		name  string
		steps []step
		told  string
		err   []string // nil: it is let in
	}{
		{"at once", nil, "0s: over", nil},
		{"slow", []step{wait(4*time.Second, nil)}, "3s: " + at + "nothing has come from their source for 3s\n4s: over", nil},
		{"down for a while", []step{says(down), wait(5*time.Second, nil), says(nil)}, "0s: " + at + down.Error() + "\n5s: over", nil},
		{"down, and it has old ones", []step{says(down)}, "0s: " + at + down.Error(), nil},
		{"down for ever", []step{says(down), wait(time.Hour, nil)}, "0s: " + at + down.Error(), []string{"no success within 10s", down.Error(), context.DeadlineExceeded.Error()}},
		{"silent for ever", []step{wait(time.Hour, nil)}, "3s: " + at + "nothing has come from their source for 3s", []string{"no success within 10s", "nothing has come from their source"}},
		{"gives up", []step{says(down), wait(time.Second, errors.New("gave up"))}, "0s: " + at + down.Error(), []string{at + "gave up"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				_, b := inMemory(t, cfg)
				cfg.SASL = &mechanism{begin: func(ctx context.Context, target sasl.Target) error {
					for _, s := range c.steps {
						if err := s(ctx, target); err != nil {
							return err
						}
					}
					return nil
				}}
				go func() {
					b.shakeHands()
					b.letIn(0)
				}()
				r := &reports{began: time.Now()}
				conn, err := DialWithin(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, Bounds{Stage: 10 * time.Second, Hampered: r.take}, nil)
				if (err == nil) != (c.err == nil) {
					t.Fatalf("got %v", err)
				}
				if err != nil {
					inOrder(t, err.Error(), c.err)
				} else {
					conn.Close(nil)
				}
				time.Sleep(2 * time.Hour) // what is told after the end counts no more
				if got := r.all(); got != c.told {
					t.Errorf("told\n%s\nwant\n%s", got, c.told)
				}
			})
		})
	}
}

// A connection that authenticates itself again tells it, too.
func TestWhatKeepsTheNextCredentialsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.SASL = &mechanism{begin: func(_ context.Context, target sasl.Target) error {
			if target.Again {
				target.Trouble(errors.New("503"))
			}
			return nil
		}}
		r := &reports{began: time.Now()}
		l := &listener{lifetime: time.Minute}
		c, _ := loggedInWithin(t, cfg, l, Bounds{Hampered: r.take})
		use(t, c, 100*time.Millisecond, 58*time.Second)
		if got := r.all(); !strings.HasPrefix(got, "0s: over\n5") || !strings.Contains(got, "SASL: authenticating again: getting credentials for PLAIN: 503") {
			t.Errorf("told %s", got)
		}
		c.Close(nil)
	})
}
