package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
)

// A schedule says which partitions must be refreshed, and when. It has their alarms, and the moments that a refresh compares
// with. The core refreshes partitions by it (schedule_refresh.go).
type schedule struct {
	alarms

	expiry   time.Time // batches that were opened then or before have expired: delivery.timeout ago
	horizon  time.Time // what is due by then goes in this step: now, or a little later, see early
	noLinger bool      // nothing lingers: closing, or a caller waits for memory

	changed []accumulator.HeadChange // scratch of changes
	parts   []*partition             // scratch of working
}

// pass begins a step or an event: the time is now, and batches have expired that were opened at expiry or before.
func (s *schedule) pass(now, expiry time.Time) { s.horizon, s.expiry = now, expiry }

// extend lets everything go now that is due until then.
func (s *schedule) extend(until time.Time) { s.horizon = until }

// goes reports whether what is due at that time goes in this step.
func (s *schedule) goes(due time.Time) bool { return !due.After(s.horizon) }

// expired reports whether a batch has expired that was opened at that time.
func (s *schedule) expired(opened time.Time) bool { return !opened.After(s.expiry) }

// nextEarly takes off an alarm that comes before the horizon, and returns its partition, which is to be refreshed; nil: there
// is none.
func (s *schedule) nextEarly() *partition { return s.takeSoon(s.horizon) }

// endLingers ends all lingers, and allowLingers allows them again.
func (s *schedule) endLingers()   { s.noLinger = true }
func (s *schedule) allowLingers() { s.noLinger = false }

// lingersEnded reports whether nothing lingers.
func (s *schedule) lingersEnded() bool { return s.noLinger }

// idle reports whether no partition has an alarm. Each that has work has one.
func (s *schedule) idle() bool { return s.waiting == 0 }

// changes returns the changes of queues' heads since the last call. They are valid until the next.
func (s *schedule) changes(acc *accumulator.Accumulator) []accumulator.HeadChange {
	s.changed = acc.TakeChanges(s.changed[:0])
	return s.changed
}

// working returns the partitions that have an alarm. done gives the slice back.
func (s *schedule) working() []*partition {
	parts := s.partitions(s.parts[:0])
	s.parts = nil // in use
	return parts
}

func (s *schedule) done(parts []*partition) { s.parts = parts[:0] }
