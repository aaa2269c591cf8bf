package txn_test

import (
	"errors"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// A refusal is how the first request of a transaction of the old protocol ends without having begun it.
type refusal struct {
	name    string
	code    protocol.ErrorCode
	err     error // there was no answer
	written bool
	asks    bool // the coordinator may know of the transaction all the same, and has to be asked to abort it
}

// TestAbortOfWhatWasNeverBegun aborts a transaction of which the coordinator has not taken the first partition. It answers
// INVALID_TXN_STATE to an EndTxn then, as Kafka does where no transaction is open. The transaction is aborted all the
// same, and the producer goes on: with a new epoch where the partition may be added late.
func TestAbortOfWhatWasNeverBegun(t *testing.T) {
	for _, r := range []refusal{
		{name: "the one before is being completed", code: protocol.ConcurrentTransactions},
		{name: "the topic is not allowed", code: protocol.TopicAuthorizationFailed},
		{name: "the topic is not known", code: protocol.UnknownTopicOrPartition},
		{name: "not sent", err: errors.New("connection refused")},
		{name: "the coordinator has moved, perhaps in the middle", code: protocol.NotCoordinator, asks: true},
		{name: "no answer", err: errors.New("connection reset"), written: true, asks: true},
	} {
		t.Run(r.name, func(t *testing.T) { abortOfWhatWasNeverBegun(t, r) })
	}
}

func abortOfWhatWasNeverBegun(t *testing.T, r refusal) {
	now := time.Unix(1, 0)
	tx := txn.New(txn.Config{ID: "x", Timeout: time.Minute, Patience: time.Hour, Delay: func(int) time.Duration { return time.Second }})
	tx.SetLevel(1)
	// answer answers what is due, searches for the coordinator as well, until nothing is.
	var asked []string
	answer := func() {
		for {
			now = now.Add(2 * time.Second) // past any backoff
			step, _ := tx.Next(now, true)
			if step == nil {
				return
			}
			tx.Sent(step)
			var resp protocol.Response
			var err error
			switch req := step.Request.(type) {
			case *protocol.FindCoordinatorRequest:
				resp = &protocol.FindCoordinatorResponse{Coordinators: []protocol.Coordinator{{Key: req.Key, NodeID: 1}}}
			case *protocol.InitProducerIDRequest:
				asked = append(asked, "InitProducerId")
				resp = &protocol.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: req.ProducerEpoch + 1}
			case *protocol.AddPartitionsToTxnRequest:
				asked = append(asked, "AddPartitionsToTxn")
				resp, err = &protocol.AddPartitionsToTxnResponse{ResultsByTopic: []protocol.AddPartitionsToTxnTopicResult{
					{Name: "a", ResultsByPartition: []protocol.AddPartitionsToTxnPartitionResult{{PartitionErrorCode: r.code}}},
				}}, r.err
				tx.Answer(now, resp, err, r.written)
				return
			case *protocol.EndTxnRequest:
				asked = append(asked, "EndTxn")
				resp = &protocol.EndTxnResponse{ErrorCode: protocol.InvalidTxnState}
			default:
				t.Fatalf("asked %T", req)
			}
			tx.Answer(now, resp, err, true)
		}
	}
	call := func(name string, begin func(*txn.Op)) {
		t.Helper()
		told := false
		begin(&txn.Op{Done: func(err error) {
			if told = true; err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}})
		if answer(); !told {
			t.Fatalf("%s has not ended; asked so far: %v", name, asked)
		}
	}
	call("InitTransactions", tx.Init)
	call("BeginTransaction", tx.Begin)
	tx.Add(txn.Partition{Topic: "a"})
	answer()
	asked = nil
	call("AbortTransaction", tx.Abort)
	if got := len(asked) > 0; got != r.asks {
		t.Errorf("the abort asked %v, want EndTxn: %v", asked, r.asks)
	}
	asked = nil
	call("BeginTransaction", tx.Begin)
	if got := len(asked) > 0; got != r.asks {
		t.Errorf("the next begin asked %v, want InitProducerId: %v", asked, r.asks)
	}
}
