package accumulator

import (
	"time"
	"unsafe"

	"github.com/epistle-kafka/epistle/protocol"
)

// An Entry is a record to append, and what an append says of it. Its slices are
// copied, and its deltas set.
type Entry struct {
	protocol.Record
	Timestamp int64 // Unix milliseconds
	Callback  any   // for Outcome.EachCallback, a function or pointer; nil for none
	Txn       int64 // number of the record's transaction; 0 for none. A batch has records of one

	// Detached says that the caller does not keep the Outcome. One that is of
	// such records alone is used again when it has ended, and has no Done.
	Detached bool

	// Restamp says that Timestamp is the time of the append. Append sets it.
	Restamp bool

	// Series, if set, identifies the series that the record belongs to: the queue
	// counts the bytes of all records that name the same one, until another is
	// named.
	Series *int32

	// The following is what an append fills in. It is here because whoever
	// appends has the entry at hand, and a result that is copied from call to call
	// costs more than a record's checksum.

	Outcome     *Outcome // the record's, with those of its batch
	Index       int32    // in the outcome
	Size        int32    // bytes that the record takes in the batch, or all records of a run do
	Full        bool     // its batch has reached batch.size
	SeriesBytes int64    // of the entry's series, with this record; 0 if it has none
}

// TryAppend puts e into the open batch if it fits its last chunk. It never blocks
// and takes one lock. nowMs is Accumulator.Millis of a time that may be some
// milliseconds stale. It reports false if there is more to do for e, or if the
// queue takes no records: Append does it, or says why not.
func (q *Queue) TryAppend(e *Entry, nowMs int64) bool {
	q.mu.Lock()
	t := &q.tip
	body, n := t.measure(e)
	if !t.fits(e, n, nowMs, t.limit) || !e.Detached && !t.kept || !t.continues(e) && !t.turnNext(e) {
		return q.tryMore(e, nowMs, body, n)
	}
	t.put(e, body, n)
	if e.Series != nil {
		q.count(e)
	}
	chunk, end := unsafe.SliceData(t.buf), len(t.buf)
	q.mu.Unlock()
	// With a thousand partitions in turn, the memory of the next record here has
	// long been another's: it is asked for now, to be there when it comes.
	prefetch(chunk, end)
	return true
}

// tryMore is TryAppend for a record with which more may change than the tip.
// q.mu is held, and unlocked by it.
func (q *Queue) tryMore(e *Entry, nowMs int64, body, n int) bool {
	if q.refused != nil || q.needs(e, n, nowMs) != nothingMore {
		q.mu.Unlock()
		return false
	}
	var note Note
	if q.put(e, body, n) {
		note = q.note()
	}
	q.mu.Unlock()
	note.send()
	return true
}

// Append appends e. What e needs of memory it reserves: it waits for that by
// wait, or, if wait is nil, does not. If there is no room in the end the error is
// ErrNoRoom; it is a *TooLargeError if there never will be, and what the queue or
// the memory is closed with if they are. now is exact.
//
// No lock is held while it waits, so the queue may have changed after that, and e
// is looked at anew.
func (q *Queue) Append(e *Entry, now time.Time, wait Wait) error {
	var gate chan struct{} // of the queue, while the caller has its token
	defer func() {
		if gate != nil {
			gate <- struct{}{}
		}
	}()
	var c *chunk
	for {
		if e.Restamp {
			e.Timestamp = now.UnixMilli()
		}
		room, err := q.attempt(e, now, c)
		if room == 0 {
			return err
		}
		c, err = q.topic.acc.Memory.tryChunk(room)
		if err == ErrNoRoom && wait != nil {
			c, now, err = q.await(room, now, wait, &gate)
		}
		if err != nil {
			return err
		}
	}
}

// attempt appends e, with c, if there is one, for what e needs. It returns how
// many bytes have to be reserved for the next attempt; 0: there is none to make. A
// chunk that is not needed, or too small by now, is given back.
func (q *Queue) attempt(e *Entry, now time.Time, c *chunk) (room int, err error) {
	nowMs := q.topic.acc.Millis(now)
	var spent *chunk // its bytes have gone to callbacks
	opened := false
	q.mu.Lock()
	if err := q.refused; err != nil {
		q.leave(nil, c)
		return 0, err
	}
	t := &q.tip
	body, n := t.measure(e)
	for !opened { // a new batch takes its first record, however large that is
		what := q.needs(e, n, nowMs)
		if what == nothingMore {
			break
		}
		room, least := q.room(e, n, what)
		if c == nil || cap(c.buf) < least {
			q.leave(spent, c)
			return room, nil
		}
		switch what {
		case aBatch:
			q.open(e, c, now)
			opened = true
			body, n = t.measure(e)
		case callbackEntries:
			q.exchange(c)
			spent = c
		case aChunk:
			q.attach(c)
		}
		c = nil
	}
	changed := q.put(e, body, n)
	switch {
	case opened && q.head == q.tail:
		changed = q.tell(q.head, waits) || changed
	case opened && q.head.next == q.tail: // which has sealed the head
		changed = q.tell(q.head, ready) || changed
	}
	var note Note
	if changed {
		note = q.note()
	}
	q.leave(spent, c)
	note.send()
	return 0, nil
}

// A need is what has to be there before a record can be put.
type need uint8

const (
	nothingMore need = iota
	aBatch
	callbackEntries
	aChunk
)

// needs returns what e, measured as n bytes, needs first. q.mu is held.
func (q *Queue) needs(e *Entry, n int, nowMs int64) need {
	switch t := &q.tip; {
	case t.outcome == nil || !t.fits(e, n, nowMs, q.topic.cap()-t.before):
		return aBatch
	case !t.takesCallback(e):
		return callbackEntries
	case len(t.buf)+n > cap(t.buf):
		return aChunk
	}
	return nothingMore
}

// room returns the bytes of the chunk that e, of n bytes, is best given for what
// it needs, and the fewest that will do. q.mu is held.
func (q *Queue) room(e *Entry, n int, what need) (best, least int) {
	most := q.topic.acc.Memory.most()
	switch t := &q.tip; what {
	case aBatch:
		// One chunk that holds what the batches before have held is less than
		// the several that it would grow by.
		least = e.SizeAlone()
		best = min(int(q.usual), q.topic.cap(), most)
	case callbackEntries:
		least = callbackBytes
	case aChunk:
		// Chunks double, so that memory follows the data; the cap on the batch
		// bounds the last, and so does the memory that there is.
		least = n
		best = min(2*cap(t.buf), q.topic.cap()-t.size(), most)
	}
	return max(best, least), least
}

// put appends e, for which nothing more is needed, with all that may follow. q.mu
// is held. It reports whether the loop must look at the queue.
func (q *Queue) put(e *Entry, body, n int) (note bool) {
	t, b := &q.tip, q.tail
	if !e.Detached {
		t.outcome.keep()
		t.kept = true
	}
	if !t.continues(e) {
		t.turn(e)
	}
	t.put(e, body, n)
	if e.Series != nil {
		q.count(e)
	}
	if len(t.buf) <= t.limit {
		return false
	}
	if t.size() >= q.topic.acc.batchSize && !t.filled {
		t.filled, b.filled = true, true
		note = q.tell(b, ready)
	}
	e.Full = t.filled
	if q.topic.acc.sums && t.size()-b.sum.size >= sumStep {
		q.settle()
		b.sumUp()
	}
	q.relimit()
	return note
}

// leave unlocks q, and only then gives back a chunk whose bytes are reserved for
// something else now, and one that was not needed; nil for none.
func (q *Queue) leave(spent, unused *chunk) {
	q.mu.Unlock()
	if spent != nil {
		q.topic.acc.Memory.release(0, spent)
	}
	if unused != nil {
		q.topic.acc.Memory.giveBack(unused)
	}
}
