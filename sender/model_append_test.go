package sender

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// append is what Send does. number is that of the transaction; 0 for none.
func (h *history) append(p *modelPart, number int64, late bool) {
	known := h.core.topics.named(p.topic.name)
	if known == nil {
		h.core.handle(h.now, wanted{topic: p.topic.name})
		return
	}
	if int(p.index) >= len(known.parts) {
		h.core.meta.RequestUpdate() // it was added a moment ago
		return
	}
	q := known.parts[p.index].queue
	if h.nearTheEnd && !known.parts[p.index].numbers.Started() && h.core.identity.valid {
		n := &known.parts[p.index].numbers
		if h.core.identity.begin(known.parts[p.index]); !n.Broken() {
			n.Number(math.MaxInt32 - int32(h.rng.IntN(6)))
		}
	}
	r := &modelRecord{id: len(h.records), part: p, txn: number, late: late}
	value := make([]byte, 4+h.rng.IntN(60))
	binary.BigEndian.PutUint32(value, uint32(r.id))
	e := accumulator.Entry{Record: protocol.Record{Value: value}, Timestamp: h.now.UnixMilli(), Txn: number}
	if h.chance(0.3) {
		r.callback = true
		e.Callback = r
	}
	var err error
	if !q.TryAppend(&e, h.now.UnixMilli()) {
		err = q.Append(&e, h.now, nil)
	}
	switch {
	case err == nil:
		h.appended(r, &e)
	case errors.Is(err, accumulator.ErrNoRoom):
		h.await(q, &e, r) // most have their record back
	}
}

// appended notes a record that a queue has taken.
func (h *history) appended(r *modelRecord, e *accumulator.Entry) {
	p, number := r.part, r.txn
	h.counts[tallyRecord]++
	h.records = append(h.records, r)
	p.records = append(p.records, r)
	p.waiting = append(p.waiting, r)
	if t := h.transactions[number]; t != nil {
		t.records = append(t.records, r)
	}
	if n := len(p.records); n > 1 && p.records[n-2].root.outcome == e.Outcome {
		r.root = p.records[n-2].root
	} else {
		r.root = &modelRoot{outcome: e.Outcome, opened: h.now}
		h.roots = append(h.roots, r.root)
	}
	r.index = e.Index
	r.root.records = append(r.root.records, r)
	h.tracef("append %d to %s-%d of transaction %d", r.id, p.topic.name, p.index, number)
	if h.mode == modeLending {
		h.settle()
	}
}
