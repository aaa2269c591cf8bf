package sender

import (
	"sync"
	"sync/atomic"
	"time"
)

// CallbackTimes measures callbacks, all of a batch together: one look at the clock for each callback would be felt.
type callbackTimes struct {
	waiting atomic.Int64 // batches that were put and have not begun
	since   atomic.Int64 // when those of the batch at hand began, in nanoseconds since 1970; 0: there is none

	mu    sync.Mutex // guards times; never held while blocking
	times Histogram
}

func (t *callbackTimes) put() { t.waiting.Add(1) }

func (t *callbackTimes) begin() time.Time {
	began := systemTime()
	t.waiting.Add(-1)
	t.since.Store(began.UnixNano())
	return began
}

func (t *callbackTimes) end(began time.Time) {
	took := systemTime().Sub(began)
	t.since.Store(0)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times.time(took, 1)
}

// read copies it to m.
func (cs *completions) read(m *Metrics) {
	t := &cs.took
	m.CallbacksWaiting = t.waiting.Load()
	if since := t.since.Load(); since != 0 {
		m.CallbacksRunning = max(m.At.Sub(time.Unix(0, since)), 0)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	m.Callbacks = t.times
}
