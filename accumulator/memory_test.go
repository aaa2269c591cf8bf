package accumulator

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Waiters are served in the order in which they came, and nobody overtakes them,
// not even one who wants less.
func TestMemoryIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := 0
		m := NewMemory(64<<10, func() { waits++ })
		held := make([]*Chunk, 4)
		for i := range held {
			held[i], _ = m.TryChunk(16 << 10)
		}
		var served []string
		wait := func(name string, n int) {
			go func() {
				c, err := m.Chunk(context.Background(), nil, n)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				served = append(served, name)
				time.Sleep(time.Second)
				m.Return(c)
			}()
			synctest.Wait()
		}
		wait("large", 48<<10) // rounded up to 64 KiB: all there is
		wait("small", 1)
		if waits != 2 || !m.Waiting() {
			t.Errorf("the loop heard of %d waiters, want 2", waits)
		}
		m.Return(held[0])
		if _, err := m.TryChunk(1); !errors.Is(err, ErrNoRoom) {
			t.Errorf("somebody overtook the waiters: %v", err)
		}
		synctest.Wait()
		if len(served) != 0 {
			t.Errorf("served %v before there was room for the first", served)
		}
		for _, c := range held[1:] {
			m.Return(c)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if want := []string{"large", "small"}; !slices.Equal(served, want) {
			t.Errorf("served %v, want %v", served, want)
		}
		if m.Used() != 0 || m.Waiting() {
			t.Errorf("%d bytes in use, waiting %v; want none", m.Used(), m.Waiting())
		}
	})
}

// A waiter whose context ends leaves its place to those behind it.
func TestAWaiterThatGivesUpFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(8<<10, func() {})
		held, err := m.TryChunk(4 << 10)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		first := make(chan error, 1)
		go func() {
			_, err := m.Chunk(ctx, nil, 8<<10)
			first <- err
		}()
		synctest.Wait()
		second := make(chan *Chunk, 1)
		go func() {
			c, err := m.Chunk(context.Background(), nil, 2<<10)
			if err != nil {
				t.Error(err)
			}
			second <- c
		}()
		synctest.Wait()
		reason := errors.New("tired")
		cancel(reason)
		if err := <-first; !errors.Is(err, ErrNoRoom) || !errors.Is(err, reason) {
			t.Errorf("error = %v, want ErrNoRoom and the cause", err)
		}
		m.Return(<-second) // it fits, now that nobody is in front
		m.Return(held)
		if m.Used() != 0 {
			t.Errorf("%d bytes in use, want 0", m.Used())
		}
	})
}

// A waiter that is served at the moment at which its context ends keeps what it
// got: bytes are never lost between the two.
func TestServedAndCancelledAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			m := NewMemory(4<<10, func() {})
			held, _ := m.TryChunk(4 << 10)
			ctx, cancel := context.WithCancel(context.Background())
			got := make(chan *Chunk, 1)
			go func() {
				c, _ := m.Chunk(ctx, nil, 4<<10)
				got <- c
			}()
			synctest.Wait()
			go cancel()
			go m.Return(held)
			if c := <-got; c != nil {
				m.Return(c)
			}
			synctest.Wait()
			if m.Used() != 0 {
				t.Fatalf("%d bytes in use, want 0", m.Used())
			}
		}
	})
}

// Waiters learn of the end, and so do those who come later.
func TestMemoryClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(4<<10, func() {})
		held, _ := m.TryChunk(4 << 10)
		over := errors.New("over")
		errs := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := m.Chunk(context.Background(), nil, 1)
				errs <- err
			}()
		}
		synctest.Wait()
		m.Close(over)
		for range 2 {
			if err := <-errs; err != over {
				t.Errorf("a waiter got %v, want the end", err)
			}
		}
		m.Return(held)
		if _, err := m.Chunk(context.Background(), nil, 1); err != over {
			t.Errorf("one who came later got %v, want the end", err)
		}
		if m.Used() != 0 {
			t.Errorf("%d bytes in use, want 0", m.Used())
		}
	})
}

// What can never fit does not wait for ever.
func TestMemoryTooLarge(t *testing.T) {
	m := NewMemory(8<<10, func() {})
	_, err := m.Chunk(context.Background(), nil, 100_000)
	var large *TooLargeError
	if !errors.As(err, &large) || large.Size != 100_000 || large.Limit != 8<<10 {
		t.Errorf("error = %v, want a TooLargeError of 100000 and 8192", err)
	}
	if m.Waiting() {
		t.Error("it left a waiter behind")
	}
}

func TestChunkSizes(t *testing.T) {
	tests := []struct{ n, want int }{
		{0, 2 << 10}, {1, 2 << 10}, {2 << 10, 2 << 10}, {2<<10 + 1, 4 << 10},
		{64 << 10, 64 << 10}, {64<<10 + 1, 64<<10 + 1}, {10 << 20, 10 << 20},
	}
	for _, tt := range tests {
		m := NewMemory(32<<20, func() {})
		c, err := m.TryChunk(tt.n)
		if err != nil {
			t.Fatal(err)
		}
		if cap(c.buf) != tt.want || m.Used() != int64(tt.want) {
			t.Errorf("a chunk for %d bytes has %d, and %d are reserved; want %d", tt.n, cap(c.buf), m.Used(), tt.want)
		}
		m.Return(c)
		if m.Used() != 0 {
			t.Errorf("%d bytes in use after the return", m.Used())
		}
	}
}

// Giving back more than was taken is a bug, and must not widen the bound.
func TestReleasePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("more was released than reserved, and nobody noticed")
		}
	}()
	NewMemory(1<<20, func() {}).release(1)
}

// An alarm ends a wait as a context does; what is behind moves up.
func TestAnAlarmEndsAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(4<<10, func() {})
		held, err := m.TryChunk(4 << 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, patience := range []time.Duration{1, time.Second, time.Minute} { // one waiter, used again
			begin := time.Now()
			if _, err := m.Chunk(context.Background(), time.After(patience), 2<<10); !errors.Is(err, ErrNoRoom) {
				t.Errorf("error = %v, want ErrNoRoom", err)
			}
			if took := time.Since(begin); took != patience {
				t.Errorf("gave up after %v, want %v", took, patience)
			}
		}
		time.AfterFunc(time.Second, func() { m.Return(held) })
		c, err := m.Chunk(context.Background(), time.After(time.Minute), 2<<10)
		if err != nil {
			t.Fatal(err)
		}
		m.Return(c)
		if m.Used() != 0 || m.Waiting() {
			t.Errorf("%d bytes in use, want 0 and nobody who waits", m.Used())
		}
	})
}

// Where memory is what slows a program down it waits for every chunk: a wait
// costs no allocation.
func TestWaitingAllocatesNothing(t *testing.T) {
	m := NewMemory(4<<10, func() {})
	full := make(chan *Chunk)
	go func() {
		for c := range full {
			for !m.Waiting() {
				runtime.Gosched()
			}
			m.Return(c)
		}
	}()
	defer close(full)
	ctx, alarm := context.Background(), time.After(time.Hour)
	n := testing.AllocsPerRun(200, func() {
		c, err := m.TryChunk(4 << 10)
		if err != nil {
			t.Fatal(err)
		}
		full <- c
		c, err = m.Chunk(ctx, alarm, 4<<10)
		if err != nil {
			t.Fatal(err)
		}
		m.Return(c)
	})
	if n > 1 { // a chunk now and then, if a collection has emptied the pool
		t.Errorf("%v allocations for a wait, want 0", n)
	}
}
