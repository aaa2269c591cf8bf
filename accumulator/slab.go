package accumulator

// A slab is the memory of several blocks, allocated at once. A slab is as large as all before it together, up to mostSlab, so
// that memory follows the data. Slabs of that size are to lie in huge pages. A full buffer is written and read from end to end,
// over and over, and a processor remembers where a few thousand pages are. If they have 4 KiB, it has to look into the page
// table every few records.
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

// slabs are all slabs of a Memory. The oldest are used first, so that the others are idle soon after a burst. An idle slab is
// kept until trim finds it idle twice. If the garbage collector took it at once, it would soon be allocated again; if nobody
// did, a burst would be kept for ever.
type slabs struct {
	all    []*slab
	first  int // no slab before it has a spare block
	idle   int
	blocks int // of all slabs, also of those that are planned and not yet added
}

// plan returns how many blocks the next slab is to have, and counts them at once: somebody else may ask before that slab is
// added. limit is the most bytes that will be needed.
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

// putBlock takes back b, which has no chunk any more.
func (s *slabs) putBlock(b *block) {
	a := b.slab
	a.spare = append(a.spare, b)
	s.first = min(s.first, a.index)
	if a.idle() {
		s.idle++
	}
}

// trim frees the slabs that have been idle since the last trim. It reports whether any idle ones are left.
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
