package accumulator

import "github.com/epistle-kafka/epistle/protocol"

// Compress compresses the records of a drained batch into its own chunks and
// gives back those that are no longer needed, so it takes no memory beyond
// scratch. A batch that would grow stays as it is, uncompressed. It returns
// scratch, grown as it was needed. The batch must have no other holder.
func (b *Batch) Compress(codec protocol.Codec, c *protocol.Compressor, scratch []byte) ([]byte, error) {
	src := b.Bytes(nil)
	src[0] = src[0][protocol.BatchHeaderSize:]
	out, err := c.Compress(scratch[:0], src)
	if err != nil || protocol.BatchHeaderSize+len(out) >= b.size {
		return out, err
	}
	b.codec, b.raw = codec, b.size
	b.size = protocol.BatchHeaderSize + len(out)
	b.overwrite(out)
	b.sum = sum{} // it was of what these bytes replace
	b.sumUp()     // here, where they are in the cache
	return out, nil
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
		clear(spent)
		b.chunks = b.chunks[:used]
	}
}
