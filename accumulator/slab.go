package accumulator

// A slab is the memory of blocks that is allocated at once. Slabs are as large as
// all before them together, so that memory follows the data, up to mostSlab: those
// are to lie in huge pages. A buffer that is full is written and read from end to
// end, over and over, and with pages of 4 KiB, of which a processor remembers a
// few thousand, that takes a look into the page table for every few records.
type slab struct {
	index  int // in slabs
	blocks int
	spare  []*block // those without a chunk
	needed bool     // one has a chunk, or had one since the last trim
}

const (
	hugePage = 2 << 20              // bytes, on most processors
	mostSlab = hugePage / lastChunk // blocks
)

func newSlab(blocks int) *slab {
	memory := make([]byte, blocks*lastChunk)
	if blocks == mostSlab {
		adviseHuge(memory)
	}
	s := &slab{blocks: blocks, spare: make([]*block, blocks)}
	all := make([]block, blocks)
	for i := range all {
		b := &all[i]
		b.slab, b.free = s, allFree
		b.memory, memory = memory[:lastChunk:lastChunk], memory[lastChunk:]
		s.spare[blocks-1-i] = b // the first is taken first
	}
	return s
}

func (s *slab) idle() bool { return len(s.spare) == s.blocks }

// slabs are all slabs of a memory. Those that came first are used first, so that
// the others are idle soon after a burst. An idle one is kept for a while, since
// what the garbage collector took would be allocated anew before its next turn,
// and let go by trim, so that a burst is not kept for ever.
type slabs struct {
	all    []*slab
	first  int // no slab before it has a spare block
	idle   int
	blocks int // of all, and of those that are about to be added
}

// plan returns how many blocks the next slab is to have, where limit bytes are the
// most that will be needed, and counts them: whoever asks next may do so before
// that one is added.
func (s *slabs) plan(limit int64) int {
	left := int(min(limit/lastChunk-int64(s.blocks), mostSlab))
	n := max(1, min(s.blocks, left))
	s.blocks += n
	return n
}

// add adds a slab that was planned.
func (s *slabs) add(a *slab) {
	a.index = len(s.all)
	s.all = append(s.all, a)
	s.idle++
}

// takeBlock returns a spare block, or nil.
func (s *slabs) takeBlock() *block {
	for ; s.first < len(s.all); s.first++ {
		a := s.all[s.first]
		last := len(a.spare) - 1
		if last < 0 {
			continue
		}
		if a.idle() {
			s.idle--
		}
		a.needed = true
		b := a.spare[last]
		a.spare = a.spare[:last]
		return b
	}
	return nil
}

// putBlock takes b back, which has no chunk any more.
func (s *slabs) putBlock(b *block) {
	a := b.slab
	a.spare = append(a.spare, b)
	s.first = min(s.first, a.index)
	if a.idle() {
		s.idle++
	}
}

// trim lets go of the slabs that have been idle since the last trim. It reports
// whether any idle ones are left.
func (s *slabs) trim() bool {
	kept := s.all[:0]
	for _, a := range s.all {
		if !a.needed {
			s.idle--
			s.blocks -= a.blocks
			continue
		}
		a.needed = !a.idle()
		a.index = len(kept)
		kept = append(kept, a)
	}
	clear(s.all[len(kept):])
	s.all, s.first = kept, 0
	return s.idle > 0
}

// isSpare reports whether there is anything to trim, now or later.
func (s *slabs) isSpare() bool { return s.idle > 0 }
