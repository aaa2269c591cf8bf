package perf

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// What perf itself does for a record must not show in the figures.
func TestLoadAllocatesNothingForARecord(t *testing.T) {
	for name, rate := range map[string]float64{"as fast as possible": 0, "on a schedule": 1e9} {
		o := newOutcomes()
		o.base = time.Now()
		s := &stream{load: &load{rate: rate}, o: o, every: 1, seed: 1}
		n := int64(0)
		if got := testing.AllocsPerRun(1000, func() {
			if rate > 0 {
				s.await(time.Duration(n))
			}
			s.callback(n)(producer.RecordMetadata{}, nil)
			n++
		}); got != 0 {
			t.Errorf("%s: %v allocations for a record, want 0", name, got)
		}
		if o.latency.count != n {
			t.Errorf("%s: %d of %d records were measured, want all", name, o.latency.count, n)
		}
	}
}

func TestOneRecordInSoManyIsMeasured(t *testing.T) {
	o := newOutcomes()
	o.base = time.Now()
	s := &stream{load: &load{}, o: o, every: 64, seed: 1}
	const n = 640_000
	for i := range int64(n) {
		s.callback(i)(producer.RecordMetadata{}, nil)
	}
	if got := o.latency.count; got < 9_500 || got > 10_500 {
		t.Errorf("%d of %d records were measured, want about one in 64: 10000", got, n)
	}
}

func TestLatencyCountsFromWhenARecordWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutcomes()
		o.base = time.Now()
		s := &stream{load: &load{rate: 1000}, o: o, every: 1, seed: 1}
		time.Sleep(250 * time.Millisecond) // the goroutine was kept from sending
		done := s.callback(100)            // due after 100 ms
		time.Sleep(50 * time.Millisecond)
		done(producer.RecordMetadata{}, nil)
		if o.latency.max != 200_000 {
			t.Errorf("latency = %d µs, want 200000", o.latency.max)
		}
		s.callback(101)(producer.RecordMetadata{}, errors.New("refused"))
		if o.latency.count != 1 || o.failed.Load() != 1 {
			t.Errorf("latencies, failures = %d, %d, want 1 and 1: a failure has no latency", o.latency.count, o.failed.Load())
		}
	})
}
