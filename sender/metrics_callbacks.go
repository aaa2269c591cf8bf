package sender

import (
	"sync"
	"sync/atomic"
	"time"
)

// CallbackTimes measures callbacks, all of a batch together: one look at the clock for each callback would be felt.
type callbackTimes struct {
	put   atomic.Int64 // batches whose callbacks are to run
	begun atomic.Int64 // of these, those whose callbacks have begun
	since atomic.Int64 // when those of the batch at hand began, in nanoseconds since 1970; 0: there is none
	last  time.Time    // when those of the batch before ended, or the first of several began; the goroutine's alone

	mu    sync.Mutex // guards times; never held while blocking
	times Histogram
}

// add counts those that are handed over together.
func (t *callbackTimes) add(held []completion) {
	n := int64(0)
	for i := range held {
		if held[i].outcome != nil {
			n++
		}
	}
	t.put.Add(n)
}

// rouse is called before the callbacks of some batches run, one after the other. The clock is read once for each: where one
// ends, the next begins.
func (t *callbackTimes) rouse() { t.last = systemTime() }

func (t *callbackTimes) begin() {
	t.begun.Add(1)
	t.since.Store(t.last.UnixNano())
}

func (t *callbackTimes) end() {
	now := systemTime()
	took := now.Sub(t.last)
	t.last = now
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times.time(took, 1)
}

// rest is called when those have run.
func (t *callbackTimes) rest() { t.since.Store(0) }

// read copies it to m.
func (cs *completions) read(m *Metrics) {
	t := &cs.took
	begun := t.begun.Load() // before put, which only grows: so that what waits is never below 0
	m.CallbacksWaiting = t.put.Load() - begun
	if since := t.since.Load(); since != 0 {
		m.CallbacksRunning = max(m.At.Sub(time.Unix(0, since)), 0)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	m.Callbacks = t.times
}
