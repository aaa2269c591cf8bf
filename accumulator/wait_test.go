package accumulator

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// full returns a queue without any memory left, and a function that gives back so much that one small record fits.
func full(t *testing.T) (q *Queue, giveBack func()) {
	t.Helper()
	a := small(func(c *Config) { c.Memory = 4 * firstChunk })
	q = a.Topic("t", 1).Queues()[0]
	var held []*chunk
	for range 4 {
		held = append(held, reserve(t, a, firstChunk))
	}
	return q, func() {
		a.Memory.giveBack(held[0])
		held = held[1:]
	}
}

// Whoever does not wait is told at once that there is no room, and stands in nobody's way.
func TestAppendWithoutPatience(t *testing.T) {
	q, giveBack := full(t)
	m := q.topic.acc.Memory
	if err := q.Append(text("a"), noon, nil); !errors.Is(err, ErrNoRoom) {
		t.Errorf("append = %v, want ErrNoRoom", err)
	}
	if m.Waiting() || m.Waits() != 0 {
		t.Error("it has waited")
	}
	giveBack()
	add(t, q, text("b"), noon)
}

// A wait holds no lock: while one waits, whether for memory or for another who does, the queue and the memory are there for all
// others.
func TestAWaitHoldsNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, giveBack := full(t)
		done := make(chan error)
		for range 2 {
			go func() {
				done <- q.Append(text("a"), noon, func(ready <-chan struct{}) (time.Time, bool) {
					if m := q.topic.acc.Memory; !q.mu.TryLock() {
						t.Error("it holds the queue's lock")
					} else if q.mu.Unlock(); !m.mu.TryLock() {
						t.Error("it holds the memory's lock")
					} else {
						m.mu.Unlock()
					}
					return forever(ready)
				})
			}()
			synctest.Wait() // nobody else is at work then
		}
		giveBack()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// Of those who wait for one queue one takes memory, and the others go on with it: a chunk brings all of them their room.
func TestAChunkIsForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, giveBack := full(t)
		done := make(chan error, 10)
		for range cap(done) {
			go func() { done <- q.Append(text("a"), noon, forever) }()
		}
		synctest.Wait()
		if n := q.topic.acc.Memory.Waits(); n != 1 {
			t.Errorf("%d wait for memory, want 1, and the others for it", n)
		}
		giveBack()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if b := drain(q); int(b.Count()) != cap(done) || len(b.chunks) != 1 {
			t.Errorf("%d records are in %d chunks, want all %d in one", b.Count(), len(b.chunks), cap(done))
		}
	})
}

// Those who give up, wherever in the line they are, hold up nobody, and keep nothing.
func TestWhoGivesUpHoldsUpNobody(t *testing.T) {
	for name, before := range map[string]int{"who waits for memory": 0, "who waits behind": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, giveBack := full(t)
				done := make(chan error, 5)
				patiently := func(n int) {
					for range n {
						go func() { done <- q.Append(text("a"), noon, forever) }()
						synctest.Wait()
					}
				}
				patiently(before)
				gaveUp := make(chan error)
				tired := patience{over: time.After(time.Second)}
				go func() { gaveUp <- q.Append(text("b"), noon, tired.await) }()
				synctest.Wait()
				patiently(cap(done) - before)
				if err := <-gaveUp; !errors.Is(err, ErrNoRoom) {
					t.Errorf("append = %v, want ErrNoRoom", err)
				}
				giveBack()
				for range cap(done) {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// A record of its append's time has the time at which it was appended, after all waiting, and so has its batch; another keeps
// its own.
func TestTheTimeOfAnAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, restamp := range []bool{true, false} {
			q, giveBack := full(t)
			later := noon.Add(time.Minute)
			time.AfterFunc(time.Minute, giveBack)
			e := text("a")
			e.Restamp, e.Timestamp = restamp, noon.UnixMilli()-5
			err := q.Append(e, noon, func(ready <-chan struct{}) (time.Time, bool) {
				<-ready
				return later, true
			})
			if err != nil {
				t.Fatal(err)
			}
			want := noon.UnixMilli() - 5
			if restamp {
				want = later.UnixMilli()
			}
			b := drain(q)
			if h, _ := decode(t, b); e.Timestamp != want || h.BaseTimestamp != want || !b.Opened().Equal(later) {
				t.Errorf("restamp = %v: the record is of %d, its batch of %d, opened at %v; want %d, and %v", restamp, e.Timestamp, h.BaseTimestamp, b.Opened(), want, later)
			}
		}
	})
}

// What can never fit, and what is closed, waits for nothing.
func TestAppendInVain(t *testing.T) {
	q, _ := full(t)
	large := (*TooLargeError)(nil)
	if err := q.Append(sized(100_000), noon, forever); !errors.As(err, &large) {
		t.Errorf("append = %v, want a TooLargeError", err)
	}
	closed := errors.New("closed")
	q.topic.acc.Memory.Close(closed)
	if err := q.Append(text("a"), noon, forever); !errors.Is(err, closed) {
		t.Errorf("append = %v, want what the memory was closed with", err)
	}
	gone := errors.New("gone")
	q.Refuse(gone)
	if err := q.Append(text("a"), noon, forever); !errors.Is(err, gone) {
		t.Errorf("append = %v, want what the queue is refused with", err)
	}
}

// Whoever waits appends without an allocation, on the stack with all that it waits by.
func TestAWaitCostsNoAllocation(t *testing.T) {
	q, giveBack := full(t)
	giveBack()
	m := q.topic.acc.Memory
	e := text("a")
	e.Detached = true
	add(t, q, e, noon)
	over := time.After(time.Hour)
	n := testing.AllocsPerRun(200, func() {
		w := patience{over: over}
		e.Txn++ // another batch
		held := drain(q)
		err := q.Append(e, noon, func(ready <-chan struct{}) (time.Time, bool) {
			end(held, 0, nil)
			return w.await(ready)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if n > 1 { // a batch now and then, if a collection has emptied the pool
		t.Errorf("%v allocations, want 0", n)
	}
	if got := m.Waits(); got < 200 {
		t.Errorf("it has waited %d times, want 200: the test means nothing", got)
	}
}
