package accumulator

import "sync"

// A Chunk is a piece of a batch's bytes. Records never straddle two chunks, so
// one is at least as long as the longest record in it.
type Chunk struct {
	buf []byte // len: written; cap: reserved
}

const (
	firstChunk = 2 << 10  // bytes; a batch of few records stays this small
	lastChunk  = 64 << 10 // bytes; chunks double up to this size
)

// chunkSize rounds n up to the size of a chunk: a power of two up to
// lastChunk, which is pooled, and the size itself beyond, which is not.
func chunkSize(n int) int {
	size := firstChunk
	for size < n && size < lastChunk {
		size <<= 1
	}
	return max(size, n)
}

// A chunkPool keeps chunks for reuse, by size. Garbage collection empties it,
// so that a burst is not kept for ever.
type chunkPool struct {
	bySize [6]sync.Pool // firstChunk << i
}

func chunkClass(size int) int {
	for i, s := 0, firstChunk; s <= lastChunk; i, s = i+1, s<<1 {
		if s == size {
			return i
		}
	}
	return -1
}

func (p *chunkPool) get(size int) *Chunk {
	if i := chunkClass(size); i >= 0 {
		if c, ok := p.bySize[i].Get().(*Chunk); ok {
			return c
		}
	}
	return &Chunk{buf: make([]byte, 0, size)}
}

func (p *chunkPool) put(c *Chunk) {
	if i := chunkClass(cap(c.buf)); i >= 0 {
		c.buf = c.buf[:0]
		p.bySize[i].Put(c)
	}
}
