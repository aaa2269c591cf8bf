package accumulator

import "slices"

// Awaited reports whether g waits for the outcome of b. It is for the owner of b,
// before that ends.
func (b *Batch) Awaited(g *Group) bool { return slices.Contains(b.outcome.groups, g) }

// Awaited returns how many records wait in the queue that g waits for. It is
// the loop's.
func (q *Queue) Awaited(g *Group) (records int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := q.head; b != nil; b = b.next {
		switch {
		case !b.Awaited(g):
		case b.outcome == q.tip.outcome: // which has not been told of the last of them
			records += int64(q.tip.count)
		default:
			records += int64(b.count)
		}
	}
	return records
}
