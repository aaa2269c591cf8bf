package producer

import "context"

// Send hands a record over and returns its future. The caller may reuse all that the record holds once Send has returned.
//
// Send waits for the metadata of a topic that is not known yet, and for room in buffer.memory. ctx and max.block bound both
// together. From then on the record has delivery.timeout, whatever becomes of ctx. If the record is not taken, the future has
// failed already when Send returns, with an *AdmissionError. A ctx that has ended before the call fails the record, too.
func (p *Producer) Send(ctx context.Context, rec Record) Future { return p.send(ctx, &rec, 0, "Send") }

// send is Send for a record of the transaction with that number; 0 stands for the one that is open, if any. The record belongs
// to send. It is passed on by reference, since to copy it costs as much as to hash a key. call names the method that was
// called.
func (p *Producer) send(ctx context.Context, rec *Record, number int64, call string) Future {
	if rec.unserialized != nil || passing.Load() {
		if err := p.refuseUnserialized(ctx, rec, number); err != nil {
			return refusedFuture(rec.noMetadata(), err)
		}
	}
	var e entry
	e.Txn, e.call = number, call
	p.fill(ctx, &e, rec, nil)
	return p.sendEntry(ctx, &e)
}

func (p *Producer) sendEntry(ctx context.Context, e *entry) Future {
	if err := p.admit(ctx, e, true); err != nil {
		p.spoil(e.Txn, err)
		p.refuse(e, err)
		return refusedFuture(e.noMetadata(), err)
	}
	return Future{outcome: e.Outcome, index: e.Index, timestamp: e.Timestamp}
}

// SendFunc is Send with a callback in place of the future; a nil callback drops the outcome. If the record is not taken,
// SendFunc calls done itself, on the caller's goroutine, before it returns. [Callback] has the rules for callbacks. One
// function for all records costs less than a closure for each.
func (p *Producer) SendFunc(ctx context.Context, rec Record, done Callback) {
	p.sendFunc(ctx, &rec, done, 0)
}

func (p *Producer) sendFunc(ctx context.Context, rec *Record, done Callback, number int64) {
	if rec.unserialized != nil || passing.Load() {
		if err := p.refuseUnserialized(ctx, rec, number); err != nil {
			if done != nil {
				done(rec.noMetadata(), err)
			}
			return
		}
	}
	var e entry
	e.Txn, e.Detached, e.call = number, true, "SendFunc"
	p.fill(ctx, &e, rec, done)
	p.sendEntryFunc(ctx, &e, done)
}

func (p *Producer) sendEntryFunc(ctx context.Context, e *entry, done Callback) {
	if err := p.admit(ctx, e, true); err != nil {
		p.refuseFunc(e, done, err)
	}
}

// refuseFunc tells all who must hear of it that SendFunc did not take a record.
func (p *Producer) refuseFunc(e *entry, done Callback, err error) {
	p.spoil(e.Txn, err)
	p.refuse(e, err)
	if done != nil {
		done(e.noMetadata(), err)
	}
}

// SendSync is Send and Wait. The record's batch does not linger. If ctx ends while SendSync waits for the outcome, the error is
// ErrOutcomeUnknown, and the record goes on.
func (p *Producer) SendSync(ctx context.Context, rec Record) (RecordMetadata, error) {
	return p.send(ctx, &rec, 0, "SendSync").Wait(ctx)
}

// TrySend is SendFunc that never waits. If it returns an error, the record was not taken and done is not called. The error is
// ErrBufferFull, ErrTopicNotLoaded (the look-up has been started), or what Send fails with, all of them in an *AdmissionError.
// A refused record does not fail its transaction.
func (p *Producer) TrySend(rec Record, done Callback) error { return p.trySend(&rec, done, 0) }

func (p *Producer) trySend(rec *Record, done Callback, number int64) error {
	if rec.unserialized != nil { // a wrapper has made a TrySend of a Send
		return p.refuseUnserialized(context.Background(), rec, number)
	}
	var e entry
	e.Txn, e.Detached, e.call = number, true, "TrySend"
	p.fill(context.Background(), &e, rec, done)
	return p.trySendEntry(&e)
}

func (p *Producer) trySendEntry(e *entry) error {
	err := p.admit(context.Background(), e, false)
	if err != nil {
		p.refuse(e, err)
	}
	return err
}
