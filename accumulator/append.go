package accumulator

import (
	"time"
	"unsafe"

	"github.com/epistle-kafka/epistle/protocol"
)

// An Entry is a record to append, and what the append reports. The record's slices are copied. Append sets its deltas.
type Entry struct {
	protocol.Record
	Timestamp int64 // Unix milliseconds
	Callback  any   // for Outcome.EachCallback, a function or pointer; nil for none
	Txn       int64 // number of the record's transaction; 0 for none. A batch has records of one

	// Detached says that the caller does not keep the Outcome. An outcome of detached records alone has no Done, and is used
	// again when it has ended.
	Detached bool

	// Restamp says that Append is to set Timestamp to the time of the append.
	Restamp bool

	// Series, if set, identifies the sticky pick that the record belongs to. The queue counts the bytes of consecutive records
	// with the same Series.
	Series *int32

	// An append fills in the following. It is here because whoever appends has the entry at hand: to copy a result from call to
	// call costs more than a record's checksum.

	Outcome     *Outcome // the record's, with those of its batch
	Index       int32    // in the outcome
	Size        int32    // bytes that the record takes in the batch, or all records of a run do
	Full        bool     // its batch has reached batch.size
	SeriesBytes int64    // of the entry's series, with this record; 0 if it has none
}

// TryAppend puts e into the open batch if it fits the batch's last chunk. It never blocks and takes one lock. nowMs is
// Accumulator.Millis of a time that may be some milliseconds old. It reports false if e needs more than that, or if the queue
// takes no records. Append then does it, or returns the reason.
func (q *Queue) TryAppend(e *Entry, nowMs int64) bool {
	q.mu.Lock()
	open := &q.current
	body, n := open.measure(e)
	if !open.fits(e, n, nowMs, open.fastLimit) || !e.Detached && !open.kept || !open.sharesCallback(e) && !open.startNextCallback(e) {
		return q.tryMore(e, nowMs, body, n)
	}
	open.put(e, body, n)
	if e.Series != nil {
		q.count(e)
	}
	chunk, end := unsafe.SliceData(open.buf), len(open.buf)
	q.mu.Unlock()
	// Where a thousand partitions take turns, the place of this queue's next record has left the caches by the time it is
	// needed. So it is asked for now.
	prefetch(chunk, end)
	return true
}

// tryMore is TryAppend for a record that changes more than the open batch's end. q.mu is held. tryMore unlocks it.
func (q *Queue) tryMore(e *Entry, nowMs int64, body, n int) bool {
	if q.refused != nil || q.needs(e, n, nowMs) != nothingMore {
		q.mu.Unlock()
		return false
	}
	var change HeadChange
	if q.put(e, body, n) {
		change = q.headChange()
	}
	q.mu.Unlock()
	change.send()
	return true
}

// Append appends e. It reserves the memory that e needs. Where there is none it waits by wait; if wait is nil, it does not
// wait. It returns ErrNoRoom if there is no room in the end, a *TooLargeError if there never will be, and the error with which
// the queue or the memory was closed if they are. now is exact.
//
// No lock is held while it waits. So the queue may have changed afterwards, and e is measured anew.
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

// attempt appends e. c, if it is not nil, is memory for what e needs. It returns how many bytes have to be reserved for the
// next attempt; 0 if there is none to make. A chunk that is not needed, or that is too small by now, is given back.
func (q *Queue) attempt(e *Entry, now time.Time, c *chunk) (room int, err error) {
	nowMs := q.topic.acc.Millis(now)
	var spent *chunk // its bytes count for callbacks now
	opened := false
	q.mu.Lock()
	if err := q.refused; err != nil {
		q.leave(nil, c)
		return 0, err
	}
	open := &q.current
	body, n := open.measure(e)
	for !opened { // a new batch takes its first record, however large that is
		what := q.needs(e, n, nowMs)
		if what == nothingMore {
			break
		}
		room, least := q.sizeFor(e, n, what)
		if c == nil || cap(c.buf) < least {
			q.leave(spent, c)
			return room, nil
		}
		switch what {
		case aBatch:
			q.open(e, c, now)
			opened = true
			body, n = open.measure(e)
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
		changed = q.report(q.head, waits) || changed
	case opened && q.head.next == q.tail: // which has sealed the head
		changed = q.report(q.head, ready) || changed
	}
	var change HeadChange
	if changed {
		change = q.headChange()
	}
	q.leave(spent, c)
	change.send()
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
	switch open := &q.current; {
	case open.outcome == nil || !open.fits(e, n, nowMs, q.topic.cap()-open.before):
		return aBatch
	case !open.takesCallback(e):
		return callbackEntries
	case len(open.buf)+n > cap(open.buf):
		return aChunk
	}
	return nothingMore
}

// sizeFor returns two sizes of the chunk that e, of n bytes, needs: the one that is best, and the smallest that will do. q.mu
// is held.
func (q *Queue) sizeFor(e *Entry, n int, what need) (best, least int) {
	most := q.topic.acc.Memory.most()
	switch open := &q.current; what {
	case aBatch:
		// One chunk that holds as much as the batches before is less than the several chunks that it would grow by.
		least = e.SizeAlone()
		best = min(int(q.usualSize), q.topic.cap(), most)
	case callbackEntries:
		least = callbackBytes
	case aChunk:
		// Chunks double, so that memory follows the data. The last one is bounded by the cap on the batch, and by the memory
		// that there is.
		least = n
		best = min(2*cap(open.buf), q.topic.cap()-open.size(), most)
	}
	return max(best, least), least
}

// put appends e, which fits, and updates what depends on the batch's size: batch.size reached, the CRC, the fast limit. q.mu is
// held. It reports whether the loop must be told.
func (q *Queue) put(e *Entry, body, n int) (changed bool) {
	open, b := &q.current, q.tail
	if !e.Detached {
		open.outcome.keep()
		open.kept = true
	}
	if !open.sharesCallback(e) {
		open.startCallback(e)
	}
	open.put(e, body, n)
	if e.Series != nil {
		q.count(e)
	}
	if len(open.buf) <= open.fastLimit {
		return false
	}
	if open.size() >= q.topic.acc.batchSize && !open.filled {
		open.filled, b.filled = true, true
		changed = q.report(b, ready)
	}
	e.Full = open.filled
	if q.topic.acc.sums && open.size()-b.sum.size >= sumStep {
		q.settle()
		b.sumUp()
	}
	q.setFastLimit()
	return changed
}

// leave unlocks q, and then gives back two chunks, each of which may be nil. The bytes of spent stay reserved, for callbacks.
// Those of unused do not.
func (q *Queue) leave(spent, unused *chunk) {
	q.mu.Unlock()
	if spent != nil {
		q.topic.acc.Memory.release(0, spent)
	}
	if unused != nil {
		q.topic.acc.Memory.giveBack(unused)
	}
}
