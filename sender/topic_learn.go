package sender

import (
	"maps"
	"slices"

	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// takeMetadata deals with the answer to a metadata request.
func (c *core) takeMetadata(n *node, call *wire.Call) {
	req := call.Request.(*protocol.MetadataRequest)
	c.metrics.countMetadata(call)
	if call.Err == nil {
		c.heardMetadata(n, call.Response.(*protocol.MetadataResponse))
	} else {
		c.nodes.troubled(c.now, call.Err)
		c.change(c.meta.Failed(c.now, n.id, req))
		return
	}
	c.txn.askFeatures(n)
	resp := call.Response.(*protocol.MetadataResponse)
	like := unseen
	recent := n.links[control].vouches // else it may be the former cluster's answer, to what was asked before connections were lost
	switch {
	case !c.nodes.doubted():
	case !recent:
		c.meta.RequestUpdate()
	default:
		if like = c.recognise(req, resp); like == other {
			c.txn.replaced() // before the answer is taken in: what the transaction has written is in the old cluster
		}
		c.doubtTopics(like)
	}
	unnamed := c.meta.Snapshot().ClusterID == ""
	changes := c.meta.Answer(c.now, n.id, req, resp)
	if unnamed && !c.identity.cameFrom(n.links[control].conn) && c.meta.Snapshot().ClusterID != "" {
		c.txn.disown() // nobody knows whose it was: the cluster had no name yet
	}
	c.change(changes)
	if recent {
		c.trustTopics(resp, changes.OtherCluster)
	}
	switch {
	case like == untold && !changes.OtherCluster:
		c.askAnew(n, resp) // the doubt stays
	case like != unseen:
		c.sure(like)
	}
	c.relocate(c.meta.Snapshot().Brokers)
	c.seekOn()
	c.sweepLookups()
}

// change applies what metadata found to be new.
func (c *core) change(ch metadata.Changes) {
	snapshot := c.meta.Snapshot()
	c.published.snapshot.Store(snapshot)
	if ch.OtherCluster {
		c.replaced()
	}
	for _, id := range slices.Sorted(maps.Keys(snapshot.Brokers)) {
		c.nodes.meet(snapshot, id)
	}
	for _, name := range ch.Forgotten {
		if t := c.topics.named(name); t != nil && !c.forget(t) {
			t.touched = zero
			c.meta.Want(c.now, name) // its records wait for longer than metadata.max.idle
		}
	}
	if ch.Rebootstrap {
		c.news.rebootstrap()
		c.nodes.renewBootstrap(c.now)
	}
	for _, name := range ch.Changed {
		c.learn(name)
	}
	if len(ch.Changed) > 0 {
		c.publish()
	}
	for _, f := range ch.Failed {
		c.answerLookups(f.Topic, f.Err)
	}
}

// publish makes what learn has found known to callers, and lets those go on who have waited for it.
func (c *core) publish() {
	c.cfg.Publish()
	for _, name := range c.topics.takeLearned() {
		c.retire(c.topics.named(name))
		c.answerLookups(name, nil)
	}
}

// learn brings the loop's view of a topic up to its metadata.
func (c *core) learn(name string) {
	m := c.meta.Topic(name)
	if m == nil {
		return
	}
	snapshot := c.meta.Snapshot()
	t := c.topics.named(name)
	if t == nil {
		t = c.topics.add(name, c.acc.Topic(name, 0))
	}
	// The loop remembers a topic for longer than metadata does, so it has to see for itself that this is another one.
	again := t.id != (protocol.UUID{}) && m.ID != (protocol.UUID{}) && t.id != m.ID
	if again {
		c.nodes.sawChanged(t)
	}
	t.unproven = t.unproven || t.id != m.ID && c.nodes.doubted()
	t.id, t.meta = m.ID, m
	if again {
		c.news.again(t)
		c.recreated(t, ErrTopicRecreated)
	}
	c.grow(t, len(m.Partitions))
	for i := range m.Partitions {
		c.lead(snapshot, t.parts[i], m.Partitions[i])
	}
	if again {
		c.refreshTopic(t)
	}
	c.news.led(t)
	c.cfg.OnTopic(t.queues, m, snapshot)
	c.topics.addLearned(name)
}

// grow adds the partitions that are new. What is batched stays where it is.
func (c *core) grow(t *topic, n int) {
	t.queues.Grow(n)
	for i := len(t.parts); i < n; i++ {
		q := t.queues.Queues()[i]
		p := &partition{topic: t, index: int32(i), queue: q, leader: -1, place: -1}
		q.Owner = p
		if c.closing {
			q.Refuse(ErrClosed)
		}
		t.parts = append(t.parts, p)
	}
}

// lead sets the leader of a partition. A broker that leads again, under another leader epoch, is another leader: its log may
// have lost its tail, and with it what it knew of the producer.
func (c *core) lead(s *metadata.Snapshot, p *partition, m metadata.Partition) {
	if m.Leader >= 0 {
		c.nodes.meet(s, m.Leader)
	}
	if p.leader == m.Leader && p.epoch == m.LeaderEpoch {
		return
	}
	p.numbers.Disturb()
	if p.leader != m.Leader {
		p.unblock()
		p.ready = nil // an entry on the old leader's list no longer counts
	}
	c.news.leads(p, m.Leader)
	c.hooks.moved(p, p.leader, m.Leader)
	p.leader, p.epoch = m.Leader, m.LeaderEpoch
	if m.Leader >= 0 {
		c.endBackoff(p)
	}
	c.refresh(p)
}

// maxBackoffsEnded bounds how often news skips a partition's backoff until it has a success. Brokers that contradict each other
// always have news.
const maxBackoffsEnded = 5

// endBackoff ends p's backoff, since the cause of its failures may be over. Otherwise p would sleep on after what it waits for
// has come.
func (c *core) endBackoff(p *partition) {
	if p.backoff.After(c.now) && p.backoffsEnded < maxBackoffsEnded {
		p.backoffsEnded++
		p.backoff = zero
	}
}
