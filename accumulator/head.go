package accumulator

import "time"

// A Head describes the oldest waiting batch of a queue. The zero Head says that nothing waits.
type Head struct {
	Opened time.Time
	Size   int   // bytes, when this was written; more records may have come since
	Txn    int64 // number of its records' transaction; 0 for none
	Serial int64 // the batch's number in its queue, from 1 on
	// Ready says that the batch need not linger: it is sealed, has reached batch.size, or somebody waits for it.
	Ready bool
}

// reported is what the loop was told of a head.
type reported uint8

const (
	nothing reported = iota
	waits            // that there is one, which may linger
	ready            // that it is Ready; nothing more is to be told of it
)

func (h Head) reported() reported {
	switch {
	case h.Serial == 0:
		return nothing
	case h.Ready:
		return ready
	}
	return waits
}

// A HeadChange tells the sender loop that the head of a queue has changed. So the loop need not look into the queue, which
// would take its memory from the processor that appends. A change can be older than what the loop has learned by draining.
// Serial shows that.
type HeadChange struct {
	Queue *Queue
	Head  Head
}

// report reports whether a HeadChange must tell the loop that b waits, or is ready, and notes that it does. Only the head of
// the queue is worth one, and each of the two only once. q.mu is held.
func (q *Queue) report(b *Batch, what reported) bool {
	if q.head != b || q.reported >= what {
		return false
	}
	q.reported = what
	return true
}

// headChange returns the head as it is now. q.mu is held; the change is sent once it is unlocked.
func (q *Queue) headChange() HeadChange { return HeadChange{q, q.look()} }

// send adds h to what TakeChanges returns, and wakes the loop. The zero HeadChange is none. No lock may be held.
func (h HeadChange) send() {
	if h.Queue != nil {
		a := h.Queue.topic.acc
		a.addChange(h)
		a.wake()
	}
}

// addChange adds h to what TakeChanges returns.
func (a *Accumulator) addChange(h HeadChange) {
	a.mu.Lock()
	a.changes = append(a.changes, h)
	a.mu.Unlock()
}

// TakeChanges appends the changes since the last call to dst. Each batch has two at most: that it waits, and that it is ready.
func (a *Accumulator) TakeChanges(dst []HeadChange) []HeadChange {
	a.mu.Lock()
	defer a.mu.Unlock()
	dst = append(dst, a.changes...)
	clear(a.changes)
	a.changes = a.changes[:0]
	return dst
}
