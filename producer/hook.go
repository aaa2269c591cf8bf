package producer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// A hook is in the place of a record's callback if there are interceptors, or hooks that are told of records.
type hook struct {
	ctx     context.Context // the context that goes with the record, for the values that it carries
	headers []Header        // the record's, for interceptors
	done    Callback        // the record's callback; nil: none
	began   time.Time       // when Send was called, for hooks; zero if there are none
	sent    context.Context // the caller's, for interceptors
	hooks   recordHooks     // the hooks that are told of the record; nobody changes the list
}

// watchers returns the hooks that want to be told of a record, and whether the record concerns any hook or interceptor. It is
// called if p.watched is set.
func (p *Producer) watchers(ctx context.Context, topic string) (hooks recordHooks, concerned bool) {
	hooks = p.records.wanting(ctx, topic)
	return hooks, len(hooks) > 0 || len(p.cfg.Interceptors) > 0
}

// intercept lets the interceptors see the record and change it, and then the hooks that are told of it.
func (p *Producer) intercept(ctx context.Context, rec *Record, done Callback, hooks recordHooks) *hook {
	for _, i := range p.cfg.Interceptors {
		changed := *rec
		if err := onSend(ctx, i, &changed); err != nil {
			p.log.Warn("an interceptor failed; the record goes on as it was before it",
				"interceptor", fmt.Sprintf("%T", i), "topic", protocol.Shown(rec.Topic), "err", protocol.ShownText(fmt.Sprint(err)))
			continue
		}
		*rec = changed
	}
	h := &hook{ctx: ctx, sent: ctx, done: done, hooks: hooks}
	h.begin(rec)
	if len(p.cfg.Interceptors) > 0 {
		h.headers = slices.Clone(rec.Headers)
	}
	return h
}

func onSend(ctx context.Context, i Interceptor, rec *Record) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %s", protocol.ShownText(fmt.Sprint(r)))
		}
	}()
	return i.OnSend(ctx, rec)
}

// refuse counts a record that was not taken, and tells the interceptors and hooks of it.
func (p *Producer) refuse(e *entry, err error) {
	p.sender.Refused(FailureReason(err))
	if e.hook != nil {
		p.acknowledge(e.hook, e.noMetadata(), err)
	}
}

// acknowledge tells the interceptors and hooks of a record's outcome.
func (p *Producer) acknowledge(h *hook, md RecordMetadata, err error) {
	for _, i := range p.cfg.Interceptors {
		func() {
			defer func() {
				if r := recover(); r != nil {
					p.log.Warn("an interceptor panicked", "interceptor", fmt.Sprintf("%T", i), "topic", protocol.Shown(md.Topic), "err", protocol.ShownText(fmt.Sprint(r)))
				}
			}()
			i.OnAcknowledgement(h.sent, Acknowledgement{Metadata: md, Headers: h.headers, Err: err})
		}()
	}
	h.end(md, err)
}

// complete runs the callbacks of an outcome, on the completion goroutine, and calls next before each.
func (p *Producer) complete(o *accumulator.Outcome, next func()) {
	o.EachCallback(func(c *accumulator.Callback) {
		for c.Count > 0 {
			p.completeRun(o, c, next)
		}
	})
}

// completeRun runs the callbacks at the beginning of c whose outcomes differ in the offset alone, and takes them off c.
func (p *Producer) completeRun(o *accumulator.Outcome, c *accumulator.Callback, next func()) {
	md, err := resultOf(o, c.Index, c.Timestamp)
	n := min(c.Count, o.Alike(c.Index))
	c.Index += n
	c.Count -= n
	step := int64(1)
	if md.Offset < 0 {
		step = 0 // the offsets are not known
	}
	switch fn := c.Fn.(type) {
	case Callback:
		for range n {
			next()
			fn(md, err)
			md.Offset += step
		}
	case *hook:
		for range n {
			next()
			p.acknowledge(fn, md, err)
			if fn.done != nil {
				fn.done(md, err)
			}
			md.Offset += step
		}
	default: // fill sets no other
		panic(fmt.Sprintf("producer: a callback of type %T, which nobody would call", fn))
	}
}
