package producer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

type spanKey struct{}

// tracer notes which span each outcome belongs to.
type tracer struct{ ended []string }

func (*tracer) OnSend(context.Context, *producer.Record) error { return nil }

func (x *tracer) OnAcknowledgement(ctx context.Context, ack producer.Acknowledgement) {
	span, _ := ctx.Value(spanKey{}).(string)
	if ack.Err != nil {
		span += " failed"
	}
	x.ended = append(x.ended, span)
}

// An interceptor is told of each outcome in the context of the record's Send, by whichever way it was sent, also of those that
// were not taken, and after the context has ended.
func TestInterceptorsGetTheContextOfTheRecord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		var x tracer
		p := start(t, c, func(cfg *producer.Config) { cfg.Interceptors = []producer.Interceptor{&x} })
		warm(t, p, "t")
		span := func(name string) context.Context { return context.WithValue(t.Context(), spanKey{}, name) }
		ended, cancel := context.WithCancel(span("ended later"))

		p.Send(span("Send"), record("a"))
		p.SendFunc(ended, record("b"), nil)
		cancel()
		if err := p.TrySend(record("c"), nil); err != nil {
			t.Error(err)
		}
		p.Topic("t").Send(span("handle"), nil, []byte("d"))
		if _, err := p.SendSync(span("SendSync"), record("e")); err != nil {
			t.Error(err)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if want := []string{"Send", "ended later", "", "handle", "SendSync"}; !slices.Equal(x.ended, want) {
			t.Errorf("outcomes in the spans %q, want %q", x.ended, want)
		}
		x.ended = nil
		if _, err := p.SendSync(span("refused"), producer.Record{Topic: "no/topic"}); err == nil || !slices.Equal(x.ended, []string{"refused failed"}) {
			t.Errorf("a refused record: %v, and outcomes in the spans %q", err, x.ended)
		}
	})
}

// All records of a batch that fail together have one error, which a future and a callback give alike, each time.
func TestAFailureIsTranslatedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		c.DenyWrite("t")
		p := start(t, c)
		warm(t, p, "t")
		var got outcomes
		first := p.Send(t.Context(), record("a"))
		second := p.Send(t.Context(), record("b"))
		p.SendFunc(t.Context(), record("c"), got.of("c"))
		_, want := first.Wait(t.Context())
		synctest.Wait()
		if _, ok := want.(*producer.SendError); !ok {
			t.Fatalf("the record ended with %T, want a *SendError", want)
		}
		_, again := first.Wait(t.Context())
		_, other := second.Wait(t.Context())
		for _, err := range []error{again, other, got.all()[0].err} {
			if err != want {
				t.Errorf("%p is another error than %p: %v", err, want, errors.Unwrap(err))
			}
		}
	})
}
