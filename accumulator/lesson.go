package accumulator

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A lesson is what a topic has taught about the size of its batches, from the
// first that its brokers refuse as too large until they take the largest again.
// It is the sender loop's.
//
// Sizes are in bytes as brokers count them, after compression. Records are
// batched before that, so what they may grow to is the limit times the rate at
// which the last batches were compressed.
type lesson struct {
	limit   int       // batches are made no larger; 0: nothing is learned
	good    int       // the largest that was acknowledged since the last refusal of one as small
	rate    float64   // bytes before compression for each one after
	quiet   time.Time // until then nothing larger is tried
	growing bool      // batches may become twice as large, for the next that is tried

	// The batch whose refusal taught the limit. Its pieces may be refused as
	// well, if the limit is lower still. They are one batch, and what they say may
	// be true for a moment only: it counts when another batch confirms it. Of those
	// that wait one is sent to find out, and the others keep to it until it is
	// answered.
	witness       *Queue
	witnessSerial int64
	hearsay       int       // the limit that its pieces tell of; 0: none
	trial         time.Time // until then the one that is to find out is awaited
}

// probeEvery is how long a topic's batches stay small after one was refused as
// too large. Then one is tried that is larger, and as long as they are taken,
// the next.
const probeEvery = time.Minute

// Taught reports whether the topic takes smaller batches than others, as far as
// it has taught.
func (t *Topic) Taught() bool { return t.lesson.limit > 0 }

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
		// It was made before the limit was known, or was larger to see whether it holds.
	case l.limit > 0 && l.witnessed(b) && b.piece:
		if l.hearsay == 0 || limit < l.hearsay { // else this one was on its way when a smaller one was refused
			l.hearsay = limit
		}
	default:
		if l.hearsay > 0 {
			limit = min(limit, l.told())
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
	if b.size > l.told() {
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

// witnessed reports whether b is of the batch that taught the limit.
func (l *lesson) witnessed(b *Batch) bool {
	return l.witness == b.queue && l.witnessSerial == b.serial
}

// Limit returns what b may have, in bytes as brokers count them. For the pieces
// of one batch that is what its other pieces have taught; for other batches, too,
// while one of them finds out whether it is so.
func (t *Topic) Limit(now time.Time, b *Batch) int {
	l := &t.lesson
	if l.hearsay > 0 && (l.witnessed(b) || l.trial.After(now)) {
		return l.told()
	}
	return l.limit
}

// told is what the pieces of the witness tell of, if they do.
func (l *lesson) told() int { return min(l.limit, max(l.hearsay, l.good)) }

// raw is the limit in bytes before compression.
func (l *lesson) raw() int { return int(float64(l.limit) * l.rate) }

// well returns a size that is well beyond limit: half of a batch that was
// refused, which its limit is, can be larger by a header and a record.
func well(limit int) int { return limit + limit/2 + protocol.BatchHeaderSize }

// Fits reports whether b is to be sent as it is. One that is larger than what was
// learned is, once in a while, to see whether that still holds; the others are
// cut to Most first.
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
		if l.hearsay > 0 && b.size > int(float64(l.told())*rate) {
			l.trial = now.Add(probeEvery) // or until it is answered
		}
		return true
	case b.size > 2*limit || l.quiet.After(now):
		return false
	}
	l.quiet, l.growing = now.Add(probeEvery), true
	return true
}

// Most returns how many bytes before compression a piece of b, which does not
// fit, may have.
func (t *Topic) Most(now time.Time, b *Batch) int {
	most := t.before(b, t.Limit(now, b))
	if !t.lesson.quiet.After(now) {
		most *= 2
	}
	return max(most, 1)
}

// before returns what a size has been before compression, for pieces of b.
func (t *Topic) before(b *Batch, size int) int {
	rate := t.lesson.rate
	if b.raw > 0 {
		rate = float64(b.raw) / float64(b.size)
	}
	return max(int(float64(size)*rate), 1)
}

// Split cuts b, which was Refused, into pieces of what the topic is known to
// take, or in halves where no more is known than that it does not take b. What
// the pieces of one batch have told is no lesson yet, but good enough for another
// that has been refused as well: both were on their way at the same time, as a
// rule, and to halve this one from the top would tell the same once more.
//
// The Limit that halves are made for is returned with them. For other pieces it
// is 0.
func (t *Topic) Split(now time.Time, b *Batch) (pieces []*Batch, limit int, err error) {
	l := &t.lesson
	known := l.limit
	if l.hearsay > 0 {
		known = l.told()
	}
	if known < b.size/2 {
		pieces, err = b.CutTo(t.before(b, known))
		return pieces, 0, err
	}
	pieces, err = b.halve()
	return pieces, t.Limit(now, b), err
}

// recap has the queues keep to what is learned, unless that has changed by no
// more than some bytes: it visits them all.
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
		q.relimit()
		q.mu.Unlock()
	}
}
