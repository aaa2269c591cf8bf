package backoff

import (
	"math"
	"testing"
	"time"
)

const ms = time.Millisecond

// The middle of the jitter (r = 0.5) shows the bare exponential.
func TestDelayDoublesUpToMax(t *testing.T) {
	p := Policy{Base: 100 * ms, Max: 1000 * ms, Jitter: 0.2}
	want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms, 1000 * ms}
	for failures, want := range want {
		if got := p.Delay(failures, 0.5); !near(got, want) {
			t.Errorf("Delay(%d, 0.5) = %v, want %v", failures, got, want)
		}
	}
	if got := p.Delay(-3, 0.5); !near(got, 100*ms) {
		t.Errorf("Delay(-3, 0.5) = %v, want Base", got)
	}
}

func TestDelayJitter(t *testing.T) {
	p := Policy{Base: 100 * ms, Max: 1000 * ms, Jitter: 0.2}
	for _, c := range []struct {
		failures int
		r        float64
		want     time.Duration
	}{
		{0, 0, 80 * ms},
		{0, 0.75, 110 * ms},
		{2, 0, 320 * ms},
		{2, 0.999999999, 480 * ms},
		{50, 0, 800 * ms},                    // the jitter reaches below Max
		{50, 0.9, 1000 * ms},                 // and is cut off at it
		{3, 0.99, 956800 * time.Microsecond}, // 800 ms * 1.196
	} {
		if got := p.Delay(c.failures, c.r); !near(got, c.want) {
			t.Errorf("Delay(%d, %v) = %v, want %v", c.failures, c.r, got, c.want)
		}
	}
	p.Jitter = 0
	if a, b := p.Delay(1, 0), p.Delay(1, 0.99); a != b || a != 200*ms {
		t.Errorf("without jitter: Delay(1) = %v and %v, want 200ms twice", a, b)
	}
}

// A user may set these to any value that Java takes.
func TestDelayAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name     string
		p        Policy
		failures int
		want     time.Duration
	}{
		{"base 0 is no delay", Policy{0, 1000 * ms, 0.2}, 7, 0},
		{"max 0 is no delay", Policy{100 * ms, 0, 0.2}, 7, 0},
		{"max below base is max, without jitter", Policy{100 * ms, 50 * ms, 0.2}, 7, 50 * ms},
		{"max equal to base is constant", Policy{100 * ms, 100 * ms, 0.2}, 7, 100 * ms},
		{"failures without bound", Policy{1, 1000 * ms, 0.2}, math.MaxInt, 1000 * ms},
		{"max without bound", Policy{1000 * ms, math.MaxInt64, 0.2}, math.MaxInt, math.MaxInt64},
	} {
		if got := c.p.Delay(c.failures, 0.9); got != c.want {
			t.Errorf("%s: Delay(%d, 0.9) = %v, want %v", c.name, c.failures, got, c.want)
		}
	}
}

// near allows for the rounding of floating point.
func near(got, want time.Duration) bool {
	return (got - want).Abs() <= time.Microsecond
}
