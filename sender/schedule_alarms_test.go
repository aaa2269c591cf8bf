package sender

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Alarms ring in their order, however they are set, moved and taken off. That
// there is one to ask for is told in time: too early now and then, but then
// something has been put in order by the next answer.
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
			if at := a.rings(); !at.IsZero() {
				t.Fatalf("step %d: something is to be asked at %v, and there is no alarm", step, at)
			}
			continue
		}
		if r.IntN(2) == 0 && (a.next(soonest.Add(-1)) != nil || !a.next(soonest).wake.Equal(soonest)) {
			t.Fatalf("step %d: an alarm must ring at its time, not before", step)
		}
		for at := a.rings(); !at.Equal(soonest); at = a.rings() {
			if at.IsZero() || at.After(soonest) {
				t.Fatalf("step %d: the next alarm is at %v, and is to be asked for at %v", step, soonest, at)
			}
			if a.next(at) != nil || !a.rings().After(at) {
				t.Fatalf("step %d: asked for at %v, the alarm at %v does not come later than that", step, at, soonest)
			}
		}
	}
}

// What its users do most, to set an alarm later and take it off, leaves the heap
// as it is: with many partitions to sort them by alarms that never ring would be
// most of the loop's work.
func TestAlarmsThatMoveOnAreLeftAlone(t *testing.T) {
	var a alarms
	parts := make([]*partition, 100)
	for i := range parts {
		parts[i] = &partition{place: -1}
		a.set(parts[i], scriptStart.Add(time.Minute+time.Duration(i)))
	}
	before := slices.Clone(a.heap)
	for round := range 10 {
		for i, p := range parts {
			a.set(p, zero)
			a.set(p, scriptStart.Add(2*time.Minute+time.Duration(100*round-i)))
			if at := a.rings(); !at.Equal(before[0].at) {
				t.Fatalf("to be asked at %v, want %v as before", at, before[0].at)
			}
		}
	}
	if !slices.Equal(a.heap, before) {
		t.Error("the heap has changed")
	}
	if p := a.next(before[0].at); p != nil {
		t.Errorf("an alarm rings at %v, and is set to %v", before[0].at, p.wake)
	}
	if at := a.rings(); !at.Equal(before[1].at) {
		t.Errorf("then to be asked at %v, want %v", at, before[1].at)
	}
}
