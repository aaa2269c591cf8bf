package accumulator

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A lesson is what a topic has taught about the size of its batches. It begins with the first batch that its brokers refuse as
// too large, and ends when they take the largest again. It belongs to the sender loop.
//
// Sizes are in bytes as brokers count them, after compression. Records are batched before that. So a batch may grow to the
// limit times the rate at which the last batches were compressed.
type lesson struct {
	limit   int       // batches are made no larger than this; 0: nothing is learned
	good    int       // the largest that was acknowledged since one as small was last refused
	rate    float64   // bytes before compression for each byte after it
	quiet   time.Time // until then nothing larger is tried
	growing bool      // batches may become twice as large, for the next that is tried

	// The batch whose refusal taught the limit. Its pieces may be refused as well, if the limit is lower still. They are one
	// batch, and what they show may hold for a moment only. It counts when another batch confirms it. Of the batches that wait,
	// one is sent to find out. The others keep to it until that one is answered.
	witness       *Queue
	witnessSerial int64
	hearsay       int       // the limit that its pieces have shown; 0: none
	trial         time.Time // until then the batch that is to find out is awaited
}

// probeEvery is how long a topic's batches stay small after one was refused as too large. Then a larger one is tried, and as
// long as they are taken, a larger one again.
const probeEvery = time.Minute

// HasLimit reports whether it is known that the topic takes smaller batches than others.
func (t *Topic) HasLimit() bool { return t.lesson.limit > 0 }

// Refused notes that a broker has refused b as too large.
func (t *Topic) Refused(now time.Time, b *Batch) {
	l := &t.lesson
	l.quiet, l.growing = now.Add(probeEvery), false
	l.rate = float64(b.RawSize()) / float64(b.size)
	if b.size <= l.good {
		l.good = 0 // the limit has been lowered
	}
	limit := max(b.size/2, l.good, 1)
	switch {
	case l.limit > 0 && limit >= l.limit:
		// It was made before the limit was known, or it was made larger to see whether the limit holds.
	case l.limit > 0 && l.witnessed(b) && b.piece:
		if l.hearsay == 0 || limit < l.hearsay { // otherwise it was on its way when a smaller one was refused
			l.hearsay = limit
		}
	default:
		if l.hearsay > 0 {
			limit = min(limit, l.heard())
		}
		l.limit, l.hearsay, l.trial = limit, 0, time.Time{}
		l.witness, l.witnessSerial = b.queue, b.serial
	}
	t.recap(0)
}

// Accepted notes that b was acknowledged, by a topic that has taught something.
func (t *Topic) Accepted(now time.Time, b *Batch) {
	l := &t.lesson
	l.rate = float64(b.RawSize()) / float64(b.size)
	if b.size > l.heard() {
		l.trial = time.Time{}
	}
	l.good = max(l.good, b.size)
	if b.size > well(l.hearsay) {
		l.hearsay = 0
	}
	if b.size > l.limit && (l.growing || b.size > well(l.limit)) {
		l.limit = b.size
		if l.growing {
			l.quiet = now
		}
	}
	if !l.quiet.After(now) && b.size > l.limit/2 {
		l.growing = true
	}
	if l.growing && l.raw() >= t.acc.maxBatchBytes/16*15 {
		*l = lesson{} // the last record of a batch that is full rarely fits exactly
	}
	t.recap(t.cap() / 8)
}

// witnessed reports whether b is the batch that taught the limit, or a piece of it.
func (l *lesson) witnessed(b *Batch) bool {
	return l.witness == b.queue && l.witnessSerial == b.serial
}

// Limit returns the most bytes that b may have, as brokers count them. For a piece it is what the other pieces of its batch
// have taught. That holds for all batches while one is on its way to find out whether it is true.
func (t *Topic) Limit(now time.Time, b *Batch) int {
	l := &t.lesson
	if l.hearsay > 0 && (l.witnessed(b) || l.trial.After(now)) {
		return l.heard()
	}
	return l.limit
}

// heard is the limit that the pieces of the witness have shown, if they have.
func (l *lesson) heard() int { return min(l.limit, max(l.hearsay, l.good)) }

// raw is the limit in bytes before compression.
func (l *lesson) raw() int { return int(float64(l.limit) * l.rate) }

// well returns a size that is well beyond limit. The limit is half of a batch that was refused, and a half can be larger than
// that by a header and a record.
func well(limit int) int { return limit + limit/2 + protocol.BatchHeaderSize }

// Fits reports whether b is to be sent as it is. Once in a while a batch that is larger than the limit is sent, to see whether
// the limit still holds. The others are split to Most first.
func (t *Topic) Fits(now time.Time, b *Batch) bool {
	l := &t.lesson
	rate := 1.0
	if b.raw == 0 { // it is not compressed yet
		rate = l.rate
	}
	limit := int(float64(t.Limit(now, b)) * rate)
	switch {
	case l.limit == 0 || b.count == 1:
		return true
	case b.size <= limit:
		if l.hearsay > 0 && b.size > int(float64(l.heard())*rate) {
			l.trial = now.Add(probeEvery) // or until this one is answered
		}
		return true
	case b.size > 2*limit || l.quiet.After(now):
		return false
	}
	l.quiet, l.growing = now.Add(probeEvery), true
	return true
}

// Most returns how many bytes before compression a piece of b may have. b is a batch that does not fit.
func (t *Topic) Most(now time.Time, b *Batch) int {
	most := t.before(b, t.Limit(now, b))
	if !t.lesson.quiet.After(now) {
		most *= 2
	}
	return max(most, 1)
}

// before returns the size before compression of a piece of b that has size bytes after it.
func (t *Topic) before(b *Batch, size int) int {
	rate := t.lesson.rate
	if b.raw > 0 {
		rate = float64(b.raw) / float64(b.size)
	}
	return max(int(float64(size)*rate), 1)
}

// Split splits b, which was Refused, into pieces that the topic is known to take, or in halves if all that is known is that it
// does not take b. What the pieces of one batch have shown is no lesson yet. It is good enough for another batch that was
// refused as well: the two were usually on their way at the same time, and halving this one from the top would only show the
// same once more.
//
// With halves, the Limit that they are made for is returned. For other pieces it is 0.
func (t *Topic) Split(now time.Time, b *Batch) (pieces []*Batch, limit int, err error) {
	l := &t.lesson
	known := l.limit
	if l.hearsay > 0 {
		known = l.heard()
	}
	if known < b.size/2 {
		pieces, err = b.SplitTo(t.before(b, known))
		return pieces, 0, err
	}
	pieces, err = b.halve()
	return pieces, t.Limit(now, b), err
}

// recap sets the queues' cap to what is learned. It visits all queues, so a change of at most some bytes is not worth it.
func (t *Topic) recap(some int) {
	most, now := t.acc.maxBatchBytes, t.cap()
	if l := &t.lesson; l.limit > 0 {
		if l.growing {
			most = min(most, 2*l.raw())
		} else {
			most = min(most, l.raw())
		}
	}
	if most = max(most, 1); most == now || most != t.acc.maxBatchBytes && max(most-now, now-most) <= some {
		return
	}
	t.learned.Store(int64(most))
	for _, q := range t.Queues() {
		q.mu.Lock()
		q.setFastLimit()
		q.mu.Unlock()
	}
}
