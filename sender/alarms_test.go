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
		switch r.IntN(4) {
		case 0:
			a.set(p, zero)
		case 1:
			a.setSoon(p, scriptStart.Add(time.Duration(step+r.IntN(30))))
		default:
			a.set(p, scriptStart.Add(time.Duration(step+r.IntN(1000))))
		}
		soonest := zero
		waiting := 0
		for i, p := range parts {
			if !p.wake.IsZero() {
				waiting++
				entry := p.soon
				if p.place >= 0 {
					entry = sooner(entry, a.heap[p.place].at)
				}
				if entry.IsZero() || entry.After(p.wake) {
					t.Fatalf("step %d: partition %d has its alarm at %v, and its entry is at %v", step, i, p.wake, entry)
				}
			}
			soonest = sooner(soonest, p.wake)
		}
		if got := len(a.partitions(nil)); got != waiting || a.waiting != waiting {
			t.Fatalf("step %d: %d partitions with alarms, and %d are counted; want %d", step, got, a.waiting, waiting)
		}
		if step%3 > 0 {
			continue // the heap may put itself in order only when it is asked
		}
		if waiting == 0 {
			if p := a.soonest(); p != nil {
				t.Fatalf("step %d: an alarm at %v, want none", step, p.wake)
			}
			continue
		}
		if r.IntN(2) == 0 && (a.next(soonest.Add(-1)) != nil || !a.next(soonest).wake.Equal(soonest)) {
			t.Fatalf("step %d: an alarm must ring at its time, not before", step)
		}
		if p := a.soonest(); !p.wake.Equal(soonest) {
			t.Fatalf("step %d: the next alarm is at %v, want %v", step, p.wake, soonest)
		}
	}
}
