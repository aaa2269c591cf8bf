package brokertest

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Each fault of one partition says what happened to the batch, and is gone after its number of times.
func TestErrorsAreAnsweredBeforeOrAfterTheAppend(t *testing.T) {
	networks(t, func(t *testing.T, opts ...Option) {
		c := New(t, append(opts, Topic("t", 1), Topic("other", 1))...)
		k := dial(t, c, 1)
		c.On(Produce).Topic("t").Times(2).Do(Error(protocol.NotLeaderOrFollower))
		c.On(Produce).Topic("t").Do(AppendThenError(protocol.RequestTimedOut))

		wantOffset(t, k.produce(c, "other", plainBatch("x")), 0)
		for range 2 {
			got := k.produce(c, "t", plainBatch("a"))
			wantCode(t, got, protocol.NotLeaderOrFollower)
			if got.CurrentLeader != (protocol.LeaderIDAndEpoch{LeaderID: 1}) {
				t.Errorf("the hint is %+v, want the leader as it is", got.CurrentLeader)
			}
		}
		wantCode(t, k.produce(c, "t", plainBatch("b")), protocol.RequestTimedOut)
		if n := c.PendingFaults(); n != 0 {
			t.Errorf("%d faults left, want none", n)
		}
		wantOffset(t, k.produce(c, "t", plainBatch("c")), 1)
		if got, want := values(c, "t", 0), "[b c]"; got != want {
			t.Errorf("the log has %s, want %s: Error appends nothing, AppendThenError does", got, want)
		}
	})
}

// An error for one partition leaves the others of the same request alone.
func TestErrorForOnePartition(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 2))
	k := dial(t, c, 1)
	c.On(Produce).Topic("t").Partition(1).Do(Error(protocol.UnknownServerError))
	m := produceRequest(c, "t", 0, -1, plainBatch("a").bytes(t))
	m.Topics[0].Partitions = append(m.Topics[0].Partitions, protocol.ProducePartition{Index: 1, Records: [][]byte{plainBatch("b").bytes(t)}})
	resp := ask(k, newestProduce, m, &protocol.ProduceResponse{})
	wantOffset(t, resp.Topics[0].Partitions[0], 0)
	wantCode(t, resp.Topics[0].Partitions[1], protocol.UnknownServerError)
}

// A connection can end before the request took effect or after it, and the client cannot tell.
func TestConnectionsEndBeforeOrAfterTheAppend(t *testing.T) {
	networks(t, func(t *testing.T, opts ...Option) {
		c := New(t, append(opts, Topic("t", 1))...)
		for _, a := range []*Action{Drop(), Reset(), HandleThenDrop()} {
			c.On(Produce).Do(a)
			k := dial(t, c, 1)
			k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch("a").bytes(t)))
			k.isCut()
		}
		if end := c.EndOffset("t", 0); end != 1 {
			t.Errorf("%d records in the log, want 1: that of HandleThenDrop", end)
		}
	})
}

// What is no answer at all reaches the client as it was scripted.
func TestBrokenAnswers(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	read := func(a *Action, n int) []byte {
		t.Helper()
		c.On(Produce).Do(a)
		k := dial(t, c, 1)
		k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch("a").bytes(t)))
		k.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		b := make([]byte, n)
		got, err := k.conn.Read(b)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		return b[:got]
	}
	if got := read(Garbage([]byte("HTTP/1.1 400")), 100); string(got) != "HTTP/1.1 400" {
		t.Errorf("garbage arrived as %q", got)
	}
	whole := read(Pass(), 1000)
	if got := read(HalfFrame(), 1000); len(got) != len(whole)/2 {
		t.Errorf("half a frame has %d bytes of %d", len(got), len(whole))
	}
	if got := read(FrameLength(1<<30), 1000); binary.BigEndian.Uint32(got) != 1<<30 {
		t.Errorf("the length is %d, want 1<<30", binary.BigEndian.Uint32(got))
	}
	if got := read(WrongCorrelationID(), 1000); binary.BigEndian.Uint32(got[4:]) == 1 {
		t.Error("the correlation ID is right")
	}
	if got := read(Truncated(3), 1000); len(got) != len(whole)-3 || int(binary.BigEndian.Uint32(got)) != len(got)-4 {
		t.Errorf("%d bytes under length %d, want %d that fit", len(got), binary.BigEndian.Uint32(got), len(whole)-3)
	}
	if got := read(Edit(func(_ *Request, resp protocol.Response) {
		resp.(*protocol.ProduceResponse).Topics[0].Partitions[0].ErrorCode = 12345
	}), 1000); len(got) != len(whole) || slices.Equal(got, whole) {
		t.Error("the answer was not edited")
	}
	if end := c.EndOffset("t", 0); end != 6 {
		t.Errorf("%d records in the log, want 6: all but that of Garbage", end)
	}
}

// A swallowed request is never answered, with or without effect, and the connection goes on.
func TestSwallow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1))
		k := dial(t, c, 1)
		c.On(Produce).Do(Swallow())
		c.On(Produce).Do(HandleThenSwallow())
		for _, v := range []string{"a", "b", "c"} {
			k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch(v).bytes(t)))
		}
		if got := k.receive(newestProduce, &protocol.ProduceResponse{}); got != 3 {
			t.Errorf("answer to request %d, want 3", got)
		}
		if got, want := values(c, "t", 0), "[b c]"; got != want {
			t.Errorf("the log has %s, want %s", got, want)
		}
	})
}

// Answers wait for a time or for the test, behind one another, and what they answer has taken effect before.
func TestDelayedAndHeldAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1))
		k := dial(t, c, 1)
		release := make(chan struct{})
		c.On(Produce).Do(Pass().Delayed(time.Second))
		c.On(Produce).Do(Pass().Held(release))
		began := time.Now()
		wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)
		if took := time.Since(began); took != time.Second {
			t.Errorf("a delayed answer took %v, want 1s", took)
		}
		k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch("b").bytes(t)))
		k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch("c").bytes(t)))
		synctest.Wait()
		if end := c.EndOffset("t", 0); end != 2 {
			t.Errorf("%d records in the log, want 2: the third request waits behind the second", end)
		}
		time.AfterFunc(time.Minute, func() { close(release) })
		k.receive(newestProduce, &protocol.ProduceResponse{})
		k.receive(newestProduce, &protocol.ProduceResponse{})
		if took := time.Since(began); took != time.Second+time.Minute {
			t.Errorf("the held answer came after %v", took)
		}
	})
}

// A throttled client is told so at once, and not read from meanwhile (KIP-219).
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1))
		k := dial(t, c, 1)
		c.Throttle(Produce, time.Minute)
		began := time.Now()
		for range 2 {
			resp := ask(k, newestProduce, produceRequest(c, "t", 0, -1, plainBatch("a").bytes(t)), &protocol.ProduceResponse{})
			if resp.ThrottleTime != time.Minute {
				t.Errorf("told to pause for %v, want a minute", resp.ThrottleTime)
			}
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("the second answer came after %v, want a minute", took)
		}
	})
}

// Rules choose by broker, order and whatever a test likes, and Control comes before them.
func TestRulesChoose(t *testing.T) {
	c := New(t, InMemory(), Brokers(2), Topic("t", 1))
	k := dial(t, c, 1)
	rule := c.On(Produce).Broker(2).Always().Do(Error(protocol.UnknownServerError))
	wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)
	wantCode(t, dial(t, c, 2).produce(c, "t", plainBatch("a")), protocol.UnknownServerError)
	rule.Stop()
	wantCode(t, dial(t, c, 2).produce(c, "t", plainBatch("a")), protocol.NotLeaderOrFollower)

	c.On(Produce).Skip(1).Do(Error(protocol.CorruptMessage))
	c.On(Produce).When(func(r *Request) bool { return r.Batches[0].Header.Count == 2 }).Do(Error(protocol.MessageTooLarge))
	wantOffset(t, k.produce(c, "t", plainBatch("b")), 1)
	wantCode(t, k.produce(c, "t", plainBatch("c")), protocol.CorruptMessage)
	wantOffset(t, k.produce(c, "t", plainBatch("d")), 2)
	wantCode(t, k.produce(c, "t", plainBatch("e", "f")), protocol.MessageTooLarge)

	c.Control(func(r *Request) *Action {
		if r.APIKey == Produce {
			return Error(protocol.KafkaStorageError)
		}
		return nil
	})
	wantCode(t, k.produce(c, "t", plainBatch("g")), protocol.KafkaStorageError)
	c.ClearFaults()
	wantOffset(t, k.produce(c, "t", plainBatch("h")), 3)
}

// Metadata can be made to err for a topic or a partition, and still tells of the brokers.
func TestMetadataErrors(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 2), Topic("u", 1))
	k := dial(t, c, 1)
	c.On(Metadata).Topic("t").Do(Error(protocol.LeaderNotAvailable))
	c.On(Metadata).Topic("t").Partition(1).Do(Error(protocol.LeaderNotAvailable))
	look := func() *protocol.MetadataResponse {
		return ask(k, 13, &protocol.MetadataRequest{}, &protocol.MetadataResponse{})
	}
	first := look()
	if first.Topics[0].ErrorCode != protocol.LeaderNotAvailable || first.Topics[1].ErrorCode != protocol.NoError || len(first.Brokers) != 1 {
		t.Errorf("an error for topic t was answered as %+v", first)
	}
	second := look()
	if p := second.Topics[0].Partitions; p[0].LeaderID != 1 || p[1].LeaderID != -1 || p[1].ErrorCode != protocol.LeaderNotAvailable {
		t.Errorf("an error for partition 1 was answered as %+v", p)
	}
}

// Dials fail as scripted, one after the other.
func TestDialFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory())
		c.NextDials(1, DialRefused, DialReset, DialHangs)
		_, err := c.DialContext(t.Context(), "tcp", c.Bootstrap()[0])
		wantErr(t, "a refused dial", err, syscall.ECONNREFUSED)
		k := dial(t, c, 1)
		_, err = k.conn.Read(make([]byte, 1))
		wantErr(t, "a read after a reset dial", err, syscall.ECONNRESET)
		began := time.Now()
		ctx, cancel := contextWithTimeout(t, time.Minute)
		defer cancel()
		_, err = c.DialContext(ctx, "tcp", c.Bootstrap()[0])
		if took := time.Since(began); err == nil || took != time.Minute {
			t.Errorf("a dial that hangs ended after %v with %v, want the context's end", took, err)
		}
		dial(t, c, 1)
		if n := c.Connections(1); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
		if _, err := c.DialContext(t.Context(), "tcp", "192.0.2.99:9092"); err == nil || errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a dial to nowhere: %v, want an error that says that there is no such broker", err)
		}
	})
}
