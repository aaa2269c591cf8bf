package producer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// InSteps sends records, and commits the offsets of what they come from, in one transaction. InitTransactions was called before,
// once. Again says that nothing of it is committed, and that this producer can do it again.
func InSteps(
	ctx context.Context, p producer.Interface, records []producer.Record,
	next map[producer.TopicPartition]producer.OffsetAndMetadata, group producer.ConsumerGroupMetadata,
) (again bool, err error) {
	// until calls a step again for as long as its error says so: what the step has begun goes on meanwhile.
	until := func(step func() error) error {
		for {
			err := step()
			failed, ok := errors.AsType[*producer.TransactionError](err)
			if !ok || failed.Next != producer.NextRetryCall || ctx.Err() != nil {
				return err
			}
		}
	}
	if err := until(func() error { return p.BeginTransaction(ctx) }); err != nil {
		return false, err // nothing has begun
	}
	for _, rec := range records {
		p.Send(ctx, rec) // if it fails, so does the commit
	}
	err = until(func() error { return p.SendOffsetsToTransaction(ctx, next, group) })
	if err == nil {
		err = until(func() error { return p.CommitTransaction(ctx) })
	}
	failed, ok := errors.AsType[*producer.TransactionError](err)
	switch {
	case err == nil:
		return false, nil
	case ok && (failed.Outcome == producer.OutcomeUnknown || failed.Outcome == producer.OutcomeCommitted):
		return false, err // do not do it again; while it is unknown, only CommitTransaction may be called
	case ok && failed.Next == producer.NextNewProducer:
		return false, err // close p, and do it again with another, unless errors.Is(err, producer.ErrFenced)
	}
	// The transaction is open, and can only be aborted. That must be done even if ctx has ended.
	if aborted := p.AbortTransaction(context.WithoutCancel(ctx)); aborted != nil {
		return false, fmt.Errorf("%w; %w", aborted, err)
	}
	return ok && failed.Next == producer.NextAbort, err // with NextFixConfiguration put right what err names first
}

// The steps of docs/exactly-once.md commit records and offsets together or not at all, whatever happens to them. What they say is
// true: the same producer does again what can be done again.
func TestATransactionInSteps(t *testing.T) {
	group := producer.ConsumerGroupMetadata{GroupID: "billing", GenerationID: 4, MemberID: "consumer-1"}
	next := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "orders"}: {Offset: 7}}
	records := []producer.Record{{Topic: "invoices", Value: []byte("a")}, {Topic: "invoices", Value: []byte("b")}}
	for name, story := range map[string]struct {
		happens   func(c *brokertest.Cluster, cancel func())
		again     bool
		committed bool
		says      string
	}{
		"nothing happens": {func(*brokertest.Cluster, func()) {}, false, true, ""},
		"the group's coordinator is being loaded, and the commit is not answered once": {func(c *brokertest.Cluster, _ func()) {
			c.On(brokertest.TxnOffsetCommit).Times(2).Do(brokertest.Error(protocol.CoordinatorLoadInProgress))
			c.On(brokertest.EndTxn).Do(brokertest.HandleThenSwallow())
		}, false, true, ""},
		"a record is refused": {func(c *brokertest.Cluster, _ func()) {
			c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRecord))
		}, true, false, "OutcomeOpen"},
		"the consumer is out of its group": {func(c *brokertest.Cluster, _ func()) {
			c.SetGroup("billing", 5, "consumer-2")
		}, true, false, "OutcomeOpen"},
		"the client may not commit for the group": {func(c *brokertest.Cluster, _ func()) {
			c.On(brokertest.TxnOffsetCommit).Do(brokertest.Error(protocol.GroupAuthorizationFailed))
		}, true, false, "OutcomeOpen"},
		"another instance takes over": {func(c *brokertest.Cluster, _ func()) {
			c.On(brokertest.EndTxn).Do(brokertest.Error(protocol.ProducerFenced))
		}, false, false, "NextNewProducer"},
		"ctx ends before the coordinator answers": {func(c *brokertest.Cluster, cancel func()) {
			c.On(brokertest.EndTxn).Do(brokertest.HandleThenSwallow())
			time.AfterFunc(time.Second, cancel)
		}, false, true, "`OutcomeUnknown`, `NextRetryCall`"},
		"ctx ends while the group has no coordinator": {func(c *brokertest.Cluster, cancel func()) {
			c.On(brokertest.TxnOffsetCommit).Always().Do(brokertest.Error(protocol.CoordinatorNotAvailable))
			time.AfterFunc(time.Second, cancel)
		}, false, false, "NextRetryCall"},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := ordersAndOthers(t, s.options...)
				c.SetGroup("billing", 4, "consumer-1")
				p := once(t, c, "billing-0")
				if err := readyToBegin(t.Context(), p); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				story.happens(c, cancel)
				again, err := InSteps(ctx, p, records, next, group)
				if !strings.Contains(verdicts(err), story.says) {
					t.Errorf("it says %s (%v), want %s", verdicts(err), err, story.says)
				}
				want := ""
				if story.committed {
					want = "a b"
				}
				offset := c.GroupOffsets("billing")[brokertest.TopicPartition{Topic: "orders"}].Offset
				if got := visibleIn(c, "invoices", 0); got != want || (offset == 7) != story.committed {
					t.Errorf("readers see %q, and the group is at %d; want %q, and committed: %v", got, offset, want, story.committed)
				}
				if again != story.again {
					t.Errorf("again is %v, want %v", again, story.again)
				}
				if strings.Contains(story.says, "OutcomeUnknown") {
					commit(t, p) // as the error says
				}
				if again {
					c.SetGroup("billing", 4, "consumer-1")
					if _, err := InSteps(t.Context(), p, records, next, group); err != nil || visibleIn(c, "invoices", 0) != "a b" {
						t.Errorf("once more: %v, and readers see %q", err, visibleIn(c, "invoices", 0))
					}
				}
			})
		})
	}
}
