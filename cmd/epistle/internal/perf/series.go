package perf

import (
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A report shows how a run went over time: in intervals, at first of firstInterval each. When there would be more than
// mostIntervals, each two become one.
const (
	firstInterval = 100 * time.Millisecond
	mostIntervals = 240
)

// intervals are latencies by the interval in which they ended. The completion goroutine's, until a Flush.
type intervals struct {
	width time.Duration
	list  []*histogram // µs; nil: nothing ended then
}

func newIntervals() *intervals { return &intervals{width: firstInterval} }

// add counts a latency that ended so long after the beginning.
func (n *intervals) add(after time.Duration, us int64) {
	i := int(after / n.width)
	for i >= mostIntervals {
		n.halve()
		i = int(after / n.width)
	}
	for len(n.list) <= i {
		n.list = append(n.list, nil)
	}
	if n.list[i] == nil {
		n.list[i] = new(histogram)
	}
	n.list[i].add(us)
}

// halve makes one interval of each two.
func (n *intervals) halve() {
	half := n.list[:0]
	for i := 0; i < len(n.list); i += 2 {
		h := n.list[i]
		if i+1 < len(n.list) && n.list[i+1] != nil {
			if h == nil {
				h = n.list[i+1]
			} else {
				h.merge(n.list[i+1])
			}
		}
		half = append(half, h)
	}
	n.list, n.width = half, 2*n.width
}

// state is what a report shows of one moment.
type state struct {
	at       time.Duration // since the beginning
	stats    producer.Stats
	batches  int64         // written so far
	cpu      time.Duration // so far; 0: unknown
	resident int64         // bytes; 0: unknown
}

// states are what was seen of a run, one state after each interval. A goroutine of its own takes them.
type states struct {
	look  func() state
	width time.Duration
	list  []state // the first is of the beginning
}

// watchStates takes states until the returned function is called, which returns all of them, the last one too.
func watchStates(look func() state) (stop func() *states) {
	s := &states{look: look, width: firstInterval}
	s.list = append(s.list, look())
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(firstInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.take()
			case <-end:
				return
			}
		}
	}()
	return func() *states {
		close(end)
		<-ended
		s.list = append(s.list, look())
		return s
	}
}

// take takes a state if the last one is an interval ago.
func (s *states) take() {
	now := s.look()
	if last := s.list[len(s.list)-1]; now.at-last.at < s.width-firstInterval/2 {
		return
	}
	s.list = append(s.list, now)
	if len(s.list) > mostIntervals {
		half := s.list[:0]
		for i := 0; i < len(s.list); i += 2 {
			half = append(half, s.list[i])
		}
		s.list, s.width = half, 2*s.width
	}
}

// between calls f for each two states that follow each other, with their middle in seconds and the seconds between them.
func (s *states) between(f func(at, seconds float64, before, after *state)) {
	for i := 1; i < len(s.list); i++ {
		before, after := &s.list[i-1], &s.list[i]
		if seconds := (after.at - before.at).Seconds(); seconds > 0.01 { // the last one may be very short
			f((before.at+after.at).Seconds()/2, seconds, before, after)
		}
	}
}
