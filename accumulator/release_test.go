package accumulator

import (
	"errors"
	"testing"
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

// deliver ends b as the loop does, up to Release.
func deliver(b *Batch, offset int64) {
	if b.Resolve(offset, -1, nil) {
		b.Drop()
		b.Finish()
		b.Leave()
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

// A batch that nobody keeps is as good as new after its end: nothing of its
// first life shows in the second.
func TestABatchIsUsedAgain(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	g := NewGroup()
	for life := range 100 {
		n := 1 + life%7
		b := fleeting(t, q, n)
		if b.Done() != nil {
			t.Fatal("it has a channel that nobody waits for")
		}
		if int(b.Count()) != n || b.First() != 0 || b.Root() != b || b.Txn() != 0 || b.HasCallbacks() || b.rare != nil && len(b.rare.spans)+len(b.rare.groups) != 0 {
			t.Fatalf("life %d begins with %+v, want a new batch of %d records", life, b, n)
		}
		if life%3 == 0 {
			b.Join(g)
		}
		if life%2 == 0 && n > 1 { // its records end apart
			b.ResolveRange(0, 1, -1, -1, errors.New("bad"))
			b.ResolveRange(1, int32(n-1), 5, 77, nil)
			b.Drop()
			b.Finish()
			b.Leave()
		} else {
			deliver(b, 9)
		}
		b.Release()
	}
	g.Exit()
	if !groupDone(g) {
		t.Error("a group waits for a batch that has ended")
	}
	used(t, a, 0, "at the end")
}

// What a future refers to keeps its outcome for ever.
func TestABatchThatIsKeptIsNotUsedAgain(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	e := text("v")
	e.Detached = true
	add(t, q, e, noon)
	ticket := add(t, q, text("kept"), noon)
	add(t, q, e, noon)
	b := drain(q)
	deliver(b, 40)
	b.Release()
	for range 50 {
		next := fleeting(t, q, 3)
		if next == ticket.Batch {
			t.Fatal("a batch that a future knows has been used again")
		}
		deliver(next, 1000)
		next.Release()
	}
	select {
	case <-ticket.Batch.Done():
	default:
		t.Fatal("Done is not closed")
	}
	if offset, _, err := ticket.Batch.Outcome(ticket.Index); offset != 41 || err != nil {
		t.Errorf("its record has offset %d, %v; want 41", offset, err)
	}
}

// Pieces that were cut from a batch go on referring to it.
func TestABatchThatWasCutIsNotUsedAgain(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	b := fleeting(t, q, 4)
	h := b.Header()
	b.PutHeader(&h)
	pieces, err := b.Halve()
	if err != nil {
		t.Fatal(err)
	}
	pieces[0].Resolve(0, -1, nil)
	if !pieces[1].Resolve(2, -1, nil) {
		t.Fatal("the root has not ended with its last piece")
	}
	b.Drop()
	b.Finish()
	b.Leave()
	b.Release()
	if pieces[0].Root() != b || b.Topic() != "t" || b.Count() != 4 {
		t.Error("the root has been emptied")
	}
}

// To release a batch that is still of use to somebody is a bug, and is found.
func TestReleaseBeforeTheEnd(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	b := fleeting(t, q, 1)
	b.Release()
	if !panics(b.Leave) {
		t.Error("its record has no outcome, and it was used again")
	}
	b = fleeting(t, q, 1)
	b.Hold()
	b.Resolve(0, -1, nil)
	b.Drop()
	b.Leave()
	if !panics(b.Release) {
		t.Error("its bytes are held, and it was used again")
	}
	if !panics(b.Release) {
		t.Error("it was released twice")
	}
}
