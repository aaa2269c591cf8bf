package producertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// do changes the state by f, under p.mu, and then calls the callbacks that are due.
func (p *Producer) do(f func()) {
	p.mu.Lock()
	f()
	p.moved()
	p.mu.Unlock()
	p.run()
}

// moved brings about all that follows from a change, and tells those who wait for one.
func (p *Producer) moved() {
	p.drive()
	p.arm()
	close(p.changed)
	p.changed = make(chan struct{})
}

// take puts a record where it waits for its completion, or completes it.
func (p *Producer) take(e *entry) {
	e.taken = time.Now()
	if e.rec.Timestamp.IsZero() {
		e.rec.Timestamp = time.UnixMilli(e.taken.UnixMilli())
	}
	e.state, e.md = StatePending, e.nowhere()
	if err := p.faults.failure(); err != nil {
		e.fate = err
	}
	p.history = append(p.history, e)
	p.pending = append(p.pending, e)
	if !p.set.unsent {
		p.sent(e)
	}
	if !p.set.manual && p.set.delay == 0 {
		p.finish(e, e.fate)
	}
	p.moved()
}

// sent counts a record that goes out.
func (p *Producer) sent(e *entry) {
	e.out = true
	p.stats.Sent++
	p.stats.BytesSent += e.size
	if e.txn != 0 {
		p.tx.Joins()
		if !p.late {
			p.heard()
		}
	}
}

// finish gives a record its outcome: err, or nil for an acknowledgement.
func (p *Producer) finish(e *entry, err error) {
	if p.pending[0] == e { // as a rule, and then it costs the same however many wait
		p.pending = p.pending[1:]
	} else {
		p.pending = slices.DeleteFunc(p.pending, func(other *entry) bool { return other == e })
	}
	if p.tx != nil {
		p.expire()
	}
	if err == nil && e.txn != 0 && (p.fenced || p.late) {
		err = protocol.InvalidProducerEpoch
	}
	if err != nil {
		p.fail(e, p.sendError(e, err))
	} else {
		p.acked(e)
	}
	if e.complete != nil {
		e.complete(e.md, e.err)
	}
	p.calls = append(p.calls, e)
}

// acked writes a record to the log.
func (p *Producer) acked(e *entry) {
	if p.set.unsent {
		p.sent(e)
	}
	t := p.topics[e.rec.Topic]
	offset := t.ends[e.partition]
	t.ends[e.partition]++
	if p.cfg.Acks != producer.AcksNone {
		e.md.Offset = offset
	}
	e.state = StateCommitted
	p.stats.Acknowledged++
	p.acknowledged = time.Now()
	if e.txn != 0 {
		e.state = StateUncommitted
		p.joined(e)
	}
}

// fail gives a record an error. One of the open transaction fails that.
func (p *Producer) fail(e *entry, err *producer.SendError) {
	if !e.out && err.Attempts > 0 {
		p.sent(e)
	}
	e.state, e.err = StateFailed, err
	p.stats.Failed++
	if err.MayBeWritten {
		p.stats.MayBeWritten++
	}
	if e.txn != 0 && e.txn == p.tx.Last() && !p.tx.Asked() {
		p.tx.Fail(err.Err)
	}
}

// sendError is err as a record's outcome.
func (p *Producer) sendError(e *entry, err error) *producer.SendError {
	failed := &producer.SendError{Attempts: 1, Err: err}
	var inside *producer.SendError
	if given, ok := err.(*producer.SendError); ok {
		*failed = *given
	} else if errors.As(err, &inside) {
		failed.MayBeWritten = inside.MayBeWritten
	}
	if failed.Topic == "" {
		failed.Topic, failed.Partition = e.rec.Topic, e.partition
	}
	if failed.Elapsed == 0 {
		failed.Elapsed = time.Since(e.taken)
	}
	return failed
}

// unanswered is the outcome of a record that nobody has completed.
func (p *Producer) unanswered(err error) *producer.SendError {
	if p.set.unsent {
		return &producer.SendError{Err: err}
	}
	return &producer.SendError{Err: err, Attempts: 1, MayBeWritten: true}
}

// undelivered counts records that nobody has completed.
func (p *Producer) undelivered(entries []*entry) (u producer.Undelivered) {
	for _, e := range entries {
		switch {
		case e.state != StatePending:
		case p.set.unsent:
			u.NotWritten++
		default:
			u.MayBeWritten++
		}
	}
	return u
}

// waiting says what records wait for, to be added to an error; "" if none of them waits.
func (p *Producer) waiting(entries []*entry) string {
	n := p.undelivered(entries).Total()
	switch {
	case n == 0:
		return ""
	case p.set.manual:
		return fmt.Sprintf("; records that wait for CompleteNext, CompleteAll or FailNext of the test: %d", n)
	}
	return fmt.Sprintf("; records that wait until their Delivery of %v is over: %d", p.set.delay, n)
}

// arm sets the timer for what comes next by itself.
func (p *Producer) arm() {
	at := p.again
	if !p.began.IsZero() {
		at = sooner(at, p.began.Add(p.cfg.TransactionTimeout+1))
	}
	if len(p.pending) > 0 {
		at = sooner(at, p.endsAt(p.pending[0])) // the oldest is the first
	}
	switch {
	case p.ended || at.IsZero():
		if p.timer != nil {
			p.timer.Stop()
		}
	case p.timer == nil:
		p.timer = time.AfterFunc(time.Until(at), p.tick)
	default:
		p.timer.Reset(time.Until(at))
	}
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// endsAt is when a record that waits ends by itself.
func (p *Producer) endsAt(e *entry) time.Time {
	at := e.taken.Add(p.cfg.DeliveryTimeout)
	if p.set.delay > 0 {
		at = sooner(at, e.taken.Add(p.set.delay))
	}
	return at
}

// tick ends the records whose time has come.
func (p *Producer) tick() {
	p.do(func() {
		if p.ended {
			return
		}
		now := time.Now()
		for len(p.pending) > 0 && !p.endsAt(p.pending[0]).After(now) {
			e := p.pending[0]
			if p.set.delay > 0 && p.set.delay <= p.cfg.DeliveryTimeout {
				p.finish(e, e.fate)
				continue
			}
			p.finish(e, p.unanswered(fmt.Errorf("%w (%v)%s", producer.ErrDeliveryTimeout, p.cfg.DeliveryTimeout, p.waiting([]*entry{e}))))
		}
	})
}

// run calls the callbacks that are due, in order. If another goroutine is at it, that one goes on with them.
func (p *Producer) run() {
	for e := p.claim(); e != nil; e = p.claim() {
		p.tell(e)
	}
}

// claim returns whose callback is to be called next; nil if nobody's is, or another goroutine is at it.
func (p *Producer) claim() *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calling != nil || len(p.calls) == 0 {
		return nil
	}
	p.calling, p.callingAt = p.calls[0], time.Now()
	p.calls = p.calls[1:]
	return p.calling
}

// tell tells who wants to know of a record's outcome. A callback that panics, or that ends its goroutine, as FailNow of a test
// does, has returned as well.
func (p *Producer) tell(e *entry) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calling, e.told = nil, true
		close(p.changed)
		p.changed = make(chan struct{})
	}()
	p.acknowledge(e)
	if e.done != nil {
		e.done(e.md, e.err)
	}
}
