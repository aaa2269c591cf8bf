// Driver-sarama sends with IBM's sarama: the channels of an AsyncProducer, and a SyncProducer for records that are waited for.
// With idempotence sarama allows one request in flight; -set idempotence=false has it use as many as the others, and nothing
// keeps their order then.
package main

import (
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/epistle-kafka/epistle/bench/driver"
)

func main() { driver.Main("sarama", "github.com/IBM/sarama", open) }

type client struct {
	async sarama.AsyncProducer
	sync  sarama.SyncProducer
	topic string
	room  int // messages on their way: sarama has no bound of memory
	ended sync.WaitGroup
}

func open(o *driver.Options, results *driver.Results) (driver.Client, error) {
	cfg, err := config(o)
	if err != nil {
		return nil, err
	}
	c := &client{topic: o.Topic, room: o.Set.Int("room", o.Memory/max(o.ValueSize+o.KeySize, 1))}
	addresses := strings.Split(o.Bootstrap, ",")
	if o.Wait {
		c.sync, err = sarama.NewSyncProducer(addresses, cfg)
		return c, err
	}
	if c.async, err = sarama.NewAsyncProducer(addresses, cfg); err != nil {
		return nil, err
	}
	done := func(m *sarama.ProducerMessage, err error) {
		switch which := m.Metadata.(type) {
		case int64:
			results.DoneOf(which, err)
		case int:
			results.DoneSlot(which, err)
		}
	}
	c.ended.Go(func() {
		for m := range c.async.Successes() {
			done(m, nil)
		}
	})
	c.ended.Go(func() {
		for e := range c.async.Errors() {
			done(e.Msg, e.Err)
		}
	})
	return c, nil
}

func config(o *driver.Options) (*sarama.Config, error) {
	cfg := sarama.NewConfig()
	cfg.Version = sarama.MaxVersion
	cfg.ClientID = o.ClientID
	cfg.Producer.RequiredAcks = sarama.WaitForAll
	cfg.Producer.Return.Successes = true
	cfg.Producer.Return.Errors = true
	cfg.Producer.Idempotent = o.Set.Text("idempotence") != "false"
	cfg.Net.MaxOpenRequests = 1
	if !cfg.Producer.Idempotent {
		cfg.Net.MaxOpenRequests = o.InFlight
	}
	cfg.ChannelBufferSize = o.Set.Int("channel", cfg.ChannelBufferSize)
	if o.Linger >= 0 {
		cfg.Producer.Flush.Frequency = max(o.Linger, time.Nanosecond)
	}
	if o.Batch > 0 {
		cfg.Producer.Flush.Bytes = o.Batch
		if o.Linger < 0 {
			cfg.Producer.Flush.Frequency = 5 * time.Millisecond // or what is left over would wait for ever
		}
	}
	cfg.Producer.Flush.MaxMessages = o.Set.Int("max.messages", cfg.Producer.Flush.MaxMessages)
	if o.KeySize > 0 {
		cfg.Producer.Partitioner = sarama.NewMurmur2Partitioner
	} else {
		cfg.Producer.Partitioner = sarama.NewRoundRobinPartitioner
	}
	return cfg, cfg.Producer.Compression.UnmarshalText([]byte(o.Codec))
}

func (c *client) message(key, value []byte) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: c.topic, Value: sarama.ByteEncoder(value)}
	if key != nil {
		m.Key = sarama.ByteEncoder(key)
	}
	return m
}

// Room implements driver.Bounded.
func (c *client) Room() int { return c.room }

func (c *client) Send(key, value []byte, id int64) {
	m := c.message(key, value)
	m.Metadata = id
	c.async.Input() <- m
}

func (c *client) SendSlot(key, value []byte, slot int) {
	m := c.message(key, value)
	m.Metadata = slot
	c.async.Input() <- m
}

func (c *client) SendWait(key, value []byte) error {
	_, _, err := c.sync.SendMessage(c.message(key, value))
	return err
}

// Flush has nothing to call: sarama sends what it has when it is time.
func (c *client) Flush() {}

func (c *client) Close() {
	if c.sync != nil {
		if err := c.sync.Close(); err != nil {
			driver.Fatal(err)
		}
		return
	}
	c.async.AsyncClose()
	c.ended.Wait()
}
