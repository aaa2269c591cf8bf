package producer_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

var errOwn = errors.New("the function's own")

// Transact commits what its function returns nil for, and aborts the rest: errors, which it returns as they are, panics,
// which it passes on, and functions that do not return at all.
func TestTransact(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := uninitialised(t, c)
		give := func(value string, end func() error) func(*producer.Tx) error {
			return func(tx *producer.Tx) error {
				tx.Send(t.Context(), record(value))
				if _, err := tx.SendSync(t.Context(), record(value+"'")); err != nil {
					return err
				}
				if err := tx.SendOffsets(t.Context(), offsets(int64(value[0])), groupG); err != nil {
					return err
				}
				return end()
			}
		}
		if err := p.Transact(t.Context(), give("a", func() error { return nil })); err != nil {
			t.Errorf("Transact: %v", err)
		}
		if err := p.Transact(t.Context(), give("b", func() error { return errOwn })); err != errOwn {
			t.Errorf("Transact says %v, want the function's own error as it is", err)
		}
		func() {
			defer func() {
				if got := recover(); got != "own value" {
					t.Errorf("the panic has the value %v, want its own", got)
				}
			}()
			_ = p.Transact(t.Context(), give("c", func() error { panic("own value") }))
			t.Error("the panic is not passed on")
		}()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = p.Transact(t.Context(), give("d", func() error { runtime.Goexit(); return nil }))
		}()
		<-gone
		if err := p.Transact(t.Context(), give("e", func() error { return nil })); err != nil {
			t.Errorf("Transact: %v", err)
		}
		wantVisible(t, c, "a a' e e'")
		if got := groupOffset(c); got != 'e' {
			t.Errorf("the group has offset %c, want e", rune(got))
		}
		if n := c.Count(brokertest.InitProducerID); n != 1 {
			t.Errorf("%d InitProducerId requests, want the one of the first Transact", n)
		}
		soundLog(t, c)
	})
}

// A context that ends inside the function ends the transaction: it is aborted all the same, under max.block.
func TestTransactWhoseContextEnds(t *testing.T) {
	cause := errors.New("no more time")
	inEachProtocol(t, func(t *testing.T, s speech) {
		for _, returned := range []error{nil, errOwn} {
			c := s.cluster(t)
			p := uninitialised(t, c)
			c.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(time.Second)) // an answer that is there already is taken in any case
			ctx, cancel := context.WithCancelCause(t.Context())
			err := p.Transact(ctx, func(tx *producer.Tx) error {
				if _, err := tx.SendSync(ctx, record("a")); err != nil {
					t.Error(err)
				}
				cancel(cause)
				return returned
			})
			want := cause
			if returned != nil {
				want = returned
			}
			if !errors.Is(err, want) {
				t.Errorf("Transact says %v, want %v", err, want)
			}
			if strings.Contains(err.Error(), "the abort failed") {
				t.Errorf("Transact says %v, and returned before the abort had its answer", err)
			}
			if tx, _ := c.Transaction("tx"); tx.State != brokertest.StateCompleteAbort {
				t.Errorf("the coordinator says %v, want the transaction aborted", tx.State)
			}
			wantVisible(t, c, "")
		}
	})
}

// The abort that follows an error has failed, too: both are told.
func TestTransactWhoseAbortFails(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := uninitialised(t, c)
		c.On(brokertest.EndTxn).Do(brokertest.Error(protocol.ProducerFenced))
		err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			tx.Send(t.Context(), record("a"))
			time.Sleep(time.Second)
			return errOwn
		})
		if !errors.Is(err, errOwn) || !errors.Is(err, producer.ErrFenced) {
			t.Errorf("Transact says %v, want the function's error and that of the abort", err)
		}
	})
}

// Retries run the function again for what the cluster has lost, and for nothing else.
func TestRetriesOfTransact(t *testing.T) {
	for name, f := range map[string]struct {
		fault *brokertest.Action
		own   bool
		times int // of three that are possible
	}{
		"nothing fails":         {nil, false, 1},
		"own error":             {nil, true, 1},
		"lost by the cluster":   {brokertest.Error(protocol.TransactionAbortable), false, 2},
		"the epoch is old":      {brokertest.Error(protocol.OutOfOrderSequenceNumber), false, 2},
		"a record too large":    {brokertest.Error(protocol.MessageTooLarge), false, 1},
		"a record not valid":    {brokertest.Error(protocol.InvalidRecord), false, 1},
		"not authorised":        {brokertest.Error(protocol.TopicAuthorizationFailed), false, 1},
		"lost, and own error":   {brokertest.Error(protocol.TransactionAbortable), true, 1},
		"the producer is ended": {brokertest.Error(protocol.TransactionalIDAuthorizationFailed), false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				p := uninitialised(t, c)
				times := 0
				err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					times++
					if times == 1 && f.fault != nil {
						c.On(brokertest.Produce).Do(f.fault)
					}
					tx.Send(t.Context(), record(fmt.Sprint(times)))
					if f.own {
						time.Sleep(time.Second)
						return errOwn
					}
					return nil
				}, producer.TransactRetries(2))
				if times != f.times {
					t.Errorf("the function ran %d times, want %d", times, f.times)
				}
				if good := f.fault == nil && !f.own || f.times > 1; (err == nil) != good {
					t.Errorf("Transact says %v", err)
				} else if good {
					wantVisible(t, c, fmt.Sprint(times))
				} else {
					wantVisible(t, c, "")
				}
			})
		})
	}
	t.Run("no more than that", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c := speeches[0].cluster(t)
			p := uninitialised(t, c)
			c.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.TransactionAbortable))
			for retries, want := range []int{1, 2, 3} {
				times := 0
				err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					times++
					_, err := tx.SendSync(t.Context(), record("a"))
					return err
				}, producer.TransactRetries(retries))
				if times != want || !isCode(err, protocol.TransactionAbortable) {
					t.Errorf("with %d retries the function ran %d times, and %v is told", retries, times, err)
				}
			}
		})
	})
}

// A transaction that takes longer than transaction.timeout is one that the cluster has lost.
func TestRetryAfterTheTransactionTimedOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t)
		p := uninitialised(t, c)
		times := 0
		err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			times++
			if _, err := tx.SendSync(t.Context(), record(fmt.Sprint("early", times))); err != nil {
				return err
			}
			if times == 1 {
				time.Sleep(longerThanAnyTx)
			}
			tx.Send(t.Context(), record(fmt.Sprint("late", times)))
			return nil
		}, producer.TransactRetries(1))
		if err != nil || times != 2 {
			t.Errorf("Transact says %v after %d runs, want success with the second", err, times)
		}
		wantVisible(t, c, "early2 late2")
	})
}

// A Tx is of use inside its function alone, also when the next transaction is open.
func TestATxThatHasLeaked(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := uninitialised(t, c)
		var leaked *producer.Tx
		refuse := func(when string) {
			t.Helper()
			_, err := leaked.SendSync(t.Context(), record("leaked"))
			var called error
			leaked.SendFunc(t.Context(), record("leaked"), func(_ producer.RecordMetadata, err error) { called = err })
			for what, err := range map[string]error{
				"Send": err, "SendFunc": called, "TrySend": leaked.TrySend(record("leaked"), nil),
				"SendOffsets": leaked.SendOffsets(t.Context(), offsets(1), groupG),
			} {
				if told(err) != refused {
					t.Errorf("%s, %s says %v, want a refusal", when, what, err)
				}
			}
		}
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error { leaked = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		refuse("after the end")
		err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			refuse("in the next transaction")
			tx.Send(t.Context(), record("a"))
			return nil
		})
		if err != nil {
			t.Errorf("the next transaction suffers: %v", err)
		}
		wantVisible(t, c, "a")
	})
}

// The function may send from as many goroutines as it likes.
func TestTransactWithManyGoroutines(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t, brokertest.Delay(time.Millisecond))
		p := uninitialised(t, c)
		for n := range 3 {
			err := p.Transact(t.Context(), func(tx *producer.Tx) error {
				done := make(chan struct{})
				for g := range 8 {
					go func() {
						for i := range 20 {
							tx.Send(t.Context(), record(fmt.Sprintf("%d/%d/%d", n, g, i)))
						}
						done <- struct{}{}
					}()
				}
				for range 8 {
					<-done
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := len(c.Committed("t", 0)); n != 480 {
			t.Errorf("%d records are to be seen, want 480", n)
		}
		soundLog(t, c)
	})
}

// A commit that outlasts Transact is Unknown: it is not aborted, the next Transact is refused, and CommitTransaction takes it
// up again.
func TestTransactWhoseCommitIsNotAnswered(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := uninitialised(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Second })
		c.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(10 * time.Second))
		err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			tx.Send(t.Context(), record("a"))
			return nil
		}, producer.TransactRetries(3))
		wantTold(t, "Transact", err, unknownRetry)
		synctest.Wait()
		wantTold(t, "the next Transact", p.Transact(t.Context(), func(*producer.Tx) error { t.Error("it runs"); return nil }), refused)
		time.Sleep(10 * time.Second)
		commit(t, p)
		wantVisible(t, c, "a")
		if n := c.Count(brokertest.EndTxn); n != 1 {
			t.Errorf("%d EndTxn requests, want one", n)
		}
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error { tx.Send(t.Context(), record("b")); return nil }); err != nil {
			t.Error(err)
		}
		wantVisible(t, c, strings.Join([]string{"a", "b"}, " "))
	})
}
