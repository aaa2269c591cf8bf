package driver_test

import (
	"testing"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/epistle-kafka/epistle/producer"
)

// What docs/exactly-once.md shows of consumers of other libraries, block by block.

func franzGosMember(client *kgo.Client) producer.ConsumerGroupMetadata {
	// franz-go, after a poll and before AllowRebalance
	memberID, generation := client.GroupMetadata()
	group := producer.ConsumerGroupMetadata{GroupID: "billing", GenerationID: generation, MemberID: memberID}
	return group
}

func saramasMember(session sarama.ConsumerGroupSession) producer.ConsumerGroupMetadata {
	// sarama, in ConsumeClaim
	group := producer.ConsumerGroupMetadata{GroupID: "billing", GenerationID: session.GenerationID(), MemberID: session.MemberID()}
	return group
}

func saramasSettings(config *sarama.Config) {
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	config.Consumer.Offsets.AutoCommit.Enable = false
}

func kafkaGosMember(generation *kafka.Generation) producer.ConsumerGroupMetadata {
	// kafka-go, of what ConsumerGroup.Next returns
	group := producer.ConsumerGroupMetadata{GroupID: generation.GroupID, GenerationID: generation.ID, MemberID: generation.MemberID}
	return group
}

type session struct{ sarama.ConsumerGroupSession }

func (session) MemberID() string    { return "consumer-1" }
func (session) GenerationID() int32 { return 4 }

func TestWhoseOffsetsTheyAre(t *testing.T) {
	want := producer.ConsumerGroupMetadata{GroupID: "billing", GenerationID: 4, MemberID: "consumer-1"}
	if got := saramasMember(session{}); got != want {
		t.Errorf("sarama's member is %+v, want %+v", got, want)
	}
	if got := kafkaGosMember(&kafka.Generation{GroupID: "billing", ID: 4, MemberID: "consumer-1"}); got != want {
		t.Errorf("kafka-go's member is %+v, want %+v", got, want)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1"), kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseAllowingRebalance()
	if got := franzGosMember(client); got.GroupID != "billing" || got.MemberID != "" {
		t.Errorf("franz-go's member is %+v, want one that the group does not know yet", got)
	}
	config := sarama.NewConfig()
	if config.Consumer.IsolationLevel != sarama.ReadUncommitted {
		t.Error("sarama reads committed records by default; docs/exactly-once.md says that it does not")
	}
	saramasSettings(config)
	if err := config.Validate(); err != nil {
		t.Error(err)
	}
}
