package accumulator

import (
	"unsafe"

	"github.com/epistle-kafka/epistle/protocol"
)

// An openBatch is what an append needs to know of a queue's open batch. It lies in the queue and not in the Batch, so that an
// append touches two neighbouring lines of memory, besides the place of its record. Where a thousand partitions take turns,
// each further line costs as much as the copy. settle brings the Batch up to date.
type openBatch struct {
	outcome      *Outcome // of the open batch, which is Queue.tail; nil: there is none
	buf          []byte   // the batch's last chunk
	fastLimit    int      // up to this length of buf an append changes nothing else: see setFastLimit
	baseTime     int64    // Unix milliseconds
	count        int32    // records in the batch
	filled       bool     // batch.size was reached
	kept         bool     // see Outcome.keep
	even         bool     // see Config.Even
	callbackRoom uint8    // entries that the outcome's callbacks take without a further block

	// The callback and timestamp of the last record. Records with the same two share its entry.
	fn       any       // nil for none
	time     int64     // Unix milliseconds
	callback *Callback // the entry; nil if fn is

	sealAt  int64 // by Accumulator.Millis; later records take another batch
	txn     int64 // see Batch.txn
	maxTime int64 // Unix milliseconds
	before  int   // bytes of the batch in the chunks before buf's
}

// size returns the bytes of the batch.
func (open *openBatch) size() int { return open.before + len(open.buf) }

// measure sets the deltas of e as the batch's next record. It returns the sizes of its body and of all of it.
func (open *openBatch) measure(e *Entry) (body, n int) {
	e.OffsetDelta, e.TimestampDelta = open.count, e.Timestamp-open.baseTime
	body = e.BodySize()
	return body, protocol.RecordSize(body)
}

// fits reports whether e, of n bytes, may be put behind the other records at nowMs, with no more than most bytes in the last
// chunk afterwards.
func (open *openBatch) fits(e *Entry, n int, nowMs int64, most int) bool {
	return len(open.buf)+n <= most && nowMs <= open.sealAt && open.txn == e.Txn
}

// sharesCallback reports whether e needs no callback entry of its own.
func (open *openBatch) sharesCallback(e *Entry) bool {
	return open.time == e.Timestamp && identical(open.fn, e.Callback)
}

// takesCallback reports whether e's callback can be added without a further block.
func (open *openBatch) takesCallback(e *Entry) bool {
	return e.Callback == nil || open.callbackRoom > 0 || open.sharesCallback(e)
}

// put encodes e behind the other records, and fills in where it is. e was measured and has room.
func (open *openBatch) put(e *Entry, body, n int) {
	at := len(open.buf)
	open.buf = open.buf[:at+n]
	e.Put(open.buf, at, body)
	e.Outcome, e.Index, e.Size, e.Full = open.outcome, open.count, int32(n), open.filled
	open.count++
}

// startCallback begins the callback entry of which e is the first record.
func (open *openBatch) startCallback(e *Entry) {
	if open.startNextCallback(e) {
		return
	}
	var run *Callback
	if e.Callback != nil {
		cs := &open.outcome.callbacks
		run = cs.at(cs.most() - int(open.callbackRoom))
		open.callbackRoom--
	}
	open.setCallback(e, run)
}

// startNextCallback is startCallback where the new entry lies right behind the last one. Then it need not touch the outcome,
// whose memory is far away. Elsewhere it does nothing and reports false.
func (open *openBatch) startNextCallback(e *Entry) bool {
	if open.callback == nil || e.Callback == nil || open.callbackRoom == 0 || int(open.callbackRoom) == len(callbackBlock{}) {
		return false
	}
	open.callbackRoom--
	open.setCallback(e, (*Callback)(unsafe.Add(unsafe.Pointer(open.callback), unsafe.Sizeof(*open.callback))))
	return true
}

// setCallback ends the last callback entry and begins that of e; nil if e has no callback.
func (open *openBatch) setCallback(e *Entry, run *Callback) {
	open.endCallback()
	if run != nil {
		*run = Callback{Fn: e.Callback, Timestamp: e.Timestamp, Index: open.count}
	}
	open.fn, open.time, open.callback = e.Callback, e.Timestamp, run
	open.maxTime = max(open.maxTime, e.Timestamp)
}

// endCallback writes the number of its records into the last callback entry.
func (open *openBatch) endCallback() {
	if open.callback != nil {
		open.callback.Count = open.count - open.callback.Index
	}
}

// settle writes into the Batch what has been appended. q.mu is held.
func (q *Queue) settle() {
	open, b := &q.current, q.tail
	if len(b.chunks) == 0 {
		return // it has just been opened
	}
	open.endCallback()
	b.chunks[len(b.chunks)-1].buf = open.buf
	b.count, b.size, b.maxTime = open.count, open.size(), open.maxTime
	cs := &open.outcome.callbacks
	cs.n = cs.most() - int(open.callbackRoom)
}

// setFastLimit recomputes the length up to which an append changes nothing but the openBatch. Beyond it the chunk ends, the
// batch has all that it may grow to, it is full, or its CRC is to be brought up to date. q.mu is held.
func (q *Queue) setFastLimit() {
	open := &q.current
	if open.outcome == nil || q.refused != nil {
		open.fastLimit = 0
		return
	}
	most := min(q.topic.cap(), open.before+cap(open.buf))
	if !open.filled {
		most = min(most, q.topic.acc.batchSize-1)
	}
	if q.topic.acc.sums {
		most = min(most, q.tail.sum.size+sumStep-1)
	}
	open.fastLimit = most - open.before
}
