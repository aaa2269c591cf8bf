package sender

import (
	"math"
	"math/bits"
	"time"
)

// Java measures rates, averages and maxima over the last two windows of 30 s: metrics.num.samples and metrics.sample.window.ms.
// A slot is one of these windows. All slots of a loop begin and end together, so that the clock is read once for all of them.
const slotTime = 30 * time.Second

// slots tells which slot it is.
type slots struct {
	number int64
	began  time.Time // the slot with that number
}

// pass moves on to the slot that now is in. It reports whether that is another one.
func (s *slots) pass(now time.Time) bool {
	passed := now.Sub(s.began)
	if passed < slotTime {
		return false
	}
	n := int64(passed / slotTime)
	s.number += n
	s.began = s.began.Add(time.Duration(n) * slotTime)
	return true
}

// seconds returns the time that a rate is over: the whole slot before this one, as Java takes it from the beginning, and what
// has passed of this one.
func (s *slots) seconds(now time.Time) float64 {
	return (slotTime + max(now.Sub(s.began), 0)).Seconds()
}

// A rate is how much came in this slot and in the one before.
type rate struct {
	slot        int64
	now, before int64
}

func (r *rate) turn(slot int64) {
	switch slot - r.slot {
	case 0:
		return
	case 1:
		r.before, r.now = r.now, 0
	default:
		r.before, r.now = 0, 0
	}
	r.slot = slot
}

func (r *rate) add(slot, n int64) {
	r.turn(slot)
	r.now += n
}

// perSecond returns the rate at that time.
func (r *rate) perSecond(s *slots, now time.Time) float64 {
	r.turn(s.number)
	return float64(r.now+r.before) / s.seconds(now)
}

// A sampled rate is one of what others count: it is told the total now and then.
type sampled struct {
	rate
	total int64
}

func (s *sampled) take(slot, total int64) {
	s.add(slot, total-s.total)
	s.total = total
}

// A level is the values that came in this slot and in the one before, for their average and maximum.
type level struct {
	slot        int64
	now, before values
}

type values struct {
	n        int64
	sum, max float64
}

func (l *level) turn(slot int64) {
	switch slot - l.slot {
	case 0:
		return
	case 1:
		l.before, l.now = l.now, values{}
	default:
		l.before, l.now = values{}, values{}
	}
	l.slot = slot
}

// add takes in a value.
func (l *level) add(slot int64, v float64) {
	l.turn(slot)
	if l.now.n == 0 || v > l.now.max {
		l.now.max = v
	}
	l.now.n++
	l.now.sum += v
}

// addAll takes in n values of that sum, none of which is above most.
func (l *level) addAll(slot, n int64, sum, most float64) {
	if n <= 0 {
		return
	}
	l.add(slot, most)
	l.now.n += n - 1
	l.now.sum += sum - most
}

// A Window is the average and the maximum of what came of late.
type Window struct {
	Avg, Max float64
	Some     bool // else there was nothing
}

func (l *level) window(s *slots) Window {
	l.turn(s.number)
	a, b := l.now, l.before
	switch {
	case a.n+b.n == 0:
		return Window{}
	case a.n == 0:
		a.max = b.max
	case b.n > 0:
		a.max = max(a.max, b.max)
	}
	return Window{Avg: (a.sum + b.sum) / float64(a.n+b.n), Max: a.max, Some: true}
}

// A Scale says what a histogram is of, and so which bounds it has.
type Scale uint8

// The scales of histograms.
const (
	Times   Scale = iota // seconds: 2^-13, which is 122 µs, doubled up to 2^7, which is 128 s
	Bytes                // 64, doubled up to 16 MiB
	Records              // 1, doubled up to 65,536
	Ratios               // 0.05, 0.1 … 1.1
	scales
)

// maxBuckets is the most that a histogram has, with the one for what is above all bounds.
const maxBuckets = 23

// firstTimes and firstBytes are the powers of two that the bounds of Times and Bytes begin with. All bounds but those of Ratios
// are powers of two, as those of Prometheus' native histograms are.
const (
	firstTimes = -13
	firstBytes = 6
)

// bounds of each scale's buckets.
var bounds = [scales][]float64{
	Times:   doubled(firstTimes, 21),
	Bytes:   doubled(firstBytes, 19),
	Records: doubled(0, 17),
	Ratios:  twentieths(maxBuckets - 1),
}

// doubled returns n powers of two.
func doubled(first, n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = math.Ldexp(1, first+i)
	}
	return all
}

func twentieths(n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = float64(i+1) / 20
	}
	return all
}

// Bounds returns the upper bounds of a scale's buckets. They are shared: not to be changed.
func Bounds(s Scale) []float64 { return bounds[s] }

// A Histogram counts values by their size. It has one bucket more than its scale has bounds.
type Histogram struct {
	Buckets [maxBuckets]uint64
	Sum     float64
	Count   uint64
}

// put counts n values of v in a bucket, or in the last of the scale if there is none so high.
func (h *Histogram) put(s Scale, bucket int, v float64, n uint64) {
	h.Buckets[min(bucket, len(bounds[s]))] += n
	h.Sum += v * float64(n)
	h.Count += n
}

// sixteenths of a nanosecond that the first bound of Times has: a whole number, so that integers tell the bucket.
const sixteenths = 16 * int64(time.Second) >> -firstTimes

// time counts a duration n times.
func (h *Histogram) time(d time.Duration, n uint64) {
	d = max(d, 0)
	of := 16 * min(int64(d), int64(time.Hour)) // an hour is above all bounds
	h.put(Times, bits.Len64(uint64(max(of-1, 0)/sixteenths)), d.Seconds(), n)
}

// size counts a number of bytes.
func (h *Histogram) size(n int64) {
	h.put(Bytes, max(bits.Len64(uint64(max(n, 1)-1))-firstBytes, 0), float64(n), 1)
}

// records counts a number of records.
func (h *Histogram) records(n int64) { h.put(Records, bits.Len64(uint64(max(n, 1)-1)), float64(n), 1) }

// ratio counts part as a share of whole.
func (h *Histogram) ratio(part, whole int64) {
	if whole > 0 && part > 0 {
		h.put(Ratios, int((20*part-1)/whole), float64(part)/float64(whole), 1)
	}
}
