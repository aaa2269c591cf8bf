package main

import (
	"math"
	"math/bits"
	"time"
)

// histogram counts durations in buckets that are a 32nd of their durations wide, and a nanosecond below 64 ns. The zero value
// is empty.
type histogram struct {
	counts [64 * 32]int64
	n      int64
	most   time.Duration
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(d)]++
	h.n++
	h.most = max(h.most, d)
}

// bucket is the index of a duration: its highest 6 bits, and how many follow them.
func bucket(d time.Duration) int {
	shift := max(bits.Len64(uint64(d))-6, 0)
	return shift*32 + int(uint64(d)>>shift)
}

// top is the longest duration of a bucket.
func top(i int) time.Duration {
	if i < 64 {
		return time.Duration(i)
	}
	shift := i/32 - 1
	return time.Duration((uint64(i-shift*32)+1)<<shift - 1)
}

// quantile is the duration that the part q of all do not exceed, rounded up to the end of its bucket, and 0 if there is none.
func (h *histogram) quantile(q float64) time.Duration {
	left := int64(math.Ceil(q * float64(h.n)))
	for i, n := range h.counts {
		if left -= n; left <= 0 && n > 0 {
			return min(top(i), h.most)
		}
	}
	return 0
}
