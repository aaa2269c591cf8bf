package accumulator

import "testing"

// A burst is not kept for ever, and what is in use now and then is kept.
func TestTrim(t *testing.T) {
	var p chunkPool
	var chunks []*chunk
	for range 10 {
		chunks = append(chunks, get(&p, lastChunk))
	}
	for _, c := range chunks {
		p.put(c)
	}
	p.trim() // they were in use until now
	if n := p.spare(); n != 16 {
		t.Fatalf("%d blocks are spare, want 16: nobody knows yet that they are not needed", n)
	}
	a, b := get(&p, lastChunk), get(&p, lastChunk)
	p.put(a)
	p.put(b)
	if !p.trim() || p.spare() != 2 {
		t.Errorf("%d blocks are left, want the 2 that were needed", p.spare())
	}
	if p.trim() || p.isSpare() || p.blocks != 0 {
		t.Errorf("%d of %d blocks are left, want none", p.spare(), p.blocks)
	}
}

// A slab that was in use all the time since the last trim, and is idle since just now, is still kept.
func TestTrimAfterALongUse(t *testing.T) {
	var p chunkPool
	c := get(&p, lastChunk)
	p.trim()
	p.trim()
	p.put(c)
	if !p.trim() {
		t.Error("a slab was let go that was needed a moment ago")
	}
	if p.trim() {
		t.Error("a slab was kept that nobody has needed between two trims")
	}
}

// What is used after a burst is what came first, so that the rest can go, also while the places of those that are kept change.
func TestABurstLeavesWhatIsNeeded(t *testing.T) {
	var p chunkPool
	var chunks []*chunk
	for range 100 {
		chunks = append(chunks, get(&p, lastChunk))
	}
	late := chunks[99]
	for _, c := range chunks[:99] {
		p.put(c)
	}
	for range 3 {
		for range 2 {
			a, b := get(&p, lastChunk), get(&p, firstChunk)
			p.put(a)
			p.put(b)
		}
		p.trim()
	}
	if want := 1 + 1 + late.block.slab.blocks; p.blocks != want {
		t.Errorf("%d blocks are left, want %d: those of the first two slabs, and of the one with a chunk that is still out", p.blocks, want)
	}
	p.put(late)
	p.trim()
	p.trim()
	if p.blocks != 0 || p.idle != 0 || len(p.all) != 0 {
		t.Errorf("%d blocks of %d slabs are left, %d idle, want none", p.blocks, len(p.all), p.idle)
	}
}

// Slabs double, so that a producer of few records has little memory, and all together are no more than the bound.
func TestSlabsFollowTheData(t *testing.T) {
	for _, limit := range []int64{1, lastChunk, 5 * lastChunk, 32 << 20, 33<<20 + 1} {
		var p chunkPool
		bytes, before := int64(0), 0
		for bytes+lastChunk <= limit {
			getWithin(&p, lastChunk, limit)
			bytes += lastChunk
			if p.blocks > before {
				if p.blocks > max(1, 2*before) || p.blocks > before+mostSlab {
					t.Fatalf("with a limit of %d, %d blocks follow upon %d", limit, p.blocks, before)
				}
				before = p.blocks
			}
		}
		if most := int(limit / lastChunk); p.blocks != most {
			t.Errorf("with a limit of %d, there are %d blocks, want %d", limit, p.blocks, most)
		}
	}
}

// Two callers who need a slab at the same time do not get two that are more than the bound.
func TestSlabsPlannedAtOnce(t *testing.T) {
	const limit = 8 * lastChunk
	var p chunkPool
	for range 4 {
		p.add(newSlab(p.plan(limit))) // 1, 1, 2, 4
	}
	if a, b := p.plan(limit), p.plan(limit); a != 1 || b != 1 {
		t.Errorf("slabs of %d and %d blocks are planned beyond the bound, want 1 each: what does not fit, since chunks of other sizes are in the way", a, b)
	}
	var q chunkPool
	q.plan(limit)
	q.plan(limit)
	q.plan(limit)
	if a, b := q.plan(limit), q.plan(limit); a != 4 || b != 1 {
		t.Errorf("slabs of %d and %d blocks are planned one after the other, want 4 and 1", a, b)
	}
}
