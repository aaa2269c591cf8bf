package accumulator

import (
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A Batch is the bytes of a record batch in the making or on its way. Until it is drained it is written under its queue's lock,
// and by the sender loop from then on. It lives as long as somebody holds its bytes: its outcome, until the callbacks begin,
// and each request in which a connection may still write them. After that it is used again, so only holders may use it.
type Batch struct {
	queue    *Queue
	next     *Batch // behind it in the queue, and after the drain in Outcome.held
	outcome  *Outcome
	filled   bool // batch.size was reached
	piece    bool // it was split from another
	codec    protocol.Codec
	first    int32        // index of its first record in outcome
	count    int32        // valid once the queue has settled the batch, as are size, maxTime and the last chunk's length
	holders  atomic.Int32 // of the bytes; the last one to drop them gives them back
	opened   time.Time    // when its first record came
	size     int          // bytes written, the header included
	raw      int          // size before compression; 0 if there was none
	reserved int64        // bytes taken from Memory
	txn      int64        // number of its records' transaction; 0 for none
	serial   int64        // among the batches of its queue, from 1 on; a piece has that of the batch that was split
	baseTime int64        // Unix milliseconds
	maxTime  int64
	chunks   []*chunk
	sum      sum      // of the records so far
	_        [24]byte // three lines of memory
}

// newBatch returns a batch that begins with c, and an outcome for it. It takes the batch that last began with c, if that has
// ended: where a thousand partitions have a few records each, batches would be most of the allocations.
func newBatch(q *Queue, c *chunk, now time.Time) *Batch {
	b := c.spare
	if c.spare = nil; b == nil {
		b = new(Batch)
	}
	b.queue, b.outcome, b.opened = q, newOutcome(q), now
	b.holders.Store(1) // the outcome
	return b
}

// Outcome returns what the futures of the batch's records point to.
func (b *Batch) Outcome() *Outcome { return b.outcome }

// Topic returns the name of the batch's topic.
func (b *Batch) Topic() string { return b.queue.topic.name }

// Partition returns the batch's partition.
func (b *Batch) Partition() int32 { return b.queue.partition }

// Opened returns the time when the batch got its first record.
func (b *Batch) Opened() time.Time { return b.opened }

// IsPiece reports whether the batch was split from another.
func (b *Batch) IsPiece() bool { return b.piece }

// First returns the index in the outcome of the batch's first record.
func (b *Batch) First() int32 { return b.first }

// Txn returns the number of the transaction that the records belong to; 0 for none.
func (b *Batch) Txn() int64 { return b.txn }

// Serial returns the batch's number in its queue, from 1 on.
func (b *Batch) Serial() int64 { return b.serial }

// Count returns the number of records.
func (b *Batch) Count() int32 { return b.count }

// Size returns the bytes of the batch as it would be written now.
func (b *Batch) Size() int { return b.size }

// RawSize returns the bytes of the batch before compression.
func (b *Batch) RawSize() int { return max(b.raw, b.size) }

// Codec returns the codec of the batch as it would be written now.
func (b *Batch) Codec() protocol.Codec { return b.codec }

// Resolve gives all records of the batch their outcome. It reports whether all records of the Outcome have theirs now. If so,
// the caller calls End.
func (b *Batch) Resolve(offset, appendTime int64, err error) bool {
	return b.ResolveRange(0, b.count, offset, appendTime, err)
}

// ResolveRange is Resolve for count records from index first on.
func (b *Batch) ResolveRange(first, count int32, offset, appendTime int64, err error) bool {
	return b.outcome.resolve(span{first: b.first + first, count: count, offset: offset, appendTime: appendTime, err: err})
}

// Hold keeps the batch's bytes until a matching Drop.
func (b *Batch) Hold() { b.holders.Add(1) }

// Drop ends one hold. The last one, and none before it, gives the chunks back to the pool and their bytes to the memory bound
// (I5). The batch then waits in its first chunk for the next batch that begins there.
func (b *Batch) Drop() {
	switch n := b.holders.Add(-1); {
	case n < 0:
		panic("accumulator: a batch was dropped more often than held")
	case n > 0 || len(b.chunks) == 0: // it was split
		return
	}
	m, reserved, chunks := b.queue.topic.acc.Memory, b.reserved, b.chunks
	// What is set when a batch is opened or settled need not be cleared.
	b.queue, b.outcome, b.filled, b.piece, b.codec, b.first = nil, nil, false, false, 0, 0
	b.raw, b.reserved, b.sum, b.chunks = 0, 0, sum{}, chunks[:0]
	chunks[0].spare = b
	m.release(reserved, chunks...)
}

// Header returns the header that describes the batch's records. Producer id, epoch and sequence are the caller's to fill in.
func (b *Batch) Header() protocol.BatchHeader {
	return protocol.BatchHeader{
		Length:               int32(b.size - 12),
		PartitionLeaderEpoch: -1,
		Codec:                b.codec,
		LastOffsetDelta:      b.count - 1,
		BaseTimestamp:        b.baseTime,
		MaxTimestamp:         b.maxTime,
		ProducerID:           -1,
		ProducerEpoch:        -1,
		BaseSequence:         -1,
		Count:                b.count,
		Transactional:        b.txn != 0,
	}
}

// PutHeader writes h in front of the records. The CRC is not set by it.
func (b *Batch) PutHeader(h *protocol.BatchHeader) { h.Put(b.chunks[0].buf[:protocol.BatchHeaderSize]) }

// Bytes appends the batch's chunks, in order, to dst. They stay the batch's.
func (b *Batch) Bytes(dst [][]byte) [][]byte {
	for _, c := range b.chunks {
		dst = append(dst, c.buf)
	}
	return dst
}
