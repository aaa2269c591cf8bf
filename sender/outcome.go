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
	p.failures, p.roused, p.backoff, p.lastErr = 0, 0, time.Time{}, nil
	// A log that is gone, or a leader that is another by now, proves nothing.
	if !d.old && d.era == p.numbers.Era() {
		p.numbers.Acked(d.identity, c.now)
	}
	if c.txn != nil && d.Txn() == c.txn.Last() {
		c.txn.Joined()
	}
	if d.told {
		return
	}
	if d.attempts > 1 && appendTime == d.Header().MaxTimestamp {
		// A broker that has the batch already answers with its timestamp here,
		// whether or not the topic sets times.
		appendTime = -1
	}
	d.told = true
	d.over = d.Root() == d.Batch // what is left of a batch that was cut may be elsewhere
	c.stat.inFlight.Add(-int64(d.Count()))
	c.finish(d.Batch, d.Resolve(offset, appendTime, nil), true, d.Count())
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
	p.requeue(d)
	c.later(p, now, err)
}

// lost returns why d, which was in flight when its topic was deleted and made
// again, cannot go to the new one; nil if it can, or if nothing of that happened.
func (c *core) lost(p *partition, d *delivery) error {
	switch {
	case !d.old:
		return nil
	case d.unknown, c.cfg.FailRecreated:
		return p.topic.again
	case int(p.index) >= len(p.topic.meta.Partitions):
		return ErrPartitionGone
	}
	return nil
}

// later sets the backoff of p after a failed attempt. now says that there is news
// already of where to, which is a reason to go on at once, but not for ever.
func (c *core) later(p *partition, now bool, err error) {
	if now && p.roused < maxRoused {
		p.roused++
		return
	}
	delay := c.cfg.RetryBackoff.Delay(p.failures, c.out.random())
	if errors.Is(err, protocol.ConcurrentTransactions) || errors.Is(err, protocol.InvalidProducerIDMapping) {
		delay = min(delay, briefly<<min(p.failures, 10)) // the transaction before is being completed
	}
	// The batches behind it fail as its echo; they are one failure.
	if !p.backoff.After(c.now) {
		p.failures++
		p.backoff = c.now.Add(delay)
	}
}

// briefly is the first wait for the end of the transaction before, which takes milliseconds as a rule.
const briefly = 5 * time.Millisecond

// giveUp ends a batch with an error. Its numbers were taken, so the partition
// needs a new epoch before the next are.
func (c *core) giveUp(p *partition, d *delivery, err error) {
	if i := slices.Index(p.retry, d); i >= 0 {
		p.retry = slices.Delete(p.retry, i, i+1)
	}
	if d.numbered {
		c.gap(p)
	}
	// Without acknowledgements nothing is ever known.
	c.tell(d, err, d.unknown || c.cfg.Acks == 0)
}

// tell gives the records of d their error. d itself may be in flight still.
func (c *core) tell(d *delivery, err error, maybe bool) {
	d.told = true
	c.stat.inFlight.Add(-int64(d.Count()))
	ended := d.Resolve(-1, -1, c.failure(d, err, maybe))
	c.finish(d.Batch, ended, false, d.Count())
	c.doom(d.Batch, err)
}

func (c *core) failure(d *delivery, err error, maybe bool) *Error {
	return &Error{
		Topic: d.Topic(), Partition: d.Partition(), Attempts: d.attempts,
		Elapsed: c.now.Sub(d.Opened()), Err: err, Maybe: maybe,
	}
}

// finish counts the outcome of n records, and lets the root batch go if that
// was its last.
func (c *core) finish(b *accumulator.Batch, ended, ok bool, n int32) {
	if ok {
		c.stat.acknowledged.Add(int64(n))
	} else {
		c.stat.failed.Add(int64(n))
	}
	if !ended {
		return
	}
	root := b.Root()
	if root.HasCallbacks() {
		root.Finish()
		c.out.end(root)
		return
	}
	root.Drop() // first, so that who has waited for the last record finds the memory free
	root.Finish()
	root.Leave()
}

// cut sends a batch that is too large for its topic in halves, under its own
// numbers (KIP-126).
func (c *core) cut(p *partition, d *delivery, err error) {
	p.topic.queues.Learn(d.RawSize())
	pieces, cutErr := d.Cut(d.Halves())
	if cutErr != nil {
		c.giveUp(p, d, fmt.Errorf("%w; and it could not be cut: %w", err, cutErr))
		return
	}
	for _, b := range pieces {
		part := c.piece(p, d, b)
		part.numbered, part.identity, part.seq = d.numbered, d.identity, d.seq
		if c.cfg.Idempotent {
			part.seq = idempotent.Advance(d.seq, b.First()-d.First())
		}
	}
}

// piece makes a delivery of a part of d, to be sent in its place.
func (c *core) piece(p *partition, d *delivery, b *accumulator.Batch) *delivery {
	part := &delivery{Batch: b, part: p, opened: d.opened, order: d.order, attempts: d.attempts}
	p.requeue(part)
	return part
}

// sift ends the records that the broker found at fault, each with its reason,
// and sends the others again under a new epoch (KIP-467).
func (c *core) sift(p *partition, d *delivery, a *protocol.ProducePartitionResponse) {
	bad := make([]int32, 0, len(a.RecordErrors))
	reasons := make(map[int32]*string, len(a.RecordErrors))
	for _, e := range a.RecordErrors {
		if e.BatchIndex >= 0 && e.BatchIndex < d.Count() && reasons[e.BatchIndex] == nil {
			if _, twice := reasons[e.BatchIndex]; !twice {
				bad = append(bad, e.BatchIndex)
			}
			reasons[e.BatchIndex] = e.Message
		}
	}
	slices.Sort(bad)
	if len(bad) == 0 {
		c.giveUp(p, d, brokerError(a.ErrorCode, a.ErrorMessage))
		return
	}
	good := d.Without(bad)
	if c.txn != nil {
		c.siftTxn(p, d, a, bad, good, reasons)
		return
	}
	var pieces []*accumulator.Batch
	if len(good) > 0 {
		var err error
		if pieces, err = d.Cut(good); err != nil {
			c.giveUp(p, d, fmt.Errorf("%w; and the records without fault could not be separated: %w", a.ErrorCode, err))
			return
		}
	}
	c.gap(p)
	for _, b := range pieces {
		c.piece(p, d, b)
	}
	c.refuseRecords(d, a, bad, reasons)
}

// refuseRecords ends the records that the broker has found at fault, each with its reason.
func (c *core) refuseRecords(d *delivery, a *protocol.ProducePartitionResponse, bad []int32, reasons map[int32]*string) {
	for _, i := range bad {
		message := reasons[i]
		if message == nil {
			message = a.ErrorMessage
		}
		c.failRange(d, accumulator.Range{First: i, Count: 1}, brokerError(a.ErrorCode, message))
	}
}

// failRange ends neighbouring records of d that are certainly not in the log.
func (c *core) failRange(d *delivery, r accumulator.Range, err error) {
	ended := d.ResolveRange(r.First, r.Count, -1, -1, c.failure(d, err, false))
	c.stat.inFlight.Add(-int64(r.Count))
	c.finish(d.Batch, ended, false, r.Count)
	c.doom(d.Batch, err)
}
