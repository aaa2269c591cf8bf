package producer_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// heapBeyond is what a producer may take beyond buffer.memory, in bytes: its
// batches' bookkeeping, callbacks, connections and scratch memory.
const heapBeyond = 6 << 20

// The cluster is away for minutes and the application goes on sending as fast
// as it can. buffer.memory bounds what that takes, records are refused or
// expire in time, and when the cluster is back everything goes on.
func TestMemoryIsBoundedThroughAnOutage(t *testing.T) {
	for _, callbacks := range []bool{false, true} {
		t.Run(fmt.Sprint("callbacks=", callbacks), func(t *testing.T) {
			bubble(t, func(t *testing.T) { outage(t, callbacks) })
		})
	}
}

func outage(t *testing.T, callbacks bool) {
	const (
		limit   = 8 << 20
		senders = 8
		lasts   = 5 * time.Minute
	)
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 6), brokertest.DiscardRecords())
	p := start(t, c, func(cfg *producer.Config) {
		cfg.BufferMemory, cfg.MaxBlock = limit, 500*time.Millisecond
		cfg.DeliveryTimeout, cfg.RequestTimeout = 40*time.Second, 20*time.Second
	})
	warm(t, p, "t")
	before := heap()
	c.StopBroker(1)
	c.Pause(2)
	over := time.Now().Add(lasts)
	var wg sync.WaitGroup
	var mu sync.Mutex
	admitted, ended, refused := 0, 0, 0
	for range senders {
		wg.Go(func() {
			value := make([]byte, 200)
			for n := 0; time.Now().Before(over); n++ {
				err := error(nil)
				if callbacks {
					p.SendFunc(t.Context(), producer.Record{Topic: "t", Value: value}, func(_ producer.RecordMetadata, e error) {
						mu.Lock()
						defer mu.Unlock()
						ended++
						err = e
					})
				} else if f := p.Send(t.Context(), producer.Record{Topic: "t", Value: value}); finished(f) {
					_, err = f.Wait(t.Context())
				}
				mu.Lock()
				admitted++
				if err != nil {
					refused++
				}
				mu.Unlock()
				if n%100 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	most, mostHeap := int64(0), uint64(0)
	for i := 0; time.Now().Before(over); i++ {
		time.Sleep(997 * time.Millisecond)
		most = max(most, p.Stats().BufferedBytes)
		if i%50 == 0 {
			mostHeap = max(mostHeap, heap())
		}
	}
	wg.Wait()
	if most > limit || most < limit/2 {
		t.Errorf("at most %d bytes were reserved, want them to come near the %d of buffer.memory and never above", most, limit)
	}
	if took := int64(mostHeap) - int64(before); took > limit+heapBeyond {
		t.Errorf("the heap grew by %d bytes, want at most buffer.memory and %d", took, heapBeyond)
	}
	if refused == 0 {
		t.Error("nobody was refused: the outage was too easy")
	}
	if err := c.StartBroker(1); err != nil {
		t.Fatal(err)
	}
	c.Resume(2)
	if err := p.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if callbacks && ended != admitted {
		t.Errorf("%d of %d records have ended", ended, admitted)
	}
	if _, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Value: []byte("again")}); err != nil {
		t.Errorf("after the outage: %v", err)
	}
	synctest.Wait()
	if n := p.Stats().BufferedBytes; n != 0 {
		t.Errorf("%d bytes are reserved after the flush, want 0", n)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The number of goroutines depends neither on partitions nor on records, and
// Close ends them all.
func TestGoroutinesDoNotGrowWithPartitions(t *testing.T) {
	count := func(partitions int) (during, after int) {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", partitions), brokertest.Delay(50*time.Millisecond))
			before := runtime.NumGoroutine()
			p := start(t, c)
			warm(t, p, "t")
			for i := range int32(5000) {
				p.Send(t.Context(), producer.Record{
					Topic: "t", Partition: producer.OnPartition(i % int32(partitions)), Value: make([]byte, 100),
				})
			}
			time.Sleep(20 * time.Millisecond)
			synctest.Wait()
			during = runtime.NumGoroutine() - before
			if err := p.Close(t.Context()); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			// One that has ended may count for a moment longer.
			for range 1_000_000 {
				if after = runtime.NumGoroutine() - before; after <= 0 {
					break
				}
				runtime.Gosched()
			}
		})
		return during, after
	}
	one, left := count(1)
	if left > 0 {
		t.Errorf("%d goroutines are left after Close", left)
	}
	many, left := count(1000)
	if left > 0 {
		t.Errorf("%d goroutines are left after Close", left)
	}
	const brokers = 3 // that answers which wait may take
	if many > one+brokers {
		t.Errorf("%d goroutines for 1000 partitions, and %d for one; want as many", many, one)
	}
}
