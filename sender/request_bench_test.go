package sender

import (
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// quiet is a bench whose effects cost next to nothing: no text is made of what is sent, and no batch is decoded.
type quiet struct {
	*bench
	call *wire.Call // in flight
}

func (q *quiet) dial(n *node, which lane, at *dial) {
	q.post(dialed{node: n, which: which, dial: at, conn: q})
}

func (q *quiet) end(o *accumulator.Outcome) {
	o.Complete(func(o *accumulator.Outcome) { o.EachCallback(func(*accumulator.Callback) {}) })
}

func (q *quiet) Send(call *wire.Call) bool {
	call.Version = lastVersionByName
	q.call = call
	return true
}

func (q *quiet) Close(error)                         {}
func (q *quiet) ThrottledUntil() time.Time           { return time.Time{} }
func (q *quiet) Version(int16) (int16, bool)         { return lastVersionByName, true }
func (q *quiet) Features() (int64, map[string]int16) { return 0, nil }

// step lets the core run until nothing more happens.
func (q *quiet) step() {
	for {
		events := q.events
		q.events = nil
		for _, e := range events {
			q.c.handle(q.now, e)
		}
		q.c.step(q.now)
		if len(q.events) == 0 {
			return
		}
	}
}

// BenchmarkRequest is what the loop does for a request of one record to each of 12 partitions: it looks, drains, numbers,
// makes the request, and, when it is answered, resolves. Checksums, encoding and writing are not its business.
func BenchmarkRequest(b *testing.B) {
	const partitions = 12
	bench := newBench([]string{"linger=0s", "memory=33554432"})
	bench.run(strings.Fields("topic t a" + strings.Repeat(" 1/0", partitions))).run([]string{"want", "t"})
	q := &quiet{bench: bench}
	bench.c.out = q
	parts := bench.c.topics.named("t").parts
	e := accumulator.Entry{Record: protocol.Record{Value: make([]byte, 100)}, Timestamp: bench.now.UnixMilli()}
	answer := protocol.ProduceTopicResponse{Name: "t"}
	for i := range int32(partitions) {
		answer.Partitions = append(answer.Partitions, protocol.ProducePartitionResponse{Index: i, LogAppendTime: -1})
	}
	request := func() {
		for _, p := range parts {
			if err := p.queue.Append(&e, bench.now, nil); err != nil {
				b.Fatal(err)
			}
		}
		q.step()
		call := q.call
		if n := len(call.Request.(*protocol.ProduceRequest).Topics[0].Partitions); n != partitions {
			b.Fatalf("a request of %d batches, want %d", n, partitions)
		}
		call.Response.(*protocol.ProduceResponse).Topics = []protocol.ProduceTopicResponse{answer}
		call.Done(call)
		q.step()
	}
	request() // connects, and asks for a producer id
	b.ReportAllocs()
	for b.Loop() {
		request()
	}
	if used := bench.c.acc.Memory.Used(); used != 0 {
		b.Errorf("%d bytes are still reserved, want 0: not everything was answered", used)
	}
}
