package driver_test

import (
	"context"
	"log"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
)

// What docs/migrating.md shows of sarama, franz-go and kafka-go, block by block.

func synchronous(customer string, order []byte) error {
	config := sarama.NewConfig()
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Compression = sarama.CompressionZSTD
	config.Producer.Flush.Frequency = 10 * time.Millisecond
	p, err := sarama.NewSyncProducer([]string{"localhost:9092"}, config)
	if err != nil {
		return err
	}
	partition, offset, err := p.SendMessage(&sarama.ProducerMessage{
		Topic: "orders", Key: sarama.StringEncoder(customer), Value: sarama.ByteEncoder(order),
	})
	log.Print(partition, offset)
	return err
}

func asynchronous(p sarama.AsyncProducer, order []byte) {
	go func() {
		for range p.Successes() {
		}
	}()
	go func() {
		for failure := range p.Errors() {
			log.Print(failure)
		}
	}()
	p.Input() <- &sarama.ProducerMessage{Topic: "orders", Value: sarama.ByteEncoder(order)}
}

func withFranzGo(ctx context.Context, server, customer string, order []byte) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(server),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()),
	)
	if err != nil {
		return err
	}
	client.Produce(ctx, &kgo.Record{Topic: "orders", Key: []byte(customer), Value: order}, func(_ *kgo.Record, err error) {
		if err != nil {
			log.Print(err)
		}
	})
	if err := client.Flush(ctx); err != nil {
		return err
	}
	client.Close()
	return nil
}

func withKafkaGo(ctx context.Context, server, customer string, order []byte) error {
	w := &kafka.Writer{
		Addr:         kafka.TCP(server),
		Topic:        "orders",
		Balancer:     &kafka.Hash{},
		RequiredAcks: kafka.RequireAll,
		Compression:  kafka.Zstd,
		BatchTimeout: 10 * time.Millisecond,
	}
	if err := w.WriteMessages(ctx, kafka.Message{Key: []byte(customer), Value: order}); err != nil {
		return err
	}
	return w.Close()
}

// What the page shows of them sends, and to the partition that the page's table names.
func TestWhereTheOthersSend(t *testing.T) {
	for _, other := range []struct {
		name string
		send func(ctx context.Context, server, customer string, order []byte) error
		hash partition.KeyHasher
	}{
		{"franz-go", withFranzGo, partition.JavaMurmur2},
		{"kafka-go", withKafkaGo, partition.FNV1a},
	} {
		t.Run(other.name, func(t *testing.T) {
			c := brokertest.New(t, brokertest.Topic("orders", 12))
			if err := other.send(t.Context(), c.Bootstrap()[0], "customer-7", []byte("12.50")); err != nil {
				t.Fatal(err)
			}
			want, err := partition.Default(other.hash).Partition(partition.Record{Key: []byte("customer-7")}, &partition.Topic{Name: "orders", Partitions: 12})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Records("orders", want); len(got) != 1 || string(got[0].Key) != "customer-7" || string(got[0].Value) != "12.50" {
				t.Errorf("partition %d has %v, want the record", want, got)
			}
		})
	}
}

// The defaults that the page's table names are sarama's.
func TestSaramasDefaults(t *testing.T) {
	_, _ = synchronous, asynchronous
	c := sarama.NewConfig()
	if c.Producer.RequiredAcks != sarama.WaitForLocal || c.Producer.Idempotent || c.Producer.Retry.Max != 3 {
		t.Errorf("acks %v, idempotent %v, retries %d; docs/migrating.md says 1, false, 3", c.Producer.RequiredAcks, c.Producer.Idempotent, c.Producer.Retry.Max)
	}
}
