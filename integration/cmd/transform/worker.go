package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/epistle-kafka/epistle/producer"
)

// perTransaction is how many records a transaction has at most. More of them cost less each, and come later: a reader
// sees none before the last one is written. All have to be done well within transaction.timeout.ms.
const perTransaction = 200

// A worker does the work of a session, in one goroutine.
type worker struct {
	*options
	producer *producer.Producer
	consumer *kgo.Client
	aborted  int // transactions in a row
}

// run transforms what comes, one poll to a transaction.
func (w *worker) run(ctx context.Context) error {
	last := time.Now() // when something came
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, time.Second)
		polled := w.consumer.PollRecords(wait, perTransaction)
		cancel()
		// A poll may have records and errors at once. The records are dealt with first: the consumer will not give
		// them again.
		var err error
		if !polled.Empty() {
			last = time.Now()
			err = w.transact(ctx, polled.Records())
		}
		w.consumer.AllowRebalance()
		if err == nil {
			err = w.complaint(polled)
		}
		if err != nil {
			return err
		}
		if w.untilIdle > 0 && time.Since(last) > w.untilIdle {
			return nil
		}
	}
	return nil
}

// complaint logs what the consumer says has gone wrong, and goes on trying by itself, and returns what ends this instance.
func (w *worker) complaint(polled kgo.Fetches) error {
	for _, e := range polled.Errors() {
		switch {
		case errors.Is(e.Err, context.DeadlineExceeded), errors.Is(e.Err, context.Canceled):
		case errors.Is(e.Err, kerr.FencedInstanceID):
			return fmt.Errorf("another process runs as %q: %w", w.transactionalID, e.Err)
		default:
			log.Printf("consumer, topic %q, partition %d: %v", e.Topic, e.Partition, e.Err)
		}
	}
	return nil
}

// transact writes what has come of records and the group's new offsets in one transaction, and returns nil if either it is
// committed, or it is not and the consumer is back at the first of the records.
func (w *worker) transact(ctx context.Context, records []*kgo.Record) error {
	memberID, generation := w.consumer.GroupMetadata()
	if memberID == "" {
		// The group does not know us. Offsets without a member are taken from anybody.
		w.rewind(records)
		return nil
	}
	group := producer.ConsumerGroupMetadata{
		GroupID: w.group, MemberID: memberID, GenerationID: generation, GroupInstanceID: w.transactionalID,
	}
	// An interrupt waits for the end of the transaction: it takes some milliseconds, and max.block.ms bounds each call.
	whole := context.WithoutCancel(ctx)
	err := w.producer.Transact(whole, func(tx *producer.Tx) error {
		for _, r := range records {
			tx.Send(whole, w.transform(r)) // if one fails, so does the commit
		}
		return tx.SendOffsets(whole, nextOffsets(records), group)
	})
	return w.settle(ctx, records, w.resume(ctx, err))
}

// resume goes on with a commit to which no answer has come yet, and returns what came of the transaction. The same call waits
// further, and nothing else will do: the commit may have taken effect, so that its records must not be sent again, and it
// may not have, so that they must not be passed over.
func (w *worker) resume(ctx context.Context, err error) error {
	for unanswered(err) && ctx.Err() == nil {
		log.Print(err)
		err = w.producer.CommitTransaction(context.WithoutCancel(ctx))
		if e, ok := errors.AsType[*producer.TransactionError](err); ok && e.Next == producer.NextAbort {
			return startOver{err} // Transact would have aborted it; now the end of the session does
		}
	}
	return err
}

// unanswered says that it is open whether the transaction was committed, and that the same call may yet tell.
func unanswered(err error) bool {
	e, ok := errors.AsType[*producer.TransactionError](err)
	return ok && e.Outcome == producer.OutcomeUnknown && e.Next == producer.NextRetryCall
}

// settle does what the end of Transact asks for.
func (w *worker) settle(ctx context.Context, records []*kgo.Record, err error) error {
	if err == nil {
		w.aborted = 0
		return nil
	}
	if _, ok := errors.AsType[startOver](err); ok {
		return err
	}
	failure, ok := errors.AsType[*producer.TransactionError](err)
	switch {
	case errors.Is(err, producer.ErrFenced):
		return fmt.Errorf("another process runs as %q: %w", w.transactionalID, err)
	case !ok || failure.Next == producer.NextFixConfiguration:
		return err
	case failure.Next == producer.NextAbort:
		// Transact has aborted it: a record could not be delivered, the transaction took too long, or the group has
		// gone on without this consumer, which will learn that by its next heartbeat.
		log.Print(err)
		w.rewind(records)
		pause(ctx, min(50*time.Millisecond<<min(w.aborted, 10), 5*time.Second))
		w.aborted++
		return nil
	}
	// NextNewProducer, or a call that has not ended. InitTransactions of the next session clears up what is left, and its
	// consumer asks the group what of it counts.
	return startOver{err}
}

// rewind takes the consumer back to the first record of each partition. Whatever was before those is committed, so that
// is where the group stands; the consumer's own notion of committed offsets does not serve, since it did not commit
// them. A partition that we have lost meanwhile is passed over.
func (w *worker) rewind(records []*kgo.Record) {
	first := map[int32]kgo.EpochOffset{}
	for _, r := range records {
		if _, ok := first[r.Partition]; !ok {
			first[r.Partition] = kgo.EpochOffset{Epoch: -1, Offset: r.Offset}
		}
	}
	w.consumer.SetOffsets(map[string]map[int32]kgo.EpochOffset{w.from: first})
}

// nextOffsets is where the group goes on after records, which have those of a partition in their order.
func nextOffsets(records []*kgo.Record) map[producer.TopicPartition]producer.OffsetAndMetadata {
	next := map[producer.TopicPartition]producer.OffsetAndMetadata{}
	for _, r := range records {
		next[producer.TopicPartition{Topic: r.Topic, Partition: r.Partition}] = producer.OffsetAndMetadata{
			Offset: r.Offset + 1, LeaderEpoch: r.LeaderEpoch,
		}
	}
	return next
}

// transform is the work proper. It keeps the key, so that records of a key stay together and in order, and names in a
// header where the record comes from.
func (w *worker) transform(r *kgo.Record) producer.Record {
	headers := []producer.Header{{Key: "from", Value: fmt.Appendf(nil, "%s-%d@%d", r.Topic, r.Partition, r.Offset)}}
	for _, h := range r.Headers {
		headers = append(headers, producer.Header{Key: h.Key, Value: h.Value})
	}
	return producer.Record{Topic: w.to, Key: r.Key, Value: bytes.ToUpper(r.Value), Headers: headers, Timestamp: r.Timestamp}
}
