package producer

import (
	"context"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// OffsetAndMetadata is what a consumer group commits of a partition.
type OffsetAndMetadata struct {
	Offset      int64  // of the record to read next: one more than that of the last one dealt with
	LeaderEpoch int32  // of the last one dealt with; 0 or less if it is not known
	Metadata    string // anything
}

// ConsumerGroupMetadata says which consumer offsets come from, so that a consumer that its group has moved on without
// cannot commit them (KIP-447). With a GroupID alone, that is not checked.
type ConsumerGroupMetadata struct {
	GroupID         string // group.id, required
	GenerationID    int32  // of the group, or the member's epoch; without a MemberID it counts as not known
	MemberID        string // as the group's coordinator calls the consumer
	GroupInstanceID string // group.instance.id; empty for a dynamic member
}

// InitTransactions gets the producer id and epoch of the transactional id, and fences every producer that had it before: a
// transaction that such a one has left open is aborted, or completed if its commit was decided. It is to be called once,
// before the first transaction; Transact does it by itself. ctx and max.block bound it; after an error that says
// NextRetryCall or NextFixConfiguration it can be called again.
func (p *Producer) InitTransactions(ctx context.Context) error {
	return p.transactional(ctx, txn.CallInit, p.sender.InitTransactions)
}

// BeginTransaction begins a transaction: all records sent until its end are part of it. It asks nobody, save that the first
// transaction after an upgrade of the cluster, or after some failures, needs a new epoch; ctx and max.block bound the wait
// for that.
func (p *Producer) BeginTransaction(ctx context.Context) error {
	_, err := p.begin(ctx)
	return err
}

func (p *Producer) begin(ctx context.Context) (number int64, err error) {
	err = p.transactional(ctx, txn.CallBegin, func(ctx context.Context) (err error) {
		number, err = p.sender.BeginTransaction(ctx)
		return err
	})
	return number, err
}

// SendOffsetsToTransaction makes offsets of a consumer group part of the open transaction: they are committed with it or
// not at all. It returns once the group's coordinator has taken them. If ctx or max.block ends it before, the offsets go on
// their way, and a commit waits for them.
func (p *Producer) SendOffsetsToTransaction(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) error {
	return p.sendOffsets(ctx, offsets, group, 0)
}

// sendOffsets is SendOffsetsToTransaction for the transaction with that number; 0 for whichever is open.
func (p *Producer) sendOffsets(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata, number int64) error {
	if p.sender.Closing() {
		return fmt.Errorf("%s: %w", txn.CallOffsets, ErrClosed)
	}
	if number != 0 {
		if _, err := p.admitTo(number); err != nil {
			return calledBy(txn.CallOffsets, err)
		}
	}
	topics, err := offsetTopics(offsets)
	if err != nil {
		return fmt.Errorf("%s: %w", txn.CallOffsets, err)
	}
	if group.GroupID == "" {
		return fmt.Errorf("%s: GroupID is empty: it must be the group.id of the consumer that the offsets come from", txn.CallOffsets)
	}
	for _, s := range []struct{ field, value string }{
		{"GroupID", group.GroupID}, {"MemberID", group.MemberID}, {"GroupInstanceID", group.GroupInstanceID},
	} {
		if len(s.value) > maxString {
			return fmt.Errorf("%s: %s has %d bytes: at most %d can be sent", txn.CallOffsets, s.field, len(s.value), maxString)
		}
	}
	g := txn.Group{ID: group.GroupID, Generation: group.GenerationID, MemberID: group.MemberID}
	if g.MemberID == "" {
		g.Generation = -1
	}
	if group.GroupInstanceID != "" {
		g.InstanceID = &group.GroupInstanceID
	}
	return p.transactional(ctx, txn.CallOffsets, func(ctx context.Context) error {
		if len(topics) == 0 {
			return nil
		}
		return p.sender.SendOffsets(ctx, g, topics)
	})
}

// offsetTopics checks offsets and brings them into the protocol's form.
func offsetTopics(offsets map[TopicPartition]OffsetAndMetadata) ([]protocol.TxnOffsetCommitTopic, error) {
	place := map[string]int{}
	var topics []protocol.TxnOffsetCommitTopic
	for tp, o := range offsets {
		if err := checkTopic(tp.Topic); err != nil {
			return nil, err
		}
		if tp.Partition < 0 || o.Offset < 0 {
			return nil, fmt.Errorf("offset %d of partition %d of topic %q: neither may be negative", o.Offset, tp.Partition, tp.Topic)
		}
		if len(o.Metadata) > maxString {
			return nil, fmt.Errorf("offset of partition %d of topic %q: its metadata has %d bytes: at most %d can be sent", tp.Partition, tp.Topic, len(o.Metadata), maxString)
		}
		i, ok := place[tp.Topic]
		if !ok {
			i = len(topics)
			place[tp.Topic] = i
			topics = append(topics, protocol.TxnOffsetCommitTopic{Name: tp.Topic})
		}
		epoch := o.LeaderEpoch
		if epoch <= 0 {
			epoch = -1
		}
		topics[i].Partitions = append(topics[i].Partitions, protocol.TxnOffsetCommitPartition{
			PartitionIndex: tp.Partition, CommittedOffset: o.Offset, CommittedLeaderEpoch: epoch, CommittedMetadata: &o.Metadata,
		})
	}
	return topics, nil
}

// CommitTransaction sends what waits, without further linger, and commits the transaction once every record of it is
// acknowledged. If one has failed, or Send has not taken it, it commits nothing, and the error says that the transaction is to
// be aborted. What TrySend has refused does not count.
//
// If ctx or max.block ends it while the outcome is open, the error says OutcomeUnknown and NextRetryCall: the commit goes on, and the
// same call takes it up again. Nothing else will do; least of all is anything aborted then. It returns after the callbacks
// of the transaction's records, unless ctx ends first.
func (p *Producer) CommitTransaction(ctx context.Context) error {
	return p.transactional(ctx, txn.CallCommit, func(ctx context.Context) error { return p.sender.EndTransaction(ctx, true) })
}

// AbortTransaction drops what was not sent, whose records fail with ErrTransactionAborted, and aborts the transaction. If
// ctx or max.block ends it, the abort goes on, and the same call waits for it again.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	return p.transactional(ctx, txn.CallAbort, func(ctx context.Context) error { return p.sender.EndTransaction(ctx, false) })
}

// transactional bounds a call by max.block, and refuses it without a transactional id.
func (p *Producer) transactional(ctx context.Context, call string, do func(context.Context) error) error {
	if p.cfg.TransactionalID == "" {
		return &TransactionStateError{Call: call, Rule: "the producer has no transactional id: set TransactionalID (transactional.id), or start from ExactlyOnce"}
	}
	w := wait{p: p, ctx: ctx, block: true}
	defer w.end()
	began := time.Now()
	err := do(w.begin())
	p.sender.Called(call, time.Since(began), err)
	return outward(err)
}

// admitTo returns the number of the open transaction, for a record of the one with the given number; 0 for whichever is open.
func (p *Producer) admitTo(number int64) (int64, error) {
	t := p.sender.Transaction()
	switch {
	case t.Refusal != nil:
		return 0, outward(t.Refusal)
	case number != 0 && t.Number != number:
		return 0, errTxEnded
	}
	return t.Number, nil
}

// calledBy returns what a method refused, or failed with, that another has called in its place, with the name of that one.
func calledBy(call string, err error) error {
	switch failed := err.(type) {
	case *TransactionStateError:
		named := *failed
		named.Call = call
		return &named
	case *TransactionError:
		named := *failed
		named.Call = call
		return &named
	}
	return err
}

// spoil notes that a record of transaction number was not taken. Who has handed it over need not look at its future, so the
// transaction cannot be committed without it (I7).
func (p *Producer) spoil(number int64, err error) {
	if number != 0 {
		p.sender.FailTransaction(number, err)
	}
}

var errTxEnded = &TransactionStateError{Call: "Send", Rule: "the transaction of this Tx has ended: a Tx is of use inside its function alone"}
