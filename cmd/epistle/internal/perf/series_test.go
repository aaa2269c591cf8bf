package perf

import (
	"testing"
	"testing/synctest"
	"time"
)

// However long a run is, its intervals are no more than a page can show, and none of what they count is lost.
func TestIntervalsStayFew(t *testing.T) {
	n := newIntervals()
	const count = 5000
	for i := range count {
		n.add(time.Duration(i)*150*time.Millisecond, int64(i))
	}
	if len(n.list) > mostIntervals || len(n.list) < mostIntervals/2-1 {
		t.Errorf("%d intervals, want between %d and %d", len(n.list), mostIntervals/2, mostIntervals)
	}
	total := int64(0)
	for i, h := range n.list {
		if h == nil {
			t.Fatalf("nothing ended in interval %d", i)
		}
		total += h.count
		from, to := int64(time.Duration(i)*n.width/(150*time.Millisecond)), int64(time.Duration(i+1)*n.width/(150*time.Millisecond))
		if h.max < from || h.max > to {
			t.Errorf("interval %d: the last that ended in it is %d, want one of %d to %d", i, h.max, from, to)
		}
	}
	if total != count {
		t.Errorf("%d are counted, want %d", total, count)
	}
}

// An interval in which nothing ended stays a gap, also when two become one.
func TestIntervalsKeepGaps(t *testing.T) {
	n := newIntervals()
	n.add(0, 1)
	n.add(firstInterval*(2*mostIntervals-1), 2)
	if n.width != 2*firstInterval || n.list[0] == nil || n.list[len(n.list)-1] == nil || n.list[len(n.list)/2] != nil {
		t.Errorf("intervals of %v, %d of them", n.width, len(n.list))
	}
}

func TestStatesStayFew(t *testing.T) {
	for _, took := range []time.Duration{30 * time.Millisecond, 20 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			stop := watchStates(func() state { return state{at: time.Since(began)} })
			time.Sleep(took)
			s := stop()
			if n := len(s.list); n < 2 || n > mostIntervals+2 || took > 30*time.Second && n < mostIntervals/2-2 {
				t.Errorf("%v: %d states", took, n)
			}
			covered := 0.0
			s.between(func(_, seconds float64, _, _ *state) { covered += seconds })
			if d := covered - took.Seconds(); d < -0.02 || d > 1e-9 {
				t.Errorf("%v: the states cover %v s", took, covered)
			}
			for i := 2; i < len(s.list)-1; i++ {
				if gap := s.list[i].at - s.list[i-1].at; gap != s.width {
					t.Fatalf("%v: state %d comes after %v, want %v", took, i, gap, s.width)
				}
			}
		})
	}
}
