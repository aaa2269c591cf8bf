package producer_test

import (
	"errors"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// TestARecordThatWasNotTakenFailsTheCommit has records refused before they are in any batch. Nobody looks at their
// futures: the commit must tell.
func TestARecordThatWasNotTakenFailsTheCommit(t *testing.T) {
	unserializable := producer.SerializerFunc[string](func(dst []byte, _, _ string) ([]byte, error) {
		return dst, errors.New("cannot be written")
	})
	for name, refused := range map[string]func(*testing.T, *producer.Tx){
		"too large": func(t *testing.T, tx *producer.Tx) {
			tx.Send(t.Context(), producer.Record{Topic: "t", Value: make([]byte, 2<<20)})
		},
		"no such partition": func(t *testing.T, tx *producer.Tx) {
			tx.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(7)}, nil)
		},
		"not serializable": func(t *testing.T, tx *producer.Tx) {
			producer.NewTyped(tx, unserializable, unserializable).Send(t.Context(), "t", "key", "value")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "shop" })
				err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					tx.Send(t.Context(), record("before"))
					refused(t, tx)
					return nil
				})
				var failure *producer.TransactionError
				if !errors.As(err, &failure) || failure.Next != producer.AbortIt {
					t.Errorf("the commit of a transaction that lacks a record said %v, want a TransactionError with AbortIt", err)
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
