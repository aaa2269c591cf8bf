package brokertest

import (
	"slices"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// What was asked can be counted, and read back with the batches of each request.
func TestRequests(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1), KeepRequests(3))
	k := dial(t, c, 1)
	ask(k, 13, &protocol.MetadataRequest{}, &protocol.MetadataResponse{})
	for i := range int32(8) {
		k.produce(c, "t", batch{pid: 7, sequence: i, values: []string{"a"}})
	}
	if got := c.Count(Produce); got != 8 {
		t.Errorf("%d Produce requests, want 8", got)
	}
	if got := c.Count(Metadata); got != 1 {
		t.Errorf("%d Metadata requests, want 1", got)
	}
	if got := c.MaxUnanswered(); got != 1 {
		t.Errorf("MaxUnanswered is %d, want 1", got)
	}
	var sequences []int32
	for _, r := range c.Requests() {
		b := r.Batches[0]
		if r.ClientID != "test" || r.Broker != 1 || b.Topic != "t" || b.Header.ProducerID != 7 {
			t.Errorf("request %+v, want one of client test to broker 1 for producer 7 in t", r)
		}
		sequences = append(sequences, b.Header.BaseSequence)
	}
	if want := []int32{5, 6, 7}; !slices.Equal(sequences, want) {
		t.Errorf("the last requests have sequences %v, want %v", sequences, want)
	}
	c.ForgetRequests()
	if n := c.Count(Produce); n != 0 || len(c.Requests()) != 0 {
		t.Errorf("%d requests after they were forgotten", n)
	}
}

// A request that is answered never counts as one in flight with those that its answer brings about, and acks=0 never counts at
// all.
func TestUnansweredIsNotOvercounted(t *testing.T) {
	networks(t, func(t *testing.T, opts ...Option) {
		c := New(t, append(opts, Topic("t", 1))...)
		k := dial(t, c, 1)
		for range 300 {
			k.send(newestProduce, produceRequest(c, "t", 0, 0, plainBatch("a").bytes(t)))
			k.produce(c, "t", plainBatch("b"))
		}
		if got := c.MaxUnanswered(); got != 1 {
			t.Errorf("MaxUnanswered is %d, want 1", got)
		}
	})
}

// An older broker knows fewer versions, says so, and hangs up on those that it does not know.
func TestOlderBroker(t *testing.T) {
	c := New(t, InMemory(), Kafka3_9(), Versions(Metadata, 4, 9), Topic("t", 1))
	k := dial(t, c, 1)
	resp := ask(k, 3, &protocol.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1"}, &protocol.ApiVersionsResponse{})
	for _, v := range resp.APIKeys {
		if want := (protocol.ApiVersion{APIKey: Metadata, MinVersion: 4, MaxVersion: 9}); v.APIKey == Metadata && v != want {
			t.Errorf("Metadata is advertised as %+v, want %+v", v, want)
		}
		if v.APIKey == Produce && v.MaxVersion != 11 {
			t.Errorf("Produce is advertised up to %d, want 11", v.MaxVersion)
		}
	}
	for _, f := range resp.FinalizedFeatures {
		if f.Name == "transaction.version" {
			t.Error("transaction.version is finalized")
		}
	}
	k.send(newestProduce, produceRequest(c, "t", 0, -1, plainBatch("a").bytes(t)))
	k.isCut()
	k = dial(t, c, 1)
	k.send(13, &protocol.MetadataRequest{})
	k.isCut()
	wantOffset(t, dial(t, c, 1).produceBytes(c, "t", 11, -1, plainBatch("a").bytes(t)), 0)
}

// For measurements, a broker checks what it gets and keeps nothing.
func TestDiscardRecords(t *testing.T) {
	c := New(t, InMemory(), DiscardRecords(), Topic("t", 1))
	k := dial(t, c, 1)
	first := batch{pid: 1, values: []string{"a", "b"}}.bytes(t)
	wantOffset(t, k.produceBytes(c, "t", newestProduce, -1, first), 0)
	wantOffset(t, k.produceBytes(c, "t", newestProduce, -1, first), 0)
	wantOffset(t, k.produce(c, "t", batch{pid: 1, sequence: 2, values: []string{"c"}}), 2)
	if n := len(c.Records("t", 0)); n != 0 || c.EndOffset("t", 0) != 3 {
		t.Errorf("%d records kept and end offset %d, want 0 and 3", n, c.EndOffset("t", 0))
	}
}
