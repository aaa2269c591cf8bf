package producer_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// TestTransactSaysWhatItsAbortSays has a producer be replaced while its function runs. In the old protocol the record that
// fails then only says to abort, and the abort that the producer is fenced. Who asks the error what to do next must hear
// the latter: an abort has been tried.
func TestTransactSaysWhatItsAbortSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.Kafka3_9(), brokertest.InMemory(), brokertest.Topic("a", 1))
		id := func(cfg *producer.Config) { cfg.TransactionalID = "x" }
		older, newer := start(t, c, id), start(t, c, id)
		err := older.Transact(t.Context(), func(tx *producer.Tx) error {
			if _, err := tx.SendSync(t.Context(), producer.Record{Topic: "a", Value: []byte("before")}); err != nil {
				t.Fatal(err)
			}
			if err := newer.InitTransactions(t.Context()); err != nil {
				t.Fatal(err)
			}
			tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("after")})
			return nil
		})
		var failure *producer.TransactionError
		if !errors.As(err, &failure) || failure.Next != producer.NextNewProducer || !errors.Is(failure, producer.ErrFenced) {
			t.Errorf("Transact: the first TransactionError is %v, want one that says fenced and %q", failure, producer.NextNewProducer)
		}
		if text := err.Error(); strings.Count(text, "to do: ") != 1 || !strings.HasPrefix(text, "Transact of \"x\": ") || !strings.Contains(text, "; the abort failed: ") ||
			!strings.HasSuffix(text, "to do: close this producer, and make a new producer unless another has taken its place)") {
			t.Errorf("Transact says %q, want both failures, and one thing to do", text)
		}
		if got := len(c.Committed("a", 0)); got != 0 {
			t.Errorf("%d records are visible, want none", got)
		}
	})
}
