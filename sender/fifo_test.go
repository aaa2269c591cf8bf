package sender

import "testing"

// What is put in comes out in that order, and an even pace allocates nothing.
func TestFifo(t *testing.T) {
	var f fifo[int]
	in, out := 0, 0
	turn := func(push, pop int) {
		for range push {
			f.push(in)
			in++
		}
		for range pop {
			if first, got := f.first(), f.pop(); got != out || first != out {
				t.Fatalf("first is %d and pop %d, want %d", first, got, out)
			}
			out++
		}
		if f.len() != in-out {
			t.Fatalf("len is %d, want %d", f.len(), in-out)
		}
	}
	turn(10, 3)
	turn(20, 20)
	turn(0, 7)
	turn(5, 4)
	turn(1000, 0)
	steady := func() { turn(7, 7); turn(1, 1) }
	for range 1000 {
		steady()
	}
	if n := testing.AllocsPerRun(1000, steady); n != 0 {
		t.Errorf("%v allocations at an even pace, want none", n)
	}
	turn(0, f.len())
}
