package producer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// committing starts CommitTransaction in another goroutine, and waits until it is under way.
func committing(t *testing.T, p *producer.Producer) <-chan error {
	said := make(chan error, 1)
	go func() { said <- p.CommitTransaction(t.Context()) }()
	synctest.Wait()
	return said
}

// wantClosed demands that calls after Close say so, at once.
func wantClosed(t *testing.T, p *producer.Producer) {
	t.Helper()
	at := time.Now()
	for what, call := range map[string]func(context.Context) error{
		"InitTransactions": p.InitTransactions, "BeginTransaction": p.BeginTransaction,
		"CommitTransaction": p.CommitTransaction, "AbortTransaction": p.AbortTransaction,
		"SendOffsetsToTransaction": func(ctx context.Context) error {
			return p.SendOffsetsToTransaction(ctx, offsets(1), groupG)
		},
		"Transact": func(ctx context.Context) error {
			return p.Transact(ctx, func(*producer.Tx) error { t.Error("it runs"); return nil })
		},
	} {
		if err := call(t.Context()); !errors.Is(err, producer.ErrClosed) {
			t.Errorf("%s after Close says %v, want ErrClosed", what, err)
		}
	}
	if _, err := p.SendSync(t.Context(), record("x")); err == nil || producer.MayBeWritten(err) {
		t.Errorf("a record after Close is told %v", err)
	}
	if took := time.Since(at); took != 0 {
		t.Errorf("calls after Close took %v, want nothing", took)
	}
}

// Close finishes a commit in progress: its caller and the log say the same.
func TestCloseFinishesACommit(t *testing.T) {
	for name, fault := range map[string]*brokertest.Action{
		"answered late": brokertest.Pass().Delayed(5 * time.Second), "answer lost": brokertest.HandleThenDrop(),
		"lost": brokertest.Drop(), "not coordinator": brokertest.Error(protocol.NotCoordinator),
	} {
		for _, api := range []int16{brokertest.EndTxn, brokertest.Produce} {
			t.Run(name, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					if api == brokertest.Produce && name == "not coordinator" {
						return
					}
					c := s.cluster(t)
					p := transactional(t, c)
					begin(t, p)
					c.On(api).Do(fault)
					p.Send(t.Context(), record("a"))
					said := committing(t, p)
					if err := p.Close(t.Context()); err != nil {
						t.Errorf("Close: %v", err)
					}
					wantTold(t, "CommitTransaction", <-said, ok)
					wantVisible(t, c, "a")
					wantClosed(t, p)
				})
			})
		}
	}
}

// A commit that its caller has given up on is finished by Close, too.
func TestCloseFinishesACommitThatNobodyWaitsFor(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		begin(t, p)
		send(t, p, record("a"))
		c.On(brokertest.EndTxn).Do(brokertest.Drop())
		wantTold(t, "CommitTransaction", p.CommitTransaction(within(t, time.Millisecond)), unknownRetry)
		if err := p.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		wantVisible(t, c, "a")
	})
}

// Close aborts an open transaction, whether it has failed or not, and its records end with that.
func TestCloseAbortsAnOpenTransaction(t *testing.T) {
	for _, failed := range []bool{false, true} {
		inEachProtocol(t, func(t *testing.T, s speech) {
			c := s.cluster(t)
			p := transactional(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.DeliveryTimeout = time.Hour, 3*time.Hour })
			begin(t, p)
			send(t, p, record("a"))
			if failed {
				c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRecord))
				if _, err := p.SendSync(t.Context(), record("bad")); err == nil {
					t.Error("the faulty record was taken")
				}
			}
			f := p.Send(t.Context(), record("waits"))
			at := time.Now()
			if err := p.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
			if took := time.Since(at); took != 0 {
				t.Errorf("Close took %v, want nothing", took)
			}
			if _, err := f.Wait(t.Context()); !failed {
				wantDropped(t, f)
			} else if err == nil || producer.MayBeWritten(err) {
				t.Errorf("the record is told %v", err)
			}
			if tx, _ := c.Transaction("tx"); tx.State != brokertest.StateCompleteAbort {
				t.Errorf("the coordinator says %v, want that the transaction was aborted", tx.State)
			}
			if slices.Contains(logged(c), "waits") {
				t.Error("a record that waited is in the log")
			}
			wantVisible(t, c, "")
			wantClosed(t, p)
			if n := p.Stats().BufferedBytes; n != 0 {
				t.Errorf("%d bytes are reserved, want 0", n)
			}
		})
	}
}

// A commit in progress fails while Close waits: it is aborted, since nobody else will.
func TestACommitFailsDuringClose(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.Linger = 0 })
		begin(t, p)
		send(t, p, record("a"))
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRecord).Delayed(time.Second))
		p.Send(t.Context(), record("bad"))
		said := committing(t, p)
		if err := p.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		wantTold(t, "CommitTransaction", <-said, openAbort)
		if tx, _ := c.Transaction("tx"); tx.State != brokertest.StateCompleteAbort {
			t.Errorf("the coordinator says %v, want that the transaction was aborted", tx.State)
		}
		wantVisible(t, c, "")
	})
}

// Close whose context ends leaves what it cannot finish, and nothing that is said of it is wrong.
func TestCloseWithoutTime(t *testing.T) {
	for name, f := range map[string]struct {
		api    int16
		fault  *brokertest.Action
		commit string
	}{
		"EndTxn never answered":                 {brokertest.EndTxn, brokertest.Swallow(), unknownNew},
		"EndTxn never answered, with effect":    {brokertest.EndTxn, brokertest.HandleThenSwallow(), unknownNew},
		"EndTxn refused for ever":               {brokertest.EndTxn, brokertest.Error(protocol.CoordinatorLoadInProgress), unknownNew},
		"EndTxn refused for ever, with effect":  {brokertest.EndTxn, brokertest.AppendThenError(protocol.NotCoordinator), unknownNew},
		"records never answered":                {brokertest.Produce, brokertest.Swallow(), abortedNew},
		"records never answered, with effect":   {brokertest.Produce, brokertest.HandleThenSwallow(), abortedNew},
		"records refused, again and again":      {brokertest.Produce, brokertest.Error(protocol.NotEnoughReplicas), abortedNew},
		"coordinator refuses, again and again.": {brokertest.AddPartitionsToTxn, brokertest.Error(protocol.CoordinatorLoadInProgress), abortedNew},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				if s.lacks(f.api) {
					return
				}
				c := s.cluster(t)
				p := transactional(t, c)
				begin(t, p)
				c.On(f.api).Always().Do(f.fault)
				p.Send(t.Context(), record("a"))
				said := committing(t, p)
				time.Sleep(time.Second)
				at := time.Now()
				if err := closeWithin(p, 2*time.Second); err == nil {
					t.Error("Close says that all is well")
				}
				if took := time.Since(at); took > 3*time.Second+10*time.Millisecond {
					t.Errorf("Close took %v, want its 2s and a second for callbacks", took)
				}
				err := <-said
				wantTold(t, "CommitTransaction", err, f.commit)
				if !errors.Is(err, producer.ErrClosed) {
					t.Errorf("CommitTransaction says %v, want ErrClosed as the cause", err)
				}
				honest(t, c, true, err)
				wantClosed(t, p)
			})
		})
	}
}

// Close while BeginTransaction waits for an epoch leaves nothing open, and does not wait for ever.
func TestCloseDuringBegin(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[1].cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
		transaction(t, p, "a")
		if err := c.SetFeature("transaction.version", 2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		c.On(brokertest.InitProducerID).Do(brokertest.Pass().Delayed(5 * time.Second))
		said := make(chan error, 1)
		go func() { said <- p.BeginTransaction(t.Context()) }()
		synctest.Wait()
		at := time.Now()
		if err := closeWithin(p, time.Hour); err != nil {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(at); took > 6*time.Second {
			t.Errorf("Close took %v, want the 5s that the epoch takes", took)
		}
		<-said // either is true: it was begun, or the producer is closed
		wantClosed(t, p)
	})
}

// Close before InitTransactions has come to anything, and without any.
func TestCloseOfAnIdleProducer(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		for _, make := range []func() *producer.Producer{
			func() *producer.Producer { return uninitialised(t, c) },
			func() *producer.Producer { return transactional(t, c) },
			func() *producer.Producer {
				p := uninitialised(t, c)
				c.On(brokertest.InitProducerID).Do(brokertest.Swallow())
				wantTold(t, "InitTransactions", p.InitTransactions(within(t, time.Second)), openRetry)
				return p
			},
		} {
			p, at := make(), time.Now()
			if err := p.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
			if took := time.Since(at); took != 0 {
				t.Errorf("Close took %v, want nothing", took)
			}
			wantClosed(t, p)
			c.ClearFaults()
		}
	})
}
