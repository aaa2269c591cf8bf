package driver

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Client is a producer that a driver has wrapped. Its methods may be called from several goroutines at once.
type Client interface {
	// Send hands over one record, and calls Results.DoneOf with its id when its outcome is known: through a closure of its own,
	// or by any other means of the client to tell which record an outcome belongs to.
	Send(key, value []byte, id int64)
	// SendSlot is Send, but calls Results.DoneSlot.
	SendSlot(key, value []byte, slot int)
	// SendWait sends a record and waits for its outcome.
	SendWait(key, value []byte) error
	// Flush sends whatever waits. It may return before that is acknowledged.
	Flush()
	Close()
}

// A Sender is how one goroutine sends.
type Sender func(key, value []byte, id int64)

// Grouper is a Client with a call that takes several records, or whose outcomes have to be collected.
type Grouper interface {
	// Group returns how one goroutine sends: send may keep records until there are enough for a call, and rest hands over what
	// is left, or waits for it. If both are nil, the client's Send is used.
	Group() (send Sender, rest func())
}

// Bounded is a Client that does not bound what it holds.
type Bounded interface {
	// Room is how many records may be on their way. The load keeps to it by checking its own counters now and then.
	Room() int
}

// Slots is how many records of an open loop can be on their way at once. Callbacks made beforehand, one a slot, spare the
// client an allocation that would be the driver's.
const Slots = 1 << 16

// perGoroutine is how many ids a goroutine has for its records.
const perGoroutine = 1 << 40

// Results is where the outcomes of records are counted.
type Results struct {
	began time.Time

	_      [64]byte // apart from what the senders read
	acked  atomic.Int64
	failed atomic.Int64
	first  atomic.Pointer[error]
	_      [64]byte

	latency Histogram
	due     []atomic.Int64 // by slot: when it should have been sent, nanoseconds since began; 0 = the slot is free
}

// Done counts one record's outcome.
func (r *Results) Done(err error) {
	if err == nil {
		r.acked.Add(1)
		return
	}
	r.fail(err, 1)
}

// DoneOf counts the outcome of the record with that id.
func (r *Results) DoneOf(id int64, err error) {
	if err == nil {
		r.acked.Add(1)
		return
	}
	r.fail(fmt.Errorf("record %d of goroutine %d: %w", id%perGoroutine, id/perGoroutine, err), 1)
}

func (r *Results) fail(err error, n int) {
	r.first.CompareAndSwap(nil, &err)
	r.failed.Add(int64(n))
}

// First is the first error that a record had, nil if none.
func (r *Results) First() error {
	if err := r.first.Load(); err != nil {
		return *err
	}
	return nil
}

// done is how many records have their outcome.
func (r *Results) done() int64 { return r.acked.Load() + r.failed.Load() }

// DoneSlot counts the outcome of the record in a slot, with its latency.
func (r *Results) DoneSlot(slot int, err error) {
	due := r.due[slot].Swap(0)
	r.latency.Add((int64(time.Since(r.began)) - due) / 1000)
	r.Done(err)
}

// await returns when n records have their outcome. It gives up where nothing moves any more.
func (r *Results) await(n int64) bool {
	last, since := int64(-1), time.Now()
	for {
		done := r.done()
		if done >= n {
			return true
		}
		if done != last {
			last, since = done, time.Now()
		} else if time.Since(since) > time.Minute {
			return false
		}
		time.Sleep(200 * time.Microsecond)
	}
}
