package producer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A Close that gives up while EndTxn is on its way leaves open what became of it: to say aborted would have the caller
// send everything again (I6).
func TestACommitGivenUpOnItsWayIsUnknown(t *testing.T) {
	for name, action := range map[string]*brokertest.Action{
		"it takes effect": brokertest.HandleThenSwallow(), "it does not": brokertest.Swallow(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("a", 1))
				c.On(brokertest.EndTxn).Do(action)
				p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "x" })
				committed := make(chan error)
				go func() {
					committed <- p.Transact(t.Context(), func(tx *producer.Tx) error {
						tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("v")})
						return nil
					})
				}()
				time.Sleep(time.Second) // EndTxn is swallowed by now, and its request.timeout far
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				p.Close(ended)
				err := <-committed
				var failure *producer.TransactionError
				if !errors.As(err, &failure) || failure.Outcome != producer.OutcomeUnknown || failure.Next != producer.NextNewProducer {
					t.Errorf("Transact = %v, want an error with the outcome unknown, to make a new producer", err)
				}
			})
		})
	}
}

// A record that is not taken is missing from its transaction as much as one that is not delivered, and who relies on the
// commit for the outcome of all must hear of it (I7).
func TestARecordThatIsNotTakenKeepsTheTransactionFromBeingCommitted(t *testing.T) {
	big := make([]byte, 2<<20)
	for name, send := range map[string]func(context.Context, *producer.Tx){
		"Send": func(ctx context.Context, tx *producer.Tx) { tx.Send(ctx, producer.Record{Topic: "a", Value: big}) },
		"SendFunc": func(ctx context.Context, tx *producer.Tx) {
			tx.SendFunc(ctx, producer.Record{Topic: "a", Value: big}, nil)
		},
		"SendSync": func(ctx context.Context, tx *producer.Tx) { tx.SendSync(ctx, producer.Record{Topic: "a", Value: big}) },
		"no topic": func(ctx context.Context, tx *producer.Tx) { tx.Send(ctx, producer.Record{Topic: "b"}) },
		"no time": func(ctx context.Context, tx *producer.Tx) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			tx.Send(ctx, producer.Record{Topic: "a"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Topic("a", 1))
				p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "x" })
				err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("taken")})
					send(t.Context(), tx)
					return nil
				})
				var refused *producer.AdmissionError
				if !errors.As(err, &refused) {
					t.Errorf("Transact = %v, want the error that the record was not taken with", err)
				}
				if got := c.Committed("a", 0); len(got) != 0 {
					t.Errorf("%d records are committed, want none", len(got))
				}
				// The next one is not concerned.
				if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("v")})
					return nil
				}); err != nil || len(c.Committed("a", 0)) != 1 {
					t.Errorf("the transaction after it = %v with %d records, want one record", err, len(c.Committed("a", 0)))
				}
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TrySend says to its caller what was not taken, and takes nothing back: a full buffer is no reason to abort.
func TestTrySendThatIsRefusedIsNoPartOfTheTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("a", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "x" })
		err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			if err := tx.TrySend(producer.Record{Topic: "a"}, nil); !errors.Is(err, producer.ErrTopicNotLoaded) {
				t.Errorf("TrySend = %v, want ErrTopicNotLoaded", err)
			}
			tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("v")})
			return nil
		})
		if err != nil || len(c.Committed("a", 0)) != 1 {
			t.Errorf("Transact = %v with %d records, want one record", err, len(c.Committed("a", 0)))
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
