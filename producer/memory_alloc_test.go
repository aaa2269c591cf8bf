package producer

import (
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

// Handing over a record allocates nothing: no closure, no channel, no future on
// the heap. Batches and chunks may, and there are many records to each.
func TestSendAllocatesNothing(t *testing.T) {
	if raceEnabled {
		return // the race detector allocates on its own
	}
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		cfg := DefaultConfig(c.Bootstrap()...)
		cfg.DialContext = c.DialContext
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil)) // a log costs a record nothing
		cfg.Linger, cfg.DeliveryTimeout = time.Hour, 3*time.Hour
		cfg.BatchSize, cfg.MaxBatchBytes, cfg.MaxRequestSize = 1<<20, 1<<20, 2<<20
		p, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close(t.Context())
		if _, err := p.Partitions(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		keyless := Record{Topic: "t", Value: make([]byte, 30)}
		keyed := Record{Topic: "t", Key: []byte("key"), Value: make([]byte, 30)}
		placed := Record{Topic: "t", Partition: OnPartition(1), Value: make([]byte, 30)}
		headed := Record{Topic: "t", Key: []byte("key"), Headers: []Header{{Key: "h", Value: []byte("v")}}}
		topic := p.Topic("t")
		pair := []KeyValue{{Value: keyless.Value}, {Key: keyed.Key, Value: keyed.Value}}
		failed := 0
		done := func(_ RecordMetadata, err error) {
			if err != nil {
				failed++
			}
		}
		tests := []struct {
			name string
			do   func()
		}{
			{"Send", func() { p.Send(ctx, keyless) }},
			{"Send with a key", func() { p.Send(ctx, keyed) }},
			{"Send to a partition", func() { p.Send(ctx, placed) }},
			{"Send with headers", func() { p.Send(ctx, headed) }},
			{"SendFunc", func() { p.SendFunc(ctx, keyed, done) }},
			{"Topic.Send", func() { topic.Send(ctx, keyed.Key, keyed.Value) }},
			{"Topic.SendFunc", func() { topic.SendFunc(ctx, nil, keyless.Value, done) }},
			{"Topic.SendAllFunc", func() { topic.SendAllFunc(ctx, pair, done) }},
			{"Topic.TrySend", func() {
				if topic.TrySend(keyed.Key, keyed.Value, done) != nil {
					failed++
				}
			}},
			{"TrySend", func() {
				if p.TrySend(keyed, done) != nil {
					failed++
				}
			}},
		}
		for _, tt := range tests {
			tt.do() // opens the batch
			if n := testing.AllocsPerRun(2000, tt.do); n != 0 {
				t.Errorf("%s: %v allocations for a record, want 0", tt.name, n)
			}
		}
		if err := p.Flush(ctx); err != nil || failed > 0 {
			t.Errorf("Flush: %v, and %d records failed", err, failed)
		}
	})
}
