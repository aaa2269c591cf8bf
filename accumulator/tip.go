package accumulator

import (
	"unsafe"

	"github.com/epistle-kafka/epistle/protocol"
)

// A tip is the end of a queue's open batch, where records are appended. It lies
// in the queue and not in the batch, so that all that an append needs, besides
// room for its record, is two lines of memory in a row: with a thousand
// partitions in turn, each line more costs as much as the copy. The batch
// learns of it by settle.
type tip struct {
	outcome  *Outcome // of the open batch, which is Queue.tail; nil: there is none
	buf      []byte   // the batch's last chunk
	limit    int      // up to this length of buf, records change nothing else: see relimit
	baseTime int64    // Unix milliseconds
	count    int32    // records in the batch
	filled   bool     // batch.size was reached
	kept     bool     // see Outcome.keep
	even     bool     // see Config.Even
	room     uint8    // entries that the outcome's callbacks take without a further block

	// The callback and timestamp of the last record: those that are like it
	// share its entry.
	fn   any       // nil for none
	time int64     // Unix milliseconds
	run  *Callback // the entry; nil if fn is

	sealAt  int64 // by Accumulator.Millis; later records take another batch
	txn     int64 // see Batch.txn
	maxTime int64 // Unix milliseconds
	before  int   // bytes of the batch in the chunks before buf's
}

// size returns the bytes of the batch.
func (t *tip) size() int { return t.before + len(t.buf) }

// measure makes e the batch's next record, and returns the sizes of its body and
// of all of it.
func (t *tip) measure(e *Entry) (body, n int) {
	e.OffsetDelta, e.TimestampDelta = t.count, e.Timestamp-t.baseTime
	body = e.BodySize()
	return body, protocol.RecordSize(body)
}

// fits reports whether e, of n bytes, may be put behind the other records at
// nowMs, so that the last chunk has no more than most bytes then.
func (t *tip) fits(e *Entry, n int, nowMs int64, most int) bool {
	return len(t.buf)+n <= most && nowMs <= t.sealAt && t.txn == e.Txn
}

// continues reports whether e needs no callback entry of its own.
func (t *tip) continues(e *Entry) bool { return t.time == e.Timestamp && identical(t.fn, e.Callback) }

// takesCallback reports whether e's callback can be added without a further block.
func (t *tip) takesCallback(e *Entry) bool {
	return e.Callback == nil || t.room > 0 || t.continues(e)
}

// put encodes e, measured and with room, behind the other records, and fills in
// where it is.
func (t *tip) put(e *Entry, body, n int) {
	at := len(t.buf)
	t.buf = t.buf[:at+n]
	e.Put(t.buf, at, body)
	e.Outcome, e.Index, e.Size, e.Full = t.outcome, t.count, int32(n), t.filled
	t.count++
}

// turn begins the run of callback and timestamp that e is the first of.
func (t *tip) turn(e *Entry) {
	if t.turnNext(e) {
		return
	}
	var run *Callback
	if e.Callback != nil {
		cs := &t.outcome.callbacks
		run = cs.at(cs.most() - int(t.room))
		t.room--
	}
	t.begin(e, run)
}

// turnNext is turn where the new run's entry lies right behind that of the last,
// so that it needs no more of the outcome, which is far away. Where it does not, it
// does nothing and reports false.
func (t *tip) turnNext(e *Entry) bool {
	if t.run == nil || e.Callback == nil || t.room == 0 || int(t.room) == len(callbackBlock{}) {
		return false
	}
	t.room--
	t.begin(e, (*Callback)(unsafe.Add(unsafe.Pointer(t.run), unsafe.Sizeof(*t.run))))
	return true
}

// begin ends the last run and begins the one of e, with the entry run; nil if e
// has no callback.
func (t *tip) begin(e *Entry, run *Callback) {
	t.endRun()
	if run != nil {
		*run = Callback{Fn: e.Callback, Timestamp: e.Timestamp, Index: t.count}
	}
	t.fn, t.time, t.run = e.Callback, e.Timestamp, run
	t.maxTime = max(t.maxTime, e.Timestamp)
}

// endRun tells the entry of the run how many records it is of by now.
func (t *tip) endRun() {
	if t.run != nil {
		t.run.Count = t.count - t.run.Index
	}
}

// settle tells the open batch what has been appended. q.mu is held.
func (q *Queue) settle() {
	t, b := &q.tip, q.tail
	if len(b.chunks) == 0 {
		return // it has just been opened
	}
	t.endRun()
	b.chunks[len(b.chunks)-1].buf = t.buf
	b.count, b.size, b.maxTime = t.count, t.size(), t.maxTime
	cs := &t.outcome.callbacks
	cs.n = cs.most() - int(t.room)
}

// relimit says anew how far records can be appended without a look at anything
// but the tip: not beyond the chunk, nor what a batch may grow to, nor to where
// the batch is filled or its records are to be summed. q.mu is held.
func (q *Queue) relimit() {
	t := &q.tip
	if t.outcome == nil || q.refused != nil {
		t.limit = 0
		return
	}
	most := min(q.topic.cap(), t.before+cap(t.buf))
	if !t.filled {
		most = min(most, q.topic.acc.batchSize-1)
	}
	if q.topic.acc.sums {
		most = min(most, q.tail.sum.size+sumStep-1)
	}
	t.limit = most - t.before
}
