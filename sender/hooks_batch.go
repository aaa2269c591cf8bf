package sender

import "github.com/epistle-kafka/epistle/accumulator"

// of returns the event of a batch, with what is always told.
func (h *hooks) of(b *accumulator.Batch, d *delivery) BatchEvent {
	e := BatchEvent{Batch: b, Node: -1, Offset: -1, AppendTime: -1}
	if d == nil {
		return e
	}
	e.Attempt = d.attempts
	if s := d.sending; s != nil {
		e.Attempt, e.Sent, e.Node, e.Addr = s.attempt, s.at, s.node, s.addr // d.attempts no longer counts an attempt that no broker has seen
	}
	return e
}

// sent tells that r is on its way.
func (h *hooks) sent(r *request) {
	if h == nil {
		return
	}
	for _, d := range r.deliveries {
		d.sending = &sending{h.c.now, r.node.id, r.node.addr, d.attempts}
		if h.on.BatchSent != nil && !d.resolved { // else it has expired while it was compressed
			e := h.of(d.Batch, d)
			h.on.BatchSent(&e)
		}
	}
}

// acknowledged tells that the broker has d, before its records are told.
func (h *hooks) acknowledged(d *delivery, offset, appendTime int64) {
	if h == nil || h.on.BatchAcknowledged == nil {
		return
	}
	e := h.of(d.Batch, d)
	e.Offset, e.AppendTime = offset, appendTime
	h.on.BatchAcknowledged(&e)
}

// retried tells that d will be sent again.
func (h *hooks) retried(d *delivery, err error) {
	if h == nil {
		return
	}
	e := h.of(d.Batch, d)
	d.sending = nil
	if e.Err = err; h.on.BatchRetried != nil {
		h.on.BatchRetried(&e)
	}
}

// split tells that so many parts of d go on in its place, without the records that were at fault.
func (h *hooks) split(d *delivery, parts, faulty int, err error) {
	if h == nil || h.on.BatchSplit == nil {
		return
	}
	e := h.of(d.Batch, d)
	e.Parts, e.Faulty, e.Err = parts, faulty, err
	h.on.BatchSplit(&e)
}

// failed tells that d has failed, before its records are told. mayBeWritten says that they may be in the log.
func (h *hooks) failed(d *delivery, err error, mayBeWritten bool) {
	if h == nil || h.on.BatchFailed == nil {
		return
	}
	e := h.of(d.Batch, d)
	e.Err, e.MayBeWritten = err, mayBeWritten
	h.on.BatchFailed(&e)
}

// failedQueued is failed for a batch that was never drained for sending.
func (h *hooks) failedQueued(b *accumulator.Batch, err error) {
	if h == nil || h.on.BatchFailed == nil {
		return
	}
	e := h.of(b, nil)
	e.Err = err
	h.on.BatchFailed(&e)
}
