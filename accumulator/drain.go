package accumulator

// Look returns the queue's head as it is now; the zero Head if the queue is
// empty.
func (q *Queue) Look() Head {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.look()
}

// look is Look. q.mu is held.
func (q *Queue) look() Head {
	b := q.head
	if b == nil {
		return Head{}
	}
	size, sealed := b.size, true
	if b == q.tip.batch {
		size, sealed = q.tip.size(), false
	}
	return Head{Opened: b.opened, Size: size, Txn: b.txn, Serial: b.serial, Ready: sealed || b.filled || b.urged.Load()}
}

// Drain takes the oldest batch out of the queue, sealed, or returns nil. next
// is the head from now on.
func (q *Queue) Drain() (b *Batch, next Head) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b = q.head
	if b == nil {
		return nil, Head{}
	}
	if b == q.tip.batch {
		q.tip.settle()
		q.tip = tip{}
	}
	q.head, b.next = b.next, nil
	b.unresolved = b.count
	q.usual = int32((int(q.usual) + b.size) / 2)
	q.queued.Add(-b.reserved)
	next = q.look()
	q.told = next.told()
	return b, next
}

// Urge ends the linger of b, which somebody waits for.
func (b *Batch) Urge() {
	if b.urged.Swap(true) {
		return
	}
	q := b.queue
	q.mu.Lock()
	if !q.tell(b, ready) {
		q.mu.Unlock()
		return
	}
	note := q.note()
	q.mu.Unlock()
	a := q.topic.acc
	a.list(note)
	a.urgent()
}

// UrgeAll ends the linger of every batch that waits in the queue and calls see
// for each. It is the loop's, for a flush, and returns the head. see must not
// use the queue.
func (q *Queue) UrgeAll(see func(*Batch)) Head {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := q.head; b != nil; b = b.next {
		b.urged.Store(true)
		see(b)
	}
	h := q.look()
	q.told = h.told()
	return h
}

// Refuse ends the queue: later appends are refused with err. What waits in it
// stays. A nil err opens it again.
func (q *Queue) Refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused = err
	q.relimit()
}
