//go:build cgo

// Driver-confluent sends with confluent-kafka-go, which is librdkafka through cgo: Produce and the channel of events, or a
// channel of its own for a record that is waited for. It is a module apart, since it needs a C compiler.
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/epistle-kafka/epistle/bench/driver"
)

func main() { driver.Main("confluent", "github.com/confluentinc/confluent-kafka-go/v2", open) }

type client struct {
	*kafka.Producer
	topic kafka.TopicPartition
	batch bool // by the channel of a batch producer, which is documented as experimental and deprecated
}

func open(o *driver.Options, results *driver.Results) (driver.Client, error) {
	batch := o.Set.Text("batch.producer") == "true"
	cfg := kafka.ConfigMap{
		"bootstrap.servers":                     o.Bootstrap,
		"client.id":                             o.ClientID,
		"enable.idempotence":                    true,
		"acks":                                  "all",
		"max.in.flight.requests.per.connection": o.InFlight,
		"queue.buffering.max.kbytes":            o.Memory >> 10,
		"queue.buffering.max.messages":          o.Set.Int("messages", o.Memory/max(o.ValueSize+o.KeySize, 1)),
		"compression.type":                      o.Codec,
		"partitioner":                           "murmur2_random",
		"go.delivery.report.fields":             "none",
		"go.batch.producer":                     batch,
	}
	if batch {
		cfg["go.produce.channel.size"] = o.Set.Int("channel", 10_000)
	}
	if o.Linger >= 0 {
		cfg["linger.ms"] = fmt.Sprint(float64(o.Linger) / float64(time.Millisecond))
	}
	if o.Batch > 0 {
		cfg["batch.size"] = o.Batch
	}
	if n := o.Set.Int("batch.num.messages", 0); n > 0 {
		cfg["batch.num.messages"] = n
	}
	if n := o.Set.Int("socket.send.buffer.bytes", 0); n > 0 {
		cfg["socket.send.buffer.bytes"] = n
	}
	p, err := kafka.NewProducer(&cfg)
	if err != nil {
		return nil, err
	}
	go func() {
		for e := range p.Events() {
			switch e := e.(type) {
			case *kafka.Message:
				switch which := e.Opaque.(type) {
				case int64:
					results.DoneOf(which, e.TopicPartition.Error)
				case int:
					results.DoneSlot(which, e.TopicPartition.Error)
				default: // a batch producer forgets the Opaque: nobody is told which record it is
					results.Done(e.TopicPartition.Error)
				}
			case kafka.Error:
				driver.Fatal(e)
			}
		}
	}()
	return &client{Producer: p, topic: kafka.TopicPartition{Topic: &o.Topic, Partition: kafka.PartitionAny}, batch: batch}, nil
}

func (c *client) Send(key, value []byte, id int64) {
	m := &kafka.Message{TopicPartition: c.topic, Key: key, Value: value, Opaque: id}
	if c.batch {
		//lint:ignore SA1019 part of the sweep
		c.ProduceChannel() <- m
		return
	}
	c.produce(m, nil)
}

func (c *client) SendSlot(key, value []byte, slot int) {
	c.produce(&kafka.Message{TopicPartition: c.topic, Key: key, Value: value, Opaque: slot}, nil)
}

func (c *client) SendWait(key, value []byte) error {
	done := make(chan kafka.Event, 1)
	c.produce(&kafka.Message{TopicPartition: c.topic, Key: key, Value: value}, done)
	return (<-done).(*kafka.Message).TopicPartition.Error
}

// produce waits while the queue is full.
func (c *client) produce(m *kafka.Message, done chan kafka.Event) {
	for {
		err := c.Produce(m, done)
		if err == nil {
			return
		}
		var k kafka.Error
		if !errors.As(err, &k) || k.Code() != kafka.ErrQueueFull {
			driver.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

// Flush leaves lingering records to their timer, which is short. The client's own Flush checks every 100 ms whether it is done,
// and that would count as time that it took.
func (c *client) Flush() {}
