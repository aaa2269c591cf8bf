package producer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

// A batchCounter is told of batches and requests, and wants no record.
type batchCounter struct{ sent, requests int }

func (b *batchCounter) OnBatchSent(BatchSent)       { b.sent++ }
func (b *batchCounter) OnRequestEnded(RequestEnded) { b.requests++ }

// WantsRecord has the counter be told of no record, although it has an interface of records, too.
func (b *batchCounter) WantsRecord(context.Context, string) bool { return false }
func (b *batchCounter) OnRecordEnded(context.Context, RecordEnded) {
	panic("told of a record that nobody wants")
}

// Where hooks are told of batches alone, or choose no record, a record costs no allocation, and has the same way into its batch
// as without hooks.
func TestHooksOfBatchesCostARecordNothing(t *testing.T) {
	if raceEnabled {
		return // the race detector allocates on its own
	}
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		hook := new(batchCounter)
		cfg := DefaultConfig(c.Bootstrap()...)
		cfg.DialContext, cfg.Hooks = c.DialContext, []Hook{hook}
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
		ctx, rec, topic := t.Context(), Record{Topic: "t", Value: make([]byte, 30)}, p.Topic("t")
		pair := []KeyValue{{Value: rec.Value}, {Value: rec.Value}}
		for name, do := range map[string]func(){
			"Send":        func() { p.Send(ctx, rec) },
			"Topic.Send":  func() { topic.Send(ctx, nil, rec.Value) },
			"SendAllFunc": func() { topic.SendAllFunc(ctx, pair, nil) },
		} {
			do() // opens the batch
			if n := testing.AllocsPerRun(1000, do); n != 0 {
				t.Errorf("%s: %v allocations for a record, want 0", name, n)
			}
		}
		if err := p.Flush(ctx); err != nil || hook.sent == 0 || hook.requests == 0 {
			t.Errorf("Flush: %v; the hook was told of %d batches and %d requests, want some", err, hook.sent, hook.requests)
		}
	})
}

// A panicker is told of the end of records.
type panicker struct{}

func (panicker) OnRecordEnded(_ context.Context, e RecordEnded) { panic("told of " + e.Metadata.Topic) }

// A hook that panics on the caller's goroutine does so in the caller's hands, as a callback does there.
func TestAHooksPanicGoesUpToTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		cfg := DefaultConfig(c.Bootstrap()...)
		cfg.DialContext, cfg.Hooks = c.DialContext, []Hook{panicker{}}
		p, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close(t.Context())
		defer func() {
			if got := recover(); got != "told of t" {
				t.Errorf("recovered %v, want the hook's panic", got)
			}
		}()
		p.SendFunc(t.Context(), Record{Topic: "t", Partition: OnPartition(-1)}, nil)
	})
}
