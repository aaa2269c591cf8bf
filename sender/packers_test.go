package sender

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// drained returns the batch of one record with that value.
func drained(t *testing.T, acc *accumulator.Accumulator, topic string, value []byte) *accumulator.Batch {
	t.Helper()
	q := acc.Topic(topic, 1).Queues()[0]
	e := &accumulator.Entry{Record: protocol.Record{Value: value}, Timestamp: scriptStart.UnixMilli()}
	if err := q.Append(e, scriptStart, nil); err != nil {
		t.Fatal(err)
	}
	b, _ := q.Drain()
	return b
}

// With one processor the loop has its turn when a request is compressed, and not when there is nothing left to compress:
// the broker would wait for the first request until the last is ready.
func TestCompressorsLeaveTheLoopItsTurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	acc := accumulator.New(accumulator.Config{
		BatchSize: 1 << 20, MaxBatchBytes: 1 << 20, Memory: 1 << 20, SealAge: time.Second, Compressed: true, Wake: func() {},
	})
	in := newInbox()
	ps := newPackers(protocol.CodecGzip, protocol.LevelDefault, in)
	defer ps.close()
	const requests = 40
	for i := range requests {
		r := new(request)
		r.unpacked.Store(1)
		ps.put(packing{r, &delivery{Batch: drained(t, acc, string(rune('A'+i)), bytes.Repeat([]byte("row "), 500))}})
	}
	turns := 0
	for seen := 0; seen < requests; turns++ {
		<-in.wake
		seen += len(in.take(nil))
	}
	if turns < requests/2 { // Go's scheduler may now and then prefer who has just given way
		t.Errorf("the loop had %d turns while %d requests were compressed, want one for each", turns, requests)
	}
}
