package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// roundTrip returns how long a line of memory takes from one core to another and back, in nanoseconds; 0 on a machine with one
// core. In a virtual machine it can change by a factor of six from minute to minute, as the host moves its cores. A client
// whose goroutines hand records to each other pays it for each record, and one that does all on one core does not. So it
// explains a spread of the rounds.
func roundTrip() float64 {
	if runtime.GOMAXPROCS(0) < 2 || runtime.NumCPU() < 2 {
		return 0
	}
	const most, patience, end = 25_000, 200 * time.Millisecond, -1
	var line struct {
		_  [128]byte
		at atomic.Int64
		_  [128]byte
	}
	woken := make(chan struct{})
	go func() {
		runtime.LockOSThread() // until it ends
		close(woken)
		for i := int64(1); ; i += 2 {
			at := line.at.Load()
			for ; at != i && at != end; at = line.at.Load() {
			}
			if at == end {
				return
			}
			line.at.Store(i + 1)
		}
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	<-woken
	began := time.Now()
	trips := int64(0)
	for trips < most && (trips%64 != 0 || time.Since(began) < patience) { // they may have been put on one core
		line.at.Store(2*trips + 1)
		for trips++; line.at.Load() != 2*trips; {
		}
	}
	took := time.Since(began)
	line.at.Store(end)
	return float64(took.Nanoseconds()) / float64(trips)
}

// trips are what roundTrip gave in a comparison.
type trips struct {
	Nearest float64 // the least of all, in nanoseconds; 0 = none was measured
	Runs    int
	Far     int // of the runs: before or after them it took more than three times as long as at best
}

// around does a run. It notes the round trip before and after it, whichever was longer, in its sample. Every run counts,
// wherever the host had the cores: what Epistle does while they are apart is part of what it does.
func (r *runner) around(run func() (*sample, error)) (*sample, error) {
	before := r.trip()
	got, err := run()
	if got != nil {
		got.Trip = max(before, r.trip())
	}
	return got, err
}

// nearest is the shortest trip of all runs.
func nearest(outcomes []*outcome) float64 {
	least := 0.0
	for _, o := range outcomes {
		for s := range o.samples() {
			if s.Trip > 0 && (least == 0 || s.Trip < least) {
				least = s.Trip
			}
		}
	}
	return least
}

// trips are those of a scenario, given the shortest of all.
func (o *outcome) trips(nearest float64) trips {
	t := trips{Nearest: nearest}
	for s := range o.samples() {
		if s.Trip == 0 {
			continue
		}
		t.Runs++
		if s.far(nearest) {
			t.Far++
		}
	}
	return t
}

func (s *sample) far(nearest float64) bool { return s.Trip > 3*nearest }

// apart returns the ratios of two clients by kind of round: those in which the cores were near each other in both runs, and
// those in which they were far apart in one of them.
func (o *outcome) apart(m metric, of, to string, nearest float64) (near, far []float64) {
	a, b := o.by[of], o.by[to]
	for i := range min(len(a), len(b)) {
		if a[i] == nil || b[i] == nil {
			continue
		}
		ratio := a[i].figure(m) / b[i].figure(m)
		if a[i].far(nearest) || b[i].far(nearest) {
			far = append(far, ratio)
		} else {
			near = append(near, ratio)
		}
	}
	return near, far
}
