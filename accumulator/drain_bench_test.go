package accumulator

import (
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// BenchmarkDrain is the life of a batch besides its records: opened by one of 100 bytes, reported, drained, described by its
// header, resolved, and given back.
func BenchmarkDrain(b *testing.B) {
	a := New(Config{BatchSize: 1, MaxBatchBytes: 1 << 20, Memory: 32 << 20, SealAge: time.Hour, Wake: func() {}})
	q := a.Topic("t", 1).Queues()[0]
	now := time.UnixMilli(1_700_000_000_000)
	e := Entry{Record: protocol.Record{Value: make([]byte, 100)}, Timestamp: now.UnixMilli()}
	var changes []HeadChange
	var chunks [][]byte
	b.ReportAllocs()
	for b.Loop() {
		appendWithRoom(b, q, &e, now)
		changes = a.TakeChanges(changes[:0])
		if changes[0].Head.Serial == 0 {
			b.Fatal("nothing waits in the queue")
		}
		d := drain(q)
		h := d.Header()
		d.PutHeader(&h)
		chunks = d.Bytes(chunks[:0])
		end(d, 0, nil)
	}
	if len(chunks) != 1 || len(chunks[0]) < protocol.BatchHeaderSize+100 {
		b.Errorf("the batch is %d chunks", len(chunks))
	}
}
