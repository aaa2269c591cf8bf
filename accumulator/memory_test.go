package accumulator

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Waiters are served in the order in which they came, and nobody overtakes them, not even one who wants less.
func TestMemoryIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := 0
		m := newMemory(64<<10, func() { waits++ })
		held := make([]*chunk, 4)
		for i := range held {
			held[i], _ = m.tryChunk(16 << 10)
		}
		var served []string
		wait := func(name string, n int) {
			go func() {
				c, err := m.chunk(n, forever)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				served = append(served, name)
				time.Sleep(time.Second)
				m.giveBack(c)
			}()
			synctest.Wait()
		}
		wait("large", 48<<10) // rounded up to 64 KiB: all there is
		wait("small", 1)
		if waits != 2 || !m.Waiting() {
			t.Errorf("the loop heard of %d waiters, want 2", waits)
		}
		m.giveBack(held[0])
		if _, err := m.tryChunk(1); !errors.Is(err, ErrNoRoom) {
			t.Errorf("somebody overtook the waiters: %v", err)
		}
		synctest.Wait()
		if len(served) != 0 {
			t.Errorf("served %v before there was room for the first", served)
		}
		for _, c := range held[1:] {
			m.giveBack(c)
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

// A waiter who gives up leaves its place to those behind it.
func TestAWaiterThatGivesUpFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(8<<10, func() {})
		held, err := m.tryChunk(4 << 10)
		if err != nil {
			t.Fatal(err)
		}
		over := make(chan time.Time)
		first := make(chan error, 1)
		go func() {
			_, err := m.chunk(8<<10, (&patience{over}).await)
			first <- err
		}()
		synctest.Wait()
		second := make(chan *chunk, 1)
		go func() {
			c, err := m.chunk(2<<10, forever)
			if err != nil {
				t.Error(err)
			}
			second <- c
		}()
		synctest.Wait()
		close(over)
		if err := <-first; !errors.Is(err, ErrNoRoom) {
			t.Errorf("error = %v, want ErrNoRoom", err)
		}
		m.giveBack(<-second) // it fits, now that nobody is in front
		m.giveBack(held)
		if m.Used() != 0 {
			t.Errorf("%d bytes in use, want 0", m.Used())
		}
	})
}

// A waiter that is served at the moment at which it gives up keeps what it got: bytes are never lost between the two.
func TestServedAndTiredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			m := newMemory(4<<10, func() {})
			held, _ := m.tryChunk(4 << 10)
			over := make(chan time.Time)
			got := make(chan *chunk, 1)
			go func() {
				c, _ := m.chunk(4<<10, (&patience{over}).await)
				got <- c
			}()
			synctest.Wait()
			go close(over)
			go m.giveBack(held)
			if c := <-got; c != nil {
				m.giveBack(c)
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
		m := newMemory(4<<10, func() {})
		held, _ := m.tryChunk(4 << 10)
		over := errors.New("over")
		errs := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := m.chunk(1, forever)
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
		m.giveBack(held)
		if _, err := m.chunk(1, forever); err != over {
			t.Errorf("one who came later got %v, want the end", err)
		}
		if m.Used() != 0 {
			t.Errorf("%d bytes in use, want 0", m.Used())
		}
	})
}

// What can never fit does not wait for ever.
func TestMemoryTooLarge(t *testing.T) {
	m := newMemory(8<<10, func() {})
	_, err := m.chunk(100_000, forever)
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
		m := newMemory(32<<20, func() {})
		c, err := m.tryChunk(tt.n)
		if err != nil {
			t.Fatal(err)
		}
		if cap(c.buf) != tt.want || m.Used() != int64(tt.want) {
			t.Errorf("a chunk for %d bytes has %d, and %d are reserved; want %d", tt.n, cap(c.buf), m.Used(), tt.want)
		}
		m.giveBack(c)
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
	newMemory(1<<20, func() {}).release(1)
}

// Whoever gives up does so at once, and what is behind moves up.
func TestWaitingHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(4<<10, func() {})
		held, err := m.tryChunk(4 << 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, after := range []time.Duration{1, time.Second, time.Minute} { // one waiter, used again
			begin := time.Now()
			if _, err := m.chunk(2<<10, (&patience{time.After(after)}).await); !errors.Is(err, ErrNoRoom) {
				t.Errorf("error = %v, want ErrNoRoom", err)
			}
			if took := time.Since(begin); took != after {
				t.Errorf("gave up after %v, want %v", took, after)
			}
		}
		time.AfterFunc(time.Second, func() { m.giveBack(held) })
		c, err := m.chunk(2<<10, (&patience{time.After(time.Minute)}).await)
		if err != nil {
			t.Fatal(err)
		}
		m.giveBack(c)
		if m.Used() != 0 || m.Waiting() {
			t.Errorf("%d bytes in use, want 0 and nobody who waits", m.Used())
		}
	})
}

// Where memory is what slows a program down it waits for every chunk: a wait costs no allocation.
func TestWaitingAllocatesNothing(t *testing.T) {
	m := newMemory(4<<10, func() {})
	full := make(chan *chunk)
	go func() {
		for c := range full {
			for !m.Waiting() {
				runtime.Gosched()
			}
			m.giveBack(c)
		}
	}()
	defer close(full)
	alarm := time.After(time.Hour)
	n := testing.AllocsPerRun(200, func() {
		c, err := m.tryChunk(4 << 10)
		if err != nil {
			t.Fatal(err)
		}
		full <- c
		w := patience{alarm}
		c, err = m.chunk(4<<10, w.await)
		if err != nil {
			t.Fatal(err)
		}
		m.giveBack(c)
	})
	if n > 1 { // a chunk now and then, if a collection has emptied the pool
		t.Errorf("%v allocations for a wait, want 0", n)
	}
}
