package producer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// A full producer has no memory left but what the test has a broker give back,
// the two KiB of one record at a time, and the broker of topic t takes nothing.
type full struct {
	*Producer
	held []chan struct{} // closed, each lets a record of topic held be acknowledged
}

func fill(t *testing.T) *full {
	t.Helper()
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 3), brokertest.Topic("held", 2))
	for topic, broker := range map[string]int32{"t": 1, "held": 2} {
		for i := range int32(c.Partitions(topic)) {
			if err := c.MoveLeader(topic, i, broker); err != nil {
				t.Fatal(err)
			}
		}
	}
	cfg := DefaultConfig(c.Bootstrap()...)
	cfg.DialContext = c.DialContext
	cfg.Linger = 100 * time.Millisecond // it is sat out, since something is in flight
	cfg.BufferMemory = 256 << 10
	cfg.RequestTimeout, cfg.DeliveryTimeout = 10*time.Minute, 20*time.Minute // longer than any test
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := &full{Producer: p}
	t.Cleanup(func() {
		for len(f.held) > 0 {
			f.giveBack()
		}
		c.Resume(1)
		if err := p.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if n := p.Stats().BufferedBytes; n != 0 {
			t.Errorf("after Close %d bytes are still reserved, want 0", n)
		}
	})
	for _, rec := range []Record{{Topic: "t", Partition: OnPartition(2)}, {Topic: "held", Partition: OnPartition(0)}, {Topic: "held", Partition: OnPartition(1)}} {
		if _, err := p.SendSync(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	c.Pause(1)
	for i := range int32(2) {
		release := make(chan struct{})
		c.On(brokertest.Produce).Broker(2).Do(brokertest.Pass().Held(release))
		f.held = append(f.held, release)
		p.Send(t.Context(), Record{Topic: "held", Partition: OnPartition(i)})
		time.Sleep(time.Second)
	}
	rest := protocol.Record{Value: make([]byte, cfg.BufferMemory-p.Stats().BufferedBytes)}
	for left := len(rest.Value); rest.SizeAlone() > left; {
		rest.Value = rest.Value[1:]
	}
	p.Send(t.Context(), Record{Topic: "t", Partition: OnPartition(2), Value: rest.Value})
	time.Sleep(time.Second)
	if s := p.Stats(); s.BufferedBytes != cfg.BufferMemory {
		t.Fatalf("%d bytes are reserved, want all %d", s.BufferedBytes, cfg.BufferMemory)
	}
	return f
}

func (f *full) giveBack() {
	close(f.held[0])
	f.held = f.held[1:]
}

// send has n callers send a small record each, and counts those that Send has
// let go without an error.
func (f *full) send(t *testing.T, ctx context.Context, partition int32, n int, sent *atomic.Int32) {
	t.Helper()
	for range n {
		go func() {
			future := f.Send(ctx, Record{Topic: "t", Partition: OnPartition(partition), Value: make([]byte, 10)})
			select {
			case <-future.Done():
				if _, err := future.Wait(context.Background()); err == nil || !errors.Is(err, ErrBufferFull) || MayBeWritten(err) {
					t.Errorf("a record that was not taken ended with %v, want ErrBufferFull", err)
				}
			default:
				sent.Add(1)
			}
		}()
		synctest.Wait()
	}
}

// When there is memory for one partition again, all who waited for it go on,
// and none of them is in the way of those who wait for another.
func TestAChunkIsForAllWhoWaitForItsPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fill(t)
		var zero, one atomic.Int32
		f.send(t, t.Context(), 0, 50, &zero)
		f.send(t, t.Context(), 1, 1, &one)
		if zero.Load() != 0 || one.Load() != 0 {
			t.Fatalf("%d and %d records were taken without memory", zero.Load(), one.Load())
		}
		f.giveBack()
		synctest.Wait()
		if zero.Load() != 50 || one.Load() != 0 {
			t.Errorf("with a chunk, %d records of partition 0 and %d of 1 were taken; want all 50, and none", zero.Load(), one.Load())
		}
		f.giveBack()
		synctest.Wait()
		if one.Load() != 1 {
			t.Error("with a second chunk, the record of partition 1 was not taken")
		}
	})
}

// Callers whose ctx ends while they wait return at once, wherever in the line
// they are, and hold up nobody.
func TestWhoStopsWaitingForMemoryHoldsUpNobody(t *testing.T) {
	for name, leaves := range map[string]int{"who waits for the chunk": 0, "who waits behind": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := fill(t)
				var sent atomic.Int32
				ctx, cancel := context.WithCancel(t.Context())
				f.send(t, t.Context(), 0, leaves, &sent)
				began := time.Now()
				f.send(t, ctx, 0, 1, &sent)
				f.send(t, t.Context(), 0, 6, &sent)
				cancel()
				synctest.Wait()
				f.giveBack()
				synctest.Wait()
				if want := leaves + 6; int(sent.Load()) != want || !time.Now().Equal(began) {
					t.Errorf("%d records were taken, after %v; want %d at once", sent.Load(), time.Since(began), want)
				}
			})
		})
	}
}

// max.block counts for each caller from its own Send, not from when its turn comes.
func TestMaxBlockInTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fill(t)
		block := f.cfg.MaxBlock
		var sent atomic.Int32
		began := time.Now()
		f.send(t, t.Context(), 0, 1, &sent)
		time.Sleep(block / 2)
		future := f.Send(t.Context(), Record{Topic: "t", Partition: OnPartition(0)})
		if took := time.Since(began); took != block+block/2 {
			t.Errorf("the second of two callers returned %v after the first had come, want %v", took, block+block/2)
		}
		if _, err := future.Wait(t.Context()); !errors.Is(err, ErrMaxBlock) || !errors.Is(err, ErrBufferFull) {
			t.Errorf("error = %v, want ErrMaxBlock and ErrBufferFull", err)
		}
		if sent.Load() != 0 {
			t.Error("a record was taken without memory")
		}
	})
}

// In a call with many records the first waits for max.block, and those behind it
// are not made to wait as long again.
func TestMaxBlockForManyRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fill(t)
		began := time.Now()
		refused := 0
		f.Topic("t").SendAllFunc(t.Context(), make([]KeyValue, 5), func(md RecordMetadata, err error) {
			if !errors.Is(err, ErrMaxBlock) || !errors.Is(err, ErrBufferFull) || md.Topic != "t" || MayBeWritten(err) {
				t.Errorf("%+v, %v; want ErrMaxBlock and ErrBufferFull", md, err)
			}
			refused++
		})
		if took := time.Since(began); took != f.cfg.MaxBlock || refused != 5 {
			t.Errorf("%d records were refused after %v, want 5 after %v", refused, took, f.cfg.MaxBlock)
		}
	})
}
