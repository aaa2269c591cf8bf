package protocol

import (
	"bytes"
	"slices"
	"testing"
	"unsafe"
)

// Blocks are as large as can be without copying what is large anyway: with chunks of 60 of 64 KiB each is a block, where it
// lies, and what is small goes together.
func TestBlocksOfAChain(t *testing.T) {
	const kib = 1 << 10
	for name, c := range map[string]struct {
		alone        int
		chunks, want []int // KiB
		copied       []int // indices of the blocks that are copies
	}{
		"full chunks":                  {32, []int{64, 64, 10}, []int{64, 64, 10}, nil},
		"chunks that are nearly full":  {32, []int{63, 60, 62, 5}, []int{63, 60, 62, 5}, nil},
		"a batch that grows":           {32, []int{2, 4, 8, 16, 32, 64, 64}, []int{64, 62, 64}, []int{0}},
		"one chunk for several blocks": {32, []int{200, 40}, []int{64, 64, 64, 48}, []int{3}},
		"just enough to go alone":      {32, []int{32, 31, 20, 1}, []int{32, 52}, []int{1}},
		"a format with equal blocks":   {0, []int{60, 60, 60}, []int{64, 64, 52}, []int{0, 1}},
		"empty chunks":                 {32, []int{0, 40, 0, 0, 3, 0}, []int{40, 3}, nil},
		"nothing":                      {32, []int{0, 0}, nil, nil},
	} {
		var chunks [][]byte
		n := byte(0)
		for _, size := range c.chunks {
			chunk := make([]byte, size*kib)
			for i := range chunk {
				n = n*5 + 3
				chunk[i] = n
			}
			chunks = append(chunks, chunk)
		}
		whole := bytes.Join(chunks, nil)
		cutter := blockCutter{size: 64 * kib, alone: c.alone * kib}
		for range 2 { // the second time with scratch at hand
			cutter.cut(chunks)
			var sizes, copied []int
			var got []byte
			for b := cutter.next(); b != nil; b = cutter.next() {
				if cap(cutter.scratch) > 0 && unsafe.SliceData(b) == unsafe.SliceData(cutter.scratch) {
					copied = append(copied, len(sizes))
				}
				sizes = append(sizes, len(b)/kib)
				got = append(got, b...)
			}
			if !slices.Equal(sizes, c.want) || !slices.Equal(copied, c.copied) {
				t.Errorf("%s: blocks of %d KiB, those at %d copied; want %d and %d", name, sizes, copied, c.want, c.copied)
			}
			if !bytes.Equal(got, whole) {
				t.Errorf("%s: the blocks are not the chain", name)
			}
			if cutter.chunks != nil {
				t.Errorf("%s: the chain is kept after its end", name)
			}
		}
	}
}
