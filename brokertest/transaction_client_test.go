package brokertest

import (
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// txnClient is a client with a transactional ID, on a connection to one broker.
type txnClient struct {
	*client
	c  *Cluster
	id string
	producer
}

// transact dials a broker and initialises a transactional ID.
func transact(t *testing.T, c *Cluster, nodeID int32, id string) *txnClient {
	t.Helper()
	k := &txnClient{client: dial(t, c, nodeID), c: c, id: id}
	k.must("InitProducerId", k.init(time.Minute))
	return k
}

func (k *txnClient) must(what string, code protocol.ErrorCode) {
	k.t.Helper()
	k.wants(what, code, protocol.NoError)
}

func (k *txnClient) wants(what string, got, want protocol.ErrorCode) {
	k.t.Helper()
	if got != want {
		k.t.Fatalf("%s of %s is answered %v, want %v", what, k.id, got, want)
	}
}

func (k *txnClient) init(timeout time.Duration) protocol.ErrorCode {
	k.t.Helper()
	resp := ask(k.client, 5, &protocol.InitProducerIDRequest{
		TransactionalID: &k.id, TransactionTimeout: timeout, ProducerID: -1, ProducerEpoch: -1,
	}, &protocol.InitProducerIDResponse{})
	if resp.ErrorCode == protocol.NoError {
		k.producer = producer{resp.ProducerID, resp.ProducerEpoch}
	}
	return resp.ErrorCode
}

func (k *txnClient) add(topic string, index int32) protocol.ErrorCode {
	k.t.Helper()
	resp := ask(k.client, 3, &protocol.AddPartitionsToTxnRequest{
		TransactionalID: k.id, ProducerID: k.producer.id, ProducerEpoch: k.epoch,
		Topics: []protocol.AddPartitionsToTxnTopic{{Name: topic, Partitions: []int32{index}}},
	}, &protocol.AddPartitionsToTxnResponse{})
	return resp.ResultsByTopic[0].ResultsByPartition[0].PartitionErrorCode
}

// write writes records to partition 0.
func (k *txnClient) write(version int16, topic string, sequence int32, values ...string) protocol.ErrorCode {
	k.t.Helper()
	b := batch{pid: k.producer.id, epoch: k.epoch, sequence: sequence, values: values}
	b.change = func(h *protocol.BatchHeader) { h.Transactional = true }
	m := produceRequest(k.c, topic, 0, -1, b.bytes(k.t))
	m.TransactionalID = &k.id
	return ask(k.client, version, m, &protocol.ProduceResponse{}).Topics[0].Partitions[0].ErrorCode
}

func (k *txnClient) commitOffset(version int16, group, topic string, generation int32, member string) protocol.ErrorCode {
	k.t.Helper()
	resp := ask(k.client, version, &protocol.TxnOffsetCommitRequest{
		TransactionalID: k.id, GroupID: group, ProducerID: k.producer.id, ProducerEpoch: k.epoch,
		GenerationIDOrMemberEpoch: generation, MemberID: member, Topics: []protocol.TxnOffsetCommitTopic{{
			Name: topic, TopicID: k.c.TopicID(topic),
			Partitions: []protocol.TxnOffsetCommitPartition{{CommittedOffset: 7, CommittedLeaderEpoch: -1}},
		}},
	}, &protocol.TxnOffsetCommitResponse{})
	return resp.Topics[0].Partitions[0].ErrorCode
}

func (k *txnClient) end(version int16, commit bool) protocol.ErrorCode {
	k.t.Helper()
	resp := ask(k.client, version, &protocol.EndTxnRequest{
		TransactionalID: k.id, ProducerID: k.producer.id, ProducerEpoch: k.epoch, Committed: commit,
	}, &protocol.EndTxnResponse{})
	if resp.ErrorCode == protocol.NoError && version >= 5 {
		k.producer = producer{resp.ProducerID, resp.ProducerEpoch}
	}
	return resp.ErrorCode
}

// committedValues are those that a read_committed consumer reads of partition 0.
func committedValues(c *Cluster, topic string) string {
	var all []string
	for _, r := range c.Committed(topic, 0) {
		all = append(all, string(r.Value))
	}
	return strings.Join(all, " ")
}

func wantCommitted(t *testing.T, c *Cluster, topic, want string) {
	t.Helper()
	if got := committedValues(c, topic); got != want {
		t.Fatalf("a read_committed consumer of %s reads %q, want %q", topic, got, want)
	}
}

func wantState(t *testing.T, c *Cluster, id string, want TransactionState) Transaction {
	t.Helper()
	got, ok := c.Transaction(id)
	if !ok || got.State != want {
		t.Fatalf("the transaction of %s is %+v (known %t), want it %s", id, got, ok, want)
	}
	return got
}
