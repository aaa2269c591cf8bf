package producer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// Two records are with a broker that does not answer, and three wait behind them. Flush that gives up counts both kinds, and so
// does Close, after which each record says of itself what the count says of it.
func TestWhatIsLeftIsCountedByWhatIsKnownOfIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.MaxInFlightRequestsPerConnection = 0, 2 })
		send(t, p, record("first"))
		c.On(brokertest.Produce).Always().Do(brokertest.Swallow())

		var futures []producer.Future
		for range 2 {
			futures = append(futures, p.Send(t.Context(), record("sent")))
			synctest.Wait() // each is a request of its own
		}
		for range 3 {
			futures = append(futures, p.Send(t.Context(), record("waiting")))
		}
		want := producer.Undelivered{NotWritten: 3, MayBeWritten: 2}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var flush *producer.FlushError
		if err := p.Flush(ctx); !errors.As(err, &flush) || flush.Waiting != want || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: %v with %+v, want %+v waited for, and the end of its context", err, flush, want)
		} else if !strings.Contains(err.Error(), "5 records (2 of them may be in the log)") {
			t.Errorf("Flush says %q, and not how many records", err)
		}

		var closed *producer.CloseError
		if err := closeWithin(p, time.Second); !errors.As(err, &closed) || closed.Lost != want || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v with %+v, want %+v lost, and the end of its context", err, closed, want)
		} else if !strings.Contains(err.Error(), "5 records (2 of them may be in the log) failed with ErrClosed") {
			t.Errorf("Close says %q, and not how many records", err)
		}
		var told producer.Undelivered
		for _, f := range futures {
			var failed *producer.SendError
			if _, err := f.Wait(t.Context()); !errors.As(err, &failed) || !errors.Is(err, producer.ErrClosed) {
				t.Errorf("a record ended with %v, want a SendError of ErrClosed", err)
			} else if failed.MayBeWritten {
				told.MayBeWritten++
			} else {
				told.NotWritten++
			}
		}
		if told != want {
			t.Errorf("the records say %+v of themselves, want %+v", told, want)
		}
		if s := p.Stats(); s.Failed != 5 || s.MayBeWritten != 2 {
			t.Errorf("Stats: %d failed, %d may be written, want 5 and 2", s.Failed, s.MayBeWritten)
		}
	})
}

// What Flush counts is what it was called for: records that nobody has waited for yet, of a batch of their own, are not in it.
func TestFlushCountsWhatItWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.Linger = 0 })
		send(t, p, record("first"))
		c.Pause(1)
		p.Send(t.Context(), record("a"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		flushed := make(chan error)
		go func() { flushed <- p.Flush(ctx) }()
		synctest.Wait()
		late := p.Send(t.Context(), record("later"))
		var flush *producer.FlushError
		if err := <-flushed; !errors.As(err, &flush) || flush.Waiting != (producer.Undelivered{MayBeWritten: 1}) {
			t.Errorf("Flush: %v with %+v, want the one record that was sent before", err, flush)
		}
		c.Resume(1)
		if _, err := late.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Nothing is lost where nothing is left, and a number is readable.
func TestUndeliveredSaysHowMany(t *testing.T) {
	for u, want := range map[producer.Undelivered]string{
		{NotWritten: 1}:                  "1 record (not in the log)",
		{NotWritten: 3}:                  "3 records (not in the log)",
		{MayBeWritten: 1}:                "1 record (it may be in the log)",
		{MayBeWritten: 3}:                "3 records (all may be in the log)",
		{NotWritten: 1, MayBeWritten: 2}: "3 records (2 of them may be in the log)",
	} {
		if got := u.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
