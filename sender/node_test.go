package sender

import (
	"strings"
	"testing"
)

// A coordinator's answer says that a broker has moved, and metadata has not heard of it yet. What metadata has said before
// does not move the broker back, however often it is looked at; its next answer may.
func TestOnlyAnAnswerMovesABroker(t *testing.T) {
	b := newBench(nil)
	for _, cmd := range []string{"topic t a 1/0", "want t"} {
		b.run(strings.Fields(cmd))
	}
	n := b.c.nodes.of(1)
	was := n.addr
	b.c.nodeAt(1, "elsewhere", 9092)
	for range 3 {
		b.c.candidates()
		b.c.learn("t")
		b.run([]string{"+1s"}) // longer than it stays anyway
	}
	if n.addr != "elsewhere:9092" {
		t.Errorf("the broker is at %s, want it where it was last said to be", n.addr)
	}
	b.run([]string{"+1m"}).run([]string{"refresh"})
	if n.addr != was {
		t.Errorf("the broker is at %s, and the last answer has it at %s", n.addr, was)
	}
}
