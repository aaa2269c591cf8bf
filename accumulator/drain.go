package accumulator

// Look returns the queue's head as it is now; the zero Head if the queue is empty.
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
	if b == q.tail {
		size, sealed = q.current.size(), false
	}
	return Head{Opened: b.opened, Size: size, Txn: b.txn, Serial: b.serial, Ready: sealed || b.filled || b.outcome.urged.Load()}
}

// Drain seals the oldest batch and takes it out of the queue; nil if there is none. next is the head from now on.
func (q *Queue) Drain() (b *Batch, next Head) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b = q.head
	if b == nil {
		return nil, Head{}
	}
	if b == q.tail {
		q.settle()
		q.current, q.tail = openBatch{}, nil
	}
	q.head, b.next = b.next, nil
	o := b.outcome
	o.held, o.count, o.unresolved = b, b.count, b.count
	q.usualSize = int32((int(q.usualSize) + b.size) / 2)
	q.queued.Add(-b.reserved - o.reserved)
	next = q.look()
	q.reported = next.reported()
	return b, next
}

// Urge ends the linger of the batch: somebody waits for its outcome.
func (o *Outcome) Urge() {
	if o.urged.Swap(true) {
		return
	}
	q := o.queue
	q.mu.Lock()
	if b := q.head; b == nil || b.outcome != o || !q.report(b, ready) {
		q.mu.Unlock()
		return
	}
	note := q.headChange()
	q.mu.Unlock()
	a := q.topic.acc
	a.addChange(note)
	a.urgent()
}

// UrgeAll ends the linger of every batch that waits in the queue, and calls see for the outcome of each. It returns the head.
// Only the loop calls it, for a flush. see is called with the queue's lock held, and must not use the queue.
func (q *Queue) UrgeAll(see func(*Outcome)) Head {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := q.head; b != nil; b = b.next {
		b.outcome.urged.Store(true)
		see(b.outcome)
	}
	h := q.look()
	q.reported = h.reported()
	return h
}

// Refuse ends the queue: later appends are refused with err. What waits in it stays. A nil err opens it again.
func (q *Queue) Refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused = err
	q.setFastLimit()
}
