package accumulator

// A chunk is a part of a batch's bytes. A record never lies in two chunks, so a chunk is at least as long as its longest
// record.
type chunk struct {
	buf   []byte // len: written; cap: reserved
	block *block // of which it is a part; nil if it is larger than a block
	spare *Batch // the ended batch that last began with this chunk, for reuse; may be nil
	unit  uint8  // where it begins in the block
	order uint8  // its size is 1<<order units
}

const (
	firstChunk = 2 << 10  // bytes; a batch of few records stays this small
	lastChunk  = 64 << 10 // bytes; chunks double up to this size
)

// chunkSize rounds n up to the size of a chunk. Up to lastChunk that is a power of two, a part of a block. Beyond it is n
// itself.
func chunkSize(n int) int {
	size := firstChunk
	for size < n && size < lastChunk {
		size <<= 1
	}
	return max(size, n)
}
