package accumulator

import (
	"unsafe"

	"github.com/epistle-kafka/epistle/protocol"
)

// A KeyValue is what differs from record to record in a run.
type KeyValue = protocol.KeyValue

// How much is prefetched while a run is written: far enough ahead to arrive in time from beyond the caches, and less than would
// push out what is needed sooner.
const (
	farAhead  = 512                  // bytes: how far before it is written to a line is asked for
	together  = 8                    // records with a value below fetchFrom that are written between two requests to the processor
	mostAhead = together * fetchFrom // bytes asked for in one request
)

// AppendRun appends records that have no key, each with its own value and all else of e, under one lock: the lock is what a
// small record costs most. It takes as many as fit the open batch without more work. It stops behind a record after which
// another partition may be due: see package internal/sticky. It returns how many it has appended. e then says where the last of
// them is, and its Size is that of all. If none was appended, Append must be called: it returns the reason, if there is one.
// nowMs is as in TryAppend.
func (q *Queue) AppendRun(e *Entry, records []KeyValue, nowMs int64) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	open := &q.current
	if !open.fits(e, 1, nowMs, open.fastLimit) || !e.Detached && !open.kept || len(e.Headers) > 0 {
		return 0
	}
	return q.appendRun(e, records)
}

// appendRun is AppendRun once it is clear that the open batch takes records such as e. q.mu is held.
func (q *Queue) appendRun(e *Entry, records []KeyValue) int {
	open := &q.current
	run := protocol.NewRun(e.Timestamp - open.baseTime)
	buf, from := open.buf[:open.fastLimit], len(open.buf)
	n, at, until := 0, from, from+q.runBytes(e)
	for n < len(records) {
		group := records[n : n+1]
		if n > 0 && len(group[0].Value) < fetchFrom {
			group = records[n:min(n+together, len(records))]
		}
		fetchNext(records[n+len(group):])
		k, end := run.Put(buf, at, open.count+int32(n), group, until)
		if k == 0 || n == 0 && !open.sharesCallback(e) && !open.startNextCallback(e) {
			break
		}
		prefetchRange(unsafe.SliceData(buf), max(at, end-mostAhead)+farAhead, end+farAhead)
		n, at = n+k, end
	}
	if n == 0 {
		return 0
	}
	open.buf, open.count = buf[:at], open.count+int32(n)
	e.Outcome, e.Index, e.Size, e.Full, e.SeriesBytes = open.outcome, open.count-1, int32(at-from), open.filled, 0
	if e.Series != nil {
		q.countRun(e, records[:n])
	}
	return n
}

// countRun is count for the records of a run, of which e is the last's. q.mu is held.
func (q *Queue) countRun(e *Entry, records []KeyValue) {
	size := int64(e.Size)
	if q.current.even {
		size = int64(len(records)) * leastAround
		for i := range records {
			size += int64(len(records[i].Value))
		}
	}
	q.countBytes(e, size)
}

// runBytes returns how many bytes a run may have before it stops, with the record that reaches that number. q.mu is held.
func (q *Queue) runBytes(e *Entry) int {
	if e.Series == nil {
		return q.current.fastLimit
	}
	due := int64(q.topic.acc.batchSize) // of the series
	if !q.current.filled && !q.current.even {
		due *= 2
	}
	if e.Series == q.series {
		due -= q.seriesBytes
	}
	return int(max(due, 1))
}

// fetchNext prefetches the values of the next few records that are small, or the first value that is large.
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
