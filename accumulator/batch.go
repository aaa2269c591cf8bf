package accumulator

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A Batch is a record batch in the making, on its way, or ended. It is written
// under its queue's lock until it is drained, by the sender loop from then on,
// and is read-only once Done is closed. One that no future knows is used again
// when it has ended: see Release.
type Batch struct {
	queue      *Queue
	next       *Batch // behind it in the queue
	filled     bool   // batch.size was reached
	kept       bool   // somebody outside may hold it for ever, such as a future
	unusual    bool   // there is something in rare
	codec      protocol.Codec
	urged      atomic.Bool
	count      int32     // this, size and maxTime, and the length of the last chunk, once the queue has settled it
	unresolved int32     // records without an outcome, from the drain on
	opened     time.Time // when its first record came
	size       int       // bytes written, the header included
	raw        int       // size before compression; 0 if there was none
	reserved   int64     // bytes taken from Memory
	txn        int64     // number of its records' transaction; 0 for none
	serial     int64     // among the batches of its queue, from 1 on
	baseTime   int64     // Unix milliseconds
	maxTime    int64
	chunks     []*chunk
	sum        sum          // of the records so far
	holders    atomic.Int32 // of the chunks; the bytes go back with the last
	users      atomic.Int32 // who must be done with it before it is used again: see Release

	// Bytes of reserved that are for callbacks. Apart from them, since they are
	// given back by the last holder, and the callbacks read by their caller.
	reservedCallbacks int64
	done              chan struct{} // nil while nobody keeps the batch
	whole             span          // the outcome, if the batch was never cut

	// A piece of a batch that was cut reports to the batch that its futures
	// know.
	root  *Batch
	first int32 // index in root of the piece's first record
	rare  *rare // see some; only if the batch is unusual, since it is far away

	callbacks callbacks
}

// rare is what few batches have.
type rare struct {
	groups []*Group // wait for this batch
	spans  []span   // the outcomes of its pieces, if it was cut
	pieces []*Batch // of a root: all that was cut from it; it holds their bytes
}

// some returns what the batch has of the rare.
func (b *Batch) some() *rare {
	b.unusual = true
	if b.rare == nil {
		b.rare = new(rare)
	}
	return b.rare
}

// batches that have ended, for reuse: with a thousand partitions of a few
// records each, a batch is what most allocations would be for.
var batches = sync.Pool{New: func() any { return new(Batch) }}

// A span is the common outcome of neighbouring records.
type span struct {
	first, count int32
	offset       int64 // of the first; -1 if unknown
	appendTime   int64 // Unix milliseconds; -1 if the broker did not set it
	err          error
}

func newBatch(q *Queue, now time.Time) *Batch {
	b := batches.Get().(*Batch)
	b.queue, b.opened = q, now
	b.holders.Store(1)
	b.users.Store(2)
	b.root = b
	return b
}

// keep notes that somebody may hold the batch for as long as they like. Its
// queue's lock is held.
func (b *Batch) keep() {
	if !b.kept {
		b.kept, b.done = true, make(chan struct{})
	}
}

// Release says that the sender loop will not touch the batch again: it was
// delivered, and nothing refers to it. With that and Leave, a batch that no
// future knows is used for other records. The loop need not call it, and does
// not for batches that end in other ways: the garbage collector has them.
func (b *Batch) Release() {
	switch n := b.users.Add(-1); {
	case n < 0:
		panic("accumulator: a batch was released more often than used")
	case n > 0 || b.kept:
		return
	}
	if b.holders.Load() != 0 || b.unresolved != 0 {
		panic("accumulator: a batch was released before its end")
	}
	r := b.rare
	if b.unusual {
		clear(r.spans) // of the errors in it
		*r = rare{groups: r.groups[:0], spans: r.spans[:0]}
	}
	*b = Batch{chunks: b.chunks[:0], rare: r, callbacks: callbacks{blocks: b.callbacks.blocks[:0]}}
	batches.Put(b)
}

// Topic returns the name of the batch's topic.
func (b *Batch) Topic() string { return b.queue.topic.name }

// Partition returns the batch's partition.
func (b *Batch) Partition() int32 { return b.queue.partition }

// Queue returns the queue that the batch was made in.
func (b *Batch) Queue() *Queue { return b.queue }

// Opened returns the time when the batch got its first record.
func (b *Batch) Opened() time.Time { return b.opened }

// First returns the index in the root batch of the batch's first record.
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

// Root returns the batch that the futures of these records know: the batch
// itself, unless it is a piece of one that was cut.
func (b *Batch) Root() *Batch { return b.root }

// Done is closed when every record of the batch has its outcome. Only for those
// who keep the batch: see Entry.
func (b *Batch) Done() <-chan struct{} { return b.done }

// Why returns what stands in the way of the batch's outcome, as far as Config.Why knows.
func (b *Batch) Why() error {
	if why := b.queue.topic.acc.why; why != nil {
		return why(b)
	}
	return nil
}

// Outcome returns how record index ended. Only once Done is closed. The offset
// is -1 where it is unknown; appendTime is in Unix milliseconds, or -1 unless
// the broker sets timestamps.
func (b *Batch) Outcome(index int32) (offset, appendTime int64, err error) {
	s := b.span(index)
	if s.err != nil || s.offset < 0 {
		return -1, -1, s.err
	}
	return s.offset + int64(index-s.first), s.appendTime, nil
}

// Alike returns how many records from index on have one outcome, but for the
// offset, which counts on. Only once the batch is done.
func (b *Batch) Alike(index int32) int32 {
	s := b.span(index)
	return s.first + s.count - index
}

// span returns the outcome that record index shares with its neighbours.
func (b *Batch) span(index int32) *span {
	if !b.unusual {
		return &b.whole
	}
	for i := range b.rare.spans {
		if s := &b.rare.spans[i]; index >= s.first && index < s.first+s.count {
			return s
		}
	}
	return &b.whole
}

// Resolve gives all records of the batch their outcome. It reports whether
// that ended the root batch, which the caller then finishes with Finish.
func (b *Batch) Resolve(offset, appendTime int64, err error) bool {
	return b.ResolveRange(0, b.count, offset, appendTime, err)
}

// ResolveRange is Resolve for count records from index first on.
func (b *Batch) ResolveRange(first, count int32, offset, appendTime int64, err error) bool {
	r := b.root
	s := span{first: b.first + first, count: count, offset: offset, appendTime: appendTime, err: err}
	if r.unresolved < count {
		panic("accumulator: a record was resolved twice")
	}
	if s.count == r.count {
		r.whole = s
	} else {
		m := r.some()
		m.spans = append(m.spans, s)
	}
	r.unresolved -= count
	return r.unresolved == 0
}

// Finish lets the futures of a resolved root batch go.
func (b *Batch) Finish() {
	if b.done != nil {
		close(b.done)
	}
}

// Hold keeps the batch's bytes until a matching Drop.
func (b *Batch) Hold() { b.holders.Add(1) }

// Drop ends one hold. With the last, the chunks go back to the pool and their
// bytes to the memory bound.
func (b *Batch) Drop() {
	switch n := b.holders.Add(-1); {
	case n < 0:
		panic("accumulator: a batch was dropped more often than held")
	case n > 0:
		return
	}
	b.freeChunks(b.reservedCallbacks)
	b.reserved = 0
	if b.unusual {
		for _, p := range b.rare.pieces {
			p.Drop()
		}
	}
}

// freeChunks gives back the chunks, their bytes, and more bytes.
func (b *Batch) freeChunks(more int64) {
	n := b.reserved - b.reservedCallbacks
	b.queue.topic.acc.Memory.release(n+more, b.chunks...)
	b.reserved -= n
	clear(b.chunks)
	b.chunks = b.chunks[:0]
}

// Header returns the header that describes the batch's records. Producer id,
// epoch and sequence are the caller's to fill in.
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
