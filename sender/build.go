package sender

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A request is a produce request from its first batch to its answer.
type request struct {
	node       *node
	conn       conn // that it was built for; it goes to no other
	deliveries []*delivery
	packing    int // batches that a compressor still has

	message  protocol.ProduceRequest
	response protocol.ProduceResponse
	call     wire.Call
}

// Sizes in bytes that bound a request from above, so that its batches can be
// chosen before it is encoded.
const (
	requestOverhead   = 256 // header, client id aside, and fixed fields
	topicOverhead     = 32  // and the name
	partitionOverhead = 16
)

// serve drains n's ready list into requests while the node takes any, and
// connects to it if need be. It returns when to come back.
func (c *core) serve(n *node) time.Time {
	l := &n.links[data]
	for len(n.ready) > 0 && n.ready[0].ready != n {
		n.pop() // it has moved to another leader, and is no reason to connect
	}
	if len(n.ready) == 0 || c.aborted {
		return time.Time{}
	}
	if l.conn == nil {
		return c.connect(n, data)
	}
	for len(n.ready) > 0 && n.open(c.now, c.spare(c.cfg.MaxInFlight)) {
		r := c.fill(n)
		if r == nil {
			break
		}
		l.busy++
		n.built = append(n.built, r)
		if c.cfg.Codec != protocol.CodecNone {
			c.packAll(r)
		}
		c.sendBuilt(n)
	}
	if l.conn == nil {
		return c.connect(n, data)
	}
	if t := l.conn; t != nil && len(n.ready) > 0 && t.ThrottledUntil().After(c.now) {
		return t.ThrottledUntil()
	}
	return time.Time{}
}

// fill makes a request of one batch from each ready partition, as many as
// max.request.size holds, in turn. It returns nil if none may be drained.
func (c *core) fill(n *node) *request {
	var r *request
	c.build++
	size := requestOverhead + len(c.cfg.Wire.ClientID)
	for turn := len(n.ready); turn > 0; turn-- {
		p := n.ready[0]
		if r != nil && p.ready == n && size+p.nextSize() > c.cfg.MaxRequestSize {
			break // it is first in the next request
		}
		n.pop()
		if p.ready != n || p.build == c.build {
			continue // it has moved to another leader, or came back and is here twice
		}
		p.ready = nil
		d := c.take(p, n)
		if d == nil {
			continue
		}
		add := d.Size() + partitionOverhead
		if p.topic.filled != c.build {
			p.topic.filled = c.build
			add += topicOverhead + len(p.topic.name)
		}
		if r != nil && size+add > c.cfg.MaxRequestSize {
			// It has grown since. It has left its queue, so it waits where
			// retries do.
			c.putBack(p, d)
			break
		}
		if r == nil {
			r = &request{node: n, conn: n.links[data].conn}
		}
		size += add
		p.build = c.build
		c.add(r, p, d)
		c.look(p) // it may have more
	}
	return r
}

// pop takes the first entry off the ready list.
func (n *node) pop() {
	p := n.ready[0]
	n.ready[0] = nil
	n.ready = n.ready[1:]
	if p.listed == n {
		p.listed = nil
	}
}

// nextSize returns the bytes of the batch that a take would return.
func (p *partition) nextSize() int {
	if len(p.retry) > 0 {
		return p.retry[0].Size()
	}
	head, _ := p.queue.Look()
	return head.Size
}

// putBack undoes a take.
func (c *core) putBack(p *partition, d *delivery) {
	p.requeue(d)
	c.look(p)
}

// add puts d into r.
func (c *core) add(r *request, p *partition, d *delivery) {
	p.number(d)
	d.conn, d.old, d.era = r.conn, false, p.numbers.Era()
	d.Hold()
	d.attempts++
	p.queue.Stalled.Store(0)
	p.inFlight = append(p.inFlight, d)
	c.flying++
	r.deliveries = append(r.deliveries, d)
	c.meta.Touch(c.now, p.topic.name)
}

// packAll hands the batches of r that are not compressed yet to the
// compressors, each on its own.
func (c *core) packAll(r *request) {
	for _, d := range r.deliveries {
		if !d.packed {
			d.packed = true
			r.packing++
			c.pending++
			c.out.pack(r, d)
		}
	}
}

func (e packedUp) apply(c *core) {
	e.request.packing--
	c.pending--
	c.sendBuilt(e.request.node)
}

// sendBuilt hands the node's requests to the connection in the order in which
// they were built, as far as they are compressed.
func (c *core) sendBuilt(n *node) {
	for len(n.built) > 0 && n.built[0].packing == 0 {
		r := n.built[0]
		n.built[0] = nil
		n.built = n.built[1:]
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
			c.pending++
			c.count(r)
		default:
			l.conn, l.busy = nil, 0 // broken; its hungUp is on the way
			c.unsent(r)
		}
	}
}

// prepare makes the message and the call of r, whose batches are final now.
func (c *core) prepare(r *request) {
	r.message = protocol.ProduceRequest{Acks: c.cfg.Acks, Timeout: c.cfg.RequestTimeout}
	c.build++
	ids := true
	for _, d := range r.deliveries {
		t := d.part.topic
		if t.build != c.build {
			t.build, t.place = c.build, len(r.message.Topics)
			r.message.Topics = append(r.message.Topics, protocol.ProduceTopic{Name: t.name, TopicID: t.id})
			ids = ids && t.id != protocol.UUID{}
		}
		d.seal()
		to := &r.message.Topics[t.place]
		to.Partitions = append(to.Partitions, protocol.ProducePartition{Index: d.part.index, Records: d.Bytes(nil)})
	}
	r.call = wire.Call{Request: &r.message, Before: r.sum, Done: func(call *wire.Call) { c.out.post(answered{r, call}) }}
	if c.cfg.Acks != 0 {
		r.call.Response = &r.response
	}
	if !ids {
		r.call.MaxVersion = lastVersionByName
	}
	if c.txn != nil {
		r.message.TransactionalID = &c.cfg.TransactionalID
		if !c.txn.New() {
			r.call.MaxVersion = lastVersionOldTxn
		}
	}
}

// count takes r, which is on its way now, into the statistics.
func (c *core) count(r *request) {
	for _, d := range r.deliveries {
		c.stat.bytes.Add(int64(d.Size()))
		if d.attempts == 1 {
			c.stat.sent.Add(int64(d.Count()))
		} else {
			c.stat.retried.Add(int64(d.Count()))
		}
	}
}

// lastVersionByName is the last version of Produce that names topics; later
// ones identify them.
const lastVersionByName = 12

// lastVersionOldTxn is the last version of Produce in the old protocol of transactions; later ones add partitions.
const lastVersionOldTxn = 11

// sum runs on the write loop, so that checksums cost the loop nothing.
func (r *request) sum(int16) {
	for i := range r.message.Topics {
		for _, p := range r.message.Topics[i].Partitions {
			protocol.PutBatchCRC(p.Records)
		}
	}
}

// unsent takes back a request that never reached its connection: not an
// attempt, and nothing has been written.
func (c *core) unsent(r *request) {
	if l := &r.node.links[data]; r.conn == l.conn {
		l.busy--
	}
	for _, d := range r.deliveries {
		c.takeBack(d)
	}
}

// takeBack takes a batch out of a request that was not sent.
func (c *core) takeBack(d *delivery) {
	p := d.part
	p.landed(d)
	c.flying--
	d.conn = nil
	d.attempts--
	d.Drop()
	c.settle(p, d)
	c.look(p)
}

// dropOld takes back the batches of topics that were made again while r was
// with the compressors: their numbers are for a log that is gone. The others
// go as they are, since younger batches may be right behind.
func (c *core) dropOld(r *request) {
	r.deliveries = slices.DeleteFunc(r.deliveries, func(d *delivery) bool {
		if d.old {
			c.takeBack(d)
		}
		return d.old
	})
}

// settle puts a batch that was not written back in its place, unless its
// records have their outcome already, or the place is gone.
func (c *core) settle(p *partition, d *delivery) {
	switch lost := c.lost(p, d); {
	case d.told:
		c.gap(p)
	case lost != nil:
		c.giveUp(p, d, lost)
	default:
		p.requeue(d)
	}
}
