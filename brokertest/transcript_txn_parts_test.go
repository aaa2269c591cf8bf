package brokertest

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

func (p producer) older(n int16) producer { return producer{p.id, p.epoch - n} }
func (p producer) newer() producer        { return producer{p.id, p.epoch + 1} }
func (p producer) other() producer        { return producer{p.id + 1000, p.epoch} }

func (c *txnTalk) oldProtocol() {
	p := c.as("old")
	for v := int16(0); v <= 4; v++ {
		c.end("of nothing", v, p, true)
		c.end("of nothing", v, p, false)
	}
	for v := int16(3); v <= 11; v++ {
		c.write("before it was added", v, p, "a", 0)
	}
	c.add("one", 0, p, "a-0")
	c.add("the same", 1, p, "a-0")
	c.add("another", 2, p, "a-1")
	c.add("two", 3, p, "b-0", "b-1")
	c.add("none", 3, p)
	c.add("known, unknown topic, unknown partition", 3, p, "c-0", "missing-0", "c-7")
	c.add("internal topics", 3, p, "__consumer_offsets-0", "c-0")
	c.write("not added, when others are", 9, p, "c", 0)
	c.write("not added, when others are", 11, p, "c", 0)
	for _, v := range []int16{0, 1, 2, 3} {
		c.add("other ID", v, p.other(), "a-0")
		c.add("newer epoch", v, p.newer(), "a-0")
		c.add("older epoch", v, p.older(1), "a-0")
	}
	c.write("first", 11, p, "a", 0)
	c.write("first again", 11, p, "a", 0)
	c.write("second", 3, p, "a", 2)
	c.write("older epoch", 11, p.older(1), "a", 4)
	if !c.old {
		c.write("newer epoch", 11, p.newer(), "a", 0) // Kafka 3.9 takes it, and can then never end the transaction
	}
	c.write("other ID", 11, p.other(), "a", 0)
	plain := batch{pid: p.id, epoch: p.epoch, sequence: 4, values: []string{"x"}, at: c.then()}
	c.produceRequest("Produce v11, not transactional, into a transaction", 11, produceRequestTo("a", plain.bytes(c.t)))
	c.ends("a", "b")
	c.search("a")
	for _, v := range []int16{0, 1, 2, 4} {
		c.end("other ID", v, p.other(), true)
		c.end("newer epoch", v, p.newer(), true)
		c.end("older epoch", v, p.older(1), true)
	}
	c.end("", 4, p, true)
	c.ends("a", "b")
	for v := int16(0); v <= 4; v++ {
		c.end("again", v, p, true)
		c.end("after the commit", v, p, false)
	}
	c.write("after the commit", 9, p, "a", 4)
	c.write("after the commit", 11, p, "a", 4)
	c.write("again, after the commit", 11, p, "a", 2)

	c.add("second transaction", 3, p, "a-0")
	c.write("older sequence", 11, p, "a", 2)
	c.write("sequences go on", 11, p, "a", 4)
	c.ends("a")
	c.end("", 3, p, false)
	c.ends("a")
	c.search("a")
	c.end("again", 4, p, false)
	c.end("after the abort", 4, p, true)

	c.id = "unknown"
	c.add("unknown transactional ID", 3, p, "a-0")
	c.addOffsets("unknown transactional ID", 3, p, "g")
	c.end("unknown transactional ID", 4, p, true)
	c.end("unknown transactional ID", 5, p, true)
	c.write("unknown transactional ID", 11, p, "a", 6)
	c.write("unknown transactional ID", 12, p, "a", 6)
	c.commitOffset("unknown transactional ID", 4, p, "g", "a")
	c.commitOffset("unknown transactional ID", 5, p, "g", "a")
	c.id = ""
	c.add("empty transactional ID", 3, p, "a-0")
	c.addOffsets("empty transactional ID", 3, p, "g")
	c.end("empty transactional ID", 4, p, true)
	c.end("empty transactional ID", 5, p, true)
	c.write("empty transactional ID", 11, p, "a", 6)
	c.write("empty transactional ID", 12, p, "a", 6)
	c.commitOffset("empty transactional ID", 4, p, "g", "a")
}

func (c *txnTalk) oldOffsets() {
	p := c.as("old-offsets")
	for v := int16(0); v <= 4; v++ {
		c.commitOffset("before it was added", v, p, "g", "a")
	}
	for v := int16(0); v <= 4; v++ {
		c.addOffsets("", v, p, "g")
		c.addOffsets("other ID", v, p.other(), "g")
		c.addOffsets("newer epoch", v, p.newer(), "g")
		c.addOffsets("empty group", v, p, "")
	}
	for v := int16(0); v <= 4; v++ {
		c.commitOffset("", v, p, "g", "a", "b")
		c.commitOffset("other ID", v, p.other(), "g", "a")
		if !c.old { // likewise
			c.commitOffset("newer epoch", v, p.newer(), "g", "a")
			c.commitOffset("older epoch", v, p.older(1), "g", "a")
		}
		c.commitOffset("one topic unknown", v, p, "g", "a", "missing")
		c.commitOffset("no topic", v, p, "g")
		c.commitOffset("empty group", v, p, "", "a")
	}
	c.members(4, p, "g")
	c.addOffsets("a group unknown", 4, p, "fresh")
	c.members(4, p, "fresh")
	c.commitOffsetOf("partition unknown", 4, &protocol.TxnOffsetCommitRequest{
		TransactionalID: c.id, GroupID: "g", ProducerID: p.id, ProducerEpoch: p.epoch, GenerationIDOrMemberEpoch: -1,
		Topics: []protocol.TxnOffsetCommitTopic{{Name: "a", Partitions: []protocol.TxnOffsetCommitPartition{{PartitionIndex: 9}, {PartitionIndex: 1}}}},
	})
	c.end("", 4, p, true)
	c.commitOffset("after the commit", 3, p, "g", "a")
	c.commitOffset("after the commit", 4, p, "g", "a")
}

// members commits an offset for members that a group does not have.
func (c *txnTalk) members(version int16, p producer, group string) {
	instance := "i"
	for _, who := range []struct {
		title      string
		generation int32
		member     string
		instance   *string
	}{
		{"generation 3", 3, "", nil}, {"member", -1, "m", nil}, {"member and generation 3", 3, "m", nil},
		{"instance", -1, "m", &instance}, {"instance and generation 3", 3, "m", &instance},
	} {
		c.commitOffsetOf(who.title, version, &protocol.TxnOffsetCommitRequest{
			TransactionalID: c.id, GroupID: group, ProducerID: p.id, ProducerEpoch: p.epoch,
			GenerationIDOrMemberEpoch: who.generation, MemberID: who.member, GroupInstanceID: who.instance,
		}, "a")
	}
}

func (c *txnTalk) newProtocol() {
	p := c.as("new")
	c.end("of nothing", 5, p, true)
	c.end("of nothing, older epoch", 5, p.older(1), false)
	p = c.end("of nothing", 5, p, false)
	p = c.end("of nothing again, new epoch", 5, p, false)
	c.end("of nothing again, old epoch", 5, p.older(1), false)
	c.end("of nothing after the abort", 5, p, true)
	c.write("older epoch", 12, p.older(1), "c", 0)
	c.write("newer epoch", 12, p.newer(), "c", 0)
	c.write("other ID", 12, p.other(), "c", 0)
	c.write("not the first sequence", 12, p, "c", 3)
	c.write("first", 12, p, "c", 0)
	c.write("first again", 13, p, "c", 0)
	c.write("second", 13, p, "c", 2)
	c.write("older epoch, in a transaction", 13, p.older(1), "c", 0)
	c.write("newer epoch, in a transaction", 13, p.newer(), "c", 0)
	c.write("unknown topic", 12, p, "missing", 0)
	c.write("unknown topic", 13, p, "missing", 0)
	c.ends("c")
	c.end("other ID", 5, p.other(), true)
	c.end("newer epoch", 5, p.newer(), true)
	c.end("older epoch", 5, p.older(1), true)
	was := p
	p = c.end("", 5, p, true)
	c.ends("c")
	c.end("again, old epoch", 5, was, true)
	c.end("after the commit, old epoch", 5, was, false)
	c.end("after the commit, older epoch", 5, was.older(1), true)
	c.end("after the commit, newer epoch", 5, p.newer(), true)
	c.end("after the commit, new epoch", 5, p, true)
	c.end("after the commit, old protocol, old epoch", 4, was, true)
	c.end("after the commit, old protocol, new epoch", 4, p, true)
	c.write("old epoch", 12, was, "c", 4)
	c.write("old epoch, known batch", 12, was, "c", 2)
	c.write("sequences do not go on", 12, p, "c", 4)
	c.write("sequences begin again", 12, p, "c", 0)
	was = p
	p = c.end("", 5, p, false)
	c.ends("c")
	c.end("again, old epoch", 5, was, false)
	c.end("after the abort, old epoch", 5, was, true)
	c.end("after the abort, new epoch", 5, p, true)
	was = p
	p = c.end("after the abort, new epoch", 5, p, false)
	c.end("after the second abort, first epoch", 5, was.older(1), false)

	c.write("c", 12, p, "c", 0)
	c.twoPartitions(12, p)
	p = c.end("", 5, p, true)
	c.end("of nothing after the commit", 5, p, false)
	c.ends("c", "d")
}

// twoPartitions writes to two partitions in one request, and to two as two producers.
func (c *txnTalk) twoPartitions(version int16, p producer) {
	for _, second := range []producer{p, p.other()} {
		m := &protocol.ProduceRequest{TransactionalID: &c.id, Acks: -1, Timeout: time.Second}
		for i, who := range []producer{p, second} {
			b := batch{pid: who.id, epoch: who.epoch, values: []string{"x"}, at: c.then()}
			b.change = func(h *protocol.BatchHeader) { h.Transactional = true }
			m.Topics = append(m.Topics, protocol.ProduceTopic{
				Name: "de"[i : i+1], Partitions: []protocol.ProducePartition{{Index: 1, Records: [][]byte{b.bytes(c.t)}}},
			})
		}
		c.produceRequest(fmt.Sprintf("Produce v%d to two partitions, one producer %t", version, second == p), version, m)
	}
}

func (c *txnTalk) newOffsets() {
	p := c.as("new-offsets")
	c.commitOffset("other ID", 5, p.other(), "n", "a")
	c.commitOffset("newer epoch", 5, p.newer(), "n", "a")
	c.commitOffset("older epoch", 5, p.older(1), "n", "a")
	c.commitOffset("topics unknown", 5, p, "n", "missing")
	c.commitOffset("empty group", 5, p, "", "a")
	c.end("of nothing", 5, p, true)
	c.commitOffset("", 5, p, "n", "a", "missing")
	was := p
	p = c.end("", 5, p, true)
	c.commitOffset("old epoch", 5, was, "n", "a")
	c.commitOffset("by topic ID", 6, p, "n", "a", "b")
	c.commitOffset("by unknown topic ID", 6, p, "n", "missing", "a")
	c.members(6, p, "n")
	c.members(5, p, "unheard-of")
	p = c.end("", 5, p, false)
	c.commitOffset("offsets after an old epoch", 4, p, "n", "a")
	c.addOffsets("added by the old protocol", 4, p, "n")
	c.commitOffset("added by the old protocol", 4, p, "n", "a")
	c.end("", 5, p, true)
}

func (c *txnTalk) txnSequences() {
	p := c.as("sequences")
	c.write("at 6, not added", 11, p, "e", 6)
	c.add("", 3, p, "e-0", "d-0")
	c.write("at 8", 11, p, "e", 8)
	c.write("at 6", 11, p, "e", 6)
	c.write("at 8", 11, p, "e", 8)
	c.write("at 4, first of its partition", 11, p, "d", 4)
	c.end("", 4, p, true)
	c.write("at 20, not added", 11, p, "e", 20)
	c.write("at 10, not added", 11, p, "e", 10)
	c.add("", 3, p, "e-0")
	c.write("at 20", 11, p, "e", 20)
	c.write("at 10", 11, p, "e", 10)
	p = c.end("", 5, p, true)
	c.write("at 12, new epoch", 12, p, "e", 12)
	c.write("at 1, new epoch", 12, p, "e", 1)
	c.write("at 0, new epoch", 12, p, "e", 0)
	c.write("at 4", 12, p, "e", 4)
	c.write("at 2", 12, p, "e", 2)
	c.end("", 5, p, true)
	c.ends("e", "d")
}
