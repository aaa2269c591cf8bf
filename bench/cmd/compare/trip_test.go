package main

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// There is a figure where there are two cores, and none where there is one.
func TestRoundTrip(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := roundTrip(); got != 0 {
		t.Errorf("%v ns with one processor, want 0", got)
	}
	runtime.GOMAXPROCS(2)
	if got := roundTrip(); (got > 0) != (runtime.NumCPU() > 1) {
		t.Errorf("%v ns on %d cores", got, runtime.NumCPU())
	}
}

// Runs wait for the cores to be near each other, but not for ever: patience is for all of them.
func TestRunsWaitForNearCores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trip := 350.0
		r := &runner{trip: func() float64 { return trip }, patience: 10 * time.Second}
		began := time.Now()
		waited := func() time.Duration { return time.Since(began) }
		if got := r.near(); got != 350 || waited() != 0 {
			t.Errorf("the first run waited %v at %v ns; want no wait, since nothing better is known", waited(), got)
		}
		trip = 57
		r.near()
		trip = 170
		if r.near(); waited() != 0 {
			t.Errorf("waited %v with 170 ns after 57, want no wait", waited())
		}
		apart := time.Now().Add(4 * time.Second)
		r.trip = func() float64 {
			if time.Now().Before(apart) {
				return 350
			}
			return 60
		}
		if got := r.near(); got != 60 || waited() < 4*time.Second || waited() > 5*time.Second {
			t.Errorf("%v ns after %v, want 60 after 4 s", got, waited())
		}
		r.trip = func() float64 { return 350 }
		if got := r.near(); got != 350 || waited() < 10*time.Second || waited() > 11*time.Second {
			t.Errorf("%v ns after %v, want 350 when 10 s were spent", got, waited())
		}
		if r.near(); waited() > 11*time.Second {
			t.Errorf("waited %v in all, want no more than 10 s", waited())
		}
	})
}
