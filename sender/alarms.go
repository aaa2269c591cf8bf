package sender

import "time"

// alarms say which partitions must be looked at when a time has come, whatever
// else happens: a linger or a backoff ends, a batch expires. They are a heap
// of one entry for each partition that has had an alarm.
//
// Each batch sets its partition's alarm several times, nearly always to a later
// time or off. That leaves the entry where it is until it comes up, and moves
// it then. So an entry may be earlier than the alarm, and is never later.
type alarms struct {
	heap    []alarm
	waiting int // partitions with an alarm; the other entries are leftovers
}

// An alarm is a partition's entry.
type alarm struct {
	at time.Time
	p  *partition
}

// set gives p its next alarm; the zero time takes it off.
func (a *alarms) set(p *partition, at time.Time) {
	if p.wake.IsZero() != at.IsZero() {
		if at.IsZero() {
			a.waiting--
		} else {
			a.waiting++
		}
	}
	p.wake = at
	switch {
	case at.IsZero():
	case p.place < 0:
		a.heap = append(a.heap, alarm{})
		a.raise(len(a.heap)-1, alarm{at, p})
	case at.Before(a.heap[p.place].at):
		a.raise(p.place, alarm{at, p})
	}
}

// soonest returns the partition whose alarm is the next, or nil.
func (a *alarms) soonest() *partition {
	for len(a.heap) > 0 {
		first := a.heap[0]
		p := first.p
		switch {
		case p.wake.IsZero():
			a.drop()
		case p.wake.After(first.at):
			a.sink(alarm{p.wake, p})
		default:
			return p
		}
	}
	return nil
}

// next returns a partition whose alarm has come, or nil.
func (a *alarms) next(now time.Time) *partition {
	if len(a.heap) == 0 || a.heap[0].at.After(now) {
		return nil
	}
	if p := a.soonest(); p != nil && !p.wake.After(now) {
		return p
	}
	return nil
}

// raise moves e, which belongs no further down than index i, to its place. The
// entry at i is overwritten.
func (a *alarms) raise(i int, e alarm) {
	for i > 0 {
		up := (i - 1) / 2
		if !e.at.Before(a.heap[up].at) {
			break
		}
		a.place(i, a.heap[up])
		i = up
	}
	a.place(i, e)
}

// sink moves e from the top, whose entry is overwritten, to its place.
func (a *alarms) sink(e alarm) {
	i := 0
	for {
		down := 2*i + 1
		if down >= len(a.heap) {
			break
		}
		if right := down + 1; right < len(a.heap) && a.heap[right].at.Before(a.heap[down].at) {
			down = right
		}
		if !a.heap[down].at.Before(e.at) {
			break
		}
		a.place(i, a.heap[down])
		i = down
	}
	a.place(i, e)
}

// drop takes the top's entry out.
func (a *alarms) drop() {
	a.heap[0].p.place = -1
	n := len(a.heap) - 1
	last := a.heap[n]
	a.heap[n] = alarm{}
	a.heap = a.heap[:n]
	if n > 0 {
		a.sink(last)
	}
}

func (a *alarms) place(i int, e alarm) {
	a.heap[i] = e
	e.p.place = i
}

// partitions appends those with an alarm to dst.
func (a *alarms) partitions(dst []*partition) []*partition {
	for _, e := range a.heap {
		if !e.p.wake.IsZero() {
			dst = append(dst, e.p)
		}
	}
	return dst
}
