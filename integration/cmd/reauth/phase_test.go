package main

import (
	"context"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// Sessions that last and sessions that end take turns, and no promise is broken.
func TestAlternate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newMemory(t)
		s := m.soak()
		results, err := s.alternate(t.Context(), byPassword(m.lasting), byPassword(m.ending), 2, 30*time.Second, 5*time.Second)
		do(t, err)
		var names []string
		for _, r := range results {
			names = append(names, r.name)
			holds(t, s.broken(r))
			if r.lowest < 285 || r.rate < 297 || r.latency.n == 0 || r.latency.quantile(0.99) > 100*time.Millisecond {
				t.Errorf("%s: %.0f records/s, %d in the lowest second, latency %v of %d: want 300/s, soon acknowledged",
					r.name, r.rate, r.lowest, r.latency.quantile(0.99), r.latency.n)
			}
			if long := 30 * time.Second; r.name != warmUp && (r.took != long || r.seconds != 30 || r.sent < 9_500) {
				t.Errorf("%s: measured %v, %d seconds, %d records", r.name, r.took, r.seconds, r.sent)
			}
			if r.found.Read != r.sent {
				t.Errorf("%s: %d records were read back of %d", r.name, r.found.Read, r.sent)
			}
		}
		holds(t, s.slower(results))
		if len(results) != 5 || names[1][:2] != "A1" || names[2][:2] != "B1" || names[3][:2] != "A2" || names[4][:2] != "B2" {
			t.Errorf("the phases are %q", names)
		}
		if again := results[4].stats.Reauthentications; again < 6 {
			t.Errorf("%d re-authentications in half a minute, in sessions of %v", again, testLifetime)
		}
	})
}

// What goes wrong is found out, and told.
func TestBrokenPhases(t *testing.T) {
	for _, c := range []struct {
		name, want string
		ph         func(m *memory) phase
	}{
		{"an answer is lost, without idempotence", "records doubled", func(m *memory) phase {
			m.ending.On(brokertest.Produce).Skip(100).Times(1).Do(brokertest.HandleThenDrop())
			ph := phase{config: byPassword(m.ending), ending: true}
			ph.config.EnableIdempotence, ph.config.MaxInFlightRequestsPerConnection = false, 1
			return ph
		}},
		{"a batch is refused", "records failed", func(m *memory) phase {
			m.ending.On(brokertest.Produce).Skip(100).Times(1).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
			return phase{config: byPassword(m.ending), ending: true}
		}},
		{"a batch is said to be written, and is not", "records missing", func(m *memory) phase {
			m.ending.On(brokertest.Produce).Skip(100).Times(1).Do(brokertest.Error(protocol.DuplicateSequenceNumber))
			return phase{config: byPassword(m.ending), ending: true}
		}},
		{"sessions that should end last", "0 re-authentications in 20s", func(m *memory) phase {
			return phase{config: byPassword(m.lasting), ending: true}
		}},
		{"sessions that should last end", "there is nothing to compare with", func(m *memory) phase {
			return phase{config: byPassword(m.ending)}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m := newMemory(t)
				s, ph := m.soak(), c.ph(m)
				ph.name, ph.long = "B1", 20*time.Second
				r, err := s.run(t.Context(), ph)
				do(t, err)
				isBroken(t, s.broken(r), c.want)
			})
		})
	}
}

// A rate that is not reached where sessions end breaks a promise, unless it is not reached where they last.
func TestSlower(t *testing.T) {
	s := &soak{rate: 1000}
	phases := func(lasting, ending float64) []*result {
		return []*result{
			{name: warmUp, figures: figures{rate: 1, seconds: 9}},
			{name: "A1", figures: figures{rate: lasting, seconds: 9}}, {name: "B1", ending: true, figures: figures{rate: ending, seconds: 9}},
		}
	}
	holds(t, s.slower(phases(1000, 995)))
	holds(t, s.slower(phases(700, 695)))
	holds(t, s.slower(phases(1000, 995)[:2]))
	isBroken(t, s.slower(phases(1000, 900)), "900 records/s where sessions end, 1,000 where they last")
	isBroken(t, s.slower(phases(700, 600)), "600 records/s")
}

// An interrupt ends the load, and what was sent until then is read back and told.
func TestInterrupt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newMemory(t)
		s := m.soak()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Second, cancel)
		results, err := s.alternate(ctx, byPassword(m.lasting), byPassword(m.ending), 2, 40*time.Second, 0)
		do(t, err)
		if len(results) != 2 {
			t.Fatalf("%d phases, want one and the beginning of another", len(results))
		}
		last := results[1]
		holds(t, s.broken(last))
		if last.took > 10*time.Second || last.sent == 0 || last.found.Read != last.sent {
			t.Errorf("%v measured, %d records sent, %d read back", last.took, last.sent, last.found.Read)
		}
	})
}

// Latencies are counted from when a record was due, so that waiting in Send counts.
func TestLatencyCountsFromWhenItWasDue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newMemory(t)
		s := m.soak()
		ph := phase{name: "A1", config: byPassword(m.lasting), long: 20 * time.Second}
		ph.config.BatchSize = 4096
		ph.config.BufferMemory = 16 << 10
		ph.during = func(ctx context.Context, _ time.Time) error {
			pause(ctx, 5*time.Second)
			m.lasting.Pause(1)
			pause(ctx, 6*time.Second)
			m.lasting.Resume(1)
			return nil
		}
		r, err := s.run(t.Context(), ph)
		do(t, err)
		holds(t, s.broken(r))
		if p90 := r.latency.quantile(0.9); p90 < 3*time.Second || r.pause < 5*time.Second || r.lowest != 0 || r.slow < 5 || r.slow > 8 {
			t.Errorf("brokers stood still for 6 s of 20: p90 %v, pause %v, %d in the lowest second, %d slow ones", p90, r.pause, r.lowest, r.slow)
		}
	})
}
