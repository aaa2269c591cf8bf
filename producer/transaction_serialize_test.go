package producer_test

import (
	"context"
	"errors"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// TestARecordThatCannotBeSerializedFailsTheCommit has a record fail before the producer sees it. Nobody looks at its
// future: the commit must tell.
func TestARecordThatCannotBeSerializedFailsTheCommit(t *testing.T) {
	unserializable := producer.SerializerFunc[string](func(_ context.Context, dst []byte, _ *producer.Serialization, _ string) ([]byte, error) {
		return dst, errors.New("cannot be written")
	})
	for name, to := range map[string]func(*producer.Tx, *producer.Producer) producer.Sender{
		"by the Tx":       func(tx *producer.Tx, _ *producer.Producer) producer.Sender { return tx },
		"by the producer": func(_ *producer.Tx, p *producer.Producer) producer.Sender { return p },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "shop" })
				err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					tx.Send(t.Context(), record("before"))
					producer.NewTyped(to(tx, p), unserializable, unserializable).Topic("t").Send(t.Context(), "key", "value")
					return nil
				})
				var failure *producer.TransactionError
				if !errors.As(err, &failure) || failure.Next != producer.NextAbort {
					t.Errorf("the commit of a transaction that lacks a record said %v, want a TransactionError with NextAbort", err)
				}
				if visible := c.Committed("t", 0); len(visible) != 0 {
					t.Errorf("%d records are visible, want none", len(visible))
				}
				if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					return tx.TrySend(record("next"), nil)
				}); err != nil {
					t.Errorf("the next transaction: %v", err)
				}
				if visible := c.Committed("t", 0); len(visible) != 1 || string(visible[0].Value) != "next" {
					t.Errorf("visible are %v, want the next transaction's record alone", visible)
				}
			})
		})
	}
}
