package accumulator

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A Queue is the batches of one partition that wait to be drained, oldest first. Only the last can be open.
type Queue struct {
	mu      sync.Mutex // guards current, series, seriesBytes, head, tail, serial, reported, usualSize, refused and gate; never held while blocking
	current openBatch

	series      *int32
	seriesBytes int64  // of the records that named series
	head, tail  *Batch // the oldest batch, and the open one, which current describes; nil: there is none
	topic       *Topic
	serial      int64 // of the newest batch
	partition   int32
	reported    reported     // what the loop knows of head, or will know from a change under way
	usualSize   int32        // bytes of a batch, a mean of the last ones
	queued      atomic.Int64 // bytes reserved by waiting batches, for the partitioner

	// BlockedSince is the time, by Accumulator.Millis, since when the queue has had a batch that its broker does not take; 0 if
	// the broker takes them. The loop writes it, the partitioner reads it.
	BlockedSince atomic.Int64

	// Owner is the sender loop's own state of the partition. Only the loop uses it.
	Owner any

	refused error         // appends fail with it
	gate    chan struct{} // capacity 1, with a token unless somebody waits for memory for the queue: see await; nil until then

	_ [8]byte // two queues share no line
}

// Partition returns the queue's partition.
func (q *Queue) Partition() int32 { return q.partition }

// Queued returns the bytes that wait in the queue, by whole chunks.
func (q *Queue) Queued() int64 { return q.queued.Load() }

// count adds e, which was appended, to its series. q.mu is held.
func (q *Queue) count(e *Entry) {
	size := int64(e.Size)
	if q.current.even {
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

// evenSize is about the size of a record. Unlike the size in the batch it does not depend on where in a batch the record lies.
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
	q.current = openBatch{
		outcome: b.outcome, baseTime: e.Timestamp, time: e.Timestamp, maxTime: e.Timestamp, txn: e.Txn,
		sealAt: q.topic.acc.Millis(now) + q.topic.acc.sealAgeMs, callbackRoom: firstCallbacks, even: q.topic.acc.even,
	}
	c.buf = c.buf[:protocol.BatchHeaderSize]
	q.attach(c)
}

// attach adds a chunk to the open batch. q.mu is held.
func (q *Queue) attach(c *chunk) {
	open, b := &q.current, q.tail
	q.settle()
	b.chunks = append(b.chunks, c)
	open.before, open.buf, open.fastLimit = open.size(), c.buf, 0
	b.reserved += int64(cap(c.buf))
	q.queued.Add(int64(cap(c.buf)))
}

// exchange uses the bytes that were reserved for a chunk for the open batch's callbacks instead. The chunk itself is then to be
// given back. q.mu is held.
func (q *Queue) exchange(c *chunk) {
	o := q.current.outcome
	o.callbacks.grow()
	q.current.callbackRoom += uint8(len(callbackBlock{}))
	o.reserved += int64(cap(c.buf))
	q.queued.Add(int64(cap(c.buf)))
}
