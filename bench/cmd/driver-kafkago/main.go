// Driver-kafkago sends with segmentio's kafka-go: a Writer, asynchronous with its Completion, or not where records are waited
// for. It has no idempotence, one request of a partition in flight, and no bound of memory: the load bounds it. With -set
// call=100 each goroutine hands over a hundred messages in a call.
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/segmentio/kafka-go"
)

func main() { driver.Main("kafka-go", "github.com/segmentio/kafka-go", open) }

type client struct {
	*kafka.Writer
	ctx  context.Context
	room int // messages on their way
	call int // messages that a call of WriteMessages takes
}

func open(o *driver.Options, results *driver.Results) (driver.Client, error) {
	w := &kafka.Writer{
		Addr:                   kafka.TCP(strings.Split(o.Bootstrap, ",")...),
		Topic:                  o.Topic,
		RequiredAcks:           kafka.RequireAll,
		Async:                  !o.Wait,
		AllowAutoTopicCreation: true,
		BatchSize:              o.Set.Int("messages", 100),
		BatchTimeout:           10 * time.Millisecond, // the default of 1 s is for nobody
		Transport:              &kafka.Transport{ClientID: o.ClientID},
	}
	if n := o.Set.Int("send.buffer.bytes", 0); n > 0 {
		w.Transport = &kafka.Transport{ClientID: o.ClientID, Dial: driver.DialWithBuffer(n)}
	}
	if o.Linger >= 0 {
		w.BatchTimeout = max(o.Linger, time.Microsecond)
	}
	if o.Batch > 0 {
		w.BatchBytes = int64(o.Batch)
	}
	if o.Codec != "none" {
		if err := w.Compression.UnmarshalText([]byte(o.Codec)); err != nil {
			return nil, err
		}
	}
	if o.KeySize > 0 {
		w.Balancer = &kafka.Murmur2Balancer{Consistent: true}
	} else {
		w.Balancer = &kafka.RoundRobin{}
	}
	c := &client{Writer: w, ctx: context.Background(), call: o.Set.Int("call", 1)}
	c.room = o.Set.Int("room", o.Memory/max(o.ValueSize+o.KeySize, 1))
	if !o.Wait {
		w.Completion = func(messages []kafka.Message, err error) {
			for i := range messages {
				switch which := messages[i].WriterData.(type) {
				case int64:
					results.DoneOf(which, err)
				case int:
					results.DoneSlot(which, err)
				}
			}
		}
	}
	return c, nil
}

// Room implements driver.Bounded.
func (c *client) Room() int { return c.room }

func (c *client) Send(key, value []byte, id int64) {
	c.write(kafka.Message{Key: key, Value: value, WriterData: id})
}

// Group implements driver.Grouper.
func (c *client) Group() (send driver.Sender, rest func()) {
	if c.call <= 1 {
		return nil, nil
	}
	group := make([]kafka.Message, 0, c.call)
	rest = func() {
		c.write(group...)
		group = group[:0] // a Writer has copied them
	}
	return func(key, value []byte, id int64) {
		group = append(group, kafka.Message{Key: key, Value: value, WriterData: id})
		if len(group) == cap(group) {
			rest()
		}
	}, rest
}

func (c *client) SendSlot(key, value []byte, slot int) {
	c.write(kafka.Message{Key: key, Value: value, WriterData: slot})
}

func (c *client) write(messages ...kafka.Message) {
	if err := c.WriteMessages(c.ctx, messages...); err != nil {
		driver.Fatal(fmt.Errorf("a record was not taken: %w", err))
	}
}

func (c *client) SendWait(key, value []byte) error {
	return c.WriteMessages(c.ctx, kafka.Message{Key: key, Value: value})
}

// Flush has nothing to call: a Writer sends what it has when it is time.
func (c *client) Flush() {}

func (c *client) Close() {
	if err := c.Writer.Close(); err != nil {
		driver.Fatal(err)
	}
}
