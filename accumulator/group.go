package accumulator

import "sync/atomic"

// A Group waits for a set of outcomes: every one that was told to Join, and
// their callbacks. The sender loop makes one for each flush.
type Group struct {
	pending atomic.Int32 // outcomes not yet ended, and one for the Exit of NewGroup
	done    chan struct{}
}

// NewGroup returns a group that ends once Exit was called for it, and for all
// that it waits for.
func NewGroup() *Group {
	g := &Group{done: make(chan struct{})}
	g.pending.Store(1)
	return g
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
