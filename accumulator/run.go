package accumulator

import "unsafe"

// A KeyValue is what a record has of its own, besides what it shares with its
// neighbours.
type KeyValue struct{ Key, Value []byte }

// farAhead is how many bytes before they are written the lines of a run's next
// records are asked for: time enough for them to come from beyond the caches.
const farAhead = 512

// AppendRun appends the first of records that have no key and that the open batch
// takes as it is, each with its own value and all else of e, under one lock: what
// costs most of a small record is the lock. It stops behind a record with which
// another partition may be due: see partition.Sticky. It returns how many it has
// appended, with e.Ticket that of the last; 0 is no refusal: Append says why, or
// needs room. nowMs is as in Append.
func (q *Queue) AppendRun(e *Entry, records []KeyValue, nowMs int64) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := &q.tip
	if nowMs > t.sealAt || t.txn != e.Txn || !e.Detached && !t.kept {
		return 0
	}
	return q.appendRun(e, records)
}

// appendRun is AppendRun where the open batch, if there is one, takes e's kind
// of record. q.mu is held.
func (q *Queue) appendRun(e *Entry, records []KeyValue) int {
	t := &q.tip
	due := int64(q.topic.acc.batchSize) // bytes of the series
	if !t.filled {
		due *= 2
	}
	for i := range records {
		if i+1 < len(records) {
			Fetch(records[i+1].Value)
		}
		e.Key, e.Value = records[i].Key, records[i].Value
		body, n := t.measure(e)
		if e.Key != nil || len(t.buf)+n > t.limit || i == 0 && !t.continues(e) && !t.turnNext(e) {
			return i
		}
		t.put(e, body, n)
		prefetch(unsafe.SliceData(t.buf), len(t.buf)+farAhead-64)
		if e.Series == nil {
			continue
		}
		if q.count(e); q.seriesBytes >= due {
			return i + 1
		}
	}
	return len(records)
}
