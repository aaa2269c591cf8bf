package main

import (
	"testing"
	"time"
)

// TestReportsTakeNoLongerThanSaid guards what README.md of this module says of the time that reports take, whatever rows and
// scenarios are added.
func TestReportsTakeNoLongerThanSaid(t *testing.T) {
	two, err := pickPeers(epistle + "," + franz)
	if err != nil {
		t.Fatal(err)
	}
	usual, err := pickPeers("")
	if err != nil {
		t.Fatal(err)
	}
	some, err := pick("a,d,f,h")
	if err != nil {
		t.Fatal(err)
	}
	whole := &runner{peers: usual, rounds: 7, warmup: 500 * time.Millisecond, duration: time.Second, steady: 20 * time.Second}
	short := &runner{peers: usual, rounds: 5, warmup: whole.warmup, duration: whole.duration, steady: whole.steady}
	swept := &runner{peers: two, rounds: 3, warmup: 300 * time.Millisecond, duration: 500 * time.Millisecond}
	for _, test := range []struct {
		what string
		got  time.Duration
		most time.Duration
	}{
		{"a whole report", whole.estimate(scenarios, false), 50 * time.Minute},
		{"one of a, d, f and h by five rounds", short.estimate(some, false), 13 * time.Minute},
		{"the sweep of epistle and franz-go", swept.estimate(scenarios, true), 20 * time.Minute},
		{"the same for a, d, f and h", swept.estimate(some, true), 7 * time.Minute},
	} {
		if test.got > test.most || test.got < test.most/2 {
			t.Errorf("%s takes %v, want no more than %v", test.what, test.got, test.most)
		}
	}
}
