package sender

import (
	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/wire"
)

// A pool keeps requests and deliveries that have ended, to be used again. So under a steady load the loop allocates nothing.
// The pool never has more of them than were in use at once.
//
// Only what nothing refers to gets here: a request whose answer was applied, and the delivery of a batch that was acknowledged
// as a whole. The garbage collector gets the others: a request that was never sent, and the delivery of a batch that was split,
// has failed, or was resolved before its answer. What is in the pool has no node, partition or batch, so that a late use of it
// panics.
type pool struct {
	requests   []*request
	deliveries []*delivery

	// hold is how many of each are not used again. Tests hold all of them, so that a late use never meets one that is somebody
	// else's by then.
	hold int
}

// maxPooled bounds, in batches, what a pooled request has room for, and how many deliveries the pool has.
const maxPooled = 16 << 10

// newRequest returns an empty request to n, whose end is told by out.
func (o *pool) newRequest(n *node, out effects) *request {
	var r *request
	if last := len(o.requests) - 1; last >= o.hold {
		r = o.requests[last]
		o.requests[last] = nil
		o.requests = o.requests[:last]
	} else {
		r = new(request)
		r.call = wire.Call{Request: &r.message, Before: r.sum, Done: r.done}
	}
	r.node, r.conn, r.out = n, n.links[data].conn, out
	return r
}

// reuse gives the pool a request whose answer was applied. Its connection refers to nothing of it since Done, and its
// compressors have told that they have its batches no more.
func (o *pool) reuse(r *request) {
	if cap(r.deliveries) > maxPooled {
		return
	}
	r.node, r.conn = nil, nil
	clear(r.deliveries)
	r.deliveries = r.deliveries[:0]
	// Chunks of batches are pooled elsewhere: what is left of them here would keep that pool from letting them go.
	clear(r.chunks)
	r.chunks = r.chunks[:0]
	for i := range r.message.Topics {
		clear(r.message.Topics[i].Partitions)
	}
	r.message.Topics = r.message.Topics[:0]
	r.message.TransactionalID = nil
	r.response.Topics, r.response.NodeEndpoints = r.response.Topics[:0], nil
	r.call = wire.Call{Request: r.call.Request, Before: r.call.Before, Done: r.call.Done}
	o.requests = append(o.requests, r)
}

// newDelivery returns the delivery of a batch of p that was just drained.
func (o *pool) newDelivery(b *accumulator.Batch, p *partition) *delivery {
	last := len(o.deliveries) - 1
	if last < o.hold {
		return &delivery{Batch: b, part: p, opened: b.Opened(), order: p.order}
	}
	d := o.deliveries[last]
	o.deliveries[last] = nil
	o.deliveries = o.deliveries[:last]
	d.Batch, d.part, d.opened, d.order = b, p, b.Opened(), p.order
	return d
}

// recycle gives the pool the delivery of a batch that was delivered: nothing of the loop refers to it any more.
func (o *pool) recycle(d *delivery) {
	*d = delivery{}
	if len(o.deliveries) < maxPooled {
		o.deliveries = append(o.deliveries, d)
	}
}
