package accumulator

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Memory bounds the bytes held for records that have not ended (I5): buffer.memory in Java. It counts whole chunks, so it
// bounds what is allocated and not only what is written. Waiters are served in the order in which they came. Nobody overtakes a
// waiter. It is safe for concurrent use.
type Memory struct {
	limit  int64
	onWait func() // tells the sender loop that lingering no longer pays

	mu      sync.Mutex // guards the following; never held while blocking
	chunks  chunkPool
	used    int64
	waiters []*waiter
	waits   int64     // how often somebody has begun to wait
	idle    []*waiter // for reuse; at most as many as have ever waited at once
	closed  error
}

// A waiter is a caller that waits for n bytes.
type waiter struct {
	n     int64
	ready chan struct{} // capacity 1: one token when granted or refused
	err   error         // set before the token
}

// ErrNoRoom says that the memory bound is reached.
var ErrNoRoom = errors.New("buffer memory is full")

// newMemory returns a bound of limit bytes. onWait is called, with no lock held, whenever a caller begins to wait.
func newMemory(limit int64, onWait func()) *Memory {
	return &Memory{limit: limit, onWait: onWait}
}

// tryChunk returns a chunk of at least n bytes, or ErrNoRoom. It never blocks.
func (m *Memory) tryChunk(n int) (*chunk, error) {
	size := m.round(n)
	m.mu.Lock()
	if err := m.admit(size); err != nil {
		m.mu.Unlock()
		return nil, err
	}
	m.used += size
	return m.take(size), nil
}

// take returns a chunk of size bytes, which the caller has reserved. m.mu is held. take unlocks it.
func (m *Memory) take(size int64) *chunk {
	c := m.chunks.get(int(size))
	m.mu.Unlock()
	if c == nil {
		c = m.grow(size)
	}
	return c
}

// grow is take where no block has room.
func (m *Memory) grow(size int64) *chunk {
	if orderOf(int(size)) < 0 {
		return &chunk{buf: make([]byte, 0, size)}
	}
	m.mu.Lock()
	blocks := m.chunks.plan(m.limit)
	m.mu.Unlock()
	s := newSlab(blocks)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chunks.add(s)
	return m.chunks.get(int(size))
}

// await is tryChunk for a caller that waits for room. It returns ErrNoRoom only when wait gives up. now is the time before the
// wait, and the result has the time after it. Waiting allocates nothing, since a program that is slowed down by memory waits
// for each chunk.
func (m *Memory) await(n int, now time.Time, wait Wait) (*chunk, time.Time, error) {
	size := m.round(n)
	m.mu.Lock()
	err := m.admit(size)
	if err == nil {
		m.used += size
		return m.take(size), now, nil
	}
	if !errors.Is(err, ErrNoRoom) {
		m.mu.Unlock()
		return nil, now, err
	}
	w := m.join(size)
	m.mu.Unlock()

	m.onWait()
	now, served := wait(w.ready)
	if err := m.leave(w, served); err != nil {
		return nil, now, err
	}
	m.mu.Lock()
	return m.take(size), now, nil
}

// join appends a waiter for size bytes. m.mu is held.
func (m *Memory) join(size int64) *waiter {
	var w *waiter
	if n := len(m.idle) - 1; n >= 0 {
		w, m.idle = m.idle[n], m.idle[:n]
	} else {
		w = &waiter{ready: make(chan struct{}, 1)}
	}
	w.n = size
	m.waits++
	m.waiters = append(m.waiters, w)
	return w
}

// round returns the size of the chunk for n bytes. Rounding up never makes it larger than the limit.
func (m *Memory) round(n int) int64 {
	return max(int64(n), min(int64(chunkSize(n)), m.limit))
}

// most returns the size of the largest chunk for which there can ever be room.
func (m *Memory) most() int { return int(min(m.limit, lastChunk)) }

// admit says whether size bytes may be taken now. m.mu is held.
func (m *Memory) admit(size int64) error {
	switch {
	case m.closed != nil:
		return m.closed
	case size > m.limit:
		return &TooLargeError{Size: size, Limit: m.limit}
	case len(m.waiters) > 0 || m.used+size > m.limit:
		return ErrNoRoom
	}
	return nil
}

// leave ends the wait of w, which was served or gave up. A waiter that gives up at the moment when it is served keeps its
// memory. leave returns why there is none.
func (m *Memory) leave(w *waiter, served bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !served {
		if i := slices.Index(m.waiters, w); i >= 0 {
			m.waiters = slices.Delete(m.waiters, i, i+1)
			m.serve() // one behind it may fit
			m.idle = append(m.idle, w)
			return ErrNoRoom
		}
		<-w.ready // both at once
	}
	err := w.err
	w.err = nil
	m.idle = append(m.idle, w)
	return err
}

// serve grants room to waiters in order until one does not fit. m.mu is held.
func (m *Memory) serve() {
	served := 0
	for _, w := range m.waiters {
		if m.used+w.n > m.limit {
			break
		}
		m.used += w.n
		w.ready <- struct{}{} // does not block: it is the only token
		served++
	}
	m.waiters = slices.Delete(m.waiters, 0, served)
}

// force returns a chunk of at least n bytes whether or not there is room. It is for splitting a batch that is held already,
// where waiting would deadlock.
func (m *Memory) force(n int) *chunk {
	size := int64(chunkSize(n))
	m.mu.Lock()
	m.used += size
	return m.take(size)
}

// release returns n bytes to the bound and chunks to the pool. The two need not match: callbacks count and have no chunk, and a
// compressed batch needs fewer chunks than it had. It clears the slice.
func (m *Memory) release(n int64, chunks ...*chunk) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range chunks {
		m.chunks.put(c)
	}
	clear(chunks) // now: its memory may be another batch's once the lock is free
	m.used -= n
	if m.used < 0 {
		panic("accumulator: more memory released than reserved")
	}
	m.serve()
}

// giveBack gives back a chunk that was reserved and not used.
func (m *Memory) giveBack(c *chunk) { m.release(int64(cap(c.buf)), c) }

// Trim frees memory that nobody has needed since the last Trim. It reports whether more is left that nobody needs now.
func (m *Memory) Trim() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.chunks.trim()
}

// Spare reports whether there is memory that nobody needs now.
func (m *Memory) Spare() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.chunks.isSpare()
}

// Used returns the bytes reserved now.
func (m *Memory) Used() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

// Waiting reports whether a caller waits for room.
func (m *Memory) Waiting() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiters) > 0
}

// Waits returns how often a caller has had to wait.
func (m *Memory) Waits() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waits
}

// Close refuses all waiters, and every later request, with err.
func (m *Memory) Close(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = err
	for _, w := range m.waiters {
		w.err = err
		w.ready <- struct{}{} // as in serve
	}
	m.waiters = nil
}

// A TooLargeError says that a record can never fit into buffer.memory.
type TooLargeError struct {
	Size, Limit int64 // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the record needs %d bytes of buffer, and buffer.memory is %d in all: raise buffer.memory", e.Size, e.Limit)
}
