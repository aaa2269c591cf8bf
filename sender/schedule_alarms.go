package sender

import "time"

// alarms say which partitions must be refreshed when a time has come, whatever else happens: a linger or a backoff ends, a
// batch expires.
//
// Each batch sets its partition's alarm several times, nearly always to a later time or off. The partition's entry stays where
// it is then, and is moved when it comes up. So an entry may be earlier than its alarm, but each partition with an alarm has an
// entry that is not later.
//
// Lingers end in the order in which they begin, as a rule. Those that do are in a list of their own, so that the heap, whose
// entries are mostly of batches that could expire and never do, is hardly ever touched.
type alarms struct {
	heap    []alarm
	soon    fifo[alarm] // by time, too
	waiting int         // partitions with an alarm; the other entries are leftovers
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
	if !at.IsZero() && (p.soon.IsZero() || p.soon.After(at)) {
		a.schedule(p)
	}
}

// setSoon is set for alarms that are set in the order of their times, as a rule. They go to the list and not to the heap.
func (a *alarms) setSoon(p *partition, at time.Time) {
	if !p.soon.IsZero() || a.soon.len() > 0 && a.soon.last().at.After(at) {
		a.set(p, at)
		return
	}
	p.soon = at
	a.soon.push(alarm{at, p})
	a.set(p, at)
}

// schedule sees to it that p has an entry in the heap which is not later than its alarm.
func (a *alarms) schedule(p *partition) {
	switch {
	case p.place < 0:
		a.heap = append(a.heap, alarm{})
		a.raise(len(a.heap)-1, alarm{p.wake, p})
	case p.wake.Before(a.heap[p.place].at):
		a.raise(p.place, alarm{p.wake, p})
	}
}

// rings returns when next must be asked again, if nothing changes before; the zero time if there is no alarm. It may be early,
// since the top of the heap may be a leftover. To bring that up to date after each step would sort all partitions by when their
// batches could expire, over and over.
func (a *alarms) rings() time.Time {
	a.tidySoon(zero)
	if a.waiting == 0 {
		return zero
	}
	at := zero
	if a.soon.len() > 0 {
		at = a.soon.first().at
	}
	if len(a.heap) > 0 {
		at = sooner(at, a.heap[0].at)
	}
	return at
}

// next returns a partition whose alarm has come, or nil.
func (a *alarms) next(now time.Time) *partition {
	a.tidySoon(now)
	a.tidyHeap(now)
	switch {
	case a.soon.len() > 0 && !a.soon.first().at.After(now):
		return a.soon.first().p
	case len(a.heap) > 0 && !a.heap[0].at.After(now):
		return a.heap[0].p
	}
	return nil
}

// takeSoon takes the first entry of the list off, if its alarm comes until then, and returns its partition, or nil. The
// partition is to be refreshed.
func (a *alarms) takeSoon(until time.Time) *partition {
	a.tidySoon(until)
	if a.soon.len() == 0 || a.soon.first().at.After(until) {
		return nil
	}
	p := a.soon.pop().p
	p.soon = zero
	return p
}

// tidySoon takes leftovers off the front of the list, up to now. The zero time is no bound.
func (a *alarms) tidySoon(now time.Time) {
	for a.soon.len() > 0 {
		first := a.soon.first()
		if !now.IsZero() && first.at.After(now) || first.p.wake.Equal(first.at) {
			break
		}
		a.soon.pop()
		first.p.soon = zero
		if !first.p.wake.IsZero() {
			a.schedule(first.p)
		}
	}
}

// tidyHeap moves or takes off the leftovers at the top of the heap, up to now.
func (a *alarms) tidyHeap(now time.Time) {
	for len(a.heap) > 0 {
		first := a.heap[0]
		if first.at.After(now) || first.p.wake.Equal(first.at) {
			break
		}
		// A partition with an early enough entry in the list needs none here. It gets one when that comes up.
		if p := first.p; p.wake.IsZero() || !p.soon.IsZero() && !p.soon.After(p.wake) {
			a.drop()
		} else {
			a.sink(alarm{p.wake, p})
		}
	}
}

// raise moves e, which belongs no further down than index i, to its place. The entry at i is overwritten.
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
	for _, e := range a.soon.all() {
		if !e.p.wake.IsZero() && e.p.place < 0 {
			dst = append(dst, e.p)
		}
	}
	return dst
}
