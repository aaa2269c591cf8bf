package producer_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// TestTransactSaysWhatIsLeftToDoAfterAnAbortThatFailed: offsets are refused, so that there is an abort to be done, and the
// coordinator does not answer to that. What the caller has to do next is a matter of the abort, which goes on; the
// refusal says what to do about a transaction that stands open still, which this one does not.
func TestTransactSaysWhatIsLeftToDoAfterAnAbortThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("a", 1))
		p := start(t, c, func(cfg *producer.Config) {
			cfg.TransactionalID, cfg.MaxBlock, cfg.RequestTimeout = "x", 10*time.Second, 4*time.Second
		})
		offsets := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "a"}: {Offset: 7}}
		work := func(tx *producer.Tx) error {
			tx.Send(t.Context(), producer.Record{Topic: "a", Value: []byte("v")})
			return tx.SendOffsets(t.Context(), offsets, producer.ConsumerGroupMetadata{GroupID: "g"})
		}
		c.On(brokertest.TxnOffsetCommit).Do(brokertest.Error(protocol.IllegalGeneration))
		c.On(brokertest.EndTxn).Always().Do(brokertest.Swallow())

		err := p.Transact(t.Context(), work)
		failure, ok := errors.AsType[*producer.TransactionError](err)
		if !ok || failure.Call != "AbortTransaction" || failure.Next != producer.RetryCall || failure.Outcome != producer.Aborted {
			t.Fatalf("the error says %+v, want that AbortTransaction is to be called again: %v", failure, err)
		}
		if !strings.Contains(err.Error(), `partition 0 of topic "a" for group "g"`) {
			t.Errorf("the error is %q, want the partition, topic and group in it", err)
		}
		if !errors.Is(err, protocol.IllegalGeneration) {
			t.Errorf("the error is %v, want the reason for the abort in it: %v", err, protocol.IllegalGeneration)
		}
		if first, then, ok := strings.Cut(err.Error(), "; the abort failed, too: "); !ok || !strings.Contains(first, "ILLEGAL_GENERATION") || !strings.Contains(then, "AbortTransaction") {
			t.Errorf("the error is %q, want the reason for the abort before its own", err)
		}

		c.ClearFaults()
		if err := p.AbortTransaction(t.Context()); err != nil {
			t.Fatalf("AbortTransaction, called again: %v", err)
		}
		if err := p.Transact(t.Context(), work); err != nil {
			t.Errorf("the next transaction: %v", err)
		}
	})
}
