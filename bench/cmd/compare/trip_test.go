package main

import (
	"runtime"
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
