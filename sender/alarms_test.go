package sender

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The heap always has the soonest alarm in front, however alarms are set, moved
// and taken off.
func TestAlarmsRingInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a alarms
	parts := make([]*partition, 50)
	for i := range parts {
		parts[i] = &partition{place: -1}
	}
	for step := range 10_000 {
		p := parts[r.IntN(len(parts))]
		if r.IntN(4) == 0 {
			a.set(p, zero)
		} else {
			a.set(p, scriptStart.Add(time.Duration(r.IntN(1000))))
		}
		soonest := zero
		waiting := 0
		for i, p := range parts {
			if p.wake.IsZero() != (p.place < 0) {
				t.Fatalf("step %d: partition %d has its alarm at %v and the place %d", step, i, p.wake, p.place)
			}
			if !p.wake.IsZero() {
				waiting++
			}
			soonest = sooner(soonest, p.wake)
		}
		if len(a) != waiting {
			t.Fatalf("step %d: %d alarms, want %d", step, len(a), waiting)
		}
		if waiting > 0 && !a[0].wake.Equal(soonest) {
			t.Fatalf("step %d: the next alarm is at %v, want %v", step, a[0].wake, soonest)
		}
		if waiting > 0 && (a.next(soonest.Add(-1)) != nil || a.next(soonest) != a[0]) {
			t.Fatalf("step %d: an alarm must ring at its time, not before", step)
		}
	}
}
