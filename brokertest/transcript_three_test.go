package brokertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

const recordedThree = "testdata/kafka-4.4.0-three-brokers.txt"

// The same with three brokers: what one answers that does not lead the partition, or does not coordinate the producer.
func TestAnswersAsKafkaOfThreeBrokers(t *testing.T) {
	c := &conversation{addr: realOrOurs(t, 3)[0], ids: map[string]protocol.UUID{}, began: time.Now()}
	c.client = &client{t: t}
	c.redial()
	created := &protocol.CreateTopicsResponse{}
	c.try(7, &protocol.CreateTopicsRequest{Timeout: 10 * time.Second, Topics: []protocol.CreatableTopic{
		{Name: "single", NumPartitions: 6, ReplicationFactor: 1},
		{Name: "triple", NumPartitions: 3, ReplicationFactor: 3},
		{Name: "default", NumPartitions: -1, ReplicationFactor: -1},
		{Name: "many", NumPartitions: 1, ReplicationFactor: 4},
	}}, created)
	for _, topic := range created.Topics {
		c.ids[topic.Name] = topic.TopicID
		c.notef("CreateTopics %s: %s %d partitions %d replicas", topic.Name, topic.ErrorCode.Name(), topic.NumPartitions, topic.ReplicationFactor)
	}
	time.Sleep(300 * time.Millisecond) // Kafka tells its brokers meanwhile

	md := &protocol.MetadataResponse{}
	single, triple := "single", "triple"
	c.try(13, &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{{Name: &single}, {Name: &triple}}}, md)
	leaders := map[int32]int{}
	for _, topic := range md.Topics {
		for _, p := range topic.Partitions {
			leaders[p.LeaderID]++
			c.notef("%s %d: %s replicas %d isr %d leader is the first %t epoch %d", *topic.Name, p.PartitionIndex, p.ErrorCode.Name(),
				len(p.ReplicaNodes), len(p.ISRNodes), p.ReplicaNodes[0] == p.LeaderID, p.LeaderEpoch)
		}
	}
	c.notef("%d brokers, of which %d lead", len(md.Brokers), len(leaders))
	c.followers(md)
	c.wrongCoordinator(md)
	compare(t, recordedThree, c.notes.String())
}

// dialBroker goes on with another broker.
func (c *conversation) dialBroker(md *protocol.MetadataResponse, nodeID int32) {
	for _, b := range md.Brokers {
		if b.NodeID == nodeID {
			c.addr = fmt.Sprintf("%s:%d", b.Host, b.Port)
		}
	}
	c.redial()
}

// followers asks brokers that do not lead partition 0, one that has a replica of it and one that has not.
func (c *conversation) followers(md *protocol.MetadataResponse) {
	ok := c.plain("a").bytes(c.t)
	for _, topic := range md.Topics {
		p := topic.Partitions[0]
		for _, b := range md.Brokers {
			if b.NodeID == p.LeaderID {
				continue
			}
			c.dialBroker(md, b.NodeID)
			for _, v := range []int16{9, 10, 13} {
				c.produceTo(fmt.Sprintf("%s to a follower v%d", *topic.Name, v), *topic.Name, 0, v, -1, ok)
			}
			c.hintOf(*topic.Name, p, ok)
			c.produceTo(*topic.Name+" to a follower, bad CRC", *topic.Name, 0, 13, -1, corrupt(ok))
			c.produceTo(*topic.Name+" to a follower, two batches", *topic.Name, 0, 13, -1, append(ok[:len(ok):len(ok)], ok...))
			c.produceTo(*topic.Name+" to a follower, acks=7", *topic.Name, 0, 13, 7, ok)
			c.produceZero(*topic.Name+" to a follower, acks=0", *topic.Name, ok)
			resp := &protocol.ListOffsetsResponse{}
			c.try(11, &protocol.ListOffsetsRequest{ReplicaID: -1, Topics: []protocol.ListOffsetsTopic{{
				Name: *topic.Name, Partitions: []protocol.ListOffsetsPartition{{CurrentLeaderEpoch: -1, Timestamp: latest}},
			}}}, resp)
			o := resp.Topics[0].Partitions[0]
			c.notef("ListOffsets of %s from a follower: %s offset %d epoch %d", *topic.Name, o.ErrorCode.Name(), o.Offset, o.LeaderEpoch)
		}
		c.dialBroker(md, p.LeaderID)
		c.produceTo(*topic.Name+" to the leader", *topic.Name, 0, 13, -1, ok)
	}
}

// hintOf notes whether a follower names the leader, its epoch and its address.
func (c *conversation) hintOf(topic string, p protocol.MetadataPartition, records []byte) {
	resp := &protocol.ProduceResponse{}
	c.try(12, produceRequestTo(topic, records), resp)
	hint := resp.Topics[0].Partitions[0].CurrentLeader
	named := len(resp.NodeEndpoints) == 1 && resp.NodeEndpoints[0].NodeID == hint.LeaderID && resp.NodeEndpoints[0].Port > 0
	c.notef("  the leader is named %t, its epoch %t, its address %t", hint.LeaderID == p.LeaderID, hint.LeaderEpoch == p.LeaderEpoch, named)
}

func (c *conversation) wrongCoordinator(md *protocol.MetadataResponse) {
	id, found := "tx", int32(-1)
	for range 100 {
		resp := &protocol.FindCoordinatorResponse{}
		c.try(3, &protocol.FindCoordinatorRequest{Key: id, KeyType: transactionKey}, resp)
		if found = resp.NodeID; resp.ErrorCode == protocol.NoError {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	m := &protocol.InitProducerIDRequest{TransactionalID: &id, TransactionTimeout: time.Minute, ProducerID: -1, ProducerEpoch: -1}
	for _, b := range md.Brokers {
		c.dialBroker(md, b.NodeID)
		resp := &protocol.InitProducerIDResponse{}
		for range 100 {
			c.try(5, m, resp)
			if resp.ErrorCode != protocol.CoordinatorLoadInProgress {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if b.NodeID != found {
			c.notef("InitProducerId from another broker than the coordinator: %s ID %t epoch %d", resp.ErrorCode.Name(), resp.ProducerID >= 0, resp.ProducerEpoch)
			c.elsewhere()
		}
	}
}

// elsewhere asks a broker that coordinates neither the transactional ID nor the group what only the coordinator can do.
func (c *conversation) elsewhere() {
	talk := &txnTalk{conversation: c, known: map[int64]int{-1: -1}, id: "tx", sleep: time.Sleep}
	p := producer{1, 0}
	talk.add("elsewhere", 3, p, "single-0")
	talk.add("elsewhere, unknown topic", 3, p, "missing-0")
	talk.addOffsets("elsewhere", 4, p, "g")
	for _, v := range []int16{0, 4, 5} {
		talk.end("elsewhere", v, p, true)
	}
	id := "tx"
	bad := &protocol.InitProducerIDResponse{}
	c.try(5, &protocol.InitProducerIDRequest{TransactionalID: &id, ProducerID: -1, ProducerEpoch: -1}, bad)
	c.notef("InitProducerId elsewhere, timeout 0: %s", bad.ErrorCode.Name())
}
