package sender

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A likeness says whether the cluster that answers is the one that was there before connections were lost.
type likeness uint8

const (
	unseen   likeness = iota // the answer does not tell
	same                     // a topic has the id that it had
	other                    // topics have other ids, and none has its own; or none that had one is described, for long
	nameless                 // there is no topic, or none with an id, to tell by
	untold                   // there are such topics, and the answer describes none of them
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
	ns.unsure, ns.untold, ns.untoldAt, ns.changed = nil, 0, zero, false
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

// untoldFor notes an answer that tells nothing, and reports whether such answers have come for that long. A time between two
// of them counts as a quarter of that at most, since it may be an outage, in which nobody was there to tell. So five at least
// have come.
func (ns *nodes) untoldFor(now time.Time, long time.Duration) bool {
	most := long / 4
	if !ns.untoldAt.IsZero() {
		ns.untold += min(now.Sub(ns.untoldAt), most)
	}
	ns.untoldAt = now
	return ns.untold >= 4*most
}

// sawChanged notes that t has another id than before. If the doubt had begun by then, the cluster may be another one, unless a
// topic has kept its id.
func (ns *nodes) sawChanged(t *topic) { ns.changed = ns.changed || ns.doubted() && t.tells() }

// changedInDoubt reports whether there was such a topic.
func (ns *nodes) changedInDoubt() bool { return ns.changed }

// recognise compares an answer to Metadata with what was known before the doubt. One topic with its own id is enough. That none
// has its own, only an answer shows that was asked for all topics. New ones that are learned meanwhile need not be in it. Their
// ids show nothing: they may be the other cluster's. An answer that describes no topic that had an id before leaves the doubt
// open until such answers have come for long: a broker that has just started may know no topic yet.
func (c *core) recognise(req *protocol.MetadataRequest, resp *protocol.MetadataResponse) likeness {
	if resp.ErrorCode != protocol.NoError || len(resp.Brokers) == 0 {
		return unseen
	}
	verdict := c.unlike()
	for i := range resp.Topics {
		in := &resp.Topics[i]
		if in.Name == nil || in.ErrorCode != protocol.NoError {
			continue
		}
		switch t := c.topics.named(*in.Name); {
		case t == nil || !t.tells():
		case t.id == in.TopicID:
			return same
		case in.TopicID != protocol.UUID{}:
			verdict = other
		case len(in.Partitions) > 0 && verdict == untold:
			verdict = nameless // from a broker that gives no ids, so to wait is of no use
		}
	}
	if !c.meta.AsksForAll(req) {
		return unseen
	}
	if verdict == untold && c.nodes.untoldFor(c.now, c.cfg.longestUntold()) {
		return other
	}
	return verdict
}

// unlike returns what an answer shows that describes no topic with an id.
func (c *core) unlike() likeness {
	switch {
	case c.nodes.changedInDoubt():
		return other
	case slices.ContainsFunc(c.topics.all(), (*topic).tells):
		return untold
	}
	return nameless
}

// tells reports whether the cluster can be told by t's id.
func (t *topic) tells() bool { return !t.unproven && t.id != protocol.UUID{} }

// longestUntold is how long answers that describe no topic leave the doubt open. It is long for a broker that has just started,
// and leaves most of their time to the records of new topics, which wait meanwhile: those that were known may be gone for good.
func (cfg *Config) longestUntold() time.Duration {
	return min(cfg.RequestTimeout, cfg.DeliveryTimeout/4)
}

// errUntold: an answer to Metadata describes none of the topics by which the cluster could be told.
var errUntold = errors.New("it describes no topic that was known before connections were lost")

// askAnew asks for all topics by which the cluster can be told, after n's answer has described none of them. Metadata may have
// forgotten some of them.
func (c *core) askAnew(n *node, resp *protocol.MetadataResponse) {
	err := errUntold
	for i := range resp.Topics {
		if code := resp.Topics[i].ErrorCode; code != protocol.NoError {
			err = fmt.Errorf("%w: %w", errUntold, code)
		}
	}
	c.news.untold(n, n.refused("Metadata", err))
	for _, t := range c.topics.all() {
		if t.tells() && c.meta.UnknownTopic(c.now, t.name) == nil {
			c.touch(t)
		}
	}
	c.meta.RequestUpdate()
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
	c.news.told(l)
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
