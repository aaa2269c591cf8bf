package accumulator

import "slices"

// Awaited reports whether g waits for the outcome of b. It is for the owner of b, before that ends.
func (b *Batch) Awaited(g *Group) bool { return slices.Contains(b.outcome.groups, g) }

// Awaited returns how many of the records that wait in the queue g waits for. Only the loop calls it.
func (q *Queue) Awaited(g *Group) (records int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := q.head; b != nil; b = b.next {
		switch {
		case !b.Awaited(g):
		case b.outcome == q.current.outcome: // which settle has not brought up to date
			records += int64(q.current.count)
		default:
			records += int64(b.count)
		}
	}
	return records
}
