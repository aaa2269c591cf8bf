package accumulator

import "github.com/epistle-kafka/epistle/protocol"

// A sum is the CRC of a batch's first records. To sum records while they are appended costs a third of what it costs later, on
// another processor, when this one's cache has seen megabytes go by.
type sum struct {
	crc   uint32
	chunk int32 // index of the chunk that it ends in
	end   int   // in that chunk
	size  int   // bytes of the batch that are covered or in the header; 0 = none yet
}

// sumStep is after how many bytes records are summed. They are so few that the first-level cache still has them, and so many
// that the call costs a record nothing. A batch that stays smaller is summed in one go with its header.
const sumStep = 8 << 10

// sumUp adds the new records to the sum. The queue has settled the batch, and its lock is held.
func (b *Batch) sumUp() {
	last := len(b.chunks) - 1
	b.sum = sum{crc: b.crc(), chunk: int32(last), end: len(b.chunks[last].buf), size: b.size}
}

// crc returns the CRC of all records.
func (b *Batch) crc() uint32 {
	crc, end := b.sum.crc, b.sum.end
	if b.sum.size == 0 {
		end = protocol.BatchHeaderSize
	}
	for _, c := range b.chunks[b.sum.chunk:] {
		crc, end = protocol.UpdateCRC(crc, c.buf[end:]), 0
	}
	return crc
}

// PutCRC writes the batch's CRC to its header, whose other fields must be in place. The goroutine that writes the batch may
// call it.
func (b *Batch) PutCRC() {
	if b.sum.size == 0 {
		var few [8][]byte
		protocol.PutBatchCRC(b.Bytes(few[:0]))
		return
	}
	protocol.PutBatchCRCOf(b.chunks[0].buf, b.crc(), b.size-protocol.BatchHeaderSize)
}
