package accumulator

import "github.com/epistle-kafka/epistle/protocol"

// A Scratch is memory to compress in, for one batch after another. The zero value is ready for use. It is not for concurrent
// use.
type Scratch struct {
	raw    [][]byte // the records of the batch, chunk by chunk
	packed []byte
}

// Compress compresses the records of a drained batch into its own chunks, and gives back those that it no longer needs. So it
// takes no memory but scratch, which grows as needed (I5). A batch that would grow stays uncompressed. The batch must have no
// other holder.
func (b *Batch) Compress(codec protocol.Codec, c *protocol.Compressor, scratch *Scratch) error {
	raw := b.Bytes(scratch.raw[:0])
	raw[0] = raw[0][protocol.BatchHeaderSize:]
	packed, err := c.Compress(scratch.packed[:0], raw)
	clear(raw) // the bytes may soon be another batch's
	scratch.raw, scratch.packed = raw, packed
	if err != nil || protocol.BatchHeaderSize+len(packed) >= b.size {
		return err
	}
	b.codec, b.raw = codec, b.size
	b.size = protocol.BatchHeaderSize + len(packed)
	b.overwrite(packed)
	b.sum = sum{} // the old sum was of the bytes that these replace
	b.sumUp()     // here, where they are in the cache
	return nil
}

// overwrite replaces the records' bytes by data, which is shorter.
func (b *Batch) overwrite(data []byte) {
	freed, used := int64(0), 0
	for i, c := range b.chunks {
		from := 0
		if i == 0 {
			from = protocol.BatchHeaderSize
		} else if len(data) == 0 {
			freed += int64(cap(c.buf))
			continue
		}
		used++
		n := min(len(data), cap(c.buf)-from)
		c.buf = append(c.buf[:from], data[:n]...)
		data = data[n:]
	}
	if spent := b.chunks[used:]; len(spent) > 0 {
		b.queue.topic.acc.Memory.release(freed, spent...)
		b.reserved -= freed
		b.chunks = b.chunks[:used]
	}
}
