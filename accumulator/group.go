package accumulator

import (
	"slices"
	"sync/atomic"
)

// A Group waits for a set of batches: every one that was told to Join, and
// their callbacks. The sender loop makes one for each flush.
type Group struct {
	pending atomic.Int32 // batches not yet ended, and one for Seal
	done    chan struct{}
}

// NewGroup returns a group that ends once it is sealed and empty.
func NewGroup() *Group {
	g := &Group{done: make(chan struct{})}
	g.pending.Store(1)
	return g
}

// Join makes g wait for the root of b. It is for the owner of b, before b
// ends.
func (b *Batch) Join(g *Group) {
	r := b.root.some()
	if slices.Contains(r.groups, g) {
		return
	}
	g.Enter()
	r.groups = append(r.groups, g)
}

// Leave ends the waiting of all groups for b. It is for the one who finished
// b, after its callbacks, and the last thing done with it on that side.
func (b *Batch) Leave() {
	if b.unusual {
		r := b.rare
		for i, g := range r.groups {
			g.Exit()
			r.groups[i] = nil
		}
		r.groups = r.groups[:0]
	}
	b.Release()
}

// Enter makes the group wait for one Exit more.
func (g *Group) Enter() { g.pending.Add(1) }

// Exit undoes one Enter, or NewGroup's own.
func (g *Group) Exit() {
	if g.pending.Add(-1) == 0 {
		close(g.done)
	}
}

// Done is closed once everything that the group waits for has ended.
func (g *Group) Done() <-chan struct{} { return g.done }
