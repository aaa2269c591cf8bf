// Driver-kafkago sends with segmentio's kafka-go: a Writer, asynchronous with its Completion, or not where records are
// waited for. It has no idempotence, one request of a partition in flight, and no bound of memory: the driver bounds it.
package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/segmentio/kafka-go"
)

func main() { driver.Main("kafka-go", "github.com/segmentio/kafka-go", open) }

type client struct {
	*kafka.Writer
	ctx  context.Context
	room chan struct{} // a token for each message on its way

	mu   sync.Mutex      // guards the following
	call []kafka.Message // of the next call of WriteMessages, which takes many as well as one
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
	c := &client{Writer: w, ctx: context.Background()}
	c.room = make(chan struct{}, o.Memory/max(o.ValueSize+o.KeySize, 1))
	c.call = make([]kafka.Message, 0, o.Set.Int("call", 1))
	if !o.Wait {
		w.Completion = func(messages []kafka.Message, err error) {
			for i := range messages {
				<-c.room
				if slot, ok := messages[i].WriterData.(int); ok {
					results.DoneSlot(slot, err)
				} else {
					results.Done(err)
				}
			}
		}
	}
	return c, nil
}

func (c *client) Send(key, value []byte) {
	m := kafka.Message{Key: key, Value: value}
	if cap(c.call) == 1 {
		c.write(m)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call = append(c.call, m)
	if len(c.call) == cap(c.call) {
		c.write(c.call...)
		c.call = c.call[:0]
	}
}

func (c *client) SendSlot(key, value []byte, slot int) {
	c.write(kafka.Message{Key: key, Value: value, WriterData: slot})
}

func (c *client) write(messages ...kafka.Message) {
	for range messages {
		c.room <- struct{}{}
	}
	if err := c.WriteMessages(c.ctx, messages...); err != nil {
		driver.Fatal(fmt.Errorf("a record was not taken: %w", err))
	}
}

func (c *client) SendWait(key, value []byte) error {
	return c.WriteMessages(c.ctx, kafka.Message{Key: key, Value: value})
}

// Flush hands over what Send has kept. A Writer sends what it has when it is time.
func (c *client) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.call) > 0 {
		c.write(c.call...)
		c.call = c.call[:0]
	}
}

func (c *client) Close() {
	if err := c.Writer.Close(); err != nil {
		driver.Fatal(err)
	}
}
