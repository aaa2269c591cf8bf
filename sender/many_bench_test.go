package sender

import (
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// crowd is a bench with many partitions on several nodes, whose brokers answer when they are asked to.
type crowd struct {
	*bench
	calls []*wire.Call // in flight, oldest first
	spare []event
}

// crowdConn is a connection to one of the crowd's nodes.
type crowdConn struct{ q *crowd }

func (q *crowd) dial(n *node, which lane, at *dial) {
	q.post(dialed{node: n, which: which, dial: at, conn: &crowdConn{q}})
}

func (q *crowd) end(o *accumulator.Outcome) { o.Complete(func(*accumulator.Outcome) {}) }

func (c *crowdConn) Send(call *wire.Call) bool {
	call.Version = lastVersionByName
	c.q.calls = append(c.q.calls, call)
	return true
}

func (c *crowdConn) Close(error)                         {}
func (c *crowdConn) ThrottledUntil() time.Time           { return time.Time{} }
func (c *crowdConn) Version(int16) (int16, bool)         { return lastVersionByName, true }
func (c *crowdConn) Features() (int64, map[string]int16) { return 0, nil }

// step lets the core run until nothing more happens.
func (q *crowd) step() {
	for {
		events := q.events
		q.events = q.spare[:0]
		for i, e := range events {
			q.c.handle(q.now, e)
			events[i] = nil
		}
		q.spare = events
		q.c.step(q.now)
		if len(q.events) == 0 {
			return
		}
	}
}

// append puts a record of 100 bytes into the open batch of p, or opens one with it.
func (q *crowd) append(b *testing.B, p *partition, e *accumulator.Entry) {
	if !p.queue.TryAppend(e, q.now.UnixMilli()) {
		if err := p.queue.Append(e, q.now, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// work has the brokers make their answers, and returns the calls and how many batches they had.
func (q *crowd) work() (calls []*wire.Call, batches int) {
	calls = q.calls
	q.calls = nil
	for _, call := range calls {
		resp := call.Response.(*protocol.ProduceResponse)
		for _, t := range call.Request.(*protocol.ProduceRequest).Topics {
			answer := protocol.ProduceTopicResponse{Name: t.Name}
			for _, p := range t.Partitions {
				answer.Partitions = append(answer.Partitions, protocol.ProducePartitionResponse{Index: p.Index, LogAppendTime: -1})
			}
			resp.Topics = append(resp.Topics, answer)
			batches += len(t.Partitions)
		}
	}
	q.calls = make([]*wire.Call, 0, len(calls))
	return calls, batches
}

// BenchmarkManyPartitions is what the loop does for a batch where there are 1,000 partitions on 3 brokers, and each batch
// is sent because its linger is over: records make it known, its alarm rings, it goes out, and it is answered. Records are
// appended, and answers made, with the clock stopped.
func BenchmarkManyPartitions(b *testing.B) {
	const partitions, records = 1000, 30
	bench := newBench([]string{"linger=5ms", "memory=33554432"})
	bench.run(strings.Fields("topic t a" + strings.Repeat(" 1/0 2/0 3/0", partitions/3+1))).run([]string{"want", "t"})
	q := &crowd{bench: bench}
	bench.c.out = q
	parts := bench.c.topics.named("t").parts[:partitions]
	e := accumulator.Entry{Record: protocol.Record{Value: make([]byte, 100)}}
	round := func() (batches int) {
		e.Timestamp = q.now.UnixMilli()
		for range records {
			for _, p := range parts {
				q.append(b, p, &e)
			}
		}
		b.StartTimer()
		q.step() // they are known, and linger
		q.now = q.now.Add(5 * time.Millisecond)
		q.step()
		b.StopTimer()
		for len(q.calls) > 0 {
			calls, n := q.work()
			batches += n
			b.StartTimer()
			for _, call := range calls {
				call.Done(call)
			}
			q.step()
			b.StopTimer()
		}
		return batches
	}
	round() // connects, and asks for a producer id
	b.ReportAllocs()
	batches := 0
	b.ResetTimer()
	b.StopTimer()
	for range b.N {
		batches += round()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(batches), "ns/batch")
	if want := partitions * b.N; batches != want {
		b.Errorf("%d batches, want %d", batches, want)
	}
	if used := bench.c.acc.Memory.Used(); used != 0 {
		b.Errorf("%d bytes are still reserved, want 0: not everything was answered", used)
	}
}
