package accumulator

import (
	"slices"
	"testing"
)

func groupDone(g *Group) bool {
	select {
	case <-g.Done():
		return true
	default:
		return false
	}
}

// A group ends with the last of its batches, and not before it is sealed.
func TestGroup(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	add(t, q, text("a"), noon)
	first := drain(q)
	add(t, q, text("b"), noon)
	second := drain(q)

	g, other := NewGroup(), NewGroup()
	first.Outcome().Join(g)
	first.Outcome().Join(g) // twice is once
	second.Outcome().Join(g)
	second.Outcome().Join(other)
	end(first, 0, nil)
	if groupDone(g) {
		t.Error("the group ended before its second batch, and unsealed")
	}
	end(second, 1, nil)
	if groupDone(g) || groupDone(other) {
		t.Error("an unsealed group ended")
	}
	g.Exit()
	other.Exit()
	if !groupDone(g) || !groupDone(other) {
		t.Error("a group goes on without anything to wait for")
	}
}

// The pieces of a batch are one to a group.
func TestAGroupWaitsForAllPieces(t *testing.T) {
	root := fill(t, small().Topic("t", 1).Queues()[0], 4)
	pieces, err := root.halve()
	if err != nil {
		t.Fatal(err)
	}
	g := NewGroup()
	pieces[0].Outcome().Join(g)
	pieces[1].Outcome().Join(g)
	g.Exit()
	end(pieces[1], 2, nil)
	if groupDone(g) {
		t.Error("ended before the first piece")
	}
	end(pieces[0], 0, nil)
	if !groupDone(g) {
		t.Error("it waits for each piece, want it to wait for their outcome once")
	}
}

func TestAnEmptyGroupEndsAtOnce(t *testing.T) {
	g := NewGroup()
	g.Exit()
	if !groupDone(g) {
		t.Error("it goes on")
	}
}

// Callbacks come in the order of the records, once, beyond one block of them.
func TestEachCallback(t *testing.T) {
	const n = 1000
	b := fill(t, small().Topic("t", 1).Queues()[0], n)
	o := b.Outcome()
	b.Resolve(0, -1, nil)
	if !o.End() {
		t.Fatal("it has no callbacks")
	}
	var got, want []int
	o.Complete(func(o *Outcome) {
		o.EachCallback(func(c *Callback) {
			if int(c.Index) != c.Fn.(int) || c.Timestamp != noon.UnixMilli()+int64(c.Index)*10 {
				t.Errorf("callback %v is of record %d, at %d", c.Fn, c.Index, c.Timestamp)
			}
			got = append(got, c.Fn.(int))
		})
	})
	for i := range n {
		want = append(want, i)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d callbacks, want %d in order", len(got), n)
	}
	o.EachCallback(func(*Callback) { t.Fatal("they come again") })
}

// Callbacks beyond the first few count against the bound, by whole blocks, and no longer than the batch does.
func TestCallbacksCount(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	for i := range 300 {
		e := text("")
		e.Callback = i
		add(t, q, e, noon)
	}
	b := drain(q)
	chunks := int64(0)
	for _, c := range b.chunks {
		chunks += int64(cap(c.buf))
	}
	if got := a.Memory.Used() - chunks; got < 300*16 || got > 300*32+int64(callbackBytes) {
		t.Errorf("300 callbacks count for %d bytes, want what they take", got)
	}
	end(b, 0, nil)
	used(t, a, 0, "at the end")
	if n := q.Queued(); n != 0 {
		t.Errorf("%d bytes count as queued, want 0", n)
	}
}
