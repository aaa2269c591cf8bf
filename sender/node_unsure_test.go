package sender

import (
	"strings"
	"testing"
)

// outOfTouch returns a bench that has lost touch with the cluster, of which it knows topic t, and asks two silent brokers which
// one is there. Meanwhile it learns of topic u from the third.
func outOfTouch(t *testing.T, meanwhile ...string) *bench {
	b := newBench(nil)
	b.runAll("topic t a 1/0", "want t", "append t-0 a", "ok 1.1", "silent")
	for _, bc := range b.conns {
		bc.hangUp(errHangUp, true)
	}
	for _, e := range b.events {
		b.c.handle(b.now, e)
	}
	b.events = nil
	for id := range int32(3) {
		n := b.c.nodes.of(id + 1)
		for i := range n.links {
			n.links[i].notUntil = zero
			b.c.connect(n, lane(i))
		}
	}
	b.runAll("append t-0 b", "+1500ms")
	b.runAll(meanwhile...)
	var asked []int32
	for _, n := range b.c.nodes.all() {
		if n.links[control].busy > 0 {
			asked = append(asked, n.id)
		}
	}
	if !b.c.nodes.doubted() || len(asked) != 2 {
		t.Fatalf("brokers %v are asked which cluster is there, want two of them; in doubt: %v", asked, b.c.nodes.doubted())
	}
	b.mutes(asked...)
	b.runAll("vocal", "topic u c 2/0", "want u", "+1ms")
	if b.c.topics.named("u") == nil || !b.c.nodes.doubted() {
		t.Fatalf("the topic is not learned in the doubt, as this test needs; in doubt: %v", b.c.nodes.doubted())
	}
	b.run([]string{"append", "u-0", "A"})
	return b
}

func (b *bench) runAll(cmds ...string) {
	for _, cmd := range cmds {
		b.run(strings.Fields(cmd))
	}
}

// A topic that is learned while nobody has said which cluster is there is not in the answer, and need not be.
func TestATopicLearnedInTheDoubtIsNotAwaited(t *testing.T) {
	b := outOfTouch(t)
	b.run([]string{"+2s"})
	if b.c.nodes.doubted() {
		t.Fatal("it is still in doubt which cluster is there, after an answer about all topics that were known before")
	}
	b.runAll("ok 1.2", "ok 2.1")
}

// Its id shows nothing, either: here it is another cluster's, where our topic is not. So the producer id is given up.
func TestATopicLearnedInTheDoubtProvesNothing(t *testing.T) {
	b := outOfTouch(t, "topic t", "identity 8/0")
	b.run([]string{"hangupcontrol"})
	b.mutes()
	b.run([]string{"+31s"})
	if b.c.nodes.doubted() {
		t.Error("it is still in doubt which cluster is there, after an answer about all topics")
	}
	if got := b.part("u-0").numbers.Identity().ID; got != 8 {
		t.Errorf("a topic of the new cluster is sent to under producer id %d of the old one, want 8", got)
	}
}

// What was asked for before connections were lost may be answered by the cluster before, though it names the topic rightly. It
// does not end the doubt: an answer to what was asked since does.
func TestWhatWasAskedForBeforeRecognisesNobody(t *testing.T) {
	b := newBench(nil)
	b.runAll("topic t a 1/0", "want t", "append t-0 a", "ok 1.1", "silent", "refresh")
	var asked *node
	for _, bc := range b.conns {
		if bc.which == control && bc.node.links[control].conn == bc && bc.node.links[control].busy > 0 {
			asked = bc.node
		}
	}
	if asked == nil {
		t.Fatal("nobody is asked for metadata, as this test needs")
	}
	for _, bc := range b.conns {
		if bc.node != asked || bc.which != control {
			bc.hangUp(errHangUp, true)
		}
	}
	b.runAll("append t-0 b", "+1s")
	if !b.c.nodes.doubted() {
		t.Fatal("it is not in doubt which cluster is there, as this test needs")
	}
	var others []int32
	for _, n := range b.c.nodes.all() {
		if n != asked {
			others = append(others, n.id)
		}
	}
	b.mutes(others...)
	b.runAll("vocal", "+1ms")
	if !b.c.nodes.doubted() {
		t.Fatal("an answer to what was asked before connections were lost tells which cluster is there")
	}
	b.runAll("topic t b 1/0", "identity 8/0")
	b.mutes()
	b.runAll("+1s")
	if b.c.nodes.doubted() {
		t.Error("it is still in doubt which cluster is there")
	}
	if got := b.part("t-0").numbers.Identity().ID; got != 8 {
		t.Errorf("the topic of another cluster is sent to under producer id %d, want 8", got)
	}
}
