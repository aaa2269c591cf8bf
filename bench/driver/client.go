package driver

import (
	"sync/atomic"
	"time"
)

// Client is a producer that a driver has wrapped. Its methods may be called from several goroutines at once.
type Client interface {
	// Send hands a record over by the fastest way the client has. Results.Done is told what became of it.
	Send(key, value []byte)
	// SendSlot is Send, with Results.DoneSlot told.
	SendSlot(key, value []byte, slot int)
	// SendWait sends a record and waits for what becomes of it.
	SendWait(key, value []byte) error
	// Flush has whatever waits be sent. It may return before that is acknowledged.
	Flush()
	Close()
}

// Grouper is a Client whose fastest way may be to take several records in a call.
type Grouper interface {
	// Group returns how one goroutine sends: send keeps what it is given until there is enough for a call, and rest
	// hands over what is left. Both are nil if one record at a time is what was asked for.
	Group() (send func(key, value []byte), rest func())
}

// Slots is how many records of an open loop can be on their way at once. Callbacks made beforehand, one a slot, spare the
// client an allocation that would be the driver's.
const Slots = 1 << 16

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

// DoneMany counts the outcome of n records.
func (r *Results) DoneMany(n int, err error) {
	if err == nil {
		r.acked.Add(int64(n))
		return
	}
	r.fail(err, n)
}

func (r *Results) fail(err error, n int) {
	r.first.CompareAndSwap(nil, &err)
	r.failed.Add(int64(n))
}

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
		done := r.acked.Load() + r.failed.Load()
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
