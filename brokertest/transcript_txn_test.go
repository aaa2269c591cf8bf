package brokertest

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

const (
	recordedTransactions   = "testdata/kafka-4.4.0-transactions.txt"
	recordedTransactions1  = "testdata/kafka-4.4.0-transactions-feature-1.txt"
	recordedTransactions39 = "testdata/kafka-3.9.1-transactions.txt"
	recordedExhausted      = "testdata/kafka-4.4.0-exhausted-epochs.txt"
	transactionVersionName = "transaction.version"
)

// A conversation about transactions, in both protocols, with a cluster whose transaction.version is 2. It is recorded and
// compared as the first one is; this one and those below want a Kafka each:
//
//	withkafka -- sh -c 'go test ./brokertest -run TransactionsAsKafka -kafka $KAFKA_BOOTSTRAP -update'
func TestAnswersTransactionsAsKafka(t *testing.T) {
	compare(t, recordedTransactions, converseInTransactions(t, 2, (*txnTalk).all))
}

// The same, word for word, with a cluster whose transaction.version is 1. A client should then not speak the new protocol, but
// what the broker does with one that does is told too.
func TestAnswersTransactionsAsKafkaOfFeature1(t *testing.T) {
	compare(t, recordedTransactions1, converseInTransactions(t, 1, (*txnTalk).all))
}

// The same with Kafka 3.9.1, which knows nothing of the new protocol and hangs up on those who speak it:
//
//	withkafka -version 3.9.1 -- sh -c 'go test ./brokertest -run TransactionsAsKafka3_9 -kafka $KAFKA_BOOTSTRAP -update'
func TestAnswersTransactionsAsKafka3_9(t *testing.T) {
	compare(t, recordedTransactions39, converseInTransactions(t, 0, (*txnTalk).all, Kafka3_9()))
}

// What becomes of a producer whose epochs run out. Kafka needs half a minute for so many.
func TestAnswersTransactionsAsKafkaOfExhaustedEpochs(t *testing.T) {
	compare(t, recordedExhausted, converseInTransactions(t, 2, (*txnTalk).exhaust))
}

// txnTalk is a conversation about transactions.
type txnTalk struct {
	*conversation
	ours    *Cluster      // nil: a real Kafka
	old     bool          // Kafka 3.9
	id      string        // the transactional ID in use
	known   map[int64]int // producer IDs, by their order of appearance
	sleep   func(time.Duration)
	settles time.Duration // how long a coordinator is given to write markers
}

// producer is what InitProducerId and EndTxn tell a client of itself.
type producer struct {
	id    int64
	epoch int16
}

// converseInTransactions talks with a real Kafka, or with a cluster of ours, whose transaction.version is level.
func converseInTransactions(t *testing.T, level int16, talk func(*txnTalk), opts ...Option) string {
	c := &txnTalk{known: map[int64]int{-1: -1}}
	c.old = level == 0
	c.conversation = &conversation{ids: map[string]protocol.UUID{}, began: time.Now(), client: &client{t: t}}
	if *kafkaAddr != "" {
		c.addr = realOrOurs(t, 1)[0]
		c.sleep, c.settles = time.Sleep, 500*time.Millisecond
		c.redial()
		if level > 0 {
			c.finalize(level)
		}
	} else {
		var ahead atomic.Int64 // of the clock
		now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		c.ours = New(t, append(opts, Feature(transactionVersionName, level), Now(now))...)
		c.addr = c.ours.Bootstrap()[0]
		c.sleep = func(d time.Duration) { ahead.Add(int64(d)) }
		c.settles = time.Millisecond // so that no two markers have the same time
		c.redial()
	}
	c.prepare()
	talk(c)
	return c.notes.String()
}

// finalize sets the level of transaction.version in a real Kafka, by an UpdateFeatures request (KIP-584).
func (c *txnTalk) finalize(level int16) {
	for _, upgrade := range []byte{1, 2} { // upgrade, safe downgrade: one of them is refused
		frame := rawFrame(57, 1, 0 /* header's tags */, 0, 0, 0x4e, 0x20, 2, byte(len(transactionVersionName)+1))
		frame = append(frame, transactionVersionName...)
		frame = append(frame, 0, byte(level), upgrade, 0, 0, 0)
		binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
		if _, err := c.conn.Write(frame); err != nil {
			c.t.Fatal(err)
		}
		if _, err := c.frame(); err != nil {
			c.t.Fatal(err)
		}
	}
	for range 100 {
		resp := &protocol.ApiVersionsResponse{}
		c.try(4, &protocol.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1.0", NodeID: -1}, resp)
		for _, f := range resp.FinalizedFeatures {
			if f.Name == transactionVersionName && f.MaxVersionLevel == level {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.t.Fatalf("%s does not become %d", transactionVersionName, level)
}

// prepare makes the topics, and has the coordinators make theirs.
func (c *txnTalk) prepare() {
	resp := &protocol.CreateTopicsResponse{}
	m := &protocol.CreateTopicsRequest{Timeout: 10 * time.Second}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		m.Topics = append(m.Topics, protocol.CreatableTopic{Name: name, NumPartitions: 2, ReplicationFactor: 1})
	}
	c.try(7, m, resp)
	for _, topic := range resp.Topics {
		c.ids[topic.Name] = topic.TopicID
	}
	c.ids["missing"] = protocol.UUID{1, 2, 3}
	versions := &protocol.ApiVersionsResponse{}
	c.try(4, &protocol.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1.0", NodeID: -1}, versions)
	for _, f := range versions.FinalizedFeatures {
		if f.Name == transactionVersionName {
			c.notef("%s is %d", f.Name, f.MaxVersionLevel)
		}
	}
	for _, keyType := range []int8{groupKey, transactionKey} {
		for range 100 {
			resp := &protocol.FindCoordinatorResponse{}
			c.try(3, &protocol.FindCoordinatorRequest{Key: "any", KeyType: keyType}, resp)
			if resp.ErrorCode == protocol.NoError {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func (c *txnTalk) all() {
	for _, part := range []struct {
		title string
		talk  func()
	}{
		{"old", c.oldProtocol}, {"old, offsets", c.oldOffsets}, {"new", c.newProtocol}, {"new, offsets", c.newOffsets},
		{"sequences", c.txnSequences}, {"fenced", c.fenced}, {"initialised again", c.again}, {"mixed", c.mixed},
		{"timed out", c.timedOut},
	} {
		c.notef("# %s", part.title)
		part.talk()
	}
}

// as goes on with another transactional ID, and initialises it.
func (c *txnTalk) as(id string) producer {
	c.id = id
	return c.initialise("new", 5, producer{-1, -1})
}

// name is a producer ID as the transcript has it.
func (c *txnTalk) name(id int64) int {
	n, ok := c.known[id]
	if !ok {
		n = len(c.known)
		c.known[id] = n
	}
	return n
}

// wait reports whether a code says that the real Kafka is not ready, and waits a moment if so.
func (c *txnTalk) wait(code protocol.ErrorCode) bool {
	switch code {
	case protocol.NotCoordinator, protocol.CoordinatorNotAvailable, protocol.CoordinatorLoadInProgress:
		time.Sleep(50 * time.Millisecond)
		return true
	}
	return false
}

func (c *txnTalk) initialise(title string, version int16, p producer) producer {
	c.t.Helper()
	m := &protocol.InitProducerIDRequest{
		TransactionalID: &c.id, TransactionTimeout: time.Minute, ProducerID: p.id, ProducerEpoch: p.epoch,
	}
	return c.initialiseBy(title, version, m)
}

// initialiseBy goes on asking while the coordinator ends what was begun, and notes that it had to.
func (c *txnTalk) initialiseBy(title string, version int16, m *protocol.InitProducerIDRequest) producer {
	c.t.Helper()
	resp, busy := &protocol.InitProducerIDResponse{}, ""
	for {
		if !c.try(version, m, resp) {
			c.notef("InitProducerId v%d %s: %s", version, title, c.lost)
			return producer{-1, -1}
		}
		if resp.ErrorCode == protocol.ConcurrentTransactions {
			busy = "CONCURRENT_TRANSACTIONS, then "
			c.sleep(c.settles)
		} else if !c.wait(resp.ErrorCode) {
			break
		}
	}
	c.notef("InitProducerId v%d %s: %s%s ID %d epoch %d", version, title, busy, resp.ErrorCode.Name(), c.name(resp.ProducerID), resp.ProducerEpoch)
	return producer{resp.ProducerID, resp.ProducerEpoch}
}

// add asks to add partitions, each as "topic-0".
func (c *txnTalk) add(title string, version int16, p producer, partitions ...string) {
	c.t.Helper()
	m := &protocol.AddPartitionsToTxnRequest{TransactionalID: c.id, ProducerID: p.id, ProducerEpoch: p.epoch}
	for _, name := range partitions {
		topic, index, _ := strings.Cut(name, "-")
		m.Topics = append(m.Topics, protocol.AddPartitionsToTxnTopic{Name: topic, Partitions: []int32{int32(index[0] - '0')}})
	}
	resp := &protocol.AddPartitionsToTxnResponse{}
	if !c.try(version, m, resp) {
		c.notef("AddPartitionsToTxn v%d %s: %s", version, title, c.lost)
		return
	}
	results := map[string]string{}
	for _, topic := range resp.ResultsByTopic {
		for _, r := range topic.ResultsByPartition {
			results[fmt.Sprintf("%s-%d", topic.Name, r.PartitionIndex)] = r.PartitionErrorCode.Name()
		}
	}
	c.notef("AddPartitionsToTxn v%d %s: %v", version, title, results)
}

func (c *txnTalk) addOffsets(title string, version int16, p producer, group string) {
	c.t.Helper()
	m := &protocol.AddOffsetsToTxnRequest{TransactionalID: c.id, ProducerID: p.id, ProducerEpoch: p.epoch, GroupID: group}
	resp := &protocol.AddOffsetsToTxnResponse{}
	if !c.try(version, m, resp) {
		c.notef("AddOffsetsToTxn v%d %s: %s", version, title, c.lost)
		return
	}
	c.notef("AddOffsetsToTxn v%d %s: %s", version, title, resp.ErrorCode.Name())
}

// commitOffset commits an offset of partition 0 of each topic.
func (c *txnTalk) commitOffset(title string, version int16, p producer, group string, topics ...string) {
	c.t.Helper()
	c.commitOffsetOf(title, version, &protocol.TxnOffsetCommitRequest{
		TransactionalID: c.id, GroupID: group, ProducerID: p.id, ProducerEpoch: p.epoch, GenerationIDOrMemberEpoch: -1,
	}, topics...)
}

func (c *txnTalk) commitOffsetOf(title string, version int16, m *protocol.TxnOffsetCommitRequest, topics ...string) {
	c.t.Helper()
	for _, name := range topics {
		m.Topics = append(m.Topics, protocol.TxnOffsetCommitTopic{
			Name: name, TopicID: c.ids[name],
			Partitions: []protocol.TxnOffsetCommitPartition{{CommittedOffset: 5, CommittedLeaderEpoch: -1}},
		})
	}
	resp := &protocol.TxnOffsetCommitResponse{}
	for {
		if !c.try(version, m, resp) {
			c.notef("TxnOffsetCommit v%d %s: %s", version, title, c.lost)
			return
		}
		if len(resp.Topics) == 0 || !c.wait(resp.Topics[0].Partitions[0].ErrorCode) {
			break
		}
	}
	results := map[string]string{}
	for _, topic := range resp.Topics {
		for name, id := range c.ids {
			if version >= 6 && id == topic.TopicID {
				topic.Name = name
			}
		}
		for _, r := range topic.Partitions {
			results[fmt.Sprintf("%s-%d", topic.Name, r.PartitionIndex)] = r.ErrorCode.Name()
		}
	}
	c.notef("TxnOffsetCommit v%d %s: %v", version, title, results)
}

// end ends a transaction, and returns the producer as it is from then on.
func (c *txnTalk) end(title string, version int16, p producer, commit bool) producer {
	c.t.Helper()
	m := &protocol.EndTxnRequest{TransactionalID: c.id, ProducerID: p.id, ProducerEpoch: p.epoch, Committed: commit}
	resp := &protocol.EndTxnResponse{}
	if !c.try(version, m, resp) {
		c.notef("EndTxn v%d %s: %s", version, title, c.lost)
		return p
	}
	what := map[bool]string{true: "commit", false: "abort"}[commit]
	c.notef("EndTxn v%d %s %s: %s ID %d epoch %d", version, what, title, resp.ErrorCode.Name(), c.name(resp.ProducerID), resp.ProducerEpoch)
	if resp.ErrorCode == protocol.NoError {
		c.sleep(c.settles)
	}
	if resp.ErrorCode == protocol.NoError && version >= 5 {
		return producer{resp.ProducerID, resp.ProducerEpoch}
	}
	return p
}

// write writes a batch of two records to partition 0 of a topic.
func (c *txnTalk) write(title string, version int16, p producer, topic string, sequence int32) {
	c.t.Helper()
	b := batch{pid: p.id, epoch: p.epoch, sequence: sequence, values: []string{"x", "y"}, at: c.then()}
	b.change = func(h *protocol.BatchHeader) { h.Transactional = true }
	m := produceRequestTo(topic, b.bytes(c.t))
	m.TransactionalID, m.Topics[0].TopicID = &c.id, c.ids[topic]
	c.produceRequest(fmt.Sprintf("Produce v%d %s", version, title), version, m)
}

// ends notes where partition 0 of the topics ends, and where what can be read of it.
func (c *txnTalk) ends(topics ...string) {
	c.t.Helper()
	for _, topic := range topics {
		var offsets [2]int64
		for level := range offsets {
			resp := &protocol.ListOffsetsResponse{}
			c.try(7, &protocol.ListOffsetsRequest{ReplicaID: -1, IsolationLevel: int8(level), Topics: []protocol.ListOffsetsTopic{{
				Name: topic, Partitions: []protocol.ListOffsetsPartition{{CurrentLeaderEpoch: -1, Timestamp: latest}},
			}}}, resp)
			offsets[level] = resp.Topics[0].Partitions[0].Offset
		}
		c.notef("  %s ends at %d, last stable offset %d", topic, offsets[0], offsets[1])
	}
}

// search notes what is found by timestamps in partition 0 of a topic, by a reader who sees all and by one who sees no open
// transaction.
func (c *txnTalk) search(topic string) {
	c.t.Helper()
	for level := range int8(2) {
		for _, at := range []int64{c.then().UnixMilli(), maxTimestamp, earliest} {
			resp := &protocol.ListOffsetsResponse{}
			c.try(7, &protocol.ListOffsetsRequest{ReplicaID: -1, IsolationLevel: level, Topics: []protocol.ListOffsetsTopic{{
				Name: topic, Partitions: []protocol.ListOffsetsPartition{{CurrentLeaderEpoch: -1, Timestamp: at}},
			}}}, resp)
			p := resp.Topics[0].Partitions[0]
			c.notef("  %s, isolation %d, by %s: %s offset %d time %s epoch %d", topic, level, c.when(at), p.ErrorCode.Name(), p.Offset, c.when(p.Timestamp), p.LeaderEpoch)
		}
	}
}
