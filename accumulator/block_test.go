package accumulator

import (
	"math/rand/v2"
	"testing"
)

// get returns a chunk, of a new slab if need be, as Memory does.
func get(p *chunkPool, size int) *chunk { return getWithin(p, size, 1<<40) }

func getWithin(p *chunkPool, size int, limit int64) *chunk {
	c := p.get(size)
	if c == nil {
		p.add(newSlab(p.plan(limit)))
		c = p.get(size)
	}
	return c
}

// spare returns how many blocks of p have no chunk.
func (p *chunkPool) spare() int {
	n := 0
	for _, s := range p.all {
		n += len(s.spare)
	}
	return n
}

// Chunks of all sizes come and go: no two share a byte, and those that are back make room for others of any size.
func TestChunksShareBlocks(t *testing.T) {
	random := rand.New(rand.NewPCG(64, 2))
	var p chunkPool
	type held struct {
		c    *chunk
		mark byte
	}
	var all []held
	bytes, most := 0, 0
	blocks := map[*block]bool{}
	for i := range 20_000 {
		if len(all) > 0 && (bytes > 1<<20 || random.IntN(2) == 0) {
			n := random.IntN(len(all))
			h := all[n]
			for j, b := range h.c.buf[:cap(h.c.buf)] {
				if b != h.mark {
					t.Fatalf("byte %d of a chunk of %d has been written by another", j, cap(h.c.buf))
				}
			}
			bytes -= cap(h.c.buf)
			p.put(h.c)
			all[n] = all[len(all)-1]
			all = all[:len(all)-1]
			continue
		}
		size := firstChunk << random.IntN(orders)
		c := get(&p, size)
		if cap(c.buf) != size || len(c.buf) != 0 {
			t.Fatalf("asked for %d bytes, got %d of %d", size, len(c.buf), cap(c.buf))
		}
		h := held{c, byte(i)}
		for j := range c.buf[:size] {
			c.buf[:size][j] = h.mark
		}
		all = append(all, h)
		bytes += size
		most = max(most, bytes)
		blocks[c.block] = true
	}
	if limit := most/lastChunk*2 + 2; len(blocks) > limit {
		t.Errorf("%d blocks for at most %d bytes, want at most %d", len(blocks), most, limit)
	}
	for _, h := range all {
		p.put(h.c)
	}
	if p.spare() != p.blocks || p.idle != len(p.all) {
		t.Errorf("%d blocks are spare at the end, want all %d, and %d slabs are idle, want all %d", p.spare(), p.blocks, p.idle, len(p.all))
	}
	for k, room := range p.rooms {
		if len(room) > 0 {
			t.Errorf("%d blocks are listed for order %d, want none", len(room), k)
		}
	}
}

// What many small chunks have left is of use to large ones.
func TestSmallChunksMakeRoomForLargeOnes(t *testing.T) {
	var p chunkPool
	var small []*chunk
	for range 4 * blockUnits {
		small = append(small, get(&p, firstChunk))
	}
	for _, c := range small {
		p.put(c)
	}
	for range 4 {
		get(&p, lastChunk)
	}
	if n := p.spare(); n != 0 {
		t.Errorf("%d blocks are spare: the large chunks have taken new ones", n)
	}
}

func TestAChunkGivenBackTwice(t *testing.T) {
	var p chunkPool
	c := get(&p, firstChunk)
	get(&p, firstChunk)
	p.put(c)
	if !panics(func() { p.put(c) }) {
		t.Error("nobody noticed")
	}
}
