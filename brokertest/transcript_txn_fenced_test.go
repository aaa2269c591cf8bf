package brokertest

import (
	"fmt"
	"math"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

func (c *txnTalk) fenced() {
	p := c.as("fenced")
	c.add("", 3, p, "b-0")
	c.write("", 11, p, "b", 0)
	c.ends("b")
	q := c.initialise("a second producer", 5, producer{-1, -1})
	c.ends("b")
	c.write("fenced", 9, p, "b", 2)
	c.write("fenced", 11, p, "b", 2)
	c.write("fenced", 12, p, "b", 2)
	for _, v := range []int16{1, 2, 3} {
		c.add("fenced", v, p, "b-0")
		c.addOffsets("fenced", v, p, "g")
	}
	for _, v := range []int16{1, 2, 4, 5} {
		c.end("fenced", v, p, true)
		c.end("fenced", v, p, false)
	}
	c.commitOffset("fenced", 3, p, "g", "a")
	c.commitOffset("fenced", 5, p, "g", "a")
	for _, v := range []int16{3, 4, 5} {
		c.initialise("fenced", v, p)
	}
	c.write("the second producer", 12, q, "b", 0)
	c.end("", 5, q, true)
	c.ends("b")
}

// again initialises a transactional ID by the producer that it has.
func (c *txnTalk) again() {
	p := c.as("again")
	q := c.initialise("its ID and epoch", 5, p)
	c.initialise("its ID and epoch, retried", 5, p)
	c.initialise("its ID and epoch, retried", 3, p)
	c.initialise("epoch to come", 5, q.newer())
	c.initialise("another ID", 5, q.other())
	c.add("", 3, q, "b-0")
	c.write("", 11, q, "b", 0)
	c.initialise("in a transaction, older epoch", 5, p)
	c.ends("b")
	r := c.as("again-2")
	c.add("", 3, r, "b-0")
	c.write("", 11, r, "b", 0)
	c.initialise("in a transaction, its ID and epoch", 5, r)
	c.initialise("in a transaction, retried", 5, r)
	c.ends("b")
	s := c.as("again-3")
	c.write("", 12, s, "b", 0)
	was := s
	s = c.end("", 5, s, true)
	c.initialise("with the epoch before EndTxn", 5, was)
	s = c.initialise("with the epoch of EndTxn", 5, s)
	c.initialise("anew", 5, producer{-1, -1})
	c.initialise("with the epoch before that", 5, s)
}

// mixed speaks one protocol in the middle of the other.
func (c *txnTalk) mixed() {
	p := c.as("mixed")
	c.add("", 3, p, "d-0")
	c.write("added by the old protocol", 11, p, "d", 0)
	c.write("another partition by the new protocol", 12, p, "e", 0)
	was := p
	p = c.end("by the new protocol", 5, p, true)
	c.ends("d", "e")
	c.end("again, by the old protocol", 4, was, true)
	c.write("added by the new protocol", 12, p, "d", 0)
	c.write("and then as the old", 11, p, "d", 2)
	c.end("by the old protocol", 4, p, true)
	c.end("again, by the new protocol", 5, p, true)
	c.ends("d", "e")
	c.write("same epoch, sequences go on", 12, p, "d", 4)
	c.end("", 5, p, false)
}

func (c *txnTalk) timedOut() {
	for _, v := range []int16{11, 12} {
		c.id = fmt.Sprintf("timed-out-%d", v)
		m := &protocol.InitProducerIDRequest{TransactionalID: &c.id, TransactionTimeout: 300 * time.Millisecond, ProducerID: -1, ProducerEpoch: -1}
		p := c.initialiseBy("a third of a second", 5, m)
		if v == 11 {
			c.add("", 3, p, "b-0")
		}
		c.write("in time", v, p, "b", 0)
		c.ends("b")
		c.sleep(11 * time.Second) // Kafka looks every ten seconds
		c.ends("b")
		c.write("too late", 9, p, "b", 2)
		c.write("too late", v, p, "b", 2)
		if v == 11 {
			c.add("too late", 1, p, "b-0")
			c.add("too late", 3, p, "b-0")
			c.end("too late", 1, p, true)
			c.end("too late", 4, p, true)
			c.end("too late", 4, p, false)
		}
		c.commitOffset("too late", 3, p, "g", "a")
		c.commitOffset("too late", 5, p, "g", "a")
		c.end("too late", 5, p, true)
		c.end("too late", 5, p, false)
		c.initialise("too late", 3, p)
		c.initialise("too late", 5, p)
		c.initialise("anew", 5, producer{-1, -1})
	}
	for _, timeout := range []time.Duration{0, -time.Second, 15 * time.Minute, 15*time.Minute + time.Millisecond} {
		m := &protocol.InitProducerIDRequest{TransactionalID: &c.id, TransactionTimeout: timeout, ProducerID: -1, ProducerEpoch: -1}
		c.initialiseBy(timeout.String(), 5, m)
	}
}

// exhaust drives three producers to their last epoch: by initialising, by ending transactions, and by fencing.
func (c *txnTalk) exhaust() {
	c.aged("initialised")
	p := c.initialise("next to last epoch", 5, producer{-1, -1})
	c.initialise("with the last epoch", 5, p)
	c.initialise("with the last epoch, retried", 5, p)
	c.initialise("with the last epoch, retried again", 5, p)
	c.initialise("anew", 5, producer{-1, -1})

	p = c.aged("ended")
	c.write("", 12, p, "a", 0)
	p = c.end("next to last epoch", 5, p, true)
	c.write("", 12, p, "a", 0)
	was := p
	p = c.end("last epoch", 5, p, true)
	c.end("last epoch, retried", 5, was, true)
	c.end("last epoch, retried", 5, was, false)
	c.end("last epoch, retried, old protocol", 4, was, true)
	c.ends("a")
	c.write("new ID", 12, p, "a", 0)
	c.write("old ID", 12, was, "a", 2)
	c.end("", 5, p, true)
	c.end("last epoch, retried late", 5, was, true)

	p = c.aged("fenced-often")
	p = c.end("of nothing, next to last epoch", 5, p, false)
	c.write("", 12, p, "b", 0)
	c.initialise("fenced in the last epoch", 5, producer{-1, -1})
	c.write("fenced in the last epoch", 12, p, "b", 2)
	c.end("fenced in the last epoch", 5, p, true)
	c.ends("b")
}

// aged returns a producer whose next epoch but one is its last.
func (c *txnTalk) aged(id string) producer {
	p := c.as(id)
	m := &protocol.InitProducerIDRequest{TransactionalID: &c.id, TransactionTimeout: time.Minute, ProducerID: -1, ProducerEpoch: -1}
	resp := &protocol.InitProducerIDResponse{ProducerEpoch: p.epoch}
	if c.ours != nil {
		// Kafka has no such short cut.
		resp.ProducerID, resp.ProducerEpoch = p.id, math.MaxInt16-2
		if !c.ours.SetProducerEpoch(id, resp.ProducerEpoch) {
			c.t.Fatalf("the epoch of %s cannot be set", id)
		}
	}
	for resp.ProducerEpoch < math.MaxInt16-2 {
		if !c.try(5, m, resp) || resp.ErrorCode != protocol.NoError {
			c.t.Fatalf("at epoch %d: %v, %s", resp.ProducerEpoch, resp.ErrorCode, c.lost)
		}
	}
	c.notef("epoch %d", resp.ProducerEpoch)
	return producer{resp.ProducerID, resp.ProducerEpoch}
}
