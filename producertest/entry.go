package producertest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// An entry is a record on its way through a double. Until it is in the history it belongs to the call that sends it; after that
// Producer.mu guards what changes.
type entry struct {
	rec       producer.Record
	partition int32 // chosen, or named; -1 before
	txn       int64 // number of its transaction; 0: none, or whichever is open
	size      int64 // bytes of a batch of it alone

	call     string                                      // the method that it is sent with
	complete func(md producer.RecordMetadata, err error) // its future; nil: none
	done     producer.Callback                           // nil: none
	hook     *hook                                       // nil: there are no interceptors

	fate  error     // what it ends with when it is completed; nil: it is acknowledged
	taken time.Time // when
	out   bool      // it was sent
	state State
	md    producer.RecordMetadata
	err   error
	told  bool // its callback has returned, or it has none
}

// A hook is what interceptors are told of a record's outcome, beside that.
type hook struct {
	ctx     context.Context
	headers []producer.Header
}

// name notes the partition that the record names; -1 if it names none.
func (e *entry) name() {
	e.partition = -1
	if n, named := e.rec.Partition.Get(); named {
		e.partition = n
	}
}

// keep copies what the slices hold, since it is the caller's again when Send returns.
func (e *entry) keep() {
	e.rec.Key, e.rec.Value = bytes.Clone(e.rec.Key), bytes.Clone(e.rec.Value)
	e.rec.Headers = slices.Clone(e.rec.Headers)
	for i := range e.rec.Headers {
		e.rec.Headers[i].Value = bytes.Clone(e.rec.Headers[i].Value)
	}
}

// nowhere is what is known of a record without an offset.
func (e *entry) nowhere() producer.RecordMetadata {
	md := producer.RecordMetadata{Topic: e.rec.Topic, Partition: e.partition, Offset: -1}
	if !e.rec.Timestamp.IsZero() {
		if ms, _ := double.Milliseconds(e.rec.Timestamp); ms >= 0 {
			md.Timestamp = time.UnixMilli(ms)
		}
	}
	return md
}

// intercept lets the interceptors see a record, and change it.
func (p *Producer) intercept(ctx context.Context, e *entry) {
	if len(p.cfg.Interceptors) == 0 {
		return
	}
	for _, i := range p.cfg.Interceptors {
		changed := e.rec
		if err := onSend(ctx, i, &changed); err != nil {
			p.log.Warn("an interceptor failed; the record goes on as it was before it",
				"interceptor", fmt.Sprintf("%T", i), "topic", protocol.Shown(e.rec.Topic), "err", protocol.ShownText(err.Error()))
			continue
		}
		e.rec = changed
	}
	e.hook = &hook{ctx: ctx, headers: slices.Clone(e.rec.Headers)}
}

func onSend(ctx context.Context, i producer.Interceptor, rec *producer.Record) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return i.OnSend(ctx, rec)
}

// acknowledge tells the interceptors of a record's outcome.
func (p *Producer) acknowledge(e *entry) {
	if e.hook == nil {
		return
	}
	for _, i := range p.cfg.Interceptors {
		func() {
			defer func() {
				if r := recover(); r != nil {
					p.log.Warn("an interceptor panicked",
						"interceptor", fmt.Sprintf("%T", i), "topic", protocol.Shown(e.md.Topic), "err", protocol.ShownText(fmt.Sprint(r)))
				}
			}()
			i.OnAcknowledgement(e.hook.ctx, producer.Acknowledgement{Metadata: e.md, Headers: e.hook.headers, Err: e.err})
		}()
	}
}
