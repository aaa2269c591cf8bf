package sender

import (
	"errors"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// pass moves the time on. Before a slot ends it samples what others count, so that this counts in the slot.
func (m *metrics) pass(now time.Time, all []*node, callers *callers) {
	m.now = now
	if now.Sub(m.slots.began) < slotTime {
		return
	}
	if m.started.IsZero() {
		m.start(now)
		return
	}
	m.sample(all, callers)
	m.slots.pass(now)
}

// sample takes in what connections and callers have counted so far.
func (m *metrics) sample(all []*node, callers *callers) {
	slot := m.slots.number
	var written, read int64
	var renewals wire.Renewals
	for _, n := range all {
		b := &n.counts
		out, in := b.wire.Bytes()
		b.written.take(slot, out)
		b.read.take(slot, in)
		written, read = written+out, read+in
		b.renewals = b.wire.TakeRenewals()
		r := b.renewals
		renewals.Succeeded, renewals.Failed, renewals.Took = renewals.Succeeded+r.Succeeded, renewals.Failed+r.Failed, renewals.Took+r.Took
		renewals.Longest = max(renewals.Longest, r.Longest)
	}
	m.written.take(slot, written)
	m.read.take(slot, read)
	m.renewal.addAll(slot, renewals.Succeeded-m.renewals.total, milliseconds(renewals.Took-m.renewalTime), milliseconds(renewals.Longest))
	m.renewalTime = renewals.Took
	m.renewals.take(slot, renewals.Succeeded)
	m.renewalFailures.take(slot, renewals.Failed)
	exhausted, refused, waited := callers.sums()
	m.exhausted.take(slot, exhausted)
	m.refused.take(slot, refused)
	m.memoryTime.take(slot, int64(waited))
}

// countWritten counts r, which is on its way now. It returns the bytes of its batches, and how many of their records were not
// written before, and how many were.
func (m *metrics) countWritten(r *request) (bytes, sent, retried int64) {
	b := &r.node.counts
	slot := m.slots.number
	var records, raw, largest int64
	for _, d := range r.deliveries {
		w := writtenBatch{records: int64(d.Count()), size: int64(d.Size()), raw: int64(d.RawSize()), again: d.attempts > 1}
		w.fresh = !w.again && !d.counted // else it was given to a connection that has not written a byte of it
		t := &d.part.topic.counts
		if !d.counted {
			d.counted = true
			m.countQueued(d, &r.node.links[data].quiet)
		}
		switch {
		case w.again:
			retried += w.records
			t.reasons.addRetried(d.why, w.records, 1)
		case w.fresh:
			sent += w.records
		}
		t.written(slot, w)
		m.batchBytes.size(w.size)
		m.batchRecords.records(w.records)
		m.ratio.ratio(w.size, w.raw)
		bytes, raw, records, largest = bytes+w.size, raw+w.raw, records+w.records, max(largest, w.size)
	}
	b.retried += retried
	n := int64(len(r.deliveries))
	m.batchSize.addAll(slot, n, float64(bytes), float64(largest))
	m.recordSize.addAll(slot, records, float64(raw-n*protocol.BatchHeaderSize), 0)
	m.perRequest.add(slot, float64(records))
	m.countRequest(b, produceName)
	return bytes, sent, retried
}

const produceName = "Produce"

// A writtenBatch is one that is on its way.
type writtenBatch struct {
	records, size, raw int64
	again, fresh       bool
}

func (t *counts) written(slot int64, w writtenBatch) {
	t.batches++
	t.bytes += w.size
	t.raw += w.raw
	if w.again {
		t.retried += w.records
		t.retries.add(slot, w.records)
	}
	if w.fresh {
		t.sent += w.records
	}
	t.sends.add(slot, w.records)
	t.byteRate.add(slot, w.size)
	t.compression.add(slot, float64(w.size)/float64(w.raw))
}

// countQueued counts how long a batch has waited before it was written first, to a broker that had asked for quiet.
func (m *metrics) countQueued(d *delivery, quiet *quietTimes) {
	if d.IsPiece() {
		return // it left its queue with the batch that it is a part of
	}
	waited := m.now.Sub(d.opened)
	m.queue.time(waited, 1)
	m.queued.add(m.slots.number, milliseconds(waited))
	if muted := quiet.within(d.opened, m.now); muted > 0 {
		m.throttle.time(muted, 1)
	}
}

// countRequest counts a request that was given to a connection.
func (m *metrics) countRequest(b *brokerCounts, api string) {
	b.request(api).sent++
	b.sent.add(m.slots.number, 1)
	m.requests.add(m.slots.number, 1)
}

// countCall counts the end of a request.
func (m *metrics) countCall(n *node, call *wire.Call) {
	b := &n.counts
	slot, api := m.slots.number, call.Request.API()
	r := b.request(api.Name)
	if call.Written || call.Err == nil {
		r.written += int64(call.RequestSize)
		b.requestSize.add(slot, float64(call.RequestSize))
		m.requestSize.add(slot, float64(call.RequestSize))
	}
	if call.Err != nil {
		r.failed++
		return
	}
	r.answered++
	if call.Response == nil {
		return // nobody answers
	}
	r.read += int64(call.ResponseSize)
	took := call.DoneAt.Sub(call.WrittenAt)
	r.latency.time(took, 1)
	b.responses.add(slot, 1)
	m.responses.add(slot, 1)
	m.throttled.add(slot, milliseconds(call.Response.ThrottleFor()))
	if api.Key == produceKey {
		b.latency.add(slot, milliseconds(took))
		m.latency.add(slot, milliseconds(took))
	}
}

// countProduced counts the end of a produce request.
func (m *metrics) countProduced(r *request) {
	m.countCall(r.node, &r.call)
	if !r.call.WrittenAt.IsZero() {
		m.flight.time(r.call.DoneAt.Sub(r.call.WrittenAt), uint64(len(r.deliveries)))
	}
}

// countDelivered counts the records of a batch that is acknowledged.
func (m *metrics) countDelivered(p *partition, d *delivery, records int32) {
	m.lastAck = m.now
	p.topic.counts.acknowledged += int64(records)
	m.delivery.time(m.now.Sub(d.opened), 1)
}

// countFailed counts records that have failed.
func (m *metrics) countFailed(t *topic, records int32, err error, mayBeWritten bool) {
	n, of := int64(records), &t.counts.counts
	of.failed += n
	if mayBeWritten {
		of.mayBeWritten += n
	}
	of.errors.add(m.slots.number, n)
	t.counts.reasons.addFailed(Reason(err), mayBeWritten, n)
}

// countExpired counts a batch whose time has run out.
func (m *metrics) countExpired(t *topic) { t.counts.expired++ }

// countSplit counts a batch that goes on in pieces, since it is too large.
func (m *metrics) countSplit(t *topic) {
	m.splits.add(m.slots.number, 1)
	t.counts.split++
}

// countForgotten keeps the counts of a topic that is forgotten, so that totals never decrease.
func (m *metrics) countForgotten(t *topic) { m.gone.add(&t.counts) }

// countThrottle counts an answer of n that asks for quiet, which is granted.
func (m *metrics) countThrottle(n *node, until time.Time) {
	n.counts.throttles++
	n.counts.throttleTime += until.Sub(m.now)
}

// countDialed counts the end of an attempt to connect.
func (m *metrics) countDialed(e dialed) {
	b := &e.node.counts
	switch failed := (*wire.Error)(nil); {
	case e.err == nil:
		b.created++
		m.created.add(m.slots.number, 1)
		b.handshake.time(m.now.Sub(e.dial.began), 1)
	case errors.Is(e.err, errBeaten), errors.Is(e.err, errElsewhere), errors.Is(e.err, errGaveWay):
		// We have ended it ourselves, for another.
	case errors.As(e.err, &failed) && int(failed.Stage) < len(b.failed):
		b.failed[failed.Stage]++
		if failed.Stage == wire.StageSASL {
			m.loginFailures.add(m.slots.number, 1)
		}
	}
}

// countHungUp counts the end of a connection.
func (m *metrics) countHungUp(n *node) {
	n.counts.closed++
	m.closed.add(m.slots.number, 1)
}

// countLeft counts what has come in after the loop's last step.
func (m *metrics) countLeft(events []event) {
	for _, e := range events {
		if over, ok := e.(hungUp); ok {
			m.countHungUp(over.node)
		}
	}
}

// countMetadata counts the end of a question for metadata.
func (m *metrics) countMetadata(call *wire.Call) {
	of := &m.metadata
	if call.Err == nil {
		if resp := call.Response.(*protocol.MetadataResponse); resp.ErrorCode == protocol.NoError && len(resp.Brokers) > 0 {
			of.refreshed = m.now
			of.refreshes++
			return
		}
	}
	of.errors++
}

// countGivenID counts a producer id that the cluster has given, and countBump an epoch that a partition was given.
func (m *metrics) countGivenID() { m.ids++ }
func (m *metrics) countBump()    { m.bumps++ }

// countTransaction counts what has become of a transaction, when its state has moved; last is its number.
func (m *metrics) countTransaction(before, now txn.State, outcome txn.Outcome, last int64) {
	m.txn.moved(before, now, outcome)
	m.txn.begun = last
}

// countIdentity counts a producer id that a coordinator has given, if it is another.
func (m *metrics) countIdentity(id int64) {
	if id >= 0 && id != m.id {
		m.id = id
		m.ids++
	}
}
