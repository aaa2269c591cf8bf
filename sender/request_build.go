package sender

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Sizes in bytes that bound a request from above, so that its batches can be chosen before it is encoded.
const (
	requestOverhead   = 256 // header, client id aside, and fixed fields
	topicOverhead     = 32  // and the name
	partitionOverhead = 16
)

// serve drains n's ready list into requests while the node takes any, and connects to it if need be. It returns when to come
// back.
func (c *core) serve(n *node) time.Time {
	l := &n.links[data]
	for n.ready.len() > 0 && n.ready.first().ready != n {
		n.pop() // it has moved to another leader, and is no reason to connect
	}
	if n.ready.len() == 0 || c.aborted {
		return time.Time{}
	}
	if l.conn == nil {
		return c.connect(n, data)
	}
	if l.unsure {
		return time.Time{} // an answer will tell
	}
	for n.ready.len() > 0 && n.open(c.now, c.txn.spare(c.cfg.MaxInFlight)) {
		r := c.fill(n)
		if r == nil {
			break
		}
		l.begin(c.now)
		n.built.push(r)
		if c.cfg.Codec != protocol.CodecNone {
			c.packAll(r)
		}
		c.sendBuilt(n)
	}
	if l.conn == nil {
		return c.connect(n, data)
	}
	if t := l.conn; t != nil && n.ready.len() > 0 && t.ThrottledUntil().After(c.now) {
		return t.ThrottledUntil()
	}
	return time.Time{}
}

// fill makes a request of one batch from each ready partition, as many as max.request.size holds, in turn. It returns nil if
// none may be drained.
func (c *core) fill(n *node) *request {
	var r *request
	number := c.requests.next()
	size := requestOverhead + len(c.cfg.Wire.ClientID)
	for turn := n.ready.len(); turn > 0; turn-- {
		p := n.ready.first()
		if r != nil && p.ready == n && size+c.nextSize(p, size) > c.cfg.MaxRequestSize {
			break // it is first in the next request
		}
		n.pop()
		if p.ready != n || p.requestNo == number {
			continue // it has moved to another leader, or came back and is here twice
		}
		p.ready = nil
		d := c.take(p, n)
		if d == nil {
			continue
		}
		add := d.Size() + partitionOverhead
		if p.topic.filledNo != number {
			p.topic.filledNo = number
			add += topicOverhead + len(p.topic.name)
		}
		if r != nil && size+add > c.cfg.MaxRequestSize {
			// The batch has grown since. It has left its queue, so it waits with the retries.
			c.putBack(p, d)
			break
		}
		if r == nil {
			r = c.requests.newRequest(n, c.out)
		}
		size += add
		p.requestNo = number
		c.add(r, p, d)
		c.refresh(p) // it may have more
	}
	return r
}

// nextSize returns the size of the batch that take would return, for a request that has size bytes so far. A batch that lingers
// is small, so its queue is asked only if the request is nearly full.
func (c *core) nextSize(p *partition, size int) int {
	if len(p.retry) > 0 {
		return p.retry[0].Size()
	}
	if p.head.Ready || size+2*c.cfg.BatchSize > c.cfg.MaxRequestSize {
		p.head = p.queue.Look()
	}
	return p.head.Size
}

// putBack undoes a take.
func (c *core) putBack(p *partition, d *delivery) {
	p.requeue(d)
	c.refresh(p)
}

// add puts d into r.
func (c *core) add(r *request, p *partition, d *delivery) {
	p.number(d)
	d.conn, d.old, d.era = r.conn, false, p.numbers.Era()
	d.Hold() // until the connection is done with its bytes (I5)
	d.attempts++
	p.unblock()
	p.inFlight = append(p.inFlight, d)
	c.requests.batchAdded()
	r.deliveries = append(r.deliveries, d)
	if c.touchDue(p.topic) {
		c.touch(p.topic)
	}
}

// packAll hands the batches of r that are not compressed yet to the compressors, each on its own.
func (c *core) packAll(r *request) {
	unpacked := int32(0)
	for _, d := range r.deliveries {
		if !d.packed {
			unpacked++
		}
	}
	if unpacked == 0 {
		return
	}
	r.unpacked.Store(unpacked)
	r.packing = true
	c.pending++
	for _, d := range r.deliveries {
		if !d.packed {
			d.packed = true
			c.out.pack(r, d)
		}
	}
}

func (e packedUp) apply(c *core) {
	e.request.packing = false
	c.pending--
	c.sendBuilt(e.request.node)
}

// sendBuilt hands the node's requests to the connection in the order in which they were built, as far as they are compressed.
func (c *core) sendBuilt(n *node) {
	for n.built.len() > 0 && !n.built.first().packing {
		r := n.built.pop()
		l := &n.links[data]
		if c.dropOld(r); len(r.deliveries) == 0 {
			c.unsent(r)
			continue
		}
		c.prepare(r)
		switch {
		case r.conn != l.conn:
			c.unsent(r)
		case r.conn.Send(&r.call):
			n.flights = append(n.flights, r)
			c.pending++
			c.count(r)
			c.hooks.sent(r)
		default:
			l.conn, l.busy = nil, 0 // broken; its hungUp is on the way
			c.unsent(r)
		}
	}
}

// count takes r, which is on its way now, into the statistics.
func (c *core) count(r *request) {
	bytes, sent, retried := c.metrics.countWritten(r)
	c.published.bytes.Add(bytes)
	c.published.sent.Add(sent)
	if retried > 0 {
		c.published.retried.Add(retried)
		r.node.sentAgain(retried)
	}
}

// lastVersionByName is the last version of Produce that names topics; later ones identify them.
const lastVersionByName = 12

// lastVersionOldTxn is the last version of Produce in the old protocol of transactions; later ones add partitions.
const lastVersionOldTxn = 11

// unsent takes back a request that never reached its connection. It is no attempt, since nothing was written.
func (c *core) unsent(r *request) {
	r.node.ended(data, r.conn)
	for _, d := range r.deliveries {
		c.takeBack(d)
	}
}

// takeBack takes a batch out of a request that was not sent.
func (c *core) takeBack(d *delivery) {
	p := d.part
	p.removeInFlight(d)
	c.requests.batchGone()
	d.conn = nil
	d.attempts--
	d.Drop()
	c.settle(p, d)
	c.refresh(p)
}

// dropOld takes back the batches that may no longer go as they are, because of what has happened while r was with the
// compressors. If a topic was made again, their numbers are for a log that is gone. If it may be another cluster's, what may
// be written is withheld. If the broker's state is no longer trusted, no batch may go behind another one in flight. And none may
// overtake one that was taken back.
func (c *core) dropOld(r *request) {
	r.deliveries = slices.DeleteFunc(r.deliveries, func(d *delivery) bool {
		p := d.part
		back := d.old || p.withheld(d) || p.numbers.Abandoned() && !p.resends(d) || c.cfg.Idempotent && d.era != p.numbers.Era() && !p.oldest(d)
		if back {
			c.takeBack(d)
		}
		return back
	})
}

// settle puts back a batch that was not written, unless its records have their outcome already, or its place is gone.
func (c *core) settle(p *partition, d *delivery) {
	switch lost := c.lost(p, d); {
	case d.resolved:
		c.breakSequence(p)
	case lost != nil:
		c.giveUp(p, d, lost)
	default:
		p.requeue(d)
	}
}
