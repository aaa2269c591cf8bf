package producer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/brokertest"
)

// A full producer has no memory left but what the test gives back, two KiB at a
// time, and its broker takes nothing.
type full struct {
	*Producer
	held []*accumulator.Chunk
}

func fill(t *testing.T) *full {
	t.Helper()
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
	cfg := DefaultConfig(c.Bootstrap()...)
	cfg.DialContext = c.DialContext
	cfg.Linger = 100 * time.Millisecond // it is sat out, since something is in flight
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
	if _, err := p.SendSync(t.Context(), Record{Topic: "t", Partition: OnPartition(2)}); err != nil {
		t.Fatal(err)
	}
	c.Pause(1)
	p.Send(t.Context(), Record{Topic: "t", Partition: OnPartition(2)})
	time.Sleep(time.Second)
	for {
		chunk, err := p.sender.Memory().TryChunk(2 << 10)
		if err != nil {
			return f
		}
		f.held = append(f.held, chunk)
	}
}

func (f *full) giveBack() {
	last := len(f.held) - 1
	f.sender.Memory().Return(f.held[last])
	f.held = f.held[:last]
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
