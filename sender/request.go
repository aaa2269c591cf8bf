package sender

import (
	"sync/atomic"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A request is a produce request from its first batch to its answer. It is the loop's, and used again when its answer has been
// applied; see pool.
type request struct {
	node       *node
	conn       conn // that it was built for; it goes to no other
	deliveries []*delivery
	packing    bool // a compressor still has some of its batches

	unpacked atomic.Int32 // batches that compressors have yet to do; theirs while packing

	// The connection's from Send to Done.
	message  protocol.ProduceRequest
	response protocol.ProduceResponse
	call     wire.Call
	chunks   [][]byte // of all batches; message has slices of it

	out effects // the core's; constant, so that Done may use it
}

// packedOne says that a compressor is done with one of r's batches. It reports whether that was the last: the loop is told of
// that one alone.
func (r *request) packedOne() bool { return r.unpacked.Add(-1) == 0 }

// prepare makes the message and the call of r, whose batches are final now.
func (c *core) prepare(r *request) {
	r.message.Acks, r.message.Timeout = c.cfg.Acks, c.cfg.RequestTimeout
	number := c.requests.next()
	ids := true
	for _, d := range r.deliveries {
		t := d.part.topic
		if t.requestNo != number {
			t.requestNo, t.place = number, len(r.message.Topics)
			r.addTopic(t)
			ids = ids && t.id != protocol.UUID{}
		}
		d.seal()
		first := len(r.chunks)
		r.chunks = d.Bytes(r.chunks)
		to := &r.message.Topics[t.place]
		to.Partitions = append(to.Partitions, protocol.ProducePartition{
			Index: d.part.index, Records: r.chunks[first:len(r.chunks):len(r.chunks)],
		})
	}
	if c.cfg.Acks != 0 {
		r.call.Response = &r.response
	}
	if !ids {
		r.call.MaxVersion = lastVersionByName
	}
	r.call.SizeHint = r.directSize()
	c.txn.stamp(r)
}

// alwaysDirect is the size in bytes up to which a request is best written by the loop itself. So is a larger one if its
// connection is idle: its write holds up nothing then, and waking another goroutine for it would take longer.
const alwaysDirect = 4 << 10

// directSize is the call's SizeHint.
func (r *request) directSize() int {
	size := 0
	for _, d := range r.deliveries {
		size += d.Size() + partitionOverhead
	}
	if size > alwaysDirect && r.node.links[data].busy > 1 {
		return 0
	}
	return size
}

// addTopic adds a topic to the message, with the slice of partitions that an earlier one may have left in its place.
func (r *request) addTopic(t *topic) {
	topics := r.message.Topics
	n := len(topics)
	var parts []protocol.ProducePartition
	if n < cap(topics) {
		parts = topics[:n+1][n].Partitions[:0]
	}
	r.message.Topics = append(topics, protocol.ProduceTopic{Name: t.name, TopicID: t.id, Partitions: parts})
}

// sum computes checksums where the request is written. That is the write loop, so they cost this loop nothing, unless the
// request is small.
func (r *request) sum(int16) {
	for _, d := range r.deliveries {
		d.PutCRC()
	}
}

// done tells the loop that the request has ended.
func (r *request) done(*wire.Call) { r.out.post(answered{r}) }
