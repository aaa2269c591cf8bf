package sender

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
)

// standStill lets time go by without a step, and says so to the core.
func (b *bench) standStill(d time.Duration) {
	b.settle()
	since := b.now
	b.now = b.now.Add(d)
	b.c.pause.stoodStill(since, b.now)
}

// queueOne appends a record to p, and returns when its batch was opened.
func queueOne(t *testing.T, s *Sender, p *partition) (o *accumulator.Outcome, opened time.Time) {
	t.Helper()
	e := accumulator.Entry{Timestamp: 1}
	e.Value = []byte("x")
	opened = time.Now()
	if err := p.queue.Append(&e, opened, nil); err != nil {
		t.Fatalf("append: %v", err)
	}
	return e.Outcome, opened
}

// When the loop, or a caller in its place, comes later than its timer was set
// to, it judges no deadline for a moment, and once: what it is late for again
// meanwhile is the same pause.
func TestThePauseOfALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t, 0)
		p := s.lonely()
		o, opened := queueOne(t, s, p)
		s.rings = s.step(time.Now())
		if expiry := opened.Add(s.cfg.DeliveryTimeout); s.rings.After(expiry) {
			t.Fatalf("the loop is to come %v after delivery.timeout", s.rings.Sub(expiry))
		}
		time.Sleep(10 * time.Minute) // nobody does a step
		for _, after := range []time.Duration{0, 50 * time.Millisecond, 49 * time.Millisecond} {
			time.Sleep(after)
			at := s.step(time.Now())
			if finished(o) {
				t.Fatal("a record has expired before its answer could be read")
			}
			if at.IsZero() || time.Until(at) > afterPause {
				t.Fatalf("the next step is at %v, want it within %v", at, afterPause)
			}
			if !at.After(time.Now()) {
				t.Fatal("the loop would spin until then")
			}
		}
		time.Sleep(time.Millisecond)
		s.step(time.Now())
		if !finished(o) {
			t.Error("a moment after the pause the record has not expired")
		}
	})
}

// A loop that comes as it should does not wait: I4.
func TestNoPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t, 0)
		o, opened := queueOne(t, s, s.lonely())
		for at := s.step(time.Now()); !finished(o); at = s.step(time.Now()) {
			s.rings = at
			time.Sleep(time.Until(at) + punctual) // as late as a busy machine is
		}
		if late := time.Since(opened) - s.cfg.DeliveryTimeout; late > punctual {
			t.Errorf("the record has expired %v after delivery.timeout, want at most %v", late, punctual)
		}
	})
}

func finished(o *accumulator.Outcome) bool {
	select {
	case <-o.Done():
		return true
	default:
		return false
	}
}
