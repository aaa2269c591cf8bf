package sender

import (
	"slices"
	"testing"
	"time"
)

// mutes keeps the control connections of some nodes from answering.
func (b *bench) mutes(nodes ...int32) {
	b.world.mute = nodes
}

// What any broker can answer is asked of another beside one that is silent (R3), and the first answer counts: a topic is
// found, and a producer id given, long before the silent brokers' time is over. Whoever is asked first, and also if two
// of three are silent.
func TestQuestionsBesideASilentBroker(t *testing.T) {
	for speaks := int32(1); speaks <= 3; speaks++ {
		b := newBench(nil)
		b.run([]string{"topic", "t", "a", "1/0"})
		b.run([]string{"want", "t"})
		for id := range int32(3) {
			b.c.connect(b.c.nodes.of(id+1), control)
		}
		b.settle()
		b.mutes(slices.DeleteFunc([]int32{1, 2, 3}, func(id int32) bool { return id == speaks })...)
		b.run([]string{"topic", "u", "b", "2/0"})
		b.run([]string{"want", "u"})
		b.run([]string{"+2500ms"})
		if b.c.topics.named("u") == nil {
			t.Errorf("with broker %d alone speaking, the topic is not found in 2.5 s", speaks)
		}
		b.mutes()
		b.settle() // the late answers disturb nobody
		b.run([]string{"topic", "v", "c", "2/0"})
		b.run([]string{"want", "v"})
		if b.c.topics.named("v") == nil {
			t.Error("the next topic is not found")
		}
		for _, bc := range b.conns {
			if bc.broken {
				t.Errorf("a connection to node %d was closed for being slow", bc.node.id)
			}
		}
	}
}

// A cluster that is slow as a whole is not asked again and again: a question goes to three brokers at most.
func TestQuestionsAreBounded(t *testing.T) {
	b := newBench(nil)
	b.world.brokers = []int32{1, 2, 3, 4, 5}
	b.run([]string{"topic", "t", "a", "1/0"})
	b.run([]string{"want", "t"})
	for id := range int32(5) {
		b.c.connect(b.c.nodes.of(id+1), control)
	}
	b.settle()
	b.mutes(1, 2, 3, 4, 5)
	b.run([]string{"want", "u"})
	b.run([]string{"+20s"})
	asked := 0
	for _, n := range b.c.nodes.all() {
		asked += n.links[control].busy
	}
	if asked != maxAsked {
		t.Errorf("%d brokers have been asked in %v, want %d", asked, 20*time.Second, maxAsked)
	}
	b.mutes()
	b.run([]string{"topic", "u", "b", "2/0"})
	b.run([]string{"+1s"})
	if b.c.topics.named("u") == nil {
		t.Error("the late answer does not count")
	}
}
