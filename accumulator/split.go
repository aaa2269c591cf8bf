package accumulator

import (
	"fmt"
	"slices"

	"github.com/epistle-kafka/epistle/protocol"
)

// A Range is count records of a batch from index First on.
type Range struct{ First, Count int32 }

// Without returns the ranges that are left of the batch without the records of the given indices, which are sorted.
func (b *Batch) Without(indices []int32) []Range {
	var ranges []Range
	next := int32(0)
	for _, i := range indices {
		if i > next {
			ranges = append(ranges, Range{next, i - next})
		}
		next = i + 1
	}
	if next < b.count {
		ranges = append(ranges, Range{next, b.count - next})
	}
	return ranges
}

// mostPieces bounds into how many pieces a batch is split at once. A piece that is still too large is split when it is to be
// sent. So a batch of very many records is neither copied very often, nor needs memory for each record now.
const mostPieces = 16

// SplitTo is Split into pieces of at most so many bytes. A larger record is a piece by itself. A batch that would need very
// many pieces is split into fewer.
func (b *Batch) SplitTo(most int) ([]*Batch, error) {
	base, records, err := b.decode()
	if err != nil {
		return nil, err
	}
	sizes, all := sizesOf(records)
	most = max(most-protocol.BatchHeaderSize, (all+mostPieces-1)/mostPieces)
	var ranges []Range
	r, size := Range{}, 0
	for i, n := range sizes {
		if size+n > most && r.Count > 0 {
			ranges = append(ranges, r)
			r, size = Range{First: int32(i)}, 0
		}
		r.Count++
		size += n
	}
	return b.split(append(ranges, r), base, records), nil
}

// halve is Split into two pieces of about the same number of bytes.
func (b *Batch) halve() ([]*Batch, error) {
	base, records, err := b.decode()
	if err != nil {
		return nil, err
	}
	sizes, all := sizesOf(records)
	n, size := 1, sizes[0]
	for n < len(sizes)-1 && size+sizes[n]/2 < all/2 { // what is next lies for the most part in the first half
		size += sizes[n]
		n++
	}
	return b.split([]Range{{0, int32(n)}, {int32(n), b.count - int32(n)}}, base, records), nil
}

// sizesOf returns the bytes of each record, and of all.
func sizesOf(records []protocol.Record) (sizes []int, all int) {
	sizes = make([]int, len(records))
	for i := range records {
		sizes[i] = protocol.RecordSize(records[i].BodySize())
		all += sizes[i]
	}
	return sizes, all
}

// Split makes an uncompressed batch of each range. It gives back the batch's own bytes, so no connection may write them any
// more. The pieces share the batch's outcome. Their memory is taken whether or not there is room: to wait for it here could be
// to wait for oneself.
func (b *Batch) Split(ranges []Range) ([]*Batch, error) {
	base, records, err := b.decode()
	if err != nil {
		return nil, err
	}
	return b.split(ranges, base, records), nil
}

// decode returns the batch's records, and what their timestamps are relative to.
func (b *Batch) decode() (base int64, records []protocol.Record, err error) {
	h := b.Header() // a batch that was never sent has none yet
	b.PutHeader(&h)
	whole := slices.Concat(b.Bytes(nil)...)
	protocol.PutBatchCRC([][]byte{whole})
	const noBound = 1 << 30 // the batch is our own
	h, records, err = protocol.DecodeBatch(whole, noBound)
	if err != nil {
		return 0, nil, fmt.Errorf("accumulator: splitting a batch of %s-%d: %w", b.Topic(), b.Partition(), err)
	}
	return h.BaseTimestamp, records, nil
}

// split is Split once the records are decoded.
func (b *Batch) split(ranges []Range, base int64, records []protocol.Record) []*Batch {
	pieces := make([]*Batch, len(ranges))
	for i, r := range ranges {
		pieces[i] = b.pieceOf(r, base, records[r.First:r.First+r.Count])
	}
	for _, p := range pieces {
		p.next, b.outcome.held = b.outcome.held, p
	}
	b.queue.topic.acc.Memory.release(b.reserved, b.chunks...)
	b.reserved, b.chunks = 0, nil
	return pieces
}

// pieceOf builds the batch of one range from its decoded records.
func (b *Batch) pieceOf(r Range, base int64, records []protocol.Record) *Batch {
	p := &Batch{
		queue: b.queue, txn: b.txn, serial: b.serial, opened: b.opened,
		outcome: b.outcome, piece: true, first: b.first + r.First,
		count: r.Count, size: protocol.BatchHeaderSize,
		baseTime: base + records[0].TimestampDelta, maxTime: base + records[0].TimestampDelta,
	}
	p.holders.Store(1) // the outcome
	for i := range records {
		rec := &records[i]
		p.maxTime = max(p.maxTime, base+rec.TimestampDelta)
		rec.OffsetDelta, rec.TimestampDelta = int32(i), base+rec.TimestampDelta-p.baseTime
		body := rec.BodySize()
		n := protocol.RecordSize(body)
		c := p.chunkFor(n)
		c.buf = rec.Append(c.buf, body)
		p.size += n
	}
	return p
}

// chunkFor returns the piece's last chunk, or a new one if n bytes do not fit it.
func (b *Batch) chunkFor(n int) *chunk {
	m := b.queue.topic.acc.Memory
	if len(b.chunks) > 0 {
		if c := b.chunks[len(b.chunks)-1]; len(c.buf)+n <= cap(c.buf) {
			return c
		}
		n = max(n, min(2*cap(b.chunks[len(b.chunks)-1].buf), lastChunk))
	} else {
		n += protocol.BatchHeaderSize
	}
	c := m.force(n)
	if len(b.chunks) == 0 {
		c.buf = c.buf[:protocol.BatchHeaderSize]
	}
	b.chunks = append(b.chunks, c)
	b.reserved += int64(cap(c.buf))
	return c
}
