package main

import (
	"errors"
	"runtime"
	"slices"
	"testing"
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

// TestRunsWithFarCoresCount guards that a run is what it is, wherever the host had the cores: none is done again, and the
// report says how many were so, and what that does to the comparison.
func TestRunsWithFarCoresCount(t *testing.T) {
	took := []float64{50, 60, 55, 350, 350, 50, 60, 70}
	r := &runner{trip: func() float64 { trip := took[0]; took = took[1:]; return trip }}
	runs := 0
	run := func() (*sample, error) { runs++; return of(float64(runs))[0], nil }
	o := &outcome{scenario: &scenarios[0], by: map[string]rounds{}}
	for _, name := range []string{epistle, franz, epistle, franz} {
		got, err := r.around(run)
		if err != nil {
			t.Fatal(err)
		}
		o.by[name] = append(o.by[name], got)
	}
	if runs != 4 || len(took) != 0 {
		t.Errorf("%d runs for 4, %d looks at the cores left of 8", runs, len(took))
	}
	// The second and third run had far cores after and before them: franz-go's first round and Epistle's second.
	if got, want := o.trips(nearest([]*outcome{o})), (trips{60, 4, 2}); got != want {
		t.Errorf("trips are %v, want %v", got, want)
	}
	near, far := o.apart(perCPUSecond, epistle, franz, 60)
	if len(near) != 0 || !slices.Equal(far, []float64{1.0 / 2, 3.0 / 4}) {
		t.Errorf("ratios are %v near and %v far, want none and both", near, far)
	}
	wrong := errors.New("wrong")
	r.trip = func() float64 { return 50 }
	if got, err := r.around(func() (*sample, error) { return nil, wrong }); got != nil || !errors.Is(err, wrong) {
		t.Errorf("a run that fails gives %v and %v, want its own error", got, err)
	}
}
