package sender

import "github.com/epistle-kafka/epistle/protocol"

// A likeness says whether the cluster that answers is the one that was there
// before all connections were lost.
type likeness uint8

const (
	unseen   likeness = iota // the answer does not tell of all topics, or of nothing
	same                     // a topic has the id that it had
	other                    // topics have other ids, and none has its own
	nameless                 // there is no topic, or none with an id, to tell by
)

// lostTouch is called with the first connection after all had been lost. What a
// wiped cluster cannot keep is a connection: so until somebody has said which
// topics there are, nothing that has our numbers goes out.
func (c *core) lostTouch() {
	if c.cfg.Idempotent {
		c.unsure = true
		c.meta.Anew()
	}
}

// recognise holds an answer to Metadata against what is known.
func (c *core) recognise(req *protocol.MetadataRequest, resp *protocol.MetadataResponse) likeness {
	if resp.ErrorCode != protocol.NoError || len(resp.Brokers) == 0 {
		return unseen
	}
	asked := make(map[string]bool, len(req.Topics))
	for i := range req.Topics {
		asked[*req.Topics[i].Name] = true
	}
	for name := range c.topics {
		if !asked[name] && c.meta.Topic(name) != nil { // metadata may have given it up
			return unseen
		}
	}
	verdict := nameless
	for i := range resp.Topics {
		in := &resp.Topics[i]
		if in.Name == nil || in.ErrorCode != protocol.NoError || in.TopicID == (protocol.UUID{}) {
			continue
		}
		switch t := c.topics[*in.Name]; {
		case t == nil || t.id == protocol.UUID{}:
		case t.id == in.TopicID:
			return same
		default:
			verdict = other
		}
	}
	return verdict
}

// meetOther is called before an answer is taken in that comes from another
// cluster, by all that it says of topics: what the transaction has written is in
// the old one.
func (c *core) meetOther() {
	c.txn.replaced()
}

// sure ends the doubt about who is there. Where it may be another cluster, no
// producer id of the old is used any more.
func (c *core) sure(l likeness) {
	c.unsure = false
	if l != same {
		c.txn.unrecognised()
	}
}
