package txn

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

func (t *Txn) offsetsAdded(now time.Time, s *Step, code protocol.ErrorCode) {
	switch {
	case code == protocol.NoError:
		t.attempts.succeeded()
		t.confirmed()
		t.current.groups[s.op.Group.ID] = true
	case t.retry(now, s, code):
	default:
		t.failByCoordinator(code, fmt.Errorf("adding the offsets of group %s to the transaction: %w", protocol.Quoted(s.op.Group.ID), code))
	}
}

func (t *Txn) offsetsCommitted(now time.Time, s *Step, resp *protocol.TxnOffsetCommitResponse) {
	worst, where := protocol.NoError, ""
	for i := range resp.Topics {
		topic := &resp.Topics[i]
		for _, p := range topic.Partitions {
			switch code := p.ErrorCode; {
			case code == protocol.UnknownTopicID:
				s.op.byName = true // the topic was made again; its name is what the caller gave
				fallthrough
			case worst == protocol.NoError, worst.Retriable() && !code.Retriable() && code != protocol.NoError:
				worst, where = code, named(s.op.topic(topic), p.PartitionIndex)
			}
		}
	}
	left := ""
	if worst == protocol.NoError {
		left = s.op.unmentioned(resp)
	}
	switch {
	case left != "": // its offset may not be committed
		t.backoff(now, s.answered(fmt.Errorf("the answer does not mention %s", left)))
	case worst == protocol.NoError:
		t.attempts.succeeded()
		t.confirmed()
		if len(t.offsets) > 0 && t.offsets[0] == s.op {
			t.offsets = t.offsets[1:]
			s.op.Done(nil)
		}
	case t.retry(now, s, worst):
	default:
		t.failBy(worst, fmt.Errorf("committing the offset of %s for group %s: %w", where, protocol.Quoted(s.op.Group.ID), worst))
	}
}

// unmentioned names a partition that was asked for, and that an answer leaves out; "" if there is none.
func (op *Op) unmentioned(resp *protocol.TxnOffsetCommitResponse) string {
	mentioned := map[Partition]bool{}
	for i := range resp.Topics {
		topic := &resp.Topics[i]
		for _, p := range topic.Partitions {
			mentioned[Partition{op.topic(topic), p.PartitionIndex}] = true
		}
	}
	for _, asked := range op.Offsets {
		for _, p := range asked.Partitions {
			if !mentioned[Partition{asked.Name, p.PartitionIndex}] {
				return named(asked.Name, p.PartitionIndex)
			}
		}
	}
	return ""
}

// named is how texts name a partition.
func named(topic string, partition int32) string {
	return fmt.Sprintf("partition %d of topic %s", partition, protocol.Quoted(topic))
}

// topic returns the name of a topic in an answer. From version 6 on the answer has only its id.
func (op *Op) topic(answered *protocol.TxnOffsetCommitTopicResponse) string {
	for i := range op.Offsets {
		if asked := &op.Offsets[i]; answered.Name == "" && asked.TopicID == answered.TopicID {
			return asked.Name
		}
	}
	return answered.Name
}
