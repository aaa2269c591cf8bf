package main

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/bench/internal/counted"
)

// A metric is a figure of a run.
type metric int

const (
	perCPUSecond metric = iota
	perSecond
	allocations
	allocatedSize
	peakRSS
	p50
	p99
	p999
	allocationsPerBatch
	compression // bytes of the values over bytes of the batches
)

// String is the name of a metric that clients are compared by.
func (m metric) String() string {
	return map[metric]string{perCPUSecond: "records/CPU s", perSecond: "records/s", p50: "p50", p99: "p99"}[m]
}

// sample is what one run gave.
type sample struct {
	driver.Result
	Batches, Bytes int64 `json:",omitempty"` // as the sink counted them; 0 = not known
	ValueSize      int   `json:",omitempty"`

	Trip float64 `json:",omitempty"` // roundTrip before or after the run, whichever was longer, in nanoseconds
}

// count adds what the target has counted in a run of the scenario. It subtracts the memory of the values, which is the driver's
// and not the client's.
func (s *sample) count(c counted.Client, of *scenario) {
	s.Batches, s.Bytes, s.ValueSize = c.Batches, c.Bytes, of.size
	s.PeakRSS = max(s.PeakRSS-int64(of.ring), 0)
}

func (s *sample) figure(m metric) float64 {
	switch m {
	case perCPUSecond:
		return s.PerCPUSecond
	case perSecond:
		return s.PerSecond
	case allocations:
		return s.Allocations
	case allocatedSize:
		return s.AllocatedSize
	case peakRSS:
		return float64(s.PeakRSS)
	case p50:
		return float64(s.P50)
	case p99:
		return float64(s.P99)
	case p999:
		return float64(s.P999)
	case allocationsPerBatch:
		if s.Batches == 0 || s.Allocations < 0 {
			return -1
		}
		return s.Allocations * float64(s.Acknowledged) / float64(s.Batches)
	case compression:
		return float64(s.Acknowledged) * float64(s.ValueSize) / float64(s.Bytes)
	}
	panic(fmt.Sprint("no metric ", int(m)))
}

// better says whether a is better than b, as figures of the metric.
func (m metric) better(a, b float64) bool {
	if m == perCPUSecond || m == perSecond || m == compression {
		return a > b
	}
	return a < b
}

// rounds are the samples of one client, one for each round; nil where it has failed.
type rounds []*sample

func (r rounds) figures(m metric) []float64 {
	var figures []float64
	for _, s := range r {
		if s != nil {
			figures = append(figures, s.figure(m))
		}
	}
	return figures
}

// A spread is a median and what it lies between.
type spread struct{ least, median, most float64 }

// spreadOf returns NaN for no figures.
func spreadOf(figures []float64) spread {
	if len(figures) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	f := slices.Sorted(slices.Values(figures))
	middle := f[len(f)/2]
	if len(f)%2 == 0 {
		middle = (f[len(f)/2-1] + f[len(f)/2]) / 2
	}
	return spread{f[0], middle, f[len(f)-1]}
}

// pairs are the figures of two clients, round by round, without rounds in which either has failed.
func pairs(m metric, a, b rounds) iter.Seq2[float64, float64] {
	return func(yield func(float64, float64) bool) {
		for i := range min(len(a), len(b)) {
			if a[i] != nil && b[i] != nil && !yield(a[i].figure(m), b[i].figure(m)) {
				return
			}
		}
	}
}

// ratios compares two clients round by round: what slows one run of a round mostly slows the other, too.
func ratios(m metric, of, to rounds) spread {
	var figures []float64
	for f, t := range pairs(m, of, to) {
		figures = append(figures, f/t)
	}
	return spreadOf(figures)
}

// wins says in how many of the rounds that both had a was better than b, and in how many b was.
func wins(m metric, a, b rounds) (won, lost, of int) {
	for fa, fb := range pairs(m, a, b) {
		of++
		switch {
		case m.better(fa, fb):
			won++
		case m.better(fb, fa):
			lost++
		}
	}
	return won, lost, of
}

// beyond reports whether a is better than b by more than the spread of the rounds: a's worst round is better than b's best.
func beyond(m metric, a, b rounds) bool {
	fa, fb := spreadOf(a.figures(m)), spreadOf(b.figures(m))
	if m.better(1, 2) { // less is better
		return fa.most < fb.least
	}
	return fa.least > fb.most
}
