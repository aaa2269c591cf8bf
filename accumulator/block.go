package accumulator

import "math/bits"

const (
	unitSize   = firstChunk
	blockUnits = lastChunk / unitSize // as many as a word has bits
	orders     = 6                    // sizes of chunks: 1<<0 to 1<<5 units
)

// A block is a buddy allocator over 64 KiB. Its chunks have 1, 2, 4, … or 32 units, and begin at a multiple of their size. So
// large chunks can use what small ones have left, and the chunks of a producer take little more than its bound on memory,
// whatever sizes its batches have had.
type block struct {
	slab   *slab
	memory []byte
	free   uint32 // bit i: unit i is in no chunk
	places [orders]int32
	chunks [blockUnits]chunk
}

const allFree = 1<<blockUnits - 1

// aligned has, for each order, the bits at which a chunk of that order may begin.
var aligned = [orders]uint32{0xffffffff, 0x55555555, 0x11111111, 0x01010101, 0x00010001, 0x00000001}

// units returns the bits of a chunk's units.
func units(unit, order int) uint32 { return uint32((uint64(1)<<(1<<order) - 1) << unit) }

// find returns the first unit at which a chunk of that order fits, or -1.
func (b *block) find(order int) int {
	free := b.free
	for i := range order {
		free &= free >> (1 << i) // now: 2<<i units are free from here on
	}
	if free &= aligned[order]; free == 0 {
		return -1
	}
	return bits.TrailingZeros32(free)
}

// A chunkPool hands out chunks. Memory's lock guards it, its slabs and their blocks.
type chunkPool struct {
	slabs
	// rooms has, for each order, the blocks in use that have room for such a chunk. The places of a block have its index in
	// each of these lists, counted from 1; 0 is none.
	rooms [orders][]*block
}

// orderOf returns the order of a chunk of size bytes; -1 if such a chunk is no part of a block.
func orderOf(size int) int {
	if size > lastChunk || size < unitSize || size&(size-1) != 0 {
		return -1
	}
	return bits.TrailingZeros32(uint32(size / unitSize))
}

// get returns a chunk of size bytes. It returns nil if a chunk of that size is no part of a block, or if no block has room.
func (p *chunkPool) get(size int) *chunk {
	order := orderOf(size)
	if order < 0 {
		return nil
	}
	for k := order; k < orders; k++ { // the smallest piece that will do
		if n := len(p.rooms[k]); n > 0 {
			b := p.rooms[k][n-1]
			return p.take(b, b.find(k), order)
		}
	}
	b := p.takeBlock()
	if b == nil {
		return nil
	}
	return p.take(b, 0, order)
}

// take makes a chunk of that order at unit, which is free.
func (p *chunkPool) take(b *block, unit, order int) *chunk {
	b.free &^= units(unit, order)
	p.settle(b)
	c := &b.chunks[unit]
	from, to := unit*unitSize, (unit+1<<order)*unitSize
	c.buf, c.block, c.unit, c.order = b.memory[from:from:to], b, uint8(unit), uint8(order)
	return c
}

func (p *chunkPool) put(c *chunk) {
	b := c.block
	if b == nil {
		return
	}
	bit := units(int(c.unit), int(c.order))
	if b.free&bit != 0 {
		panic("accumulator: a chunk was given back twice")
	}
	b.free |= bit
	p.settle(b)
	if b.free == allFree {
		p.putBlock(b)
	}
}

// settle updates rooms for b.
func (p *chunkPool) settle(b *block) {
	for k := range orders {
		room := b.free != allFree && b.find(k) >= 0
		switch place := b.places[k]; {
		case room && place == 0:
			p.rooms[k] = append(p.rooms[k], b)
			b.places[k] = int32(len(p.rooms[k]))
		case !room && place > 0:
			last := len(p.rooms[k]) - 1
			moved := p.rooms[k][last]
			p.rooms[k][place-1], p.rooms[k][last] = moved, nil
			p.rooms[k] = p.rooms[k][:last]
			moved.places[k], b.places[k] = place, 0
		}
	}
}
