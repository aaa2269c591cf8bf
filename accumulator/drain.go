package accumulator

import "time"

// A Head describes the oldest waiting batch of a queue.
type Head struct {
	Opened time.Time
	Size   int
	Txn    int64 // number of its records' transaction; 0 for none
	// Ready says that the batch waits for nothing but its turn: it is sealed,
	// has reached batch.size, or somebody waits for it.
	Ready bool
}

// Look returns the queue's head for the sender loop, and false if the queue is
// empty. The loop is told of the queue again when the head changes.
func (q *Queue) Look() (Head, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.noted = false
	b := q.head
	if b == nil {
		return Head{}, false
	}
	size, sealed := b.size, true
	if b == q.tip.batch {
		size, sealed = q.tip.size(), false
	}
	return Head{Opened: b.opened, Size: size, Txn: b.txn, Ready: sealed || b.filled || b.urged.Load()}, true
}

// Drain takes the oldest batch out of the queue, sealed, or returns nil.
func (q *Queue) Drain() *Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.head
	if b == nil {
		return nil
	}
	if b == q.tip.batch {
		q.tip.settle()
		q.tip = tip{}
	}
	q.head, b.next = b.next, nil
	b.unresolved = b.count
	q.usual = (q.usual + b.size) / 2
	q.queued.Add(-b.reserved)
	return b
}

// Urge ends the linger of b, which somebody waits for.
func (b *Batch) Urge() {
	if b.urged.Swap(true) {
		return
	}
	q := b.queue
	q.mu.Lock()
	note := q.noteHead(b)
	q.mu.Unlock()
	if note {
		q.topic.acc.note(q)
	}
}

// UrgeAll ends the linger of every batch that waits in the queue and calls see
// for each. It is the loop's, for a flush. see must not use the queue.
func (q *Queue) UrgeAll(see func(*Batch)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := q.head; b != nil; b = b.next {
		b.urged.Store(true)
		see(b)
	}
}

// Refuse ends the queue: later appends are refused with err. What waits in it
// stays. A nil err opens it again.
func (q *Queue) Refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused = err
	q.relimit()
}
