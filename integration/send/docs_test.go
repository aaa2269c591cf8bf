package send_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

// docs/testing.md, word for word, as a test of package producertest sees to.

// realProducer is one for a test that a cluster is there for.
func realProducer(t *testing.T) producer.Interface {
	servers := os.Getenv("KAFKA_BOOTSTRAP")
	if servers == "" {
		t.Skip("KAFKA_BOOTSTRAP names no cluster")
	}
	p, err := producer.New(producer.DefaultConfig(strings.Split(servers, ",")...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(context.Background()) })
	return p
}

// What the page has for tests with a real Kafka sends to one.
func TestTheRealProducerOfThePage(t *testing.T) {
	c := kafka.Shared(t)
	t.Setenv("KAFKA_BOOTSTRAP", c.Bootstrap())
	topic := newTopic(t, c, 3)
	p := realProducer(t)
	md, err := p.SendSync(soon(t), producer.Record{Topic: topic, Key: []byte("customer-7"), Value: []byte("12.50")})
	if err != nil {
		t.Fatal(err)
	}
	records := read(t, c, topic)[md.Partition]
	if len(records) != 1 || string(records[0].Key) != "customer-7" || string(records[0].Value) != "12.50" || records[0].Offset != md.Offset {
		t.Errorf("partition %d has %v, want the record that was sent", md.Partition, records)
	}
}
