package accumulator

import "sync/atomic"

// A Group waits for a set of outcomes, each of which was told to Join, and for their callbacks. The sender loop makes one for
// each flush.
type Group struct {
	pending atomic.Int32 // outcomes not yet ended, and one until the caller of NewGroup calls Exit
	done    chan struct{}
}

// NewGroup returns a group. It ends when its maker has called Exit, and all that it waits for has ended.
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
