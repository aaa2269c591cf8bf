package brokertest

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// A broker that dies takes its connections with it and refuses others; another leads, under a new epoch, and the old one, once
// back, sends clients there.
func TestLeadersMoveWhenABrokerStops(t *testing.T) {
	networks(t, func(t *testing.T, opts ...Option) {
		c := New(t, append(opts, Brokers(3), Topic("t", 1))...)
		k := dial(t, c, 1)
		wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)
		c.StopBroker(1)
		k.isCut()
		_, err := c.DialContext(t.Context(), "tcp", c.Bootstrap()[0])
		wantErr(t, "a dial to a stopped broker", err, syscall.ECONNREFUSED)
		if id, epoch := c.Leader("t", 0); id != 2 || epoch != 1 {
			t.Fatalf("broker %d leads under epoch %d, want 2 under 1", id, epoch)
		}
		wantOffset(t, dial(t, c, 2).produce(c, "t", plainBatch("b")), 1)

		if err := c.StartBroker(1); err != nil {
			t.Fatal(err)
		}
		k = dial(t, c, 1)
		resp := ask(k, newestProduce, produceRequest(c, "t", 0, -1, plainBatch("c").bytes(t)), &protocol.ProduceResponse{})
		got := resp.Topics[0].Partitions[0]
		wantCode(t, got, protocol.NotLeaderOrFollower)
		if got.CurrentLeader != (protocol.LeaderIDAndEpoch{LeaderID: 2, LeaderEpoch: 1}) || len(resp.NodeEndpoints) != 1 || resp.NodeEndpoints[0].NodeID != 2 {
			t.Errorf("the hint is %+v at %+v, want broker 2 under epoch 1", got.CurrentLeader, resp.NodeEndpoints)
		}
		if err := c.MoveLeader("t", 0, 1); err != nil {
			t.Fatal(err)
		}
		wantOffset(t, k.produce(c, "t", plainBatch("d")), 2)
	})
}

// Nobody can lead while the only broker is down; it leads again when it is back, and still has its log.
func TestOneBrokerStopsAndStarts(t *testing.T) {
	c := New(t, Topic("t", 1))
	wantOffset(t, dial(t, c, 1).produce(c, "t", plainBatch("a")), 0)
	c.StopBroker(1)
	if id, _ := c.Leader("t", 0); id != -1 {
		t.Errorf("broker %d leads, want none", id)
	}
	if err := c.StartBroker(1); err != nil {
		t.Fatal(err)
	}
	wantOffset(t, dial(t, c, 1).produce(c, "t", plainBatch("b")), 1)
}

// Too few brokers in sync: acks=all is refused, acks=1 is not.
func TestMinISR(t *testing.T) {
	c := New(t, InMemory(), Brokers(3), Topic("t", 1))
	if err := c.SetMinISR("t", 3); err != nil {
		t.Fatal(err)
	}
	k := dial(t, c, 1)
	wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)
	c.StopBroker(3)
	wantCode(t, k.produce(c, "t", plainBatch("b")), protocol.NotEnoughReplicas)
	wantOffset(t, k.produceBytes(c, "t", newestProduce, 1, plainBatch("c").bytes(t)), 1)
	c.StartBroker(3)
	wantOffset(t, k.produce(c, "t", plainBatch("d")), 2)
}

// A frozen broker takes bytes and does nothing with them until it is thawed.
func TestPauseAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1))
		k := dial(t, c, 1)
		c.Pause(1)
		k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch("a").bytes(t)))
		late := dial(t, c, 1)
		late.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch("b").bytes(t)))
		time.Sleep(time.Hour)
		if end := c.EndOffset("t", 0); end != 0 {
			t.Fatalf("a paused broker appended %d records", end)
		}
		c.Resume(1)
		k.receive(newestProduce, &protocol.ProduceResponse{})
		late.receive(newestProduce, &protocol.ProduceResponse{})
		if end := c.EndOffset("t", 0); end != 2 {
			t.Errorf("%d records after the pause, want 2", end)
		}
	})
}

// What a broker had read and not handled when it was frozen waits too, and so does an answer that was not yet sent.
func TestPauseMeetsRequestsOnTheirWay(t *testing.T) {
	for answered, first := range []*Action{Pass().Delayed(time.Minute), Throttled(time.Minute)} {
		synctest.Test(t, func(t *testing.T) {
			c := New(t, InMemory(), Topic("t", 1))
			k := dial(t, c, 1)
			c.On(Produce).Do(first)
			for range 2 {
				k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch("a").bytes(t)))
			}
			synctest.Wait()
			c.Pause(1)
			for range answered {
				k.receive(newestProduce, &protocol.ProduceResponse{})
			}
			k.conn.SetReadDeadline(time.Now().Add(time.Hour))
			if n, err := k.conn.Read(make([]byte, 1)); n > 0 || err == nil {
				t.Error("a paused broker answers")
			}
			if end := c.EndOffset("t", 0); end != 1 {
				t.Errorf("%d records in the log, want 1: the second request was not handled before the pause", end)
			}
			k.conn.SetReadDeadline(time.Time{})
			c.Resume(1)
			for range 2 - answered {
				k.receive(newestProduce, &protocol.ProduceResponse{})
			}
		})
	}
}

// A topic made again is another topic: the old ID is not known any more, and the log is empty.
func TestRecreatedTopic(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	k := dial(t, c, 1)
	old := produceRequest(c, "t", 0, -1, plainBatch("a").bytes(t))
	wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)
	if err := c.RecreateTopic("t"); err != nil {
		t.Fatal(err)
	}
	resp := ask(k, newestProduce, old, &protocol.ProduceResponse{})
	wantCode(t, resp.Topics[0].Partitions[0], protocol.UnknownTopicID)
	wantOffset(t, k.produce(c, "t", plainBatch("b")), 0)
	if err := c.DeleteTopic("t"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, k.produceBytes(c, "t", 12, -1, plainBatch("c").bytes(t)), protocol.UnknownTopicOrPartition)
	if err := c.AddPartitions("t", 2); err == nil {
		t.Error("a topic that was deleted got partitions")
	}
}

// A topic can be denied altogether or for writing alone.
func TestDeniedTopics(t *testing.T) {
	c := New(t, InMemory(), Topic("secret", 1), Topic("readonly", 1))
	c.DenyTopic("secret")
	c.DenyWrite("readonly")
	k := dial(t, c, 1)
	for _, name := range []string{"secret", "readonly"} {
		wantCode(t, k.produce(c, name, plainBatch("a")), protocol.TopicAuthorizationFailed)
		got := ask(k, 13, &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{{Name: &name}}}, &protocol.MetadataResponse{}).Topics[0]
		want := protocol.NoError
		if name == "secret" {
			want = protocol.TopicAuthorizationFailed
		}
		if got.ErrorCode != want {
			t.Errorf("Metadata of %s: %v, want %v", name, got.ErrorCode, want)
		}
	}
	c.AllowTopic("secret")
	wantOffset(t, k.produce(c, "secret", plainBatch("a")), 0)
}

// Without its memory of a producer, a partition takes any sequence first: that is how a batch gets lost unseen, and Verify sees
// it.
func TestLostProducerState(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	k := dial(t, c, 1)
	wantOffset(t, k.produce(c, "t", batch{pid: 1, values: []string{"a"}}), 0)
	wantCode(t, k.produce(c, "t", batch{pid: 1, sequence: 2, values: []string{"c"}}), protocol.OutOfOrderSequenceNumber)
	if err := c.Verify(nil); err != nil {
		t.Errorf("Verify: %v, want nothing wrong", err)
	}
	if err := c.DropProducerState("t", 0); err != nil {
		t.Fatal(err)
	}
	wantOffset(t, k.produce(c, "t", batch{pid: 1, sequence: 2, values: []string{"c"}}), 1)
	if err := c.Verify(nil); err == nil || !strings.Contains(err.Error(), "t-0 at offset 1") {
		t.Errorf("Verify: %v, want the gap at offset 1", err)
	}
}

// A producer that was silent for long is forgotten, not a moment earlier.
func TestProducerIDExpiration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1), ProducerIDExpiration(time.Hour))
		k := dial(t, c, 1)
		first := batch{pid: 1, values: []string{"a"}}.bytes(t)
		wantOffset(t, k.produceBytes(c, "t", newestProduce, -1, first), 0)
		time.Sleep(time.Hour - time.Millisecond)
		wantOffset(t, k.produceBytes(c, "t", newestProduce, -1, first), 0)
		time.Sleep(time.Millisecond)
		wantOffset(t, k.produceBytes(c, "t", newestProduce, -1, first), 1)
	})
}

// A failover that loses the end of the log loses what was known of it too.
func TestLoseTail(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	k := dial(t, c, 1)
	for i, v := range []string{"a", "b", "c"} {
		wantOffset(t, k.produce(c, "t", batch{pid: 1, sequence: int32(i), values: []string{v}}), int64(i))
	}
	if err := c.LoseTail("t", 0, 1); err != nil {
		t.Fatal(err)
	}
	wantCode(t, k.produce(c, "t", batch{pid: 1, sequence: 2, values: []string{"c"}}), protocol.OutOfOrderSequenceNumber)
	wantOffset(t, k.produce(c, "t", batch{pid: 1, sequence: 1, values: []string{"b"}}), 1)
}

// Verify finds a record that was written twice, in whatever partition.
func TestVerifyFindsDuplicates(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	k := dial(t, c, 1)
	k.produce(c, "t", plainBatch("a", "b"))
	k.produce(c, "t", plainBatch("c", "a"))
	err := c.Verify(func(r Record) string { return string(r.Value) })
	if err == nil || strings.Count(err.Error(), "\n") != 0 || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("Verify: %v, want one finding, about a", err)
	}
}

// The world may change while clients talk: this is for the race detector.
func TestChangesWhileClientsTalk(t *testing.T) {
	c := New(t, InMemory(), Brokers(3), Topic("t", 3))
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for i := range 50 {
				conn, err := c.DialContext(context.Background(), "tcp", c.Bootstrap()[i%3])
				if err != nil {
					continue
				}
				k := &client{t: t, conn: conn}
				frame := protocol.AppendRequest(nil, protocol.RequestHeader{Version: 13}, produceRequest(c, "t", int32(i%3), -1, plainBatch("a").bytes(t)))
				if _, err := conn.Write(frame); err == nil {
					k.frame()
				}
				conn.Close()
			}
		})
	}
	for i := range 30 {
		c.MoveLeader("t", int32(i%3), int32(i%3)+1)
		c.StopBroker(int32(i%3) + 1)
		c.On(Produce).Do(HandleThenDrop())
		c.Pause(int32((i+1)%3) + 1)
		c.Records("t", 0)
		c.Requests()
		c.Resume(int32((i+1)%3) + 1)
		if err := c.StartBroker(int32(i%3) + 1); err != nil {
			t.Fatal(err)
		}
		if i%10 == 9 {
			c.RecreateTopic("t")
		}
	}
	clients.Wait()
	if err := c.Verify(nil); err != nil {
		t.Error(err)
	}
}
