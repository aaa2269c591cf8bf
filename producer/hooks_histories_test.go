package producer_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/epistle-kafka/epistle/producer"
)

// An auditor is a hook that keeps the books of a history: of each record, when it was told of what. What does not add up is a
// fault.
type auditor struct {
	mu      sync.Mutex
	records []*audited
	open    map[string]int // connections, by broker and lane
	faults  []string
}

// An audited record is what was told of one.
type audited struct {
	value   string
	ends    int
	err     error
	batches int  // that have ended with it, but for those that were split
	won     bool // that batch was acknowledged
	maybe   bool // it has failed, and may be written
	flying  bool // an attempt was told to be under way
}

type auditKey struct{}

func (a *auditor) fault(format string, args ...any) {
	if len(a.faults) < 20 {
		a.faults = append(a.faults, fmt.Sprintf(format, args...))
	}
}

func (a *auditor) OnRecordBegun(ctx context.Context, e *producer.RecordBegun) context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &audited{value: string(e.Record.Value)}
	a.records = append(a.records, r)
	return context.WithValue(ctx, auditKey{}, r)
}

func (a *auditor) OnRecordEnded(ctx context.Context, e producer.RecordEnded) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := ctx.Value(auditKey{}).(*audited)
	r.ends++
	r.err = e.Err
	if e.MayBeWritten != producer.MayBeWritten(e.Err) {
		a.fault("record %s may be written: %v, and its error says otherwise: %v", r.value, e.MayBeWritten, e.Err)
	}
}

// each calls f for the records of a batch, under the lock.
func (a *auditor) each(b producer.Batch, f func(*audited)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for ctx := range b.Contexts() {
		f(ctx.Value(auditKey{}).(*audited))
		n++
	}
	if n != b.Records {
		a.fault("a batch of %d records has the contexts of %d", b.Records, n)
	}
}

func (a *auditor) OnBatchSent(e producer.BatchSent) {
	a.each(e.Batch, func(r *audited) {
		if r.flying || r.batches > 0 {
			a.fault("record %s is sent, and it is under way (%v) or its batch has ended (%d)", r.value, r.flying, r.batches)
		}
		r.flying = true
	})
}

func (a *auditor) OnBatchRetried(e producer.BatchRetried) { a.landed(e.Batch, e.Err) }

func (a *auditor) OnBatchSplit(e producer.BatchSplit) {
	if e.Err != nil {
		a.landed(e.Batch, e.Err)
	}
}

// landed ends an attempt in vain.
func (a *auditor) landed(b producer.Batch, err error) {
	a.each(b, func(r *audited) {
		if !r.flying || err == nil || b.Sent.IsZero() {
			a.fault("an attempt of record %s has ended with %v, and it was under way: %v", r.value, err, r.flying)
		}
		r.flying = false
	})
}

func (a *auditor) OnBatchAcknowledged(e producer.BatchAcknowledged) {
	a.each(e.Batch, func(r *audited) {
		if !r.flying {
			a.fault("record %s is acknowledged, and was not under way", r.value)
		}
		r.batches++
		r.won, r.flying = true, false
	})
}

func (a *auditor) OnBatchFailed(e producer.BatchFailed) {
	a.each(e.Batch, func(r *audited) {
		if r.flying == e.Batch.Sent.IsZero() {
			a.fault("the batch of record %s has failed, sent at %v, and it was under way: %v", r.value, e.Batch.Sent, r.flying)
		}
		r.batches++
		r.maybe, r.flying = e.MayBeWritten, false
	})
}

func (a *auditor) OnBrokerConnected(e producer.BrokerConnected) {
	if e.Err == nil {
		a.connect(e.Broker, e.Control, 1)
	}
}

func (a *auditor) OnBrokerDisconnected(e producer.BrokerDisconnected) {
	a.connect(e.Broker, e.Control, -1)
}

func (a *auditor) connect(b producer.Broker, control bool, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = map[string]int{}
	}
	key := fmt.Sprint(b, control)
	if a.open[key] += n; a.open[key] < 0 {
		a.fault("a connection to %s is over that has not begun", key)
	}
}

// check returns what does not add up, when all records have ended.
func (a *auditor) check() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.records {
		_, refused := errors.AsType[*producer.AdmissionError](r.err)
		switch {
		case r.ends != 1:
			a.fault("record %s was told to have ended %d times", r.value, r.ends)
		case refused && (r.batches > 0 || r.flying):
			a.fault("record %s was not taken, and has a batch", r.value)
		case !refused && r.batches != 1:
			a.fault("record %s was in %d batches that have ended", r.value, r.batches)
		case !refused && (r.won != (r.err == nil) || r.maybe != producer.MayBeWritten(r.err)):
			a.fault("record %s has ended with %v, its batch with success: %v, maybe written: %v", r.value, r.err, r.won, r.maybe)
		}
	}
	return a.faults
}

// audit has the books be kept of a part of the histories: of the others callers do steps, too.
func (h *history) audit(seed uint64, cfg *producer.Config) {
	if seed%3 == 0 {
		h.books = new(auditor)
		cfg.Hooks = []producer.Hook{h.books}
	}
}

func (h *history) checkBooks() {
	if h.books == nil {
		return
	}
	for _, fault := range h.books.check() {
		h.t.Errorf("hooks: %s", fault)
	}
}
