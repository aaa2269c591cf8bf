package sender

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
)

// deliver ends a batch that the broker has.
func (c *core) deliver(p *partition, d *delivery, offset, appendTime int64) {
	p.failures, p.backoffsEnded, p.backoff, p.lastErr = 0, 0, time.Time{}, nil
	// An answer about a log that is gone, or of a former leader, proves nothing.
	if !d.old && d.era == p.numbers.Era() {
		p.numbers.Acked(d.identity, c.now)
	}
	c.txn.delivered(d)
	if p.spell != nil {
		c.news.leave(p)
	}
	if d.doubt != nil {
		c.endAllNamed(d)
	}
	if d.resolved {
		return
	}
	if d.attempts > 1 && appendTime == d.Header().MaxTimestamp {
		// A broker that has the batch already answers with its timestamp here, whether or not the topic sets times.
		appendTime = -1
	}
	if p.topic.queues.HasLimit() {
		p.topic.queues.Accepted(c.now, d.Batch)
	}
	c.hooks.acknowledged(d, offset, appendTime)
	d.resolved = true
	d.over = !d.IsPiece() // what is left of a batch that was split may be elsewhere
	n := d.Count()
	c.published.inFlight.Add(-int64(n))
	c.metrics.countDelivered(p, d, n)
	o, ended := d.Outcome(), d.Resolve(offset, appendTime, nil)
	d.Batch = nil
	c.finish(o, ended, true, n)
}

// retry sends d again after a backoff, or ends it if it has had its retries.
func (c *core) retry(p *partition, d *delivery, err error, now bool) {
	if d.attempts > int(c.cfg.Retries) {
		c.giveUp(p, d, fmt.Errorf("retries are used up: %w", err))
		return
	}
	if lost := c.lost(p, d); lost != nil {
		c.giveUp(p, d, fmt.Errorf("%w: %w", lost, err))
		return
	}
	c.news.retrying(p, d, err)
	d.why = Reason(err)
	c.hooks.retried(d, err)
	p.requeue(d)
	c.later(p, now, err)
}

// lost returns why d cannot go to its topic, which was made again while d was in flight; nil if it can, or if the topic is the
// same.
func (c *core) lost(p *partition, d *delivery) error {
	switch {
	case !d.old:
		return nil
	case d.doubtful(), c.cfg.FailRecreated:
		return p.topic.again
	case int(p.index) >= len(p.topic.meta.Partitions):
		return ErrPartitionGone
	}
	return nil
}

// later sets the backoff of p after a failed attempt. With now it is known already where to send to, and p goes on at once, up
// to maxBackoffsEnded times.
func (c *core) later(p *partition, now bool, err error) {
	if now && p.backoffsEnded < maxBackoffsEnded {
		p.backoffsEnded++
		return
	}
	delay := c.cfg.RetryBackoff.Delay(p.failures, c.out.random())
	if errors.Is(err, protocol.ConcurrentTransactions) || errors.Is(err, protocol.InvalidProducerIDMapping) {
		delay = min(delay, briefly<<min(p.failures, 10)) // the transaction before is being completed
	}
	// The batches behind one that failed fail with it, and count as one failure.
	if !p.backoff.After(c.now) {
		p.failures++
		p.backoff = c.now.Add(delay)
	}
}

// briefly is the first wait for the end of the transaction before, which takes milliseconds as a rule.
const briefly = 5 * time.Millisecond

// giveUp ends a batch with an error. Its numbers were taken, so the partition needs a new epoch for the next batch.
func (c *core) giveUp(p *partition, d *delivery, err error) {
	if i := slices.Index(p.retry, d); i >= 0 {
		p.retry = slices.Delete(p.retry, i, i+1)
	}
	if d.numbered {
		c.breakSequence(p)
	}
	// Without acknowledgements nothing is ever known of what was sent.
	c.failBatch(d, err, d.doubtful() || c.cfg.Acks == 0 && d.attempts > 0)
}

// failBatch gives the records of d their error. If d itself is in flight still, the connection holds its batch.
func (c *core) failBatch(d *delivery, err error, mayBeWritten bool) {
	c.hooks.failed(d, err, mayBeWritten)
	d.resolved = true
	if d.doubt != nil {
		c.endAllNamed(d)
	}
	c.failRange(d, accumulator.Range{Count: d.Count()}, err, mayBeWritten)
	if d.conn == nil {
		d.Batch = nil
	}
}

// failRange gives neighbouring records of d their error.
func (c *core) failRange(d *delivery, r accumulator.Range, err error, mayBeWritten bool) {
	o, number := d.Outcome(), d.Txn()
	ended := d.ResolveRange(r.First, r.Count, -1, -1, c.failure(d, r.Count, err, mayBeWritten))
	c.news.failed(d.Topic(), d.Partition(), r.Count, err, mayBeWritten)
	c.metrics.countFailed(d.part.topic, r.Count, err, mayBeWritten)
	c.published.inFlight.Add(-int64(r.Count))
	c.finish(o, ended, false, r.Count)
	c.txn.recordFailed(number, err)
}

// failQueued ends a batch that was never drained for sending.
func (c *core) failQueued(b *accumulator.Batch, err error) {
	number := b.Txn()
	c.endQueued(b, err)
	c.txn.recordFailed(number, err)
}

// endQueued is failQueued for a batch that no transaction waits for.
func (c *core) endQueued(b *accumulator.Batch, err error) {
	c.news.failed(b.Topic(), b.Partition(), b.Count(), err, false)
	c.hooks.failedQueued(b, err)
	c.metrics.countFailed(b.Outcome().Queue().Owner.(*partition).topic, b.Count(), err, false)
	ended := b.Resolve(-1, -1, c.failed(&Error{
		Topic: b.Topic(), Partition: b.Partition(), Elapsed: c.now.Sub(b.Opened()), Err: err,
	}))
	c.finish(b.Outcome(), ended, false, b.Count())
}

// failure returns what n records of d fail with, and counts those that may be written.
func (c *core) failure(d *delivery, n int32, err error, mayBeWritten bool) error {
	if mayBeWritten {
		c.published.mayBeWritten.Add(int64(n))
	}
	return c.failed(&Error{
		Topic: d.Topic(), Partition: d.Partition(), Attempts: d.attempts,
		Elapsed: c.now.Sub(d.Opened()), Err: err, MayBeWritten: mayBeWritten,
	})
}

// failed returns e as the callers of its records get it.
func (c *core) failed(e *Error) error {
	if c.cfg.Failed == nil {
		return e
	}
	return c.cfg.Failed(e)
}

// finish counts n records of o that were resolved, and ends it if they were its last. Its batches may be reused then.
func (c *core) finish(o *accumulator.Outcome, ended, ok bool, n int32) {
	if ok {
		c.published.acknowledged.Add(int64(n))
	} else {
		c.published.failed.Add(int64(n))
	}
	if ended && o.End() {
		c.out.end(o)
	}
}

// split sends a batch that is too large for its topic in pieces, under its own numbers (KIP-126). A piece that is larger than
// what the topic has taught by then is split when it is to be sent.
func (c *core) split(p *partition, d *delivery, err error) {
	t := p.topic.queues
	t.Refused(c.now, d.Batch)
	d.why = ReasonTooLarge
	pieces, limit, splitErr := t.Split(c.now, d.Batch)
	if splitErr != nil {
		c.giveUp(p, d, fmt.Errorf("%w; and it could not be split: %w", err, splitErr))
		return
	}
	c.hooks.split(d, len(pieces), 0, err)
	c.metrics.countSplit(p.topic)
	d.replace(p, pieces, limit)
}

// replace puts pieces in the place of d, under its numbers if it has any. limit is what halves were made for; 0: they are no
// halves.
func (d *delivery) replace(p *partition, pieces []*accumulator.Batch, limit int) {
	q := d.doubted()
	if d.numbered {
		p.makeRoom(d, len(pieces))
	}
	for i, b := range pieces {
		part := d.piece(b, q)
		part.keep(d, i, b.First()-d.First())
		part.keeps, part.limit = d.keeps, limit
	}
}

// fit returns what to send of d now: all of it, or the first piece if its topic has taught that it is too large. A batch that
// may be written already is sent unchanged.
func (c *core) fit(p *partition, d *delivery) *delivery {
	t := p.topic.queues
	if !t.HasLimit() || d.unknown || d.limit > 0 && d.limit <= t.Limit(c.now, d.Batch) || t.Fits(c.now, d.Batch) {
		return d // one half may be larger than the other, and is tried all the same
	}
	pieces, err := d.SplitTo(t.Most(c.now, d.Batch))
	if err != nil {
		return d // the broker will say what is wrong with it
	}
	c.hooks.split(d, len(pieces), 0, nil)
	c.metrics.countSplit(p.topic)
	d.replace(p, pieces, 0)
	first := p.retry[0]
	p.retry = slices.Delete(p.retry, 0, 1)
	return c.fit(p, first)
}

// piece makes a delivery of a part of d, to be sent in its place. q is the doubt that the parts are in; nil for none.
func (d *delivery) piece(b *accumulator.Batch, q *doubt) *delivery {
	part := &delivery{Batch: b, part: d.part, opened: d.opened, order: d.order, attempts: d.attempts, doubt: q, why: d.why, counted: d.counted}
	d.part.requeue(part)
	return part
}

// keep numbers a part of d. i parts are in front of it, and its first number is n after d's.
func (part *delivery) keep(d *delivery, i int, n int32) {
	part.numbered, part.identity, part.seq, part.rank = d.numbered, d.identity, d.seq, d.rank+int64(i)
	if d.numbered && d.identity != idempotent.None {
		part.seq = idempotent.Advance(d.seq, n)
	}
}
