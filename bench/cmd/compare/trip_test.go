package main

import (
	"errors"
	"runtime"
	"slices"
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

// A run at whose end the cores are apart is not looked at, but done again: twice at most, and not for ever.
func TestRunsWithCoresApartAreDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const near, apart = 57, 350
		trips := []float64{near}
		r := &runner{patience: time.Minute, trip: func() float64 {
			trip := trips[0]
			if len(trips) > 1 {
				trips = trips[1:]
			}
			return trip
		}}
		runs := 0
		run := func() (*sample, error) {
			time.Sleep(time.Second)
			runs++
			return &sample{ValueSize: runs}, nil
		}
		for _, c := range []struct {
			what  string
			trips []float64 // before and after each run
			runs  int
			left  time.Duration // of the patience
		}{
			{"cores that stay near each other", []float64{near, near}, 1, time.Minute},
			{"cores that move apart in a run", []float64{near, apart, near, near}, 2, 59 * time.Second},
			{"cores that always do", []float64{near, apart, near, apart, near, apart}, 3, 57 * time.Second},
		} {
			runs, trips = 0, c.trips
			o := &outcome{}
			got, err := r.steady(o, run)
			if err != nil || runs != c.runs || got.ValueSize != c.runs || o.again != c.runs-1 {
				t.Errorf("%s: run %d of %d, %d done again, error %v; want the last of %d", c.what, got.ValueSize, runs, o.again, err, c.runs)
			}
			if want := c.trips[len(c.trips)-2:]; !slices.Equal(o.trips, want) {
				t.Errorf("%s: %v ns before and after the run, want %v", c.what, o.trips, want)
			}
			if r.patience != c.left {
				t.Errorf("%s: patience of %v is left, want %v", c.what, r.patience, c.left)
			}
		}
		r.patience = time.Second
		runs, trips = 0, []float64{near, apart, near, apart}
		if _, err := r.steady(&outcome{}, run); err != nil || runs != 2 {
			t.Errorf("%d runs with a patience of one, error %v; want 2", runs, err)
		}
		r.patience = time.Minute
		runs, trips = 0, []float64{near, apart}
		wrong := errors.New("wrong")
		if _, err := r.steady(&outcome{}, func() (*sample, error) { runs++; return nil, wrong }); !errors.Is(err, wrong) || runs != 1 {
			t.Errorf("%d runs that fail, error %v; want 1, and its own", runs, err)
		}
	})
}
