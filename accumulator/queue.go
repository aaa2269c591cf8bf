package accumulator

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/epistle-kafka/epistle/protocol"
)

// A Queue is the batches of one partition that wait to be drained, oldest
// first. Only the last can be open.
type Queue struct {
	mu  sync.Mutex // guards tip, series, seriesBytes, head, serial, told, usual, refused and turn; never held while blocking
	tip tip

	series      *int32
	seriesBytes int64 // of the records that named series
	head        *Batch
	topic       *Topic
	serial      int64 // of the newest batch
	partition   int32
	told        told         // what the loop knows of head, or will from a note under way
	usual       int32        // bytes of a batch, as those before have been
	queued      atomic.Int64 // bytes reserved by waiting batches, for the partitioner

	// Stalled is the time, by Accumulator.Millis, since when the loop could have
	// sent a batch of the queue had its broker taken one; 0 if it takes them.
	// Written by the loop, read by the partitioner.
	Stalled atomic.Int64

	// Owner is the sender loop's own state of the partition. Only the loop
	// uses it.
	Owner any

	refused error         // appends are refused with it
	turn    chan struct{} // see Turn; nil until somebody has needed it

	_ [16]byte // two queues share no line
}

// An Entry is a record to append. Its slices are copied, and its deltas set.
type Entry struct {
	protocol.Record
	Timestamp int64 // Unix milliseconds
	Callback  any   // for Batch.EachCallback, a function or pointer; nil for none
	Txn       int64 // number of the record's transaction; 0 for none. A batch has records of one

	// Detached says that the caller does not keep the ticket's batch. One that
	// has such records alone is used again when it has ended, and has no Done.
	Detached bool

	// Series, if set, is the address of what the queue counts the record's bytes
	// to: those of all records that name the same one, until another is named.
	Series *int32

	// Ticket is the result of an append. It is here because whoever appends
	// has the entry at hand, and a result that is copied from call to call
	// costs more than a record's checksum.
	Ticket Ticket
}

// A Status says what became of an append.
type Status uint8

// The outcomes of an append.
const (
	Refused  Status = iota // the queue takes no more records: see Queue.Err
	Appended               // the record is in the batch
	NeedRoom               // reserve Room bytes, then AppendWith
)

// A Ticket names a record's place.
type Ticket struct {
	Batch  *Batch
	Index  int32
	Size   int32 // bytes that the record takes in the batch, or all records of a run do
	Full   bool  // its batch has reached batch.size
	Series int64 // bytes of the entry's series, with this record; 0 if it has none
}

// Topic returns the queue's topic.
func (q *Queue) Topic() *Topic { return q.topic }

// Partition returns the queue's partition.
func (q *Queue) Partition() int32 { return q.partition }

// Queued returns the bytes that wait in the queue, by whole chunks.
func (q *Queue) Queued() int64 { return q.queued.Load() }

// Append puts e into the open batch if it fits its last chunk. It never blocks
// and takes one lock. nowMs is Accumulator.Millis of a time that may be some
// milliseconds stale. With Appended,
// e.Ticket says where the record is.
func (q *Queue) Append(e *Entry, nowMs int64) Status {
	q.mu.Lock()
	t := &q.tip
	body, n := t.measure(e)
	if len(t.buf)+n > t.limit || nowMs > t.sealAt || t.txn != e.Txn || !e.Detached && !t.kept ||
		!t.continues(e) && !t.turnNext(e) {
		return q.appendMore(e, nowMs, body, n)
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
	return Appended
}

// appendMore is Append for a record with which more may change than the tip.
// q.mu is held, and unlocked by it.
func (q *Queue) appendMore(e *Entry, nowMs int64, body, n int) Status {
	t := &q.tip
	switch {
	case q.refused != nil:
		q.mu.Unlock()
		return Refused
	case t.batch == nil || len(t.buf)+n > cap(t.buf) || !q.takes(e, n, nowMs) || !t.takesCallback(e):
		q.mu.Unlock()
		return NeedRoom
	}
	var note Note
	if q.put(e, body, n) {
		note = q.note()
	}
	q.mu.Unlock()
	note.send()
	return Appended
}

// put appends e where it fits, with all that may follow. q.mu is held. It
// reports whether the loop must look at the queue.
func (q *Queue) put(e *Entry, body, n int) (note bool) {
	t, b := &q.tip, q.tip.batch
	if !e.Detached {
		b.keep()
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
	e.Ticket.Full = t.filled
	if q.topic.acc.sums && t.size()-b.sum.size >= sumStep {
		t.settle()
		b.sumUp()
	}
	q.relimit()
	return note
}

// count counts e, which was appended, to its series. q.mu is held.
func (q *Queue) count(e *Entry) {
	size := int64(e.Ticket.Size)
	if q.tip.even {
		size = e.evenSize()
	}
	q.countBytes(e, size)
}

func (q *Queue) countBytes(e *Entry, size int64) {
	if e.Series != q.series {
		q.series, q.seriesBytes = e.Series, 0
	}
	q.seriesBytes += size
	e.Ticket.Series = q.seriesBytes
}

// leastAround is the fewest bytes that a record takes besides its key, value and headers.
const leastAround = 7

// evenSize is the size of a record wherever in a batch it is, where that makes some bytes of difference.
func (e *Entry) evenSize() int64 {
	n := leastAround + len(e.Key) + len(e.Value)
	for i := range e.Headers {
		n += len(e.Headers[i].Key) + len(e.Headers[i].Value)
	}
	return int64(n)
}

// Room returns the bytes of the chunk that e needs now.
func (q *Queue) Room(e *Entry, now time.Time) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := &q.tip
	_, n := t.measure(e)
	if t.batch == nil || !q.takes(e, n, q.topic.acc.Millis(now)) {
		// One chunk that holds what the batches before have held is less than
		// the several that it would grow by.
		return max(e.SizeAlone(), min(int(q.usual), lastChunk, q.topic.cap(), q.topic.acc.Memory.most()))
	}
	if !t.takesCallback(e) {
		return callbackBytes
	}
	// Chunks double, so that memory follows the data; the cap on the batch
	// bounds the last, and so does the memory that there is.
	return max(n, min(2*cap(t.buf), lastChunk, q.topic.cap()-t.size(), q.topic.acc.Memory.most()))
}

// Turn returns a channel of capacity 1, the token in which is held by the one
// caller that waits for memory for the queue. Others wait for the token, and
// look again when they have it: if each waited for memory, a chunk would go from
// one to the next, to find with each that its record fits by now, while those
// who need chunks for other queues wait behind them all.
func (q *Queue) Turn() chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.turn == nil {
		q.turn = make(chan struct{}, 1)
	}
	return q.turn
}

// takes reports whether the open batch may still grow by e, of n bytes. q.mu is
// held.
func (q *Queue) takes(e *Entry, n int, nowMs int64) bool {
	t := &q.tip
	return nowMs <= t.sealAt && t.txn == e.Txn && t.size()+n <= q.topic.cap()
}

// AppendWith is Append with room at hand: chunk goes to the open batch, or to
// a new one, unless the record now fits without. A chunk that is not needed,
// or too small by now, is given back. now is exact.
func (q *Queue) AppendWith(e *Entry, chunk *Chunk, now time.Time) Status {
	var spent *Chunk // its bytes have gone to callbacks
	q.mu.Lock()
	if q.refused != nil {
		q.leave(nil, chunk)
		return Refused
	}
	t, opened := &q.tip, false
	body, n := t.measure(e)
	if t.batch == nil || !q.takes(e, n, q.topic.acc.Millis(now)) {
		if cap(chunk.buf) < e.SizeAlone() {
			q.leave(nil, chunk)
			return NeedRoom
		}
		q.open(e, chunk, now)
		chunk, opened = nil, true
		body, n = t.measure(e)
	}
	if !t.takesCallback(e) {
		if cap(chunk.buf) < callbackBytes {
			q.leave(nil, chunk)
			return NeedRoom
		}
		q.exchange(chunk)
		spent, chunk = chunk, nil
	}
	if len(t.buf)+n > cap(t.buf) {
		if chunk == nil || cap(chunk.buf) < n {
			q.leave(spent, chunk)
			return NeedRoom
		}
		q.attach(chunk)
		chunk = nil
	}
	changed := q.put(e, body, n)
	switch {
	case opened && q.head == t.batch:
		changed = q.tell(t.batch, waits) || changed
	case opened && q.head.next == t.batch: // which has sealed the head
		changed = q.tell(q.head, ready) || changed
	}
	var note Note
	if changed {
		note = q.note()
	}
	q.leave(spent, chunk)
	note.send()
	return Appended
}

// leave unlocks q, and only then gives back a chunk whose bytes are reserved for
// something else now, and one that was not needed; nil for none.
func (q *Queue) leave(spent, unused *Chunk) {
	q.mu.Unlock()
	if spent != nil {
		q.topic.acc.Memory.release(0, spent)
	}
	if unused != nil {
		q.topic.acc.Memory.Return(unused)
	}
}

// open seals the last batch and opens a new one behind it. q.mu is held.
func (q *Queue) open(e *Entry, chunk *Chunk, now time.Time) {
	b := newBatch(q, now)
	q.serial++
	b.serial, b.txn, b.baseTime = q.serial, e.Txn, e.Timestamp
	if q.head == nil {
		q.head = b
	} else {
		q.tip.settle()
		q.tip.batch.next = b
	}
	q.tip = tip{
		batch: b, baseTime: e.Timestamp, time: e.Timestamp, maxTime: e.Timestamp, txn: e.Txn,
		sealAt: q.topic.acc.Millis(now) + q.topic.acc.sealAgeMs, room: firstCallbacks, even: q.topic.acc.even,
	}
	chunk.buf = chunk.buf[:protocol.BatchHeaderSize]
	q.attach(chunk)
}

// attach adds a chunk to the open batch. q.mu is held.
func (q *Queue) attach(c *Chunk) {
	t, b := &q.tip, q.tip.batch
	t.settle()
	b.chunks = append(b.chunks, c)
	t.before, t.buf, t.limit = t.size(), c.buf, 0
	b.reserved += int64(cap(c.buf))
	q.queued.Add(int64(cap(c.buf)))
}

// exchange gives the bytes that were reserved for a chunk to the open batch's
// callbacks; the chunk itself is then to be given back. q.mu is held.
func (q *Queue) exchange(c *Chunk) {
	b := q.tip.batch
	b.callbacks.grow()
	q.tip.room += uint8(len(callbackBlock{}))
	b.reservedCallbacks += int64(cap(c.buf))
	b.reserved += int64(cap(c.buf))
	q.queued.Add(int64(cap(c.buf)))
}

// Err returns what appends are refused with, or nil.
func (q *Queue) Err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.refused
}
