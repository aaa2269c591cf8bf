package accumulator

import (
	"unsafe"

	"github.com/epistle-kafka/epistle/protocol"
)

// A KeyValue is what a record has of its own, besides what it shares with its
// neighbours.
type KeyValue = protocol.KeyValue

// What is asked for in advance while a run is written: time enough for it to come
// from beyond the caches, and less than would push out what is needed sooner.
const (
	farAhead  = 512                  // bytes before they are written, the lines that records will be in
	together  = 8                    // records with a value below fetchFrom that are written between two requests
	mostAhead = together * fetchFrom // bytes asked for in one request
)

// AppendRun appends the first of records that have no key and that the open batch
// takes as it is, each with its own value and all else of e, under one lock: what
// costs most of a small record is the lock. It stops behind a record with which
// another partition may be due: see package internal/sticky. It returns how many it has
// appended, and e says where the last is, but with the Size of all of them; 0 is
// no refusal: see Append. nowMs is as in TryAppend.
func (q *Queue) AppendRun(e *Entry, records []KeyValue, nowMs int64) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := &q.tip
	if !t.fits(e, 1, nowMs, t.limit) || !e.Detached && !t.kept || len(e.Headers) > 0 {
		return 0
	}
	return q.appendRun(e, records)
}

// appendRun is AppendRun where there is an open batch that takes e's kind of
// record. q.mu is held.
func (q *Queue) appendRun(e *Entry, records []KeyValue) int {
	t := &q.tip
	run := protocol.NewRun(e.Timestamp - t.baseTime)
	buf, from := t.buf[:t.limit], len(t.buf)
	n, at, until := 0, from, from+q.runBytes(e)
	for n < len(records) {
		group := records[n : n+1]
		if n > 0 && len(group[0].Value) < fetchFrom {
			group = records[n:min(n+together, len(records))]
		}
		fetchNext(records[n+len(group):])
		k, end := run.Put(buf, at, t.count+int32(n), group, until)
		if k == 0 || n == 0 && !t.continues(e) && !t.turnNext(e) {
			break
		}
		prefetchRange(unsafe.SliceData(buf), max(at, end-mostAhead)+farAhead, end+farAhead)
		n, at = n+k, end
	}
	if n == 0 {
		return 0
	}
	t.buf, t.count = buf[:at], t.count+int32(n)
	e.Outcome, e.Index, e.Size, e.Full, e.SeriesBytes = t.outcome, t.count-1, int32(at-from), t.filled, 0
	if e.Series != nil {
		q.countRun(e, records[:n])
	}
	return n
}

// countRun is count for the records of a run, of which e is the last's. q.mu is held.
func (q *Queue) countRun(e *Entry, records []KeyValue) {
	size := int64(e.Size)
	if q.tip.even {
		size = int64(len(records)) * leastAround
		for i := range records {
			size += int64(len(records[i].Value))
		}
	}
	q.countBytes(e, size)
}

// runBytes returns how many bytes of records a run takes: it stops behind the one
// with which it has them. q.mu is held.
func (q *Queue) runBytes(e *Entry) int {
	if e.Series == nil {
		return q.tip.limit
	}
	due := int64(q.topic.acc.batchSize) // of the series
	if !q.tip.filled && !q.tip.even {
		due *= 2
	}
	if e.Series == q.series {
		due -= q.seriesBytes
	}
	return int(max(due, 1))
}

// fetchNext asks for the values of those of the next records that are small, or
// for the first that is not.
func fetchNext(records []KeyValue) {
	if len(records) == 0 {
		return
	}
	if len(records[0].Value) >= fetchFrom {
		Fetch(records[0].Value)
		return
	}
	prefetchValues(&records[0], min(together, len(records)))
}
