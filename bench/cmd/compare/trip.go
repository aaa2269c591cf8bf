package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// roundTrip is how long a line of memory takes from one core to another and back, in nanoseconds; 0 on a machine with one.
// In a virtual machine it can change by a factor of six from minute to minute, as its cores move on the host. A client whose
// goroutines hand records to each other pays it for each, one that does all on one core does not: so it says what a spread
// of the rounds comes from.
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

// near returns roundTrip, and waits for it to be less than three times what it has been at best, so that all clients run under
// the same conditions: for r.patience in all.
func (r *runner) near() float64 {
	const pause = 500 * time.Millisecond
	for said := false; ; said = true {
		trip := r.measure()
		if !r.far(trip) || r.patience <= 0 {
			return trip
		}
		if !said {
			fmt.Printf("  a line of memory takes %.0f ns between the cores, %.0f at best: waiting\n", trip, r.nearest)
		}
		time.Sleep(pause)
		r.patience -= pause
	}
}

// measure is roundTrip, which it remembers the best of.
func (r *runner) measure() float64 {
	trip := r.trip()
	if r.nearest == 0 || trip < r.nearest {
		r.nearest = trip
	}
	return trip
}

func (r *runner) far(trip float64) bool { return trip > 3*r.nearest }

// steady does a client's run while the cores are near each other. It asks before the run and after it: one that ends with
// cores that have moved apart counts for nothing, whoever's it was, and is done again, twice at most, and only while there is
// patience. What cannot be had so is measured as it comes.
func (r *runner) steady(o *outcome, run func() (*sample, error)) (*sample, error) {
	for again := 0; ; again++ {
		before := r.near()
		began := time.Now()
		got, err := run()
		after := r.measure()
		if err != nil || !r.far(after) || again == 2 || r.patience <= 0 {
			o.trips = append(o.trips, before, after)
			return got, err
		}
		r.patience -= time.Since(began)
		o.again++
	}
}
