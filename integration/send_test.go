package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// TestSendAndRead sends with every codec and every legal mix of acks and idempotence, with keys and
// without, and demands each record once, whole, where its metadata says, and in order.
func TestSendAndRead(t *testing.T) {
	c := kafka.Shared(t)
	for _, codec := range []producer.Compression{producer.NoCompression, producer.Gzip, producer.Snappy, producer.LZ4, producer.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			sendAndRead(t, c, true, func(cfg *producer.Config) { cfg.Compression = codec })
		})
	}
	for _, mode := range []struct {
		acks       producer.Acks
		idempotent bool
	}{{producer.AcksAll, true}, {producer.AcksAll, false}, {producer.AcksLeader, false}, {producer.AcksNone, false}} {
		for _, keyed := range []bool{true, false} {
			t.Run(fmt.Sprintf("acks=%s/idempotent=%t/keyed=%t", mode.acks, mode.idempotent, keyed), func(t *testing.T) {
				sendAndRead(t, c, keyed, func(cfg *producer.Config) {
					cfg.Acks, cfg.EnableIdempotence = mode.acks, mode.idempotent
				})
			})
		}
	}
}

// sendAndRead sends some records to a topic of three partitions and compares it with them.
func sendAndRead(t *testing.T, c *kafka.Cluster, keyed bool, set func(*producer.Config)) {
	const count = 5000
	topic := newTopic(t, c, 3, nil)
	cfg := producer.DefaultConfig(c.Bootstrap())
	set(&cfg)
	p := newProducer(t, cfg)

	sent := make([]producer.Record, count)
	futures := make([]producer.Future, count)
	start := time.UnixMilli(1_700_000_000_000)
	for n := range sent {
		sent[n] = producer.Record{
			Topic:     topic,
			Value:     fmt.Appendf(nil, "value %d of many that look alike", n),
			Headers:   []producer.Header{{Key: "number", Value: fmt.Append(nil, n)}, {Key: "null"}},
			Timestamp: start.Add(time.Duration(n) * time.Millisecond),
		}
		if keyed {
			sent[n].Key = fmt.Appendf(nil, "key %d", n%17)
		}
		futures[n] = p.Send(t.Context(), sent[n])
	}
	closeProducer(t, p)

	got := newLog(t, c, topic)
	if cfg.Acks == producer.AcksNone {
		// Close has only seen the last byte leave; the broker may be appending still.
		for deadline := time.Now().Add(patience); got.length() < count && time.Now().Before(deadline); {
			got = newLog(t, c, topic)
		}
	}
	got.expectLength(count)
	for n, future := range futures {
		md, err := future.Wait(t.Context())
		if err != nil {
			t.Fatalf("record %d: %v", n, err)
		}
		if cfg.Acks != producer.AcksNone {
			got.expectAt(md, sent[n])
		}
	}
	got.expectOrder(func(r *reader.Record) string { return string(r.Key) })
}
