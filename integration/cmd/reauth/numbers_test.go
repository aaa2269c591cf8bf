package main

import (
	"testing"
	"time"
)

// shown is what a checker finds in a partition with these numbers, of how many that were sent.
func shown(sent int64, numbers ...int64) findings {
	c := newChecker(1)
	for i, n := range numbers {
		value := make([]byte, leastSize)
		putNumber(value, 0, n, false)
		c.record(0, int64(i), value)
	}
	c.finish([]int64{sent})
	return c.findings
}

func TestChecker(t *testing.T) {
	for _, c := range []struct {
		name    string
		sent    int64
		numbers []int64
		want    findings
	}{
		{"all in order", 4, []int64{0, 1, 2, 3}, findings{Read: 4}},
		{"nothing", 0, nil, findings{}},
		{"one is missing", 4, []int64{0, 2, 3}, findings{Read: 3, Missing: 1}},
		{"the last are missing", 4, []int64{0, 1}, findings{Read: 2, Missing: 2}},
		{"one is doubled", 3, []int64{0, 1, 1, 2}, findings{Read: 4, Doubled: 1}},
		{"a batch is doubled", 4, []int64{0, 1, 2, 3, 0, 1, 2, 3}, findings{Read: 8, Doubled: 4}},
		{"two batches have changed places", 6, []int64{0, 1, 4, 5, 2, 3}, findings{Read: 6, Reordered: 2}},
		{"a late one is doubled, too", 3, []int64{0, 2, 1, 1}, findings{Read: 4, Reordered: 1, Doubled: 1}},
		{"in the middle of what was skipped", 6, []int64{0, 5, 3}, findings{Read: 3, Reordered: 1, Missing: 3}},
		{"more than were sent", 2, []int64{0, 1, 2}, findings{Read: 3, Strange: 1}},
	} {
		got := shown(c.sent, c.numbers...)
		if c.want.wrong() > 0 && len(got.Examples) == 0 {
			t.Errorf("%s: there is no example", c.name)
		}
		if got.Examples = nil; got.wrong() != c.want.wrong() || got.Read != c.want.Read || got.Missing != c.want.Missing ||
			got.Doubled != c.want.Doubled || got.Reordered != c.want.Reordered || got.Strange != c.want.Strange {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestCheckerOfStrangeRecords(t *testing.T) {
	value := make([]byte, leastSize)
	putNumber(value, 1, 0, false)
	aborted := make([]byte, leastSize)
	putNumber(aborted, 0, 0, true)
	for name, strange := range map[string][]byte{"of another partition": value, "of an aborted transaction": aborted, "too short": value[:leastSize-1], "null": nil} {
		c := newChecker(2)
		c.record(0, 0, strange)
		if c.Strange != 1 || c.wrong() != 1 {
			t.Errorf("a record %s: %+v, want a strange one", name, c.findings)
		}
	}
}

// However much is missing, what is remembered is bounded.
func TestCheckerIsBounded(t *testing.T) {
	var every []int64
	const n = 3 * mostGaps
	for i := range int64(n) {
		every = append(every, 2*i)
	}
	c := newChecker(1)
	for i, n := range every {
		value := make([]byte, leastSize)
		putNumber(value, 0, n, false)
		c.record(0, int64(i), value)
	}
	if c.Missing != n-1 || len(c.partitions[0].gaps) > mostGaps || len(c.Examples) > mostExamples {
		t.Errorf("%d missing, %d gaps, %d examples", c.Missing, len(c.partitions[0].gaps), len(c.Examples))
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if h.quantile(0.5) != 0 {
		t.Error("an empty one has a median")
	}
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{0.5, 500 * time.Millisecond}, {0.99, 990 * time.Millisecond}, {0.999, 999 * time.Millisecond}, {1, time.Second}} {
		if got := h.quantile(c.q); got < c.want || got > c.want*33/32 {
			t.Errorf("quantile %v is %v, want %v or up to a 32nd more", c.q, got, c.want)
		}
	}
	for d := time.Duration(0); d < 10*time.Second; d += d/50 + 1 {
		if i := bucket(d); top(i) < d || i > 0 && top(i-1) >= d {
			t.Fatalf("%v is in bucket %d, which ends with %v, and the one before with %v", d, i, top(i), top(i-1))
		}
	}
}

// Each record has its place in the schedule, and so each partition its share.
func TestSchedule(t *testing.T) {
	l := (&soak{partitions: 3, rate: 1000}).load("t")
	for n := range int64(10) {
		want := make([]int64, 3)
		for i := range n {
			want[i%3]++
		}
		for i, got := range l.sent(n) {
			if got != want[i] {
				t.Errorf("of %d records partition %d has %d, want %d", n, i, got, want[i])
			}
		}
		if at := l.dueAt(n); l.due(at.Add(time.Microsecond)) != n+1 || at.Sub(l.began) != time.Duration(n)*time.Millisecond {
			t.Errorf("record %d is due after %v, and %d are due then", n, at.Sub(l.began), l.due(at.Add(time.Microsecond)))
		}
	}
}
