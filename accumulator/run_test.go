package accumulator

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// runOf is an entry for runs of records that nobody keeps a future of.
func runOf(series *int32) *Entry {
	return &Entry{Timestamp: noon.UnixMilli(), Callback: series, Detached: true, Series: series}
}

// batchesOf returns all that waits in q as brokers and callbacks would see it, and ends it.
func batchesOf(q *Queue) (out []string) {
	for b := drain(q); b != nil; b = drain(q) {
		h := b.Header()
		b.PutHeader(&h)
		b.PutCRC()
		text := fmt.Sprintf("%x", bytes.Join(b.Bytes(nil), nil))
		b.outcome.EachCallback(func(c *Callback) { text += fmt.Sprint(" ", c.Index, c.Count, c.Timestamp) })
		end(b, 0, nil)
		out = append(out, text)
	}
	return out
}

// Records that are appended in runs make the batches that they make one by one, to the last bit.
func TestRunsMakeTheSameBatches(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		batchSize := 200 + random.IntN(30_000)
		settings := func(c *Config) { c.BatchSize, c.MaxBatchBytes, c.Compressed = batchSize, 40_000, seed%2 == 0 }
		single := small(settings).Topic("t", 1).Queues()[0]
		runs := small(settings).Topic("t", 1).Queues()[0]
		largest := 1 + random.IntN(1000)
		var records []KeyValue
		for range 200 {
			r := KeyValue{Value: make([]byte, random.IntN(largest))}
			if random.IntN(10) == 0 {
				r.Key = make([]byte, random.IntN(30))
			}
			for i := range r.Value {
				r.Value[i] = byte(random.Uint32())
			}
			records = append(records, r)
		}
		series := new(int32)
		inRuns, at := 0, noon
		for len(records) > 0 {
			// A caller's call: all of one millisecond.
			call := records[:min(len(records), 1+random.IntN(20))]
			records = records[len(call):]
			for i := range call {
				e := runOf(series)
				e.Key, e.Value, e.Timestamp = call[i].Key, call[i].Value, at.UnixMilli()
				add(t, single, e, at)
			}
			e := runOf(series)
			for len(call) > 0 {
				e.Timestamp = at.UnixMilli()
				if n := runs.AppendRun(e, call, at.UnixMilli()); n > 0 {
					call, inRuns = call[n:], inRuns+n
					continue
				}
				e.Key, e.Value = call[0].Key, call[0].Value
				add(t, runs, e, at)
				call = call[1:]
			}
			at = at.Add(time.Duration(random.IntN(3)) * time.Millisecond)
		}
		if inRuns < 20 {
			t.Errorf("seed %d: %d of 200 records were appended in runs, too few for the test to mean anything", seed, inRuns)
		}
		if single.seriesBytes != runs.seriesBytes {
			t.Errorf("seed %d: the series has %d bytes, want %d", seed, runs.seriesBytes, single.seriesBytes)
		}
		want, got := batchesOf(single), batchesOf(runs)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: records appended in runs are in %d batches, one by one in %d, or they differ", seed, len(got), len(want))
		}
	}
}

// A run stops behind the record with which another partition may be due, and its ticket is that record's.
func TestARunStopsWhereAnotherPartitionMayBeDue(t *testing.T) {
	q := small(func(c *Config) { c.BatchSize = 1000 }).Topic("t", 1).Queues()[0]
	add(t, q, sized(5000), noon) // of somebody who chose the partition: it fills the batch, and brings room for more
	records := make([]KeyValue, 50)
	for i := range records {
		records[i].Value = make([]byte, 93) // 100 bytes with all else
	}
	e := runOf(new(int32))
	add(t, q, &Entry{Record: protocol.Record{Value: records[0].Value}, Timestamp: e.Timestamp, Callback: e.Callback, Detached: true, Series: e.Series}, noon)
	before := len(q.current.buf)
	if n := q.AppendRun(e, records, noon.UnixMilli()); n == 0 || e.SeriesBytes < 1000 || e.SeriesBytes >= 1000+101 || !e.Full {
		t.Errorf("it took %d records, with %d bytes in its series, full = %v; want it to end with 1,000, of a full batch", n, e.SeriesBytes, e.Full)
	}
	if got := len(q.current.buf) - before; got != int(e.Size) {
		t.Errorf("it says %d bytes, want all %d of the run", e.Size, got)
	}
	if got := q.current.count; got != e.Index+1 || q.current.fastLimit < len(q.current.buf)+1000 {
		t.Errorf("it says record %d of %d, in a chunk with %d bytes left; want the last, and more than 1,000", e.Index, got, q.current.fastLimit-len(q.current.buf))
	}
}

// While no batch is full it goes on to twice as much: only then is it high time to go elsewhere.
func TestARunGoesOnInBatchesThatAreNotFull(t *testing.T) {
	q := small(func(c *Config) { c.BatchSize = 1000 }).Topic("t", 1).Queues()[0]
	records := make([]KeyValue, 3)
	for i := range records {
		records[i].Value = make([]byte, 93)
	}
	e := runOf(new(int32))
	e.Value = records[0].Value
	for e.SeriesBytes < 1500 { // in batches of one, that somebody sends at once
		add(t, q, e, noon)
		end(drain(q), 0, nil)
	}
	for add(t, q, e, noon); e.SeriesBytes < 2000; add(t, q, e, noon) {
		from := e.SeriesBytes
		n := q.AppendRun(e, records, noon.UnixMilli())
		if to := e.SeriesBytes; to < 2000 && n != 3 || to >= 2000+101 {
			t.Fatalf("with %d bytes in its series a run took %d records, want 3, or as many as make it 2,000", from, n)
		}
		end(drain(q), 0, nil)
	}
}

// With Config.Even it never does: how many bytes a series gets must not depend on how soon a broker takes batches.
func TestARunOfAnEvenSeriesEndsWhetherOrNotItsBatchIsFull(t *testing.T) {
	for _, taken := range []bool{true, false} {
		q := small(func(c *Config) { c.BatchSize, c.Even = 1000, true }).Topic("t", 1).Queues()[0]
		records := make([]KeyValue, 30)
		for i := range records {
			records[i].Value = make([]byte, 93)
		}
		e := runOf(new(int32))
		e.Value = records[0].Value
		add(t, q, e, noon)
		for add(t, q, e, noon); e.SeriesBytes < 500; add(t, q, e, noon) {
		}
		if taken {
			end(drain(q), 0, nil)
			add(t, q, e, noon) // the next batch is open, and far from full
		}
		for e.SeriesBytes < 1000 {
			if q.AppendRun(e, records, noon.UnixMilli()) == 0 {
				add(t, q, e, noon)
			}
		}
		if e.SeriesBytes != 1000 { // of 10 records
			t.Errorf("batch taken %v: the run ends with %d bytes, want 1,000", taken, e.SeriesBytes)
		}
		if q.head != nil {
			end(drain(q), 0, nil)
		}
	}
}

// With Config.Even a record counts the same wherever in a batch it is. In the batch itself it takes more bytes the later it comes:
// the batch of a slow broker stays open for longer, and its partition would get fewer records.
func TestARecordOfAnEvenSeriesCountsTheSameWhereverItIs(t *testing.T) {
	q := small(func(c *Config) { c.BatchSize, c.Even = 20_000, true }).Topic("t", 1).Queues()[0]
	series := new(int32)
	counted := int64(0)
	for i := range 100 { // offsets of one byte, and of two
		e := sized(90)
		e.Series = series
		e.Timestamp += int64(i) * 100 // differences of one byte, of two and of three
		after := add(t, q, e, noon).SeriesBytes
		if got, want := after-counted, int64(97); got != want {
			t.Fatalf("record %d counts as %d bytes, want %d", i, got, want)
		}
		counted = after
	}
	end(drain(q), 0, nil)
}

// Where more has to be done for a record than to write it, no run begins, and nothing has changed.
func TestNoRunBegins(t *testing.T) {
	records := []KeyValue{{Value: []byte("a")}, {Value: []byte("b")}}
	tests := map[string]func(q *Queue, e *Entry) (nowMs int64){
		"no batch":    func(q *Queue, _ *Entry) int64 { end(drain(q), 0, nil); return noon.UnixMilli() },
		"refused":     func(q *Queue, _ *Entry) int64 { q.Refuse(errors.New("ended")); return noon.UnixMilli() },
		"sealed":      func(*Queue, *Entry) int64 { return noon.Add(time.Minute).UnixMilli() },
		"transaction": func(_ *Queue, e *Entry) int64 { e.Txn = 7; return noon.UnixMilli() },
		"future":      func(_ *Queue, e *Entry) int64 { e.Detached = false; return noon.UnixMilli() },
		"headers":     func(_ *Queue, e *Entry) int64 { e.Headers = make([]protocol.Header, 1); return noon.UnixMilli() },
		"callback":    func(_ *Queue, e *Entry) int64 { e.Callback = new(int); return noon.UnixMilli() },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			q := small().Topic("t", 1).Queues()[0]
			first := &Entry{Record: protocol.Record{Value: []byte("first")}, Timestamp: noon.UnixMilli(), Detached: true}
			add(t, q, first, noon)
			e := &Entry{Timestamp: noon.UnixMilli(), Detached: true}
			nowMs := change(q, e)
			if n := q.AppendRun(e, records, nowMs); n != 0 {
				t.Errorf("%d records were appended, want none", n)
			}
			q.Refuse(nil)
			if b := drain(q); b != nil && b.Count() != 1 {
				t.Errorf("the batch has %d records, want its first alone", b.Count())
			}
		})
	}
}
