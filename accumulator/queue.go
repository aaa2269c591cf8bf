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
	mu  sync.Mutex // guards tip, series, seriesBytes, head, tail, serial, told, usual, refused and gate; never held while blocking
	tip tip

	series      *int32
	seriesBytes int64  // of the records that named series
	head, tail  *Batch // the oldest, and the open one, whose end is the tip; nil: there is none
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
	gate    chan struct{} // capacity 1, with a token unless somebody waits for memory for the queue: see await; nil until then

	_ [8]byte // two queues share no line
}

// Partition returns the queue's partition.
func (q *Queue) Partition() int32 { return q.partition }

// Queued returns the bytes that wait in the queue, by whole chunks.
func (q *Queue) Queued() int64 { return q.queued.Load() }

// count counts e, which was appended, to its series. q.mu is held.
func (q *Queue) count(e *Entry) {
	size := int64(e.Size)
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
	e.SeriesBytes = q.seriesBytes
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

// open seals the last batch and opens a new one behind it. q.mu is held.
func (q *Queue) open(e *Entry, c *chunk, now time.Time) {
	b := newBatch(q, c, now)
	q.serial++
	b.serial, b.txn, b.baseTime = q.serial, e.Txn, e.Timestamp
	if q.head == nil {
		q.head = b
	} else {
		q.settle()
		q.tail.next = b
	}
	q.tail = b
	q.tip = tip{
		outcome: b.outcome, baseTime: e.Timestamp, time: e.Timestamp, maxTime: e.Timestamp, txn: e.Txn,
		sealAt: q.topic.acc.Millis(now) + q.topic.acc.sealAgeMs, room: firstCallbacks, even: q.topic.acc.even,
	}
	c.buf = c.buf[:protocol.BatchHeaderSize]
	q.attach(c)
}

// attach adds a chunk to the open batch. q.mu is held.
func (q *Queue) attach(c *chunk) {
	t, b := &q.tip, q.tail
	q.settle()
	b.chunks = append(b.chunks, c)
	t.before, t.buf, t.limit = t.size(), c.buf, 0
	b.reserved += int64(cap(c.buf))
	q.queued.Add(int64(cap(c.buf)))
}

// exchange gives the bytes that were reserved for a chunk to the open batch's
// callbacks; the chunk itself is then to be given back. q.mu is held.
func (q *Queue) exchange(c *chunk) {
	o := q.tip.outcome
	o.callbacks.grow()
	q.tip.room += uint8(len(callbackBlock{}))
	o.reserved += int64(cap(c.buf))
	q.queued.Add(int64(cap(c.buf)))
}
