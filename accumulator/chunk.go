package accumulator

// A chunk is a piece of a batch's bytes. Records never straddle two chunks, so
// one is at least as long as the longest record in it.
type chunk struct {
	buf   []byte // len: written; cap: reserved
	block *block // that it is a part of; nil for one larger than a block
	spare *Batch // the last that began with it, when that has ended; nil: there is none
	unit  uint8  // where it begins there
	order uint8  // it has 1<<order units
}

const (
	firstChunk = 2 << 10  // bytes; a batch of few records stays this small
	lastChunk  = 64 << 10 // bytes; chunks double up to this size
)

// chunkSize rounds n up to the size of a chunk: a power of two up to
// lastChunk, a part of a block, and the size itself beyond.
func chunkSize(n int) int {
	size := firstChunk
	for size < n && size < lastChunk {
		size <<= 1
	}
	return max(size, n)
}
