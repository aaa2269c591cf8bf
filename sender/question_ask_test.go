package sender

import (
	"testing"
)

// stalled is effects in which the dials to some nodes neither succeed nor fail.
type stalled struct {
	effects
	nodes map[int32]bool
}

func (s stalled) dial(n *node, which lane, at *dial) {
	if !s.nodes[n.id] {
		s.effects.dial(n, which, at)
	}
}

// TestStalledDialsDoNotHoldUpMetadata has every control connection break while two of three brokers
// stand still: they take connections and say nothing. Whichever of them is tried first, the third is
// asked for the new leader long before those dials end.
func TestStalledDialsDoNotHoldUpMetadata(t *testing.T) {
	for healthy := int32(1); healthy <= 3; healthy++ {
		b := newBench(nil)
		for _, cmd := range [][]string{{"topic", "t", "a", "1/0"}, {"want", "t"}} {
			b.run(cmd)
		}
		frozen := map[int32]bool{1: true, 2: true, 3: true}
		delete(frozen, healthy)
		b.c.out = stalled{b, frozen}
		b.run([]string{"topic", "t", "a", "2/1"})
		b.run([]string{"hangupcontrol"})
		b.run([]string{"refresh"})
		b.run([]string{"+2100ms"}) // the patience with two dials
		if got := b.part("t-0").leader; got != 2 {
			t.Errorf("with broker %d alone alive the leader is still %d after 2.1 s, want 2", healthy, got)
		}
	}
}
