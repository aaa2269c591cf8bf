package accumulator

import "time"

// A Head describes the oldest waiting batch of a queue. The zero Head says that nothing waits.
type Head struct {
	Opened time.Time
	Size   int   // bytes, when the note was made; more records may have come since
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

// A Note tells the sender loop of a change to the head of a queue. So the loop need not look into the queue, which would take
// its memory from the processor that appends. A note can be older than what the loop has learned by draining. Serial shows
// that.
type Note struct {
	Queue *Queue
	Head  Head
}

// report reports whether the loop must be told that of b, and notes that it is. The loop is told only of the next batch to be
// drained, and each thing once. q.mu is held.
func (q *Queue) report(b *Batch, what reported) bool {
	if q.head != b || q.reported >= what {
		return false
	}
	q.reported = what
	return true
}

// note returns the note on the head as it is now. q.mu is held. The note is sent after it was unlocked.
func (q *Queue) note() Note { return Note{q, q.look()} }

// send puts n on the list that the loop takes with Noted, and wakes the loop. The zero Note is none. No lock may be held.
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

// Noted appends the notes since the last call to dst. Each batch has two at most: that it waits, and that it is ready.
func (a *Accumulator) Noted(dst []Note) []Note {
	a.mu.Lock()
	defer a.mu.Unlock()
	dst = append(dst, a.noted...)
	clear(a.noted)
	a.noted = a.noted[:0]
	return dst
}
