package metadata

import "time"

// How long nothing is asked after the cluster's id has changed again. Two clusters behind one name, or brokers that disagree
// about the id, would have us begin anew with each answer.
const (
	firstRest   = 100 * time.Millisecond // after the second change, doubled with each
	longestRest = 10 * time.Second
	unrestGone  = time.Minute // after so long without a change, changes count from 0
)

// unrest counts how often the cluster's id has changed lately.
type unrest struct {
	changes int
	last    time.Time
	until   time.Time // no request before it
}

// changed notes a change of the cluster's id. The first change is followed at once: the cluster was made again.
func (u *unrest) changed(now time.Time) {
	if now.Sub(u.last) >= unrestGone {
		u.changes = 0
	}
	u.last = now
	u.changes++
	if again := u.changes - 2; again >= 0 {
		u.until = now.Add(min(firstRest<<min(again, 10), longestRest))
	}
}
