package driver_test

import (
	"log"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

// What docs/migrating.md shows of sarama, block by block.

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

// The defaults that the page's table names are sarama's.
func TestSaramasDefaults(t *testing.T) {
	_, _ = synchronous, asynchronous
	c := sarama.NewConfig()
	if c.Producer.RequiredAcks != sarama.WaitForLocal || c.Producer.Idempotent || c.Producer.Retry.Max != 3 {
		t.Errorf("acks %v, idempotent %v, retries %d; docs/migrating.md says 1, false, 3", c.Producer.RequiredAcks, c.Producer.Idempotent, c.Producer.Retry.Max)
	}
}
