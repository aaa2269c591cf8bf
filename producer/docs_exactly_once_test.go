package producer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// The Go of docs/exactly-once.md, block by block, but for what the page has from examples/orders, integration/cmd/transform and
// bench/driver.

func sentOnceMore(ctx context.Context, p producer.Sender, rec producer.Record) error {
	_, err := p.SendSync(ctx, rec)
	if err != nil && !producer.MayBeWritten(err) {
		_, err = p.SendSync(ctx, rec) // the first one is in no log, and never will be
	}
	return err // of a record that may be written: look for it before you send it again
}

func billed(ctx context.Context, p producer.Transactor, customer, invoice, entry []byte) (err error) {
	err = p.Transact(ctx, func(tx *producer.Tx) error {
		tx.Send(ctx, producer.Record{Topic: "invoices", Key: customer, Value: invoice})
		tx.Send(ctx, producer.Record{Topic: "audit", Key: customer, Value: entry})
		return nil
	})
	return err
}

func withItsPlace(ctx context.Context, p producer.Transactor, events []producer.Record, last int64) (err error) {
	place := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "orders", Partition: 0}: {Offset: last}}
	err = p.Transact(ctx, func(tx *producer.Tx) error {
		for _, e := range events {
			tx.Send(ctx, e)
		}
		return tx.SendOffsets(ctx, place, producer.ConsumerGroupMetadata{GroupID: "orders-relay"})
	})
	return err
}

// Polled is what any consumer gives for a record.
type Polled struct {
	Topic       string
	Partition   int32
	Offset      int64
	LeaderEpoch int32
	Key, Value  []byte
}

// Pass writes what was polled to another topic, and commits the consumer's offsets with it.
func Pass(ctx context.Context, p producer.Transactor, polled []Polled, group producer.ConsumerGroupMetadata) error {
	return p.Transact(ctx, func(tx *producer.Tx) error {
		next := map[producer.TopicPartition]producer.OffsetAndMetadata{}
		for _, in := range polled {
			tx.Send(ctx, producer.Record{Topic: "shouted", Key: in.Key, Value: []byte(strings.ToUpper(string(in.Value)))})
			next[producer.TopicPartition{Topic: in.Topic, Partition: in.Partition}] = producer.OffsetAndMetadata{
				Offset: in.Offset + 1, LeaderEpoch: in.LeaderEpoch, // where the group goes on
			}
		}
		return tx.SendOffsets(ctx, next, group)
	})
}

// A Batch is what a consumer in another process hands over, one line of JSON each.
type Batch struct {
	Group, Member, Instance string
	Generation              int32
	Records                 []Polled
}

// PassBatch says what the other process is told: true, and it polls on; false, and it seeks back to the batch's first records.
func PassBatch(ctx context.Context, p producer.Transactor, line []byte) (bool, error) {
	var b Batch
	if err := json.Unmarshal(line, &b); err != nil {
		return false, err
	}
	err := Pass(ctx, p, b.Records, producer.ConsumerGroupMetadata{
		GroupID: b.Group, GenerationID: b.Generation, MemberID: b.Member, GroupInstanceID: b.Instance,
	})
	return err == nil, err
}

// Committed runs work in a transaction. Again says that nothing of it is committed, and that this producer can do it again.
func Committed(ctx context.Context, p producer.Interface, work func(tx *producer.Tx) error) (again bool, err error) {
	err = p.Transact(ctx, work)
	for {
		failed, ok := errors.AsType[*producer.TransactionError](err)
		switch {
		case !ok: // nil, or an error of work's own: it is aborted
			return false, err
		case failed.Outcome == producer.OutcomeUnknown && failed.Next == producer.NextRetryCall && ctx.Err() == nil:
			err = p.CommitTransaction(ctx) // asks for the same commit; until it is known, nothing may be sent again
		case failed.Outcome == producer.OutcomeUnknown || failed.Outcome == producer.OutcomeCommitted:
			return false, err // do not do it again
		case failed.Next == producer.NextAbort && failed.Outcome != producer.OutcomeAborted: // of CommitTransaction
			if aborted := p.AbortTransaction(ctx); aborted != nil {
				return false, fmt.Errorf("%w; %w", aborted, err)
			}
			return true, err
		default: // with NextNewProducer and NextFixConfiguration another producer can do it again
			return failed.Next == producer.NextAbort || failed.Next == producer.NextRetryCall, err
		}
	}
}

func readyToBegin(ctx context.Context, p producer.StepTransactor) error {
	for {
		err := p.InitTransactions(ctx)
		failed, ok := errors.AsType[*producer.TransactionError](err)
		if !ok || failed.Next != producer.NextRetryCall || ctx.Err() != nil {
			return err
		}
	}
}

// exactlyOnce is the page.
const exactlyOnce = "../docs/exactly-once.md"

// once starts a producer whose transactional id is an instance's name.
func once(t *testing.T, c *brokertest.Cluster, id string, change ...func(*producer.Config)) *producer.Producer {
	t.Helper()
	return start(t, c, append([]func(*producer.Config){func(cfg *producer.Config) { cfg.TransactionalID = id }}, change...)...)
}

func ordersAndOthers(t *testing.T, options ...brokertest.Option) *brokertest.Cluster {
	t.Helper()
	options = append(options, brokertest.InMemory())
	for _, topic := range []string{"orders", "invoices", "audit", "shouted"} {
		options = append(options, brokertest.Topic(topic, 1))
	}
	return brokertest.New(t, options...)
}

// Only what is certainly in no log is sent again.
func TestWhatIsSentOnceMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := ordersAndOthers(t)
		p := start(t, c, func(cfg *producer.Config) { cfg.RequestTimeout, cfg.DeliveryTimeout = time.Second, 2*time.Second })
		rec := producer.Record{Topic: "orders", Value: []byte("12.50")}
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRequiredAcks))
		if err := sentOnceMore(t.Context(), p, rec); err != nil {
			t.Errorf("after a refusal: %v", err)
		}
		c.On(brokertest.Produce).Times(2).Do(brokertest.HandleThenSwallow())
		if err := sentOnceMore(t.Context(), p, rec); !producer.MayBeWritten(err) {
			t.Errorf("after a lost answer: %v", err)
		}
		synctest.Wait()
		if n := len(c.Records("orders", 0)); n != 2 {
			t.Errorf("the log has %d records, want the two that were sent", n)
		}
	})
}

// A relay's place is committed with its events, or not at all.
func TestAnOutboxWithItsPlace(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := ordersAndOthers(t, s.options...)
		p := once(t, c, "orders-relay")
		events := []producer.Record{{Topic: "orders", Value: []byte("a")}, {Topic: "orders", Value: []byte("b")}}
		place := func() int64 {
			return c.GroupOffsets("orders-relay")[brokertest.TopicPartition{Topic: "orders"}].Offset
		}
		if err := withItsPlace(t.Context(), p, events, 7); err != nil || place() != 7 || visibleIn(c, "orders", 0) != "a b" {
			t.Errorf("%v, and the place is %d, want 7", err, place())
		}
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRecord))
		if err := withItsPlace(t.Context(), p, events, 9); err == nil || place() != 7 || visibleIn(c, "orders", 0) != "a b" {
			t.Errorf("%v, and the place of what was aborted is %d, want 7", err, place())
		}
		if err := billed(t.Context(), p, nil, []byte("12.50"), []byte("billed")); err != nil || visibleIn(c, "invoices", 0)+visibleIn(c, "audit", 0) != "12.50billed" {
			t.Errorf("the invoice: %v", err)
		}
	})
}

// What another process has polled is passed on once: its group has moved on without it, or not.
func TestABatchOfAnotherProcess(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := ordersAndOthers(t, s.options...)
		c.SetGroup("shout", 4, "consumer-1")
		p := once(t, c, "shout-1")
		// Base64 is how JSON has bytes.
		line := `{"group": "shout", "member": "consumer-1", "generation": 4, "records": [{"topic": "orders", "partition": 0, "offset": 41, "value": "dGVh"}]}`
		if done, err := PassBatch(t.Context(), p, []byte(line)); !done || err != nil {
			t.Fatalf("passed on: %v, %v", done, err)
		}
		c.SetGroup("shout", 5, "consumer-2")
		done, err := PassBatch(t.Context(), p, []byte(line))
		wantTold(t, "a batch of who is out of the group", err, "aborted, abort the transaction")
		if done {
			t.Error("a batch of who is out of the group is passed on")
		}
		if got := visibleIn(c, "shouted", 0); got != "TEA" {
			t.Errorf("%q was passed on, want TEA", got)
		}
		if got := c.GroupOffsets("shout")[brokertest.TopicPartition{Topic: "orders"}].Offset; got != 42 {
			t.Errorf("the group is at %d, want 42", got)
		}
		if _, err := PassBatch(t.Context(), p, []byte("{")); err == nil {
			t.Error("half a line is passed on")
		}
	})
}

// What a reader sees, as the page's table has it.
func TestWhatReadersSee(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := ordersAndOthers(t)
		p := once(t, c, "tx")
		if err := readyToBegin(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		plain := start(t, c)
		give := func(value string) producer.Record { return producer.Record{Topic: "orders", Value: []byte(value)} }
		see := func(committed, all string, lso int64) {
			t.Helper()
			var values []string
			for _, r := range c.Records("orders", 0) {
				values = append(values, string(r.Value))
			}
			if got := visibleIn(c, "orders", 0); got != committed || strings.Join(values, " ") != all || c.LastStableOffset("orders", 0) != lso {
				t.Errorf("read_committed sees %q up to %d, read_uncommitted %q; want %q up to %d, and %q", got, c.LastStableOffset("orders", 0), values, committed, lso, all)
			}
		}
		begin(t, p)
		send(t, p, give("a"))
		send(t, plain, give("b"))
		see("", "a b", 0) // b waits behind a
		commit(t, p)
		see("a b", "a b", 3) // a marker has an offset, too
		begin(t, p)
		send(t, p, give("c"))
		abort(t, p)
		see("a b", "a b c", 5)
	})
}
