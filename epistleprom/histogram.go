package epistleprom

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/epistle-kafka/epistle/producer"
)

// A histogram is one of a producer's, with the classic buckets, and, where these are as native ones are, with those too. Only
// ratios have classic buckets alone: native ones near 1 would be too coarse.
type histogram struct {
	desc   *prometheus.Desc
	h      producer.Histogram
	labels []*dto.LabelPair
}

func newHistogram(desc *prometheus.Desc, h producer.Histogram, labels []string) *histogram {
	return &histogram{desc, h, prometheus.MakeLabelPairs(desc, labels)}
}

// Desc is prometheus.Metric's.
func (h *histogram) Desc() *prometheus.Desc { return h.desc }

// Write is prometheus.Metric's.
func (h *histogram) Write(to *dto.Metric) error {
	out := &dto.Histogram{SampleCount: &h.h.Count, SampleSum: &h.h.Sum}
	below := uint64(0)
	for i, bound := range h.h.Bounds {
		below += h.h.Counts[i]
		upTo, n := bound, below
		out.Bucket = append(out.Bucket, &dto.Bucket{UpperBound: &upTo, CumulativeCount: &n})
	}
	if first, ok := powersOfTwo(h.h.Bounds); ok {
		h.writeNative(out, first)
	}
	to.Label, to.Histogram = h.labels, out
	return nil
}

// writeNative adds native buckets of schema 0, each of which ends with a power of two. The zero bucket is what is not above the
// first bound, which may be anything from 0 on. What is above the last bound is shown as in the bucket behind it.
func (h *histogram) writeNative(out *dto.Histogram, first int32) {
	threshold, counts := h.h.Bounds[0], h.h.Counts[1:]
	schema, offset, length := int32(0), first+1, uint32(len(counts))
	out.Schema, out.ZeroThreshold, out.ZeroCount = &schema, &threshold, &h.h.Counts[0]
	out.PositiveSpan = []*dto.BucketSpan{{Offset: &offset, Length: &length}}
	last := int64(0)
	for _, n := range counts {
		out.PositiveDelta = append(out.PositiveDelta, int64(n)-last)
		last = int64(n)
	}
}

// powersOfTwo reports whether bounds are powers of two, one after the other, and which is the first.
func powersOfTwo(bounds []float64) (first int32, ok bool) {
	for i, bound := range bounds {
		fraction, exponent := math.Frexp(bound) // a power of two is a half of the next
		if i == 0 {
			first = int32(exponent - 1)
		}
		if fraction != 0.5 || int32(exponent-1) != first+int32(i) {
			return 0, false
		}
	}
	return first, len(bounds) > 0
}
