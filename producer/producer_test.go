package producer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// start returns a producer for the cluster, with the given changes to the
// defaults. It is closed at the end of the test.
func start(t *testing.T, c *brokertest.Cluster, change ...func(*producer.Config)) *producer.Producer {
	t.Helper()
	cfg := producer.DefaultConfig(c.Bootstrap()...)
	cfg.DialContext = c.DialContext
	for _, f := range change {
		f(&cfg)
	}
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		if n := p.Stats().BufferedBytes; n != 0 {
			t.Errorf("after Close %d bytes are still reserved, want 0", n)
		}
	})
	return p
}

func TestARecordReachesTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("orders", 3))
		p := start(t, c)
		md, err := p.SendSync(t.Context(), producer.Record{Topic: "orders", Key: []byte("k"), Value: []byte("v")})
		if err != nil {
			t.Fatal(err)
		}
		if md.Topic != "orders" || md.Offset != 0 {
			t.Errorf("metadata = %+v, want topic orders and offset 0", md)
		}
		got := c.Records("orders", md.Partition)
		if len(got) != 1 || string(got[0].Key) != "k" || string(got[0].Value) != "v" {
			t.Errorf("log of orders-%d = %v, want the one record k=v", md.Partition, got)
		}
	})
}

func TestRecordsWithOneKeyKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("orders", 12))
		p := start(t, c)
		const n = 20_000
		for i := range n {
			rec := producer.Record{Topic: "orders", Key: fmt.Appendf(nil, "key-%d", i%50), Value: fmt.Append(nil, i)}
			p.SendFunc(t.Context(), rec, func(_ producer.RecordMetadata, err error) {
				if err != nil {
					t.Errorf("record %d: %v", i, err)
				}
			})
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := p.Stats(); s.Acknowledged != n || s.InFlight != 0 {
			t.Errorf("stats = %+v, want %d acknowledged and none in flight", s, n)
		}
		total := 0
		last := map[string]int{}
		for part := range int32(12) {
			for _, r := range c.Records("orders", part) {
				total++
				var i int
				fmt.Sscan(string(r.Value), &i)
				if prev, seen := last[string(r.Key)]; seen && i <= prev {
					t.Fatalf("key %s: record %d after %d", r.Key, i, prev)
				}
				last[string(r.Key)] = i
			}
		}
		if total != n {
			t.Errorf("%d records in the log, want %d", total, n)
		}
	})
}

func TestUnknownTopicFailsInBoundedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false))
		p := start(t, c)
		begin := time.Now()
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "nowhere", Value: []byte("v")})
		var unknown *producer.UnknownTopicError
		if !errors.As(err, &unknown) {
			t.Fatalf("error = %v, want an UnknownTopicError", err)
		}
		if took := time.Since(begin); took > time.Minute+time.Second {
			t.Errorf("failed after %v, want max.block at most: it could be about to be made", took)
		}
		if producer.MayBeWritten(err) {
			t.Error("MayBeWritten is true for a record that was not taken")
		}
		begin = time.Now()
		if _, err := p.SendSync(t.Context(), producer.Record{Topic: "nowhere", Value: []byte("v")}); err == nil || time.Since(begin) > 0 {
			t.Errorf("the second send: %v after %v, want the remembered failure at once", err, time.Since(begin))
		}
	})
}

// Nothing is under way then, so nothing wakes the loop once more.
func TestCloseOfAProducerThatSentNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory())
		p := start(t, c)
		began := time.Now()
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("Close took %v, want no time", took)
		}
	})
}
