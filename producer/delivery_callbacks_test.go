package producer_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A callback that takes its time holds up neither futures nor sending.
func TestASlowCallbackHoldsUpNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		warm(t, p, "t")
		release := make(chan struct{})
		p.SendFunc(t.Context(), record("slow"), func(producer.RecordMetadata, error) { <-release })
		begin := time.Now()
		for range 100 {
			send(t, p, record("a"))
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("100 records took %v behind a slow callback", took)
		}
		if n := len(logged(c)); n != 101 {
			t.Errorf("%d records in the log, want 101", n)
		}
		// Futures do not keep memory for a callback that has begun.
		if n := p.Stats().BufferedBytes; n != 0 {
			t.Errorf("%d bytes are reserved, want 0", n)
		}
		close(release)
	})
}

// Callbacks of one partition come in the order of its records, whatever goes
// wrong on the way, and never two at a time.
func TestCallbacksComeInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3), brokertest.Delay(5*time.Millisecond))
		p := start(t, c, func(cfg *producer.Config) { cfg.BatchSize, cfg.Linger = 300, 0 })
		warm(t, p, "t")
		c.On(brokertest.Produce).Skip(5).Times(3).Do(brokertest.Error(protocol.NotEnoughReplicas))
		c.On(brokertest.Produce).Skip(9).Do(brokertest.HandleThenDrop())
		const n = 3000
		next := make([]int, 3)
		running, total := 0, 0
		for i := range n {
			part := i % 3
			rec := producer.Record{Topic: "t", Partition: producer.OnPartition(int32(part)), Value: fmt.Append(nil, i)}
			p.SendFunc(t.Context(), rec, func(md producer.RecordMetadata, err error) {
				running++
				if running != 1 {
					t.Errorf("%d callbacks at a time", running)
				}
				if err != nil {
					t.Errorf("record %d: %v", i, err)
				}
				if want := next[part]*3 + part; i != want {
					t.Errorf("partition %d: the callback of record %d came, want that of %d", part, i, want)
				}
				next[part]++
				total++
				running--
			})
			if i%10 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if total != n {
			t.Errorf("%d callbacks, want %d", total, n)
		}
		if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
			t.Error(err)
		}
	})
}

// TrySend inside a callback is allowed, also if it is the memory of the very
// batch that is being completed which it needs.
func TestTrySendInACallback(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.BufferMemory, cfg.BatchSize = 4<<10, 2<<10 })
		warm(t, p, "t")
		left := 50
		done := make(chan struct{})
		var again producer.Callback
		again = func(_ producer.RecordMetadata, err error) {
			if err != nil {
				t.Error(err)
			}
			if left--; left == 0 {
				close(done)
				return
			}
			if err := p.TrySend(record(string(make([]byte, 3000))), again); err != nil {
				t.Error(err)
				close(done)
			}
		}
		if err := p.TrySend(record(string(make([]byte, 3000))), again); err != nil {
			t.Fatal(err)
		}
		<-done
		synctest.Wait()
		if n := len(logged(c)); n != 50 {
			t.Errorf("%d records in the log, want 50", n)
		}
	})
}
