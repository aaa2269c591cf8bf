package sender

import (
	"slices"

	"github.com/epistle-kafka/epistle/protocol"
)

// A likeness says whether the cluster that answers is the one that was there before connections were lost.
type likeness uint8

const (
	unseen   likeness = iota // the answer does not tell
	same                     // a topic has the id that it had
	other                    // topics have other ids, and none has its own
	nameless                 // there is no topic, or none with an id, to tell by
)

// doubtLinks is called when a connection has ended. A cluster that is wiped loses all of its connections, but we do not notice
// the end of each at the same time, and never notice that of one that is half open. So a connection vouches for the cluster
// only when it has answered a request that was sent after this end.
func (ns *nodes) doubtLinks() {
	for _, n := range ns.order {
		for i := range n.links {
			l := &n.links[i]
			l.stale, l.vouches = l.busy, false
		}
	}
}

// vouchedFor reports whether a connection vouches for the cluster.
func (ns *nodes) vouchedFor() bool {
	return slices.ContainsFunc(ns.order, func(n *node) bool {
		return slices.ContainsFunc(n.links[:], func(l link) bool { return l.conn != nil && l.vouches })
	})
}

// mayReachAnother reports whether a connection that is made now may lead to another cluster than those before.
func (ns *nodes) mayReachAnother() bool { return ns.met && !ns.vouchedFor() }

// doubted reports whether there is a doubt about which cluster is there.
func (ns *nodes) doubted() bool { return ns.unsure != nil }

// doubt begins a doubt. n is asked first which cluster is there.
func (ns *nodes) doubt(n *node) { ns.unsure = n }

// sure ends the doubt.
func (ns *nodes) sure() {
	ns.unsure = nil
	for _, n := range ns.order {
		for i := range n.links {
			n.links[i].unsure = false
		}
	}
}

// doubtCluster deals with a new connection to n when no other vouches for the cluster. Until an answer has said which topics
// there are, nothing that has our numbers goes out on it, or on connections made meanwhile. n is asked first, since it has just
// been heard of. Its control connection may be half open, so it is made anew if it is idle.
func (c *core) doubtCluster(n *node, which lane) {
	if !c.cfg.Idempotent {
		return
	}
	c.nodes.doubt(n)
	c.meta.Anew()
	if l := &n.links[control]; which == data && l.conn != nil && l.busy == 0 {
		f := former{conn: l.conn, which: control}
		l.conn = nil
		n.part(f)
	}
}

// recognise compares an answer to Metadata with what was known before the doubt. One topic with its own id is enough. That none
// has its own, only an answer shows that was asked for all topics. New ones that are learned meanwhile need not be in it, so
// each such answer ends the doubt. Their ids show nothing: they may be the other cluster's.
func (c *core) recognise(req *protocol.MetadataRequest, resp *protocol.MetadataResponse) likeness {
	if resp.ErrorCode != protocol.NoError || len(resp.Brokers) == 0 {
		return unseen
	}
	verdict := nameless
	for i := range resp.Topics {
		in := &resp.Topics[i]
		if in.Name == nil || in.ErrorCode != protocol.NoError || in.TopicID == (protocol.UUID{}) {
			continue
		}
		switch t := c.topics.named(*in.Name); {
		case t == nil || t.unproven || t.id == protocol.UUID{}:
		case t.id == in.TopicID:
			return same
		default:
			verdict = other
		}
	}
	if !c.meta.AsksForAll(req) {
		return unseen
	}
	return verdict
}

// doubtTopics has each topic withheld until an answer describes it, since it may be another cluster's: that is not known to be
// the one that was there before. A topic that had an id is nameless till then, as learn compares the ids. One that had none is
// other if the ids of others say that the cluster is another one.
func (c *core) doubtTopics(l likeness) {
	if l != other && l != nameless {
		return
	}
	for _, t := range c.topics.all() {
		switch {
		case l == other && t.id == protocol.UUID{}:
			t.unsure = other
		case t.unsure == unseen:
			t.unsure = nameless
		}
	}
}

// trustTopics ends the doubt about the topics that an answer has described, and that core has learned from it. One with an id
// that metadata does not believe is not described.
func (c *core) trustTopics(resp *protocol.MetadataResponse, otherCluster bool) {
	for i := range resp.Topics {
		in := &resp.Topics[i]
		if in.Name == nil || in.ErrorCode != protocol.NoError || len(in.Partitions) == 0 {
			continue
		}
		t := c.topics.named(*in.Name)
		if t == nil || t.unsure == unseen || in.TopicID != t.id && in.TopicID != (protocol.UUID{}) {
			continue
		}
		if t.unsure == other && !otherCluster { // with another cluster id all topics were dealt with
			c.recreated(t, ErrClusterReplaced)
		}
		t.unsure = unseen
		c.refreshTopic(t)
	}
}

// withholds reports whether a batch of t is not to be sent, since t may be another cluster's: one that may be written, or one
// of a transaction, whose producer id stays.
func (t *topic) withholds(mayBeWritten bool, txn int64) bool {
	return t.unsure != unseen && (mayBeWritten || txn != 0)
}

// withheld reports whether d is not to be sent for that reason.
func (p *partition) withheld(d *delivery) bool { return p.topic.withholds(d.doubtful(), d.Txn()) }

// withholds reports whether p's next batch is withheld.
func (p *partition) withholds() bool {
	if len(p.retry) > 0 {
		return p.withheld(p.retry[0])
	}
	return p.queued() && p.topic.withholds(false, p.head.Txn)
}

// sure ends the doubt about who is there. If it may be another cluster, no producer id of the old one is used any more.
func (c *core) sure(l likeness) {
	c.nodes.sure()
	for _, t := range c.topics.all() {
		t.unproven = false
	}
	if l != same {
		c.txn.unrecognised()
		for _, t := range c.topics.sorted() {
			c.refreshTopic(t) // what is withheld may be on its leader's list
		}
	}
}
