package sender

import (
	"strings"
	"testing"
)

// While the answer to InitProducerId is on its way, metadata names another cluster. That producer id is of the old cluster, and
// may be somebody else's in this one: it is dropped when it comes.
func TestAnIDAskedOfTheOldClusterIsDropped(t *testing.T) {
	b := newBench(nil)
	do := func(lines ...string) {
		for _, line := range lines {
			b.run(strings.Fields(line))
			b.settle()
		}
	}
	do("topic t a 1/0", "identity COORDINATOR_LOAD_IN_PROGRESS", "want t", "append t-0 a", "byhand InitProducerId", "+1s")
	if b.held["InitProducerId.1"] == nil {
		t.Fatal("no producer id was asked for")
	}
	b.c.txn.disown() // as when metadata names another cluster id
	do("+10ms", "reply InitProducerId.1 NONE 7/0", "+10ms")
	if id := &b.c.identity; id.valid || id.current.ID == 7 {
		t.Errorf("the producer id is %v, valid=%v, want that of the old cluster dropped", id.current, id.valid)
	}
	do("reply InitProducerId.2 NONE 8/0", "+10ms")
	if id := &b.c.identity; !id.valid || id.current.ID != 8 {
		t.Errorf("the producer id is %v, valid=%v, want 8/0, of the new cluster", id.current, id.valid)
	}
	if got := b.c.topics.named("t").parts[0].numbers.Identity(); got.ID != 8 {
		t.Errorf("the partition has producer id %v, want that of the new cluster", got)
	}
}

// An answer that gives what no cluster gives, of which a bit was flipped on its way, is none: nothing is written under it, and
// the producer asks again.
func TestAnImpossibleIdentityIsAskedForAgain(t *testing.T) {
	for _, impossible := range []string{"7/-1", "7/-32768", "-7/0", "-1/-1"} {
		t.Run(impossible, func(t *testing.T) {
			b := newBench(nil)
			do := func(lines ...string) {
				for _, line := range lines {
					b.run(strings.Fields(line))
					b.settle()
				}
			}
			do("topic t a 1/0", "identity COORDINATOR_LOAD_IN_PROGRESS", "want t", "append t-0 a", "byhand InitProducerId", "+1s")
			do("reply InitProducerId.1 NONE "+impossible, "+10ms")
			if id := &b.c.identity; id.valid {
				t.Fatalf("the producer id is %v, want none", id.current)
			}
			do("append t-0 b", "+1s")
			if b.held["InitProducerId.2"] == nil {
				t.Fatal("it is not asked for again")
			}
			do("reply InitProducerId.2 NONE 8/0", "+10ms")
			if id := &b.c.identity; !id.valid || id.current.ID != 8 {
				t.Errorf("the producer id is %v, valid=%v, want 8/0", id.current, id.valid)
			}
		})
	}
}
