package accumulator

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A Queue is the batches of one partition that wait to be drained, oldest
// first. Only the last can be open.
type Queue struct {
	topic     *Topic
	partition int32
	queued    atomic.Int64 // bytes reserved by waiting batches, for the partitioner

	// Stalled is the Unix time in milliseconds since when the loop could have
	// sent a batch of the queue had its broker taken one; 0 if it takes them.
	// Written by the loop, read by the partitioner.
	Stalled atomic.Int64

	// Owner is the sender loop's own state of the partition. Only the loop
	// uses it.
	Owner any

	mu          sync.Mutex // guards the following; never held while blocking
	head, tail  *Batch
	series      *int32
	seriesBytes int64 // of the records that named series
	usual       int   // bytes of a batch, as those before have been
	noted       bool  // in the accumulator's list of queues to look at
	refused     error // appends are refused with it
}

// An Entry is a record to append. Its slices are copied.
type Entry struct {
	Key, Value []byte
	Headers    []protocol.Header
	Timestamp  int64 // Unix milliseconds
	Callback   any   // for Batch.EachCallback, a function or pointer; nil for none
	Txn        int64 // number of the record's transaction; 0 for none. A batch has records of one

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
	Size   int32 // bytes that the record takes in the batch
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
// and takes one lock. nowMs may be some milliseconds stale. With Appended,
// e.Ticket says where the record is.
func (q *Queue) Append(e *Entry, nowMs int64) Status {
	q.mu.Lock()
	b := q.tail
	if b == nil || b.sealed || q.refused != nil {
		err := q.refused
		q.mu.Unlock()
		if err != nil {
			return Refused
		}
		return NeedRoom
	}
	body := protocol.RecordBodySize(b.count, e.Timestamp-b.baseTime, e.Key, e.Value, e.Headers)
	n := protocol.RecordSize(body)
	if len(b.open)+n > cap(b.open) || b.size+n > q.topic.cap() || nowMs-b.openedMs > q.topic.acc.sealAgeMs ||
		e.Callback != nil && !b.callbacks.takes(e, b.count) || b.txn != e.Txn {
		q.mu.Unlock()
		return NeedRoom
	}
	note := q.put(b, e, body, n)
	q.mu.Unlock()
	if note {
		q.topic.acc.note(q)
	}
	return Appended
}

// put encodes e into the last chunk of b, where it fits. q.mu is held. It
// reports whether the loop must look at the queue.
func (q *Queue) put(b *Batch, e *Entry, body, n int) (note bool) {
	b.open = protocol.AppendRecord(b.open, body, b.count, e.Timestamp-b.baseTime, e.Key, e.Value, e.Headers)
	e.Ticket.Batch, e.Ticket.Index, e.Ticket.Size = b, b.count, int32(n)
	if e.Callback != nil {
		b.callbacks.add(e, b.count)
	}
	if !e.Detached {
		b.keep()
	}
	if e.Series != nil {
		if e.Series != q.series {
			q.series, q.seriesBytes = e.Series, 0
		}
		q.seriesBytes += int64(n)
		e.Ticket.Series = q.seriesBytes
	}
	b.count++
	b.size += n
	b.maxTime = max(b.maxTime, e.Timestamp)
	if b.size-b.sum.size >= sumStep && q.topic.acc.sums {
		b.sumUp()
	}
	if b.size >= q.topic.acc.batchSize && !b.filled {
		b.filled = true
		note = q.noteHead(b)
	}
	e.Ticket.Full = b.filled
	return note
}

// noteHead reports whether the loop must be told of a change to b: only if it
// is the next to be drained, and only once. q.mu is held.
func (q *Queue) noteHead(b *Batch) bool {
	if q.head != b || q.noted {
		return false
	}
	q.noted = true
	return true
}

// Room returns the bytes of the chunk that e needs now.
func (q *Queue) Room(e *Entry, now time.Time) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.tail
	if b == nil || !q.takes(b, e, now.UnixMilli()) {
		// One chunk that holds what the batches before have held is less than
		// the several that it would grow by.
		return max(protocol.BatchHeaderSize+entrySize(e, 0, 0), min(q.usual, lastChunk, q.topic.cap(), q.topic.acc.Memory.most()))
	}
	if e.Callback != nil && !b.callbacks.takes(e, b.count) {
		return callbackBytes
	}
	n := entrySize(e, b.count, e.Timestamp-b.baseTime)
	last := cap(b.open)
	// Chunks double, so that memory follows the data; the cap on the batch
	// bounds the last, and so does the memory that there is.
	return max(n, min(2*last, lastChunk, q.topic.cap()-b.size, q.topic.acc.Memory.most()))
}

func entrySize(e *Entry, delta int32, timeDelta int64) int {
	return protocol.RecordSize(protocol.RecordBodySize(delta, timeDelta, e.Key, e.Value, e.Headers))
}

// takes reports whether b may still grow by e. q.mu is held.
func (q *Queue) takes(b *Batch, e *Entry, nowMs int64) bool {
	if b.sealed || nowMs-b.openedMs > q.topic.acc.sealAgeMs || b.txn != e.Txn {
		return false
	}
	return b.size+entrySize(e, b.count, e.Timestamp-b.baseTime) <= q.topic.cap()
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
	b, opened := q.tail, false
	if b == nil || !q.takes(b, e, now.UnixMilli()) {
		if cap(chunk.buf) < protocol.BatchHeaderSize+entrySize(e, 0, 0) {
			q.leave(nil, chunk)
			return NeedRoom
		}
		b, opened = q.open(e, chunk, now), true
		chunk = nil
	}
	if e.Callback != nil && !b.callbacks.takes(e, b.count) {
		if cap(chunk.buf) < callbackBytes {
			q.leave(nil, chunk)
			return NeedRoom
		}
		q.exchange(b, chunk)
		spent, chunk = chunk, nil
	}
	body := protocol.RecordBodySize(b.count, e.Timestamp-b.baseTime, e.Key, e.Value, e.Headers)
	n := protocol.RecordSize(body)
	if len(b.open)+n > cap(b.open) {
		if chunk == nil || cap(chunk.buf) < n {
			q.leave(spent, chunk)
			return NeedRoom
		}
		q.attach(b, chunk)
		chunk = nil
	}
	note := q.put(b, e, body, n)
	// A batch opened at the head has to be known; one opened right behind the
	// head has sealed it, which makes it ready.
	if opened && (q.head == b || q.head.next == b) && q.noteHead(q.head) {
		note = true
	}
	q.leave(spent, chunk)
	if note {
		q.topic.acc.note(q)
	}
	return Appended
}

// leave unlocks q, and only then gives back a chunk whose bytes are reserved for
// something else now, and one that was not needed; nil for none.
func (q *Queue) leave(spent, unused *Chunk) {
	q.mu.Unlock()
	if spent != nil {
		q.topic.acc.Memory.chunks.put(spent)
	}
	if unused != nil {
		q.topic.acc.Memory.Return(unused)
	}
}

// open seals the last batch and opens a new one behind it. q.mu is held.
func (q *Queue) open(e *Entry, chunk *Chunk, now time.Time) *Batch {
	b := newBatch(q, now)
	b.txn = e.Txn
	b.baseTime, b.maxTime = e.Timestamp, e.Timestamp
	b.size = protocol.BatchHeaderSize
	chunk.buf = chunk.buf[:protocol.BatchHeaderSize]
	q.attach(b, chunk)
	if q.tail == nil {
		q.head = b
	} else {
		q.tail.sealed = true
		q.tail.next = b
	}
	q.tail = b
	return b
}

// attach adds a chunk to b. q.mu is held.
func (q *Queue) attach(b *Batch, c *Chunk) {
	b.settle()
	b.chunks = append(b.chunks, c)
	b.open = c.buf
	b.reserved += int64(cap(c.buf))
	q.queued.Add(int64(cap(c.buf)))
}

// settle tells the last chunk what has been written to it.
func (b *Batch) settle() {
	if last := len(b.chunks) - 1; last >= 0 {
		b.chunks[last].buf = b.open
	}
}

// exchange gives the bytes that were reserved for a chunk to b's callbacks; the
// chunk itself is then to be given back. q.mu is held.
func (q *Queue) exchange(b *Batch, c *Chunk) {
	b.callbacks.grow()
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
