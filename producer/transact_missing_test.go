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

// TestARecordThatIsNotTakenFailsTheTransaction: whoever does not look at the future of a record must not commit without
// the record, whether it was sent and failed, or was never taken.
func TestARecordThatIsNotTakenFailsTheTransaction(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	good := producer.Record{Topic: "a", Value: []byte("good")}
	for _, test := range []struct {
		name string
		ctx  context.Context
		bad  producer.Record
		want error // in that of Transact
	}{
		{"too large", context.Background(), producer.Record{Topic: "a", Value: make([]byte, 2<<20)}, nil},
		{"no such partition", context.Background(), producer.Record{Topic: "a", Partition: producer.OnPartition(7)}, nil},
		{"no such topic", context.Background(), producer.Record{Topic: "b"}, nil},
		{"before 1970", context.Background(), producer.Record{Topic: "a", Timestamp: time.Unix(-5, 0)}, nil},
		{"the context of Send has ended", ended, good, context.Canceled},
	} {
		for how, send := range map[string]func(*producer.Tx, context.Context, producer.Record){
			"Send":     func(tx *producer.Tx, ctx context.Context, r producer.Record) { tx.Send(ctx, r) },
			"SendFunc": func(tx *producer.Tx, ctx context.Context, r producer.Record) { tx.SendFunc(ctx, r, nil) },
		} {
			t.Run(how+" "+test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("a", 1), brokertest.AutoCreate(false))
					p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "x" })
					err := p.Transact(t.Context(), func(tx *producer.Tx) error {
						tx.Send(t.Context(), good)
						send(tx, test.ctx, test.bad)
						tx.Send(t.Context(), good)
						return nil
					})
					failure, ok := errors.AsType[*producer.TransactionError](err)
					if !ok || failure.Call != "CommitTransaction" || failure.Next != producer.AbortIt || test.want != nil && !errors.Is(err, test.want) {
						t.Errorf("Transact: %v, want a commit that is refused because of the record", err)
					}
					if n := len(c.Committed("a", 0)); n != 0 {
						t.Errorf("%d records are committed, want 0", n)
					}
					if err := p.Transact(t.Context(), func(tx *producer.Tx) error { tx.Send(t.Context(), good); return nil }); err != nil {
						t.Errorf("the next transaction: %v", err)
					}
				})
			})
		}
	}
}

// TestARecordThatIsNotTakenFailsItsOwnTransactionAlone: what comes after the end of a transaction, or is tried without waiting
// and told at once, is no matter of the one that is open.
func TestARecordThatIsNotTakenFailsItsOwnTransactionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("a", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "x" })
		var ended *producer.Tx
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error { ended = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		large := producer.Record{Topic: "a", Value: make([]byte, 2<<20)}
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("v")})
			if _, err := ended.Send(t.Context(), large).Wait(t.Context()); err == nil {
				t.Error("a transaction that has ended takes a record")
			}
			if err := tx.TrySend(large, nil); err == nil {
				t.Error("TrySend takes a record that is too large")
			}
			return nil
		}); err != nil {
			t.Errorf("Transact: %v", err)
		}
		if n := len(c.Committed("a", 0)); n != 1 {
			t.Errorf("%d records are committed, want 1", n)
		}
	})
}
