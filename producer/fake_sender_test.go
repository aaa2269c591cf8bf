package producer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// outbox is a Sender as a program's tests would have one: it keeps what it is given, and ends each record when the test says.
type outbox struct {
	records []producer.Record
	end     []func(producer.RecordMetadata, error)
}

func (o *outbox) Send(_ context.Context, rec producer.Record) producer.Future {
	f, end := producer.NewFuture()
	o.records, o.end = append(o.records, rec), append(o.end, end)
	return f
}

func (o *outbox) SendFunc(_ context.Context, rec producer.Record, done producer.Callback) {
	o.records, o.end = append(o.records, rec), append(o.end, done)
}

func (o *outbox) SendSync(ctx context.Context, rec producer.Record) (producer.RecordMetadata, error) {
	return o.Send(ctx, rec).Wait(ctx)
}

func (o *outbox) TrySend(rec producer.Record, done producer.Callback) error {
	o.SendFunc(context.Background(), rec, done)
	return nil
}

// A program's own Sender gives out futures, whose outcome it decides itself, once, now or later.
func TestASenderOfAProgramMakesItsFutures(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var o outbox
		names := producer.NewTyped(&o, producer.StringSerializer{}, producer.StringSerializer{}).Topic("names")
		f := names.Send(t.Context(), "1", "anna")
		if finished(f) {
			t.Error("the future is done, and nobody has said so")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.Wait(ctx); !errors.Is(err, producer.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) || !producer.MayBeWritten(err) {
			t.Errorf("the end of its context: %v, want ErrOutcomeUnknown", err)
		}
		waited := make(chan error)
		go func() {
			md, err := f.Wait(t.Context())
			if md.Offset != 7 {
				err = errors.Join(err, errors.New("another offset than 7"))
			}
			waited <- err
		}()
		synctest.Wait()
		o.end[0](producer.RecordMetadata{Topic: "names", Offset: 7}, nil)
		o.end[0](producer.RecordMetadata{}, errors.New("too late"))
		if err := <-waited; err != nil {
			t.Error(err)
		}
		if !finished(f) {
			t.Error("the future is not done, and has its outcome")
		}
		if r := o.records[0]; r.Topic != "names" || string(r.Key) != "1" || string(r.Value) != "anna" {
			t.Errorf("it was given %+v", r)
		}
		refused := errors.New("no")
		f, end := producer.NewFuture()
		end(producer.RecordMetadata{}, refused)
		if _, err := f.Wait(t.Context()); err != refused {
			t.Errorf("an outcome that was there before the wait: %v", err)
		}
	})
}
