package perf

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// outcomes gathers what becomes of the records of one phase. Acknowledgements come on the producer's completion goroutine
// alone. Records that are not admitted fail on the goroutine that sends them.
type outcomes struct {
	base      time.Time  // the beginning of the schedule
	latency   histogram  // of acknowledged records of the sample, µs; the completion goroutine's, until a Flush
	intervals *intervals // the same by when they ended; nil: nobody wants to know
	failed    atomic.Int64
	first     atomic.Pointer[error] // the first failure
	plain     producer.Callback     // of the records outside the sample
	commits   histogram             // of transactions that were committed, µs; the goroutine's that commits
	broken    error                 // why there could be no other transaction; likewise

	mu   sync.Mutex // guards free
	free []*sample
}

// sample is the callback of one record of the sample at a time.
type sample struct {
	outcomes *outcomes
	intended time.Duration // from base to when its record was to be sent
	done     producer.Callback
}

// preparedSamples is how many samples there are from the beginning. More are made if more are under way.
const preparedSamples = 8192

func newOutcomes() *outcomes {
	o := &outcomes{free: make([]*sample, 0, 4*preparedSamples)}
	o.plain = func(_ producer.RecordMetadata, err error) {
		if err != nil {
			o.fail(err)
		}
	}
	for range preparedSamples {
		o.free = append(o.free, o.newSample())
	}
	return o
}

func (o *outcomes) newSample() *sample {
	s := &sample{outcomes: o}
	s.done = s.end
	return s
}

// sample returns the callback for a record that is to be measured.
func (o *outcomes) sample(intended time.Duration) producer.Callback {
	o.mu.Lock()
	var s *sample
	if n := len(o.free); n > 0 {
		s, o.free = o.free[n-1], o.free[:n-1]
	}
	o.mu.Unlock()
	if s == nil {
		s = o.newSample()
	}
	s.intended = intended
	return s.done
}

func (s *sample) end(_ producer.RecordMetadata, err error) {
	o := s.outcomes
	if err != nil {
		o.fail(err)
	} else {
		ended := time.Since(o.base)
		o.latency.add((ended - s.intended).Microseconds())
		if o.intervals != nil {
			o.intervals.add(ended, (ended - s.intended).Microseconds())
		}
	}
	o.mu.Lock()
	o.free = append(o.free, s)
	o.mu.Unlock()
}

func (o *outcomes) fail(err error) { o.failAll(1, err) }

// failAll counts n records as failed.
func (o *outcomes) failAll(n int64, err error) {
	if n > 0 && o.failed.Add(n) == n {
		o.first.Store(&err)
	}
}
