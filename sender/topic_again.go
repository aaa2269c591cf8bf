package sender

import (
	"slices"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// replaced deals with another cluster in the place of the last one, which was wiped and made again, or whose name leads
// elsewhere now. Nothing that is known of the old one holds: each topic is another, whatever its id; a producer id may be
// somebody else's; connections may lead to the old cluster.
func (c *core) replaced() {
	c.news.otherCluster(c.meta.Snapshot().ClusterID)
	c.txn.replaced()
	c.txn.disown()
	for _, n := range c.nodes.all() {
		c.leave(n)
	}
	for _, t := range c.topics.sorted() {
		t.id = protocol.UUID{}
		for _, p := range t.parts { // the answer need not tell of a topic that metadata has forgotten
			c.hooks.moved(p, p.leader, -1)
			p.leader, p.epoch, p.ready = -1, -1, nil
			p.unblock()
		}
		c.recreated(t, ErrClusterReplaced)
	}
}

// recreated deals with a topic that was deleted and made again, in a cluster that may have been, too. The new log has none of
// the old records. So what was certainly not written goes there, numbered from 0 under a new producer id. What may be in the
// old log fails.
func (c *core) recreated(t *topic, why error) {
	had := t.stamps
	t.again, t.stamps, t.former = why, nil, nil
	if why == ErrClusterReplaced {
		t.former = had
	}
	c.txn.disown()
	for i, p := range t.parts {
		c.txn.wiped(p, why)
		c.abandon(p)
		p.failures, p.backoffsEnded, p.backoff = 0, 0, zero
		for _, d := range p.inFlight {
			d.old = true
			d.reopen(why == ErrClusterReplaced)
		}
		for _, d := range p.retry {
			d.reopen(why == ErrClusterReplaced)
		}
		gone := i >= len(t.meta.Partitions) // see retire
		if c.cfg.FailRecreated && !gone {
			c.failAll(p, why)
		}
		for _, d := range slices.Clone(p.retry) {
			if d.doubtful() {
				c.giveUp(p, d, why)
			}
		}
		if !gone && !c.closing {
			p.queue.Refuse(nil)
		}
		if c.txn.sweeps() {
			c.refresh(p) // what waits is lost with its transaction, before it could be numbered anew
		}
	}
}

// retire ends the partitions that the topic no longer has. Callers have the new number by now, so a record that may go anywhere
// does not go to one of them.
func (c *core) retire(t *topic) {
	for _, p := range t.parts[min(len(t.parts), len(t.meta.Partitions)):] {
		p.queue.Refuse(ErrPartitionGone)
		c.failAll(p, ErrPartitionGone)
	}
}

// failAll ends everything of p that is not in flight.
func (c *core) failAll(p *partition, err error) {
	// The queue is drained first, so that a record that is sent because another has failed does not fail too.
	var queued []*accumulator.Batch
	for b := p.drain(); b != nil; b = p.drain() {
		queued = append(queued, b)
	}
	for len(p.retry) > 0 {
		c.giveUp(p, p.retry[0], err)
	}
	for _, b := range queued {
		c.failQueued(b, err)
	}
	c.refresh(p)
}
