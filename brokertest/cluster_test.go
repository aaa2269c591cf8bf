package brokertest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// networks runs a story over TCP, and in a bubble over memory.
func networks(t *testing.T, story func(t *testing.T, opts ...Option)) {
	t.Run("tcp", func(t *testing.T) { story(t) })
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { story(t, InMemory()) })
	})
}

// A client goes the whole way by itself: it learns the versions, has a topic made by asking for it, gets a producer ID, and
// writes.
func TestFromFirstByteToRecord(t *testing.T) {
	networks(t, func(t *testing.T, opts ...Option) {
		c := New(t, opts...)
		k := dial(t, c, 1)

		versions := ask(k, 5, &protocol.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1", NodeID: -1},
			&protocol.ApiVersionsResponse{})
		if versions.ErrorCode != protocol.NoError || len(versions.APIKeys) != 15 {
			t.Fatalf("ApiVersions answered %+v, want 15 APIs and no error", versions)
		}

		name := "orders"
		lookUp := &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{{Name: &name}}, AllowAutoTopicCreation: true}
		first := ask(k, 13, lookUp, &protocol.MetadataResponse{})
		if got := first.Topics[0].ErrorCode; got != protocol.UnknownTopicOrPartition {
			t.Errorf("the look-up that creates the topic was answered %v, want UNKNOWN_TOPIC_OR_PARTITION", got)
		}
		second := ask(k, 13, lookUp, &protocol.MetadataResponse{})
		if got := second.Topics[0]; got.ErrorCode != protocol.NoError || len(got.Partitions) != 1 || got.Partitions[0].LeaderID != 1 {
			t.Fatalf("the next look-up was answered %+v, want one partition led by broker 1", got)
		}

		id := ask(k, 5, &protocol.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1}, &protocol.InitProducerIDResponse{})
		if id.ErrorCode != protocol.NoError || id.ProducerID < 0 || id.ProducerEpoch != 0 {
			t.Fatalf("InitProducerId answered %+v, want an ID and epoch 0", id)
		}
		wantOffset(t, k.produce(c, name, batch{pid: id.ProducerID, values: []string{"a", "b"}}), 0)
		wantOffset(t, k.produce(c, name, batch{pid: id.ProducerID, sequence: 2, values: []string{"c"}}), 2)
		if got, want := values(c, name, 0), "[a b c]"; got != want {
			t.Errorf("the log has %s, want %s", got, want)
		}
		last := c.Records(name, 0)[2]
		if last.Offset != 2 || last.Sequence != 2 || last.ProducerID != id.ProducerID || string(last.Key) != "k" {
			t.Errorf("the last record is %+v, want offset 2, sequence 2, producer %d and key k", last, id.ProducerID)
		}
	})
}

// Requests in the pipeline are answered in order, each a delay after it came, not one delay after another.
func TestPipelineOverlapsDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1), Delay(100*time.Millisecond))
		k := dial(t, c, 1)
		began := time.Now()
		for _, v := range []string{"a", "b", "c"} {
			k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch(v).bytes(t)))
		}
		for want := int32(1); want <= 3; want++ {
			if got := k.receive(newestProduce, &protocol.ProduceResponse{}); got != want {
				t.Fatalf("answer to request %d, want %d", got, want)
			}
		}
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("three requests took %v, want 100ms", took)
		}
		if got := c.MaxUnanswered(); got != 3 {
			t.Errorf("MaxUnanswered is %d, want 3", got)
		}
		if got, want := values(c, "t", 0), "[a b c]"; got != want {
			t.Errorf("the log has %s, want %s", got, want)
		}
	})
}

// What needs many words to start is one line in a test, and Close leaves nothing behind: in a bubble, a goroutine of the
// cluster that outlives it would be a panic.
func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := Start(InMemory(), Brokers(3), Topic("t", 6))
		if err != nil {
			t.Fatal(err)
		}
		k := dial(t, c, 1)
		c.On(Metadata).Do(Pass().Delayed(time.Hour))
		k.send(12, &protocol.MetadataRequest{})
		dial(t, c, 2)
		c.Pause(3)
		dial(t, c, 3)
		synctest.Wait()
		c.Close()
		k.isCut()
		if _, err := c.DialContext(t.Context(), "tcp", c.Bootstrap()[0]); err == nil {
			t.Error("a closed cluster accepts connections")
		}
		c.Close()
	})
}
