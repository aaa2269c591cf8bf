package accumulator

import "time"

// A Head describes the oldest waiting batch of a queue. The zero Head says that
// nothing waits.
type Head struct {
	Opened time.Time
	Size   int   // bytes, when this was told; more records may have come since
	Txn    int64 // number of its records' transaction; 0 for none
	Serial int64 // the batch's number in its queue, from 1 on
	// Ready says that the batch waits for nothing but its turn: it is sealed,
	// has reached batch.size, or somebody waits for it.
	Ready bool
}

// told is what the loop has been told of a head.
type told uint8

const (
	nothing told = iota
	waits        // that there is one
	ready        // that it is Ready: nothing more will be told of it
)

func (h Head) told() told {
	switch {
	case h.Serial == 0:
		return nothing
	case h.Ready:
		return ready
	}
	return waits
}

// A Note tells the sender loop of a change to the head of a queue: with it the
// loop need not look, which would take the queue's memory from the processor of
// those who append. It can be older than what the loop has learned by draining;
// Serial says so.
type Note struct {
	Queue *Queue
	Head  Head
}

// tell reports whether the loop must be told that much of b: only if it is the
// next to be drained, and only once. q.mu is held.
func (q *Queue) tell(b *Batch, what told) bool {
	if q.head != b || q.told >= what {
		return false
	}
	q.told = what
	return true
}

// note returns what there is to tell now. It is sent once q.mu, which is held,
// is not.
func (q *Queue) note() Note { return Note{q, q.look()} }

// send puts n on the list that the loop takes with Noted, and wakes it. The
// zero Note is none. No lock may be held.
func (n Note) send() {
	if n.Queue != nil {
		a := n.Queue.topic.acc
		a.list(n)
		a.wake()
	}
}

// list puts n on the list that the loop takes with Noted.
func (a *Accumulator) list(n Note) {
	a.mu.Lock()
	a.noted = append(a.noted, n)
	a.mu.Unlock()
}

// Noted appends the notes since the last call to dst: for each batch at most
// that it waits, and that it is ready.
func (a *Accumulator) Noted(dst []Note) []Note {
	a.mu.Lock()
	defer a.mu.Unlock()
	dst = append(dst, a.noted...)
	clear(a.noted)
	a.noted = a.noted[:0]
	return dst
}
