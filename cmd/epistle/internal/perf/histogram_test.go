package perf

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantilesAreWithinTwoPercent(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		var h histogram
		values := make([]int64, 1+r.IntN(5000))
		for i := range values {
			values[i] = r.Int64N(1 << (1 + r.IntN(39)))
			h.add(values[i])
		}
		slices.Sort(values)
		for _, q := range []float64{0.5, 0.99, 0.999, 1} {
			rank := min(max(int(q*float64(len(values))+0.5), 1), len(values))
			want := values[rank-1]
			got := h.quantile(q)
			if got < want || float64(got) > float64(want)*1.02+1 {
				t.Errorf("seed %d: quantile(%v) of %d values = %d, want %d", seed, q, len(values), got, want)
			}
		}
		if want := values[len(values)-1]; h.max != want {
			t.Errorf("max = %d, want %d", h.max, want)
		}
	}
}

func TestHistogramTakesAnything(t *testing.T) {
	var h histogram
	if got := h.quantile(0.99); got != 0 {
		t.Errorf("quantile of nothing = %d, want 0", got)
	}
	for _, v := range []int64{-5, 0, 1<<63 - 1} {
		h.add(v)
	}
	if h.count != 3 || h.max != 1<<histogramBits-1 {
		t.Errorf("count, max = %d, %d, want 3 and %d", h.count, h.max, int64(1<<histogramBits-1))
	}
}
