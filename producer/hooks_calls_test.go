package producer_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A callingHook calls the producer when it is told of something first, as far as hooks may.
type callingHook struct {
	p atomic.Pointer[producer.Producer]

	mu   sync.Mutex // guards made
	made map[string]bool
}

// call makes the calls that all hooks may make.
func (h *callingHook) call(where string) {
	h.mu.Lock()
	first := !h.made[where]
	h.made[where] = true
	h.mu.Unlock()
	p := h.p.Load()
	if !first || p == nil {
		return
	}
	_ = p.TrySend(record("by "+where), nil) // the topic may not be known yet
	p.Stats()
	p.Brokers()
}

// told reports whether it was told of that.
func (h *callingHook) told(where string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.made[where]
}

func (h *callingHook) OnRecordBegun(ctx context.Context, _ *producer.RecordBegun) context.Context {
	h.call("begun")
	return ctx
}
func (h *callingHook) OnRecordPartitioned(context.Context, producer.RecordPartitioned) {
	h.call("partitioned")
}
func (h *callingHook) OnRecordEnded(context.Context, producer.RecordEnded) { h.call("ended") }
func (h *callingHook) OnBatchSent(producer.BatchSent)                      { h.call("sent") }
func (h *callingHook) OnBatchAcknowledged(producer.BatchAcknowledged)      { h.call("acknowledged") }
func (h *callingHook) OnBatchRetried(producer.BatchRetried)                { h.call("retried") }
func (h *callingHook) OnBatchFailed(producer.BatchFailed)                  { h.call("failed") }
func (h *callingHook) OnBrokerConnected(producer.BrokerConnected)          { h.call("connected") }
func (h *callingHook) OnBrokerDisconnected(producer.BrokerDisconnected)    { h.call("disconnected") }
func (h *callingHook) OnRequestEnded(producer.RequestEnded)                { h.call("request") }
func (h *callingHook) OnBrokerThrottled(producer.BrokerThrottled)          { h.call("throttled") }
func (h *callingHook) OnLeaderMoved(producer.LeaderMoved)                  { h.call("moved") }

// An anywhereHook is one that callers of Send run, too.
type anywhereHook struct{ *callingHook }

func (anywhereHook) MayRunAnywhere() {}

// A hook may call the producer: nothing is locked meanwhile. What it sends ends as all records do.
func TestHooksCallTheProducer(t *testing.T) {
	for name, hook := range map[string]func(*callingHook) producer.Hook{
		"on the producer's goroutine": func(h *callingHook) producer.Hook { return h },
		"on any goroutine":            func(h *callingHook) producer.Hook { return anywhereHook{h} },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2))
				h := &callingHook{made: map[string]bool{}}
				p := start(t, c, func(cfg *producer.Config) { cfg.Hooks = []producer.Hook{hook(h)} })
				h.p.Store(p)
				warm(t, p, "t")
				c.On(brokertest.Produce).Do(brokertest.Throttled(time.Second))
				c.On(brokertest.Produce).Skip(1).Do(brokertest.Error(protocol.NotEnoughReplicas))
				c.On(brokertest.Produce).Skip(3).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
				for range 10 {
					_, _ = p.SendSync(t.Context(), record("a")) // one of them is refused
				}
				if err := c.MoveLeader("t", 0, 2); err != nil {
					t.Fatal(err)
				}
				if err := c.MoveLeader("t", 1, 1); err != nil {
					t.Fatal(err)
				}
				for range 10 {
					send(t, p, record("b"))
				}
				c.CutConnections(1, false)
				c.CutConnections(2, false)
				time.Sleep(time.Second)
				send(t, p, record("c"))
				if err := p.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, where := range []string{"begun", "partitioned", "ended", "sent", "acknowledged", "retried", "failed", "connected", "disconnected", "request", "throttled", "moved"} {
					if !h.told(where) {
						t.Errorf("no hook was told when something was %s", where)
					}
				}
				if m := p.Metrics(); m.InFlight != 0 || m.OldestAge != 0 || m.Records.Failed != 1 {
					t.Errorf("after Flush: %d in flight, the oldest %v, %d failed; want one that has failed, and none that waits", m.InFlight, m.OldestAge, m.Records.Failed)
				}
				if err := c.Verify(nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A partitioner panics, and the program goes on. The record that was begun has ended all the same: it was not taken.
func TestARecordWhosePartitionerPanicsHasAnEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		h := &endsHook{}
		p := start(t, c, func(cfg *producer.Config) {
			cfg.Hooks = []producer.Hook{h}
			cfg.Partitioner = partition.Func(func(partition.Record, *partition.Topic) (int32, error) { panic("on purpose") })
		})
		warm(t, p, "t")
		for what, send := range map[string]func(){
			"SendFunc":    func() { p.SendFunc(t.Context(), producer.Record{Topic: "t"}, nil) },
			"TrySend":     func() { _ = p.TrySend(producer.Record{Topic: "t"}, nil) },
			"SendAllFunc": func() { p.Topic("t").SendAllFunc(t.Context(), []producer.KeyValue{{Value: []byte("v")}}, nil) },
		} {
			h.began, h.ended = 0, nil
			func() {
				defer func() {
					if got := recover(); got != "on purpose" {
						t.Errorf("%s: the panic is %v", what, got)
					}
				}()
				send()
			}()
			if h.began != 1 || len(h.ended) != 1 {
				t.Fatalf("%s: %d records have begun, and %d have ended; want 1", what, h.began, len(h.ended))
			}
			if e := h.ended[0]; producer.FailureReason(e.Err) != "partitioner" || e.MayBeWritten || e.Metadata.Partition != -1 {
				t.Errorf("%s: it has ended as %+v, want it refused", what, e)
			}
		}
		if got := p.Metrics().Refusals; len(got) != 1 || got[0] != (producer.RefusalMetrics{Reason: "partitioner", Records: 3}) {
			t.Errorf("refusals %v, want 3 of a partitioner", got)
		}
	})
}

// An endsHook is told of the beginnings and ends of records.
type endsHook struct {
	began int
	ended []producer.RecordEnded
}

func (h *endsHook) OnRecordBegun(context.Context, *producer.RecordBegun) context.Context {
	h.began++
	return nil
}
func (h *endsHook) OnRecordEnded(_ context.Context, e producer.RecordEnded) {
	h.ended = append(h.ended, e)
}
