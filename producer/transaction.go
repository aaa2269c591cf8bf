package producer

import (
	"context"
	"errors"
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

// OffsetAndMetadata is what a consumer group commits for a partition.
type OffsetAndMetadata struct {
	Offset      int64  // offset of the record to read next: one more than that of the last record that was dealt with
	LeaderEpoch int32  // leader epoch of the last record that was dealt with; 0 or less: not known
	Metadata    string // any text, at most 32767 bytes
}

// ConsumerGroupMetadata says which consumer the offsets come from. With a MemberID the coordinator refuses the offsets of a
// consumer that its group has gone on without (KIP-447). With a GroupID alone it does not check that.
type ConsumerGroupMetadata struct {
	GroupID         string // group.id, required
	GenerationID    int32  // the group's generation, or the member's epoch; it counts only with a MemberID
	MemberID        string // the consumer's name, as its group's coordinator has given it
	GroupInstanceID string // group.instance.id; "" for a dynamic member
}

// InitTransactions gets the producer id and epoch of the transactional id, and fences every producer that had the id before. If
// such a producer has left a transaction open, it is aborted, or completed if its commit was decided. Call it once, before the
// first transaction; Transact does so itself. ctx and max.block bound it. After an error that says NextRetryCall or
// NextFixConfiguration, it can be called again.
func (p *Producer) InitTransactions(ctx context.Context) error {
	return p.transactional(ctx, txn.CallInit, p.sender.InitTransactions)
}

// BeginTransaction begins a transaction: all records that are sent until its end are part of it. It asks nobody, as a rule.
// Only the first transaction after an upgrade of the cluster, or after some failures, needs a new epoch, for which it waits
// within ctx and max.block.
func (p *Producer) BeginTransaction(ctx context.Context) error {
	_, err := p.begin(ctx)
	return err
}

func (p *Producer) begin(ctx context.Context) (number int64, err error) {
	stopPassing()
	err = p.transactional(ctx, txn.CallBegin, func(ctx context.Context) (err error) {
		number, err = p.sender.BeginTransaction(ctx)
		return err
	})
	return number, err
}

// SendOffsetsToTransaction makes offsets of a consumer group part of the open transaction: they are committed with it or not at
// all. It returns when the group's coordinator has taken them. If ctx or max.block ends it before, the offsets go on their way,
// and a commit waits for them.
func (p *Producer) SendOffsetsToTransaction(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) error {
	return p.sendOffsets(ctx, offsets, group, 0)
}

// sendOffsets is SendOffsetsToTransaction for the transaction with that number; 0 stands for the one that is open.
func (p *Producer) sendOffsets(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata, number int64) error {
	if p.sender.Closing() {
		return fmt.Errorf("%s: %w", txn.CallOffsets, ErrClosed)
	}
	if number != 0 {
		if _, err := p.admitTo(number); err != nil {
			return calledBy(txn.CallOffsets, err)
		}
	}
	g, topics, err := checkOffsets(offsets, group)
	if err != nil {
		return fmt.Errorf("%s: %w", txn.CallOffsets, err)
	}
	return p.transactional(ctx, txn.CallOffsets, func(ctx context.Context) error {
		if len(topics) == 0 {
			return nil
		}
		return p.sender.SendOffsets(ctx, g, topics)
	})
}

// checkOffsets checks what SendOffsets is given, and brings it into the protocol's form.
func checkOffsets(offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) (txn.Group, []protocol.TxnOffsetCommitTopic, error) {
	topics, err := offsetTopics(offsets)
	if err != nil {
		return txn.Group{}, nil, err
	}
	if group.GroupID == "" {
		return txn.Group{}, nil, errors.New("GroupID is empty: it must be the group.id of the consumer that the offsets come from")
	}
	for _, s := range []struct{ field, value string }{
		{"GroupID", group.GroupID}, {"MemberID", group.MemberID}, {"GroupInstanceID", group.GroupInstanceID},
	} {
		if len(s.value) > maxString {
			return txn.Group{}, nil, fmt.Errorf("%s has %d bytes: at most %d can be sent", s.field, len(s.value), maxString)
		}
	}
	g := txn.Group{ID: group.GroupID, Generation: group.GenerationID, MemberID: group.MemberID}
	if g.MemberID == "" {
		g.Generation = -1
	}
	if group.GroupInstanceID != "" {
		g.InstanceID = &group.GroupInstanceID
	}
	return g, topics, nil
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

// CommitTransaction sends the records that wait, without further linger. It commits the transaction once all of its records are
// acknowledged. If a record has failed, or Send has not taken one, it commits nothing, and the error's Next is NextAbort. A
// record that TrySend has refused does not count. CommitTransaction returns after the callbacks of the transaction's records,
// unless ctx ends first.
//
// If ctx or max.block ends it while the outcome is open, the error says OutcomeUnknown and NextRetryCall. The commit goes on,
// and the same call takes it up again. All other transaction methods are refused until it has told the outcome.
func (p *Producer) CommitTransaction(ctx context.Context) error {
	return p.transactional(ctx, txn.CallCommit, func(ctx context.Context) error { return p.sender.EndTransaction(ctx, true) })
}

// AbortTransaction drops the records that were not sent, which fail with ErrTransactionAborted, and aborts the transaction. If
// ctx or max.block ends it, the abort goes on, and the same call waits for it again.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	return p.transactional(ctx, txn.CallAbort, func(ctx context.Context) error { return p.sender.EndTransaction(ctx, false) })
}

// transactional bounds a call by max.block, and refuses it without a transactional id.
func (p *Producer) transactional(ctx context.Context, call string, do func(context.Context) error) error {
	if p.cfg.TransactionalID == "" {
		return notTransactional(call)
	}
	w := wait{p: p, ctx: ctx, block: true}
	defer w.end()
	began := time.Now()
	err := do(w.begin())
	p.sender.Called(call, time.Since(began), err)
	return outward(err)
}

func notTransactional(call string) error {
	return &TransactionStateError{Call: call, Rule: "the producer has no transactional id: set TransactionalID (transactional.id), or start from ExactlyOnce"}
}

// admitTo returns the number of the open transaction, for a record of the transaction with the given number; 0 stands for the
// one that is open.
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

// calledBy returns the error of a method that another method has called, with the name of the other.
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

// spoil notes that a record of transaction number was not taken. The caller need not look at the record's future, so the
// transaction cannot be committed without the record (I7).
func (p *Producer) spoil(number int64, err error) {
	if number != 0 {
		p.sender.FailTransaction(number, err)
	}
}

var errTxEnded = &TransactionStateError{Call: "Send", Rule: "the transaction of this Tx has ended: a Tx is of use inside its function alone"}
