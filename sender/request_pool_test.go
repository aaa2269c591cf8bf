package sender

import (
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// pooled is a bench with a topic of two partitions whose broker has taken a request of both.
func pooled(t *testing.T) *bench {
	t.Helper()
	b := newBench([]string{"linger=0s"})
	for _, cmd := range []string{"topic t a 1/0 1/0", "want t", "append t-0 a", "append t-1 b"} {
		b.run(strings.Fields(cmd))
	}
	return b
}

// What has ended is used again: a request and its delivery, once for each.
func TestEndedRequestsAreUsedAgain(t *testing.T) {
	b := pooled(t)
	if got := len(b.c.requests.pool.requests) + len(b.c.requests.pool.deliveries); got != 0 {
		t.Fatalf("%d in the pool, with everything in flight", got)
	}
	b.run([]string{"ok", "1.1"}).run([]string{"ok", "1.2"})
	pool := &b.c.requests.pool
	if len(pool.requests) != 2 || len(pool.deliveries) != 2 {
		t.Fatalf("%d requests and %d deliveries in the pool, want 2 and 2", len(pool.requests), len(pool.deliveries))
	}
	newest, last := pool.requests[1], pool.deliveries[1]
	b.run([]string{"append", "t-0", "c"})
	if r := b.requests["1.3"]; r.call != &newest.call || b.part("t-0").inFlight[0] != last {
		t.Error("the third request is not made of what the second has left")
	}
	b.run([]string{"ok", "1.3"})
	if len(pool.requests) != 2 || len(pool.deliveries) != 2 {
		t.Errorf("%d requests and %d deliveries in the pool, want 2 and 2 again", len(pool.requests), len(pool.deliveries))
	}
}

// What is in the pool refers to nothing: not to batches, whose bytes others get, and not to what was answered.
func TestThePoolRefersToNothing(t *testing.T) {
	b := pooled(t)
	b.run(strings.Fields("answer 1.1 t-0 NOT_LEADER_OR_FOLLOWER leader=1/1 at=1")).run([]string{"+100ms"})
	b.run([]string{"ok", "1.2"}).run([]string{"ok", "1.3"})
	if len(b.c.requests.pool.requests) == 0 {
		t.Fatal("the pool is empty")
	}
	for _, r := range b.c.requests.pool.requests {
		if r.node != nil || r.conn != nil || r.packing || r.unpacked.Load() != 0 || len(r.deliveries)+len(r.chunks)+len(r.message.Topics) > 0 ||
			len(r.response.Topics)+len(r.response.NodeEndpoints) > 0 || r.call.Err != nil || r.call.Response != nil {
			t.Errorf("%+v in the pool", r)
		}
		for _, d := range r.deliveries[:cap(r.deliveries)] {
			if d != nil {
				t.Error("a request in the pool has a delivery")
			}
		}
		for _, c := range r.chunks[:cap(r.chunks)] {
			if c != nil {
				t.Error("a request in the pool has bytes of a batch")
			}
		}
		for _, topic := range r.message.Topics[:cap(r.message.Topics)] {
			for _, p := range topic.Partitions[:cap(topic.Partitions)] {
				if p.Records != nil {
					t.Error("a request in the pool has bytes of a batch in its message")
				}
			}
		}
	}
	for _, d := range b.c.requests.pool.deliveries {
		if *d != (delivery{}) {
			t.Errorf("%+v in the pool", d)
		}
	}
}

// A connection that answers less than before: what it says of one partition is not taken for news of the other.
func TestAnEarlierAnswerIsNoAnswer(t *testing.T) {
	b := newBench([]string{"linger=5ms"})
	for _, cmd := range []string{"topic t a 1/0 1/0", "want t", "append t-0 a", "append t-1 b", "+5ms", "ok 1.1"} {
		b.run(strings.Fields(cmd))
	}
	b.run([]string{"append", "t-0", "c"}).run([]string{"append", "t-1", "d"}).run([]string{"+5ms"})
	b.request("1.2", func(r *benchRequest) {
		resp := r.call.Response.(*protocol.ProduceResponse)
		if len(resp.Topics) > 0 {
			t.Error("an answer that has not come mentions topics")
		}
		id := r.call.Request.(*protocol.ProduceRequest).Topics[0].TopicID
		resp.Topics = append(resp.Topics, protocol.ProduceTopicResponse{
			Name: "t", TopicID: id, Partitions: []protocol.ProducePartitionResponse{{Index: 1, BaseOffset: 1}},
		})
	})
	if first, second := b.part("t-0"), b.part("t-1"); len(first.retry) != 1 || len(second.retry) != 0 {
		t.Errorf("%d and %d batches wait to be sent again, want the one that was not mentioned", len(first.retry), len(second.retry))
	}
}
