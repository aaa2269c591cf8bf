package accumulator

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// appendWithRoom appends a record that does not fit its batch's last chunk.
func appendWithRoom(b *testing.B, q *Queue, e *Entry, now time.Time) {
	if err := q.Append(e, now, nil); err != nil {
		b.Fatal(err)
	}
}

// sendOff drains and ends a batch of q, as the sender does. changes is used again.
func sendOff(a *Accumulator, q *Queue, changes []HeadChange) []HeadChange {
	changes = a.TakeChanges(changes[:0])
	end(drain(q), 0, nil)
	return changes
}

// BenchmarkAppend is one record of 100 bytes into its partition's open batch, with its share of opening and draining batches.
func BenchmarkAppend(b *testing.B) {
	a := New(Config{BatchSize: 16 << 10, MaxBatchBytes: 1 << 20, Memory: 32 << 20, SealAge: time.Hour, Wake: func() {}})
	q := a.Topic("t", 1).Queues()[0]
	value := make([]byte, 100)
	now := time.UnixMilli(1_700_000_000_000)
	b.ReportAllocs()
	for b.Loop() {
		e := Entry{Record: protocol.Record{Value: value}, Timestamp: now.UnixMilli()}
		if !q.TryAppend(&e, now.UnixMilli()) {
			appendWithRoom(b, q, &e, now)
		}
		if e.Full {
			end(drain(q), 0, nil)
		}
	}
}

// BenchmarkAppendRun is one record of 100 bytes of a hundred that are appended together, with its share of opening and draining
// batches.
func BenchmarkAppendRun(b *testing.B) {
	a := New(Config{BatchSize: 16 << 10, MaxBatchBytes: 1 << 20, Memory: 32 << 20, SealAge: time.Hour, Wake: func() {}})
	q := a.Topic("t", 1).Queues()[0]
	call := make([]KeyValue, 100)
	for i := range call {
		call[i].Value = make([]byte, 100)
	}
	now := time.UnixMilli(1_700_000_000_000)
	e := Entry{Timestamp: now.UnixMilli(), Callback: new(int), Detached: true, Series: new(int32)}
	var changes []HeadChange
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ { // a round of the loop is one record, and a run is a hundred rounds' work
		if i%len(call) != 0 {
			continue
		}
		for left := call; len(left) > 0; {
			n := q.AppendRun(&e, left, e.Timestamp)
			if n == 0 {
				n, e.Value = 1, left[0].Value
				if !q.TryAppend(&e, e.Timestamp) {
					appendWithRoom(b, q, &e, now)
				}
			}
			left = left[n:]
			if e.Full {
				changes = sendOff(a, q, changes)
			}
		}
	}
}

// BenchmarkAppendManyPartitions is one record of 100 bytes with a key of 16, into one of a thousand partitions, whose batches
// are sent after 25 records each, and 5 ms: what is needed of a partition has mostly left the nearest cache. Draining and the
// end of batches are in it, on the same processor.
func BenchmarkAppendManyPartitions(b *testing.B) {
	const partitions, records = 1000, 25_000
	a := New(Config{BatchSize: 16 << 10, MaxBatchBytes: 1 << 20, Memory: 32 << 20, SealAge: time.Hour, Wake: func() {}})
	queues := a.Topic("t", partitions).Queues()
	now := time.UnixMilli(1_700_000_000_000)
	e := Entry{
		Record:   protocol.Record{Key: make([]byte, 16), Value: make([]byte, 100)},
		Callback: new(int), Detached: true,
	}
	var changes []HeadChange
	sent, hash := 0, uint32(1)
	b.ReportAllocs()
	for b.Loop() {
		hash = hash*1664525 + 1013904223
		q := queues[uint64(hash)*partitions>>32]
		e.Timestamp = now.UnixMilli()
		if !q.TryAppend(&e, e.Timestamp) {
			appendWithRoom(b, q, &e, now)
		}
		if sent++; sent%(records/5) == 0 {
			now = now.Add(time.Millisecond)
		}
		if sent%records != 0 {
			continue
		}
		changes = a.TakeChanges(changes[:0])
		for _, q := range queues {
			for d := drain(q); d != nil; d = drain(q) {
				end(d, 0, nil)
			}
		}
	}
}

// BenchmarkAppendLarge is one record of 1 KiB that no cache near the processor has, appended as it is, and with Fetch before
// its place is looked for.
func BenchmarkAppendLarge(b *testing.B) {
	const size = 1 << 10
	values := bytes.Repeat([]byte("epistle "), 16<<20/8)
	for _, fetch := range []bool{false, true} {
		b.Run(fmt.Sprintf("fetch=%t", fetch), func(b *testing.B) {
			a := New(Config{BatchSize: 16 << 10, MaxBatchBytes: 1 << 20, Memory: 32 << 20, SealAge: time.Hour, Wake: func() {}})
			q := a.Topic("t", 1).Queues()[0]
			now := time.UnixMilli(1_700_000_000_000)
			var changes []HeadChange
			at := 0
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				e := Entry{Record: protocol.Record{Value: values[at : at+size : at+size]}, Timestamp: now.UnixMilli(), Detached: true}
				if at += size; at == len(values) {
					at = 0
				}
				if fetch {
					Fetch(e.Value)
				}
				if !q.TryAppend(&e, now.UnixMilli()) {
					appendWithRoom(b, q, &e, now)
				}
				if e.Full {
					changes = sendOff(a, q, changes)
				}
			}
		})
	}
}
