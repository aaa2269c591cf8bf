package sender

import (
	"container/heap"
	"time"
)

// alarms is a heap of the partitions that must be looked at when a time has
// come, whatever else happens: a linger or a backoff ends, a batch expires.
type alarms []*partition

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].wake.Before(a[j].wake) }
func (a alarms) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].place, a[j].place = i, j
}

// Push and Pop are heap's, not for callers.
func (a *alarms) Push(x any) {
	p := x.(*partition)
	p.place = len(*a)
	*a = append(*a, p)
}

func (a *alarms) Pop() any {
	n := len(*a) - 1
	p := (*a)[n]
	(*a)[n] = nil
	*a = (*a)[:n]
	p.place = -1
	return p
}

// set gives p its next alarm; the zero time takes it off.
func (a *alarms) set(p *partition, at time.Time) {
	p.wake = at
	switch {
	case at.IsZero() && p.place >= 0:
		heap.Remove(a, p.place)
	case at.IsZero():
	case p.place >= 0:
		heap.Fix(a, p.place)
	default:
		heap.Push(a, p)
	}
}

// next returns the partition whose alarm has come, or nil.
func (a alarms) next(now time.Time) *partition {
	if len(a) == 0 || a[0].wake.After(now) {
		return nil
	}
	return a[0]
}
