package accumulator

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Many appenders against one drainer, under a bound that they keep running into: nothing is lost, each appender's records stay
// in order, and in the end all memory is back. It is most worth its while under -race.
func TestManyAppendersOneDrainer(t *testing.T) {
	const (
		appenders = 8
		records   = 4000
		parts     = 3
	)
	wake := make(chan struct{}, 1)
	a := New(Config{BatchSize: 2000, MaxBatchBytes: 8000, Memory: 32 << 10, SealAge: time.Hour, Wake: func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}})
	topic := a.Topic("t", parts)
	var wg sync.WaitGroup
	for w := range appenders {
		wg.Go(func() {
			value := make([]byte, 100)
			binary.BigEndian.PutUint32(value, uint32(w))
			for i := range records {
				binary.BigEndian.PutUint32(value[4:], uint32(i))
				q := topic.Queues()[i%parts]
				e := &Entry{Record: protocol.Record{Value: value[:8+i%90]}, Timestamp: noon.UnixMilli()}
				if !q.TryAppend(e, noon.UnixMilli()) {
					if err := q.Append(e, noon, forever); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()

	seen := 0
	last := map[[2]uint32]uint32{} // by appender and partition: next expected at least
	drainAll := func() {
		for _, q := range topic.Queues() {
			for b := drain(q); b != nil; b = drain(q) {
				_, recs := decode(t, b)
				for _, r := range recs {
					w, i := binary.BigEndian.Uint32(r.Value), binary.BigEndian.Uint32(r.Value[4:])
					key := [2]uint32{w, uint32(q.Partition())}
					if i < last[key] {
						t.Errorf("appender %d: record %d came after %d", w, i, last[key]-1)
					}
					last[key] = i + 1
					seen++
				}
				end(b, 0, nil)
			}
		}
	}
	for running := true; running; {
		select {
		case <-wake:
		case <-finished:
			running = false
		}
		a.TakeChanges(nil)
		if n := a.Memory.Used(); n > 32<<10 {
			t.Fatalf("%d bytes are reserved, more than the bound", n)
		}
		drainAll()
	}
	drainAll()
	if seen != appenders*records {
		t.Errorf("%d records came out, want %d", seen, appenders*records)
	}
	used(t, a, 0, "at the end")
}
