package accumulator

import (
	"errors"
	"runtime"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// fleeting adds n records whose callers keep nothing, and drains their batch.
func fleeting(t *testing.T, q *Queue, n int) *Batch {
	t.Helper()
	for range n {
		e := text("v")
		e.Detached = true
		add(t, q, e, noon)
	}
	return drain(q)
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

// A batch is used again, and an outcome that nobody keeps is as good as new after its end: nothing of its first life shows in
// the second.
func TestABatchIsUsedAgain(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	g := NewGroup()
	gzip, err := protocol.NewCompressor(protocol.CodecGzip, protocol.LevelDefault)
	if err != nil {
		t.Fatal(err)
	}
	var last *Batch
	for life := range 100 {
		n := 1 + life%7
		large := sized(1200 * (life % 2)) // every other is full
		large.Detached = true
		add(t, q, large, noon)
		b := fleeting(t, q, n)
		n++
		o := b.Outcome()
		if o.Done() != nil {
			t.Fatal("it has a channel that nobody waits for")
		}
		if int(b.Count()) != n || b.First() != 0 || b.IsPiece() || b.Txn() != 0 || b.next != nil ||
			b.filled != (life%2 == 1) || b.raw != 0 || b.codec != 0 || b.sum != (sum{}) || b.reserved != firstChunk || len(b.chunks) != 1 {
			t.Fatalf("life %d begins with %+v, want a new batch of %d records", life, b, n)
		}
		if o.callbacks.n != 0 || o.reserved != 0 || len(o.spans)+len(o.groups) != 0 || o.whole != (span{}) || o.urged.Load() {
			t.Fatalf("life %d begins with %+v, want a new outcome", life, o)
		}
		if last != nil && b != last {
			t.Fatalf("life %d has a new batch, want the one that has ended", life)
		}
		if err := b.Compress(protocol.CodecGzip, gzip, new(Scratch)); err != nil {
			t.Fatal(err)
		}
		if last = b; life%3 == 0 {
			o.Join(g)
			o.Urge()
		}
		if life%2 == 0 && n > 1 { // its records end apart
			b.ResolveRange(0, 1, -1, -1, errors.New("bad"))
			b.ResolveRange(1, int32(n-1), 5, 77, nil)
			o.End()
		} else {
			end(b, 9, nil)
		}
	}
	g.Exit()
	if !groupDone(g) {
		t.Error("a group waits for a batch that has ended")
	}
	used(t, a, 0, "at the end")
}

// What a future points to keeps its outcome for ever, and not its batch.
func TestWhatAFutureKeeps(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	e := text("v")
	e.Detached = true
	add(t, q, e, noon)
	kept := add(t, q, text("kept"), noon)
	add(t, q, e, noon)
	b := drain(q)
	end(b, 40, nil)
	for range 50 {
		next := fleeting(t, q, 3)
		if next.Outcome() == kept.Outcome {
			t.Fatal("an outcome that a future knows has been used again")
		}
		if next != b {
			t.Fatal("the batch has not been used again")
		}
		end(next, 1000, nil)
	}
	if !isDone(kept.Outcome) {
		t.Fatal("Done is not closed")
	}
	if offset, _, err := kept.Outcome.Of(kept.Index); offset != 41 || err != nil {
		t.Errorf("its record has offset %d, %v; want 41", offset, err)
	}
}

// A batch that was split, which those know who name its records, stays as it was until the last of them has ended.
func TestABatchThatWasSplit(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	b := fleeting(t, q, 4)
	o := b.Outcome()
	pieces, err := b.Split([]Range{{0, 1}, {2, 2}})
	if err != nil {
		t.Fatal(err)
	}
	end(pieces[0], 0, nil)
	end(pieces[1], 2, nil)
	for range 10 {
		next := fleeting(t, q, 3)
		if next == b || next == pieces[0] || next == pieces[1] || next.Outcome() == o {
			t.Fatal("it, a piece of it, or its outcome has been used again before the last record has ended")
		}
		end(next, 1000, nil)
	}
	if b.Outcome() != o || b.Topic() != "t" || b.Count() != 4 || pieces[0].First() != 0 || pieces[1].First() != 2 {
		t.Error("it has been emptied")
	}
	if !b.ResolveRange(1, 1, -1, -1, errors.New("bad")) {
		t.Fatal("the outcome has not ended with the last record")
	}
	o.End()
	used(t, a, 0, "at the end")
}

// A batch is not used again while a connection may write it, and an outcome not before its callbacks have run.
func TestNothingIsUsedAgainBeforeItsEnd(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	b := fleeting(t, q, 1)
	b.Hold()
	end(b, 0, nil)
	if next := fleeting(t, q, 1); next == b {
		t.Error("the batch may still be written, and is used again")
	} else {
		end(next, 1, nil)
	}
	b.Drop()

	e := text("v")
	e.Detached, e.Callback = true, new(int)
	add(t, q, e, noon)
	b = drain(q)
	o := b.Outcome()
	b.Resolve(2, -1, nil)
	if !o.End() {
		t.Fatal("it has no callbacks")
	}
	next := fleeting(t, q, 1)
	if next == b || next.Outcome() == o {
		t.Error("its callbacks have not run, and it is used again")
	}
	end(next, 3, nil)
	called := 0
	o.Complete(func(o *Outcome) {
		o.EachCallback(func(c *Callback) {
			if offset, _, err := o.Of(c.Index); offset != 2 || err != nil || c.Fn != e.Callback {
				t.Errorf("the callback is told %d, %v; want 2", offset, err)
			}
			called++
		})
	})
	if called != 1 {
		t.Errorf("called %d times, want once", called)
	}
}

// To end an outcome before its time, or twice, is a bug, and is found.
func TestAnEndBeforeItsTime(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	b := fleeting(t, q, 2)
	o := b.Outcome()
	b.ResolveRange(0, 1, 0, -1, nil)
	if !panics(func() { o.End() }) {
		t.Error("a record has no outcome, and it has ended")
	}
	b.ResolveRange(1, 1, 1, -1, nil)
	o.End()
	if !panics(func() { o.End() }) {
		t.Error("it has ended twice")
	}
}

// Without callbacks the memory is free when the futures are let go; with them it is when they begin to run, of which groups
// await the end.
func TestTheOrderOfAnEnd(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	first := add(t, q, text("a"), noon)
	drain(q).Resolve(0, -1, nil)
	a.Memory.mu.Lock()
	ended := make(chan bool)
	go func() { first.Outcome.End(); close(ended) }()
	for range 1000 { // it comes no further than to the memory
		runtime.Gosched()
	}
	if isDone(first.Outcome) {
		t.Error("the future does not wait for the memory")
	}
	a.Memory.mu.Unlock()
	<-ended
	used(t, a, 0, "without callbacks")

	e := text("b")
	e.Callback = new(int)
	kept := add(t, q, e, noon)
	b, g := drain(q), NewGroup()
	o := b.Outcome()
	o.Join(g)
	g.Exit()
	b.Resolve(1, -1, nil)
	o.End()
	if !isDone(kept.Outcome) {
		t.Error("the future waits for the callbacks")
	}
	used(t, a, firstChunk, "before the callbacks begin")
	o.Complete(func(o *Outcome) {
		used(t, a, 0, "when they have begun")
		if groupDone(g) {
			t.Error("the group has ended before them")
		}
	})
	if !groupDone(g) {
		t.Error("the group goes on after them")
	}
}
