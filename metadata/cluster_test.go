package metadata

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// exchange sends what is due to node and answers it with topics, written as in scripts.
func exchange(t *testing.T, c *Cluster, now time.Time, node int32, topics ...string) Changes {
	t.Helper()
	req, at := c.Next(now)
	if req == nil {
		t.Fatalf("nothing to send at %v, next at %v", now, at)
	}
	c.Sent()
	return c.Answer(now, node, req, response(nil, topics))
}

// Whoever holds a snapshot may rely on it while hints and answers go into the next one.
func TestSnapshotsDoNotChange(t *testing.T) {
	c := New(testConfig())
	c.Want(epoch, "t")
	exchange(t, c, epoch, 1, "t id=a 1/0 2/0")

	old := whole(c)
	if c.Snapshot() != old.Snapshot || c.Topic("t") != old.Topics["t"] {
		t.Errorf("nothing changed, and there is another snapshot, or another topic")
	}
	topic := old.Topics["t"]
	if !c.Hint(epoch, "t", 0, protocol.LeaderIDAndEpoch{LeaderID: 9, LeaderEpoch: 1}, []protocol.NodeEndpoint{{NodeID: 9, Host: "b9", Port: 9092}}) {
		t.Fatal("the hint was ignored")
	}
	c.Hint(epoch, "t", 1, protocol.LeaderIDAndEpoch{LeaderID: 9, LeaderEpoch: 1}, nil)
	if got, want := topic.Partitions[0], (Partition{Leader: 1, LeaderEpoch: 0}); got != want {
		t.Errorf("partition 0 in the old snapshot is %v, want %v", got, want)
	}
	if _, ok := old.Brokers[9]; ok {
		t.Errorf("broker 9 came into the old snapshot: %v", old.Brokers)
	}
	now := whole(c).Topics["t"]
	for p := range now.Partitions {
		if got, want := now.Partitions[p], (Partition{Leader: 9, LeaderEpoch: 1}); got != want {
			t.Errorf("partition %d in the new snapshot is %v, want %v", p, got, want)
		}
	}
}

// A thousand hints come with one failed broker. Copying the topic for each would be a million partitions.
func TestHintsCopyATopicOnce(t *testing.T) {
	c := New(testConfig())
	c.Want(epoch, "t")
	fields := []string{"t", "id=a"}
	for range 1000 {
		fields = append(fields, "1/0")
	}
	req, _ := c.Next(epoch)
	c.Sent()
	resp := response(nil, nil)
	resp.Topics = append(resp.Topics, topicAnswer(fields))
	c.Answer(epoch, 1, req, resp)
	whole(c)
	hint := func(p int32) {
		if !c.Hint(epoch, "t", p, protocol.LeaderIDAndEpoch{LeaderID: 2, LeaderEpoch: 1}, nil) {
			t.Fatalf("hint for partition %d ignored", p)
		}
	}
	hint(0)
	p := int32(0)
	if got := testing.AllocsPerRun(900, func() { p++; hint(p) }); got != 0 {
		t.Errorf("%v allocations for a further hint, want 0", got)
	}
}

func TestErrorsLeadToTheCode(t *testing.T) {
	c := New(testConfig())
	c.Want(epoch, "denied")
	ch := exchange(t, c, epoch, 2, "denied error=TOPIC_AUTHORIZATION_FAILED")
	if len(ch.Failed) != 1 || ch.Failed[0].Topic != "denied" {
		t.Fatalf("Failed = %v, want the topic denied", ch.Failed)
	}
	var code protocol.ErrorCode
	if err := ch.Failed[0].Err; !errors.As(err, &code) || code != protocol.TopicAuthorizationFailed {
		t.Errorf("%v: code %v, want TOPIC_AUTHORIZATION_FAILED", err, code)
	}
	var unknown *UnknownTopicError
	var err error = &UnknownTopicError{Topic: "t"}
	if !errors.Is(err, protocol.UnknownTopicOrPartition) || !errors.As(err, &unknown) {
		t.Errorf("%v is not UNKNOWN_TOPIC_OR_PARTITION", err)
	}
}

// Clients that lost the same broker must not come back together.
func TestBackoffIsJittered(t *testing.T) {
	for _, test := range []struct {
		r    float64
		want time.Duration
	}{{0, 80 * time.Millisecond}, {0.5, 100 * time.Millisecond}, {0.999, 119960 * time.Microsecond}} {
		cfg := testConfig()
		cfg.Jitter = func() float64 { return test.r }

		c := New(cfg)
		c.Want(epoch, "t")
		req, _ := c.Next(epoch)
		c.Sent()
		c.Failed(epoch, 1, req)
		if _, at := c.Next(epoch); at.Sub(epoch).Round(time.Microsecond) != test.want {
			t.Errorf("after a failure, r=%v: again after %v, want %v", test.r, at.Sub(epoch), test.want)
		}

		c = New(cfg)
		c.Want(epoch, "t")
		exchange(t, c, epoch, 1, "t error=LEADER_NOT_AVAILABLE")
		if _, at := c.Next(epoch); at.Sub(epoch).Round(time.Microsecond) != test.want {
			t.Errorf("after an answer in vain, r=%v: again after %v, want %v", test.r, at.Sub(epoch), test.want)
		}
	}
}

// Next may be called as often as the loop likes: it makes a request once.
func TestNextReturnsTheSameRequestUntilSent(t *testing.T) {
	c := New(testConfig())
	c.Want(epoch, "a")
	first, _ := c.Next(epoch)
	if again, _ := c.Next(epoch.Add(time.Second)); again != first {
		t.Errorf("another request while nothing changed")
	}
	c.Want(epoch, "b")
	if more, _ := c.Next(epoch); more == first || len(more.Topics) != 2 {
		t.Errorf("topic b was wanted, and the request is %v", requestText(more))
	}
	c.Unwant("a")
	if less, _ := c.Next(epoch); requestText(less) != "topics b (create)" {
		t.Errorf("nobody wants topic a any more, and the request is %v", requestText(less))
	}
}

// Brokers alone are asked for with a list that is empty, not null: null is every topic of the cluster.
func TestNoTopicsIsNotAllTopics(t *testing.T) {
	c := New(testConfig())
	c.RequestUpdate()
	req, _ := c.Next(epoch)
	if req == nil || req.Topics == nil || len(req.Topics) != 0 {
		t.Errorf("request %+v, want one with an empty list of topics", req)
	}
}

func TestBrokenCallersPanic(t *testing.T) {
	mustPanic := func(what string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s did not panic", what)
			}
		}()
		f()
	}
	mustPanic("Sent without Next", func() { New(testConfig()).Sent() })
	mustPanic("Answer without Sent", func() {
		New(testConfig()).Answer(epoch, 1, &protocol.MetadataRequest{}, response(nil, nil))
	})
}

func TestBrokerAddrOfIPv6(t *testing.T) {
	if got, want := (Broker{Host: "::1", Port: 9092}).Addr(), "[::1]:9092"; got != want {
		t.Errorf("Addr() = %s, want %s", got, want)
	}
}

// An answer costs what it brings, not what is known already: the ten-thousandth topic is as cheap as the first.
func TestAnAnswerCostsWhatItBrings(t *testing.T) {
	c := New(testConfig())
	cost := func(from, n int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range n {
			name := fmt.Sprint("t", from+i)
			c.Want(epoch, name)
			exchange(t, c, epoch, 1, name+" id=a 1/0")
			c.Snapshot()
			if c.Topic(name) == nil {
				t.Fatalf("topic %s is not there", name)
			}
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / uint64(n)
	}
	first := cost(0, 1000)
	cost(1000, 8000)
	if last := cost(9000, 1000); last > 2*first {
		t.Errorf("an answer costs %d bytes among the first thousand topics and %d after nine thousand, want about the same", first, last)
	}
}

// A broker that cannot be connected to holds up no request to another.
func TestUnreachableIsNoBackoff(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	c := New(Config{
		MaxAge: time.Hour, MaxIdle: time.Hour, RetryBackoff: time.Second, RetryBackoffMax: time.Second,
		Jitter: func() float64 { return 0.5 },
	})
	c.Want(now, "t")
	for range 3 {
		c.Unreachable(now, 1)
	}
	if req, at := c.Next(now); req == nil {
		t.Errorf("nothing to send before %v, want the request at once", at.Sub(now))
	}
	if got := c.Prefer([]int32{1, 2}); got != 2 {
		t.Errorf("Prefer: %d, want the other", got)
	}
}

// sent returns the request that is due, sent to a node.
func sent(t *testing.T, c *Cluster, now time.Time, node int32) *protocol.MetadataRequest {
	t.Helper()
	req, at := c.Next(now)
	if req == nil {
		t.Fatalf("no request is due before %v", at)
	}
	c.Sent()
	return req
}

// Two requests are in flight, and the later one is answered first. What the other brings of its topics counts, but not what it
// says of brokers that have moved since, nor of a cluster that was there before.
func TestLateAnswers(t *testing.T) {
	c := New(testConfig())
	c.Want(epoch, "a")
	first := sent(t, c, epoch, 1)
	c.Want(epoch, "b")
	now := epoch.Add(time.Millisecond)
	second := sent(t, c, now, 2)
	if len(second.Topics) != 1 || *second.Topics[0].Name != "b" {
		t.Errorf("%s is asked for beside, want b alone", requestText(second))
	}
	moved := response([]string{"cluster=C1"}, []string{"b 1/0"})
	moved.Brokers[0].Host = "elsewhere"
	c.Answer(now, 2, second, moved)
	c.Answer(now, 1, first, response([]string{"cluster=C1", "brokers=1,2,4"}, []string{"a 4/0"}))
	if got := c.Snapshot().Brokers[1].Host; got != "elsewhere" {
		t.Errorf("broker 1 is at %q, want what the later request has found", got)
	}
	if a := c.Topic("a"); a == nil || a.Partitions[0].Leader != 4 {
		t.Errorf("topic a is %+v, want it led by broker 4, whom its answer names", a)
	}

	c.RequestUpdate()
	old := sent(t, c, now, 1)
	c.Want(now, "new")
	now = now.Add(time.Millisecond)
	newer := sent(t, c, now, 2)
	if ch := c.Answer(now, 2, newer, response([]string{"cluster=C2"}, []string{"new 1/0"})); !ch.OtherCluster {
		t.Error("the other cluster is not noticed")
	}
	if ch := c.Answer(now, 1, old, response([]string{"cluster=C1"}, []string{"a 4/0", "b 1/0"})); ch.OtherCluster || len(ch.Changed) > 0 {
		t.Errorf("an answer of the cluster before has changed %+v", ch)
	}
}

// Nothing that was known of a cluster's topics is kept in another: they have no leaders until it names them.
func TestAnotherCluster(t *testing.T) {
	c := New(testConfig())
	c.Want(epoch, "a")
	c.Answer(epoch, 1, sent(t, c, epoch, 1), response([]string{"cluster=C1"}, []string{"a id=a 1/5 2/5"}))
	c.Want(epoch, "b")
	ch := c.Answer(epoch, 1, sent(t, c, epoch, 1), response([]string{"cluster=C2"}, []string{"b id=b 1/0"}))
	if !ch.OtherCluster {
		t.Error("the other cluster is not noticed")
	}
	for i, p := range c.Topic("a").Partitions {
		if p != (Partition{Leader: -1, LeaderEpoch: -1}) {
			t.Errorf("partition %d of the old topic is %+v, want no leader", i, p)
		}
	}
	if c.Topic("a").ID != (protocol.UUID{}) {
		t.Error("the old topic's id is kept")
	}
}
