//go:build cgo

package confluent_test

import (
	"log"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// What docs/migrating.md shows of confluent-kafka-go.
func withConfluent(server, customer string, order []byte) error {
	p, err := kafka.NewProducer(&kafka.ConfigMap{
		"bootstrap.servers":  server,
		"enable.idempotence": true,
		"compression.type":   "zstd",
	})
	if err != nil {
		return err
	}
	go func() {
		for event := range p.Events() {
			if m, ok := event.(*kafka.Message); ok && m.TopicPartition.Error != nil {
				log.Print(m.TopicPartition.Error)
			}
		}
	}()
	topic := "orders"
	err = p.Produce(&kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Key: []byte(customer), Value: order,
	}, nil)
	if left := p.Flush(15_000); left > 0 {
		log.Printf("%d events are left", left)
	}
	p.Close()
	return err
}

// What the page shows sends, to the cluster that librdkafka has for tests.
func TestWhatThePageShowsSends(t *testing.T) {
	c, err := kafka.NewMockCluster(1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := withConfluent(c.BootstrapServers(), "customer-7", []byte("12.50")); err != nil {
		t.Fatal(err)
	}
	consumer, err := kafka.NewConsumer(&kafka.ConfigMap{"bootstrap.servers": c.BootstrapServers(), "group.id": "test", "auto.offset.reset": "earliest"})
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	if err := consumer.Subscribe("orders", nil); err != nil {
		t.Fatal(err)
	}
	m, err := consumer.ReadMessage(time.Minute)
	if err != nil || string(m.Key) != "customer-7" || string(m.Value) != "12.50" {
		t.Errorf("the topic has %v, %v, want the record", m, err)
	}
}
