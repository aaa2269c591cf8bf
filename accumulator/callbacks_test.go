package accumulator

import (
	"math/rand/v2"
	"testing"
)

// callbacksOf returns what EachCallback says of each record of b: nil for none.
func callbacksOf(b *Batch) []*Callback {
	by := make([]*Callback, b.count)
	b.outcome.EachCallback(func(c *Callback) {
		for i := range c.Count {
			by[c.Index+i] = &Callback{Fn: c.Fn, Timestamp: c.Timestamp, Index: c.Index + i, Count: 1}
		}
	})
	return by
}

// One function for many records takes no memory but for its first entry, and is still told of each record.
func TestOneFunctionForManyRecords(t *testing.T) {
	a := small(func(c *Config) { c.BatchSize, c.MaxBatchBytes = 1<<20, 1<<20 })
	q := a.Topic("t", 1).Queues()[0]
	called := 0
	fn := func() { called++ }
	const n = 2000
	for range n {
		e := text("v")
		e.Callback = fn
		add(t, q, e, noon)
	}
	b := drain(q)
	if o := b.outcome; o.callbacks.n != 1 || o.reserved != 0 {
		t.Errorf("%d entries and %d bytes for one function, want 1 and 0", o.callbacks.n, o.reserved)
	}
	for i, c := range callbacksOf(b) {
		if c == nil || c.Timestamp != noon.UnixMilli() {
			t.Fatalf("record %d has the callback %+v", i, c)
		}
		c.Fn.(func())()
	}
	if called != n {
		t.Errorf("called for %d records, want %d", called, n)
	}
}

// A callback is the one that came with its record, at its timestamp, however much the neighbours' are like it.
func TestCallbacksAreNotMixedUp(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	counts := make([]int, 3)
	of := func(i int) func() { return func() { counts[i]++ } } // one code, three closures
	fns := []any{of(0), of(1), of(2), nil}
	type sent struct {
		fn int // 3: none
		ms int64
	}
	all := []sent{{0, 0}, {0, 0}, {1, 0}, {1, 1}, {3, 1}, {1, 1}, {0, 1}, {2, 0}, {2, 0}, {2, 0}, {3, 0}}
	for _, s := range all {
		e := text("v")
		e.Callback, e.Timestamp = fns[s.fn], noon.UnixMilli()+s.ms
		add(t, q, e, noon)
	}
	for i, c := range callbacksOf(drain(q)) {
		s := all[i]
		if (c == nil) != (s.fn == 3) {
			t.Errorf("record %d: callback %v, want one: %v", i, c, s.fn != 3)
		}
		if c == nil {
			continue
		}
		before := counts[s.fn]
		if c.Fn.(func())(); counts[s.fn] != before+1 {
			t.Errorf("record %d got the callback of another", i)
		}
		if c.Timestamp != noon.UnixMilli()+s.ms {
			t.Errorf("record %d: timestamp %d, want %d ms after noon", i, c.Timestamp-noon.UnixMilli(), s.ms)
		}
	}
}

// So it is with as many entries as need several blocks, whatever of function and timestamp changes from one record to the next.
func TestCallbacksInManyBlocks(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		q := small(func(c *Config) { c.BatchSize, c.MaxBatchBytes = 1<<20, 1<<20 }).Topic("t", 1).Queues()[0]
		fns := []any{new(int), new(int), nil}
		var all []Callback
		last := Callback{Fn: fns[0]}
		for range 100 + rng.IntN(400) {
			switch rng.IntN(4) {
			case 0:
				last.Fn = fns[rng.IntN(len(fns))]
			case 1:
				last.Timestamp += rng.Int64N(3)
			}
			all = append(all, last)
			e := text("v")
			e.Callback, e.Timestamp = last.Fn, noon.UnixMilli()+last.Timestamp
			add(t, q, e, noon)
		}
		for i, c := range callbacksOf(drain(q)) {
			switch want := all[i]; {
			case (c == nil) != (want.Fn == nil):
				t.Fatalf("seed %d: record %d of %d: callback %v, want one: %v", seed, i, len(all), c, want.Fn != nil)
			case c != nil && (c.Fn != want.Fn || c.Timestamp-noon.UnixMilli() != want.Timestamp):
				t.Fatalf("seed %d: record %d of %d got the callback or the timestamp of another", seed, i, len(all))
			}
		}
	}
}
