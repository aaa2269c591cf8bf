package sender

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Callers counts what callers do and wait for, as they do it. A record that is taken at once does not get here.
type callers struct {
	waiting atomic.Int64 // for memory

	mu        sync.Mutex // guards the following; never held while blocking
	admission Histogram
	memory    Waits
	metadata  Waits
	refused   map[string]int64 // records, by reason
	calls     map[string]Calls // by method
}

// Waits counts callers that had to wait for something.
type Waits struct {
	Count int64
	Time  time.Duration
}

func (w *Waits) add(d time.Duration) {
	w.Count++
	w.Time += d
}

// Calls counts the calls of a method that have returned.
type Calls struct {
	Count, Errors int64
	Time          time.Duration
}

// A Wait is what one caller has waited for before its record was taken, or was not.
type Wait struct {
	ForMemory, ForMetadata bool
	Memory, Metadata       time.Duration
}

// ReasonBufferFull is the reason of records that were not taken since there was no room in buffer.memory.
const ReasonBufferFull = "buffer_full"

// Waited counts what a caller has waited for. admits says that it was to send a record.
func (s *Sender) Waited(w Wait, admits bool) {
	if !w.ForMemory && !w.ForMetadata {
		return
	}
	n := &s.published.callers
	n.mu.Lock()
	defer n.mu.Unlock()
	if w.ForMemory {
		n.memory.add(w.Memory)
	}
	if w.ForMetadata {
		n.metadata.add(w.Metadata)
	}
	if admits {
		n.admission.time(w.Memory+w.Metadata, 1)
	}
}

// Waiting counts a caller that begins to wait for memory, and with -1 one that ends.
func (s *Sender) Waiting(n int64) { s.published.callers.waiting.Add(n) }

// Refused counts a record that was not taken. There must be few reasons.
func (s *Sender) Refused(reason string) {
	n := &s.published.callers
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refused == nil {
		n.refused = map[string]int64{}
	}
	n.refused[reason]++
}

// Called counts a call of a method that has returned.
func (s *Sender) Called(method string, took time.Duration, err error) {
	n := &s.published.callers
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.calls == nil {
		n.calls = map[string]Calls{}
	}
	c := n.calls[method]
	c.Count++
	c.Time += took
	if err != nil {
		c.Errors++
	}
	n.calls[method] = c
}

// sums are what is sampled.
func (n *callers) sums() (exhausted, refused int64, forMemory time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, records := range n.refused {
		refused += records
	}
	return n.refused[ReasonBufferFull], refused, n.memory.Time
}

// read copies all of it to m.
func (n *callers) read(m *Metrics) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m.Admission, m.MemoryWaits, m.MetadataWaits = n.admission, n.memory, n.metadata
	m.Refused, m.Calls = maps.Clone(n.refused), maps.Clone(n.calls)
	m.Waiters = n.waiting.Load()
}
