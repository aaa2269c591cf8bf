package producer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// TestNoCommitWithoutARecord sends records of which one is not even taken, and looks at none of the results. The commit
// must fail then: it would be of a part of what was sent. What TrySend refuses, it says at once, and the transaction goes on.
func TestNoCommitWithoutARecord(t *testing.T) {
	bad := producer.Record{Topic: "a", Value: make([]byte, 2<<20)} // more than max.request.size
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range []struct {
		name  string
		send  func(t *testing.T, tx *producer.Tx)
		fails bool
	}{
		{"Send", func(t *testing.T, tx *producer.Tx) { tx.Send(t.Context(), bad) }, true},
		{"SendFunc", func(t *testing.T, tx *producer.Tx) { tx.SendFunc(t.Context(), bad, nil) }, true},
		{"SendSync", func(t *testing.T, tx *producer.Tx) { _, _ = tx.SendSync(t.Context(), bad) }, true},
		{"Send, with a context that has ended", func(_ *testing.T, tx *producer.Tx) {
			tx.Send(ended, producer.Record{Topic: "a", Value: []byte("v")})
		}, true},
		{"Send to a topic that does not exist", func(t *testing.T, tx *producer.Tx) {
			tx.Send(t.Context(), producer.Record{Topic: "b", Value: []byte("v")})
		}, true},
		{"TrySend", func(t *testing.T, tx *producer.Tx) {
			if tx.TrySend(bad, nil) == nil {
				t.Error("TrySend has taken the record")
			}
		}, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("a", 1), brokertest.AutoCreate(false))
				p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "x" })
				good := producer.Record{Topic: "a", Value: []byte("good")}
				err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					tx.Send(t.Context(), good)
					r.send(t, tx)
					return nil
				})
				if failed := err != nil; failed != r.fails {
					t.Fatalf("Transact: %v, want an error: %v", err, r.fails)
				}
				visible := 1
				if r.fails {
					var failure *producer.TransactionError
					var admission *producer.AdmissionError
					if !errors.As(err, &failure) || failure.Next != producer.AbortIt || !errors.As(err, &admission) {
						t.Errorf("Transact: %v, want that it can only be aborted, because of the record", err)
					}
					visible = 0
				}
				if got := len(c.Committed("a", 0)); got != visible {
					t.Errorf("%d records are visible, want %d", got, visible)
				}
				if err := p.Transact(t.Context(), func(tx *producer.Tx) error { tx.Send(t.Context(), good); return nil }); err != nil {
					t.Errorf("the next transaction: %v", err)
				}
			})
		})
	}
}
