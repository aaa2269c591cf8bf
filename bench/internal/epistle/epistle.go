// Package epistle is this repository's producer as a client that the drivers measure: a topic's SendFunc, with a closure for each
// record, and SendSync. With -set callback=shared all records have one function, with call=100 they are handed over by
// SendAllFunc, a hundred at a time and with one function, and with callback=future by Send, whose futures are waited for.
package epistle

import (
	"context"
	"fmt"
	"strings"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/producer"
)

// A Client is a producer and its topic.
type Client struct {
	Producer *producer.Producer
	Topic    *producer.Topic
	Results  *driver.Results

	ctx   context.Context
	done  producer.Callback
	slots []producer.Callback
	call  int // records that a call takes

	outcome string // what a record has to tell its outcome: "" = a closure of its own, "shared", "future"
}

// futures is how many futures a goroutine has before it waits for the oldest.
const futures = 1 << 14

// Open makes a client of a driver's options.
func Open(o *driver.Options, results *driver.Results) (driver.Client, error) {
	c, err := OpenWith(o, results, func(*producer.Config) error { return nil })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// OpenWith is Open with a change to the settings.
func OpenWith(o *driver.Options, results *driver.Results, change func(*producer.Config) error) (*Client, error) {
	cfg := producer.DefaultConfig(strings.Split(o.Bootstrap, ",")...)
	cfg.ClientID = o.ClientID
	cfg.BufferMemory = int64(o.Memory)
	cfg.MaxInFlightRequestsPerConnection = o.InFlight
	cfg.MaxBatchBytes = o.Set.Int("max.batch.bytes", cfg.MaxBatchBytes)
	cfg.SendBuffer = o.Set.Int("send.buffer.bytes", cfg.SendBuffer)
	if o.Linger >= 0 {
		cfg.Linger = o.Linger
	}
	if o.Batch > 0 {
		cfg.BatchSize = o.Batch
		cfg.MaxBatchBytes = max(cfg.MaxBatchBytes, o.Batch)
	}
	codecs := map[string]producer.Compression{
		"none": producer.NoCompression, "gzip": producer.Gzip, "snappy": producer.Snappy, "lz4": producer.LZ4, "zstd": producer.Zstd,
	}
	codec, ok := codecs[o.Codec]
	if !ok {
		return nil, fmt.Errorf("no codec %q", o.Codec)
	}
	cfg.Compression = codec
	if err := change(&cfg); err != nil {
		return nil, err
	}
	p, err := producer.New(cfg)
	if err != nil {
		return nil, err
	}
	if topic := o.Set.Text("idle"); topic != "" { // a topic to know of and send nothing to
		if _, err := p.Partitions(context.Background(), topic); err != nil {
			return nil, err
		}
	}
	c := &Client{Producer: p, Topic: p.Topic(o.Topic), Results: results, ctx: context.Background(), call: o.Set.Int("call", 1), outcome: o.Set.Text("callback")}
	switch c.outcome {
	case "", "shared", "future":
	default:
		return nil, fmt.Errorf("no callback %q", c.outcome)
	}
	c.done = func(_ producer.RecordMetadata, err error) { results.Done(err) }
	if o.Rate > 0 {
		for i := range driver.Slots {
			c.slots = append(c.slots, func(_ producer.RecordMetadata, err error) { results.DoneSlot(i, err) })
		}
	}
	return c, nil
}

// Send implements driver.Client.
func (c *Client) Send(key, value []byte, id int64) {
	c.Topic.SendFunc(c.ctx, key, value, func(_ producer.RecordMetadata, err error) { c.Results.DoneOf(id, err) })
}

// Group implements driver.Grouper.
func (c *Client) Group() (send driver.Sender, rest func()) {
	switch {
	case c.call > 1:
		return c.several()
	case c.outcome == "future":
		return c.waited()
	case c.outcome == "shared":
		return func(key, value []byte, _ int64) { c.Topic.SendFunc(c.ctx, key, value, c.done) }, func() {}
	}
	return nil, nil
}

// waited returns a sender that keeps the futures of its records, and waits for the oldest when it has many.
func (c *Client) waited() (send driver.Sender, rest func()) {
	type one struct {
		future producer.Future
		id     int64
	}
	ring := make([]one, futures)
	n, oldest := 0, 0
	wait := func() {
		f := &ring[oldest]
		_, err := f.future.Wait(c.ctx)
		c.Results.DoneOf(f.id, err)
		oldest, n = (oldest+1)%futures, n-1
	}
	send = func(key, value []byte, id int64) {
		if n == futures {
			wait()
		}
		ring[(oldest+n)%futures] = one{c.Topic.Send(c.ctx, key, value), id}
		n++
	}
	return send, func() {
		for n > 0 {
			wait()
		}
	}
}

func (c *Client) several() (send driver.Sender, rest func()) {
	group := make([]producer.KeyValue, 0, c.call)
	rest = func() {
		c.Topic.SendAllFunc(c.ctx, group, c.done)
		group = group[:0]
	}
	send = func(key, value []byte, _ int64) {
		// The fields are set one by one. append would copy by way of the stack, stored in words and loaded in pairs, and a
		// processor waits for all stores before such a load, also for those of the record before.
		group = group[:len(group)+1]
		last := &group[len(group)-1]
		last.Key, last.Value = key, value
		if len(group) == cap(group) {
			rest()
		}
	}
	return send, rest
}

// SendSlot implements driver.Client.
func (c *Client) SendSlot(key, value []byte, slot int) {
	c.Topic.SendFunc(c.ctx, key, value, c.slots[slot])
}

// Slot returns the callback of a slot.
func (c *Client) Slot(slot int) producer.Callback { return c.slots[slot] }

// SendWait implements driver.Client.
func (c *Client) SendWait(key, value []byte) error {
	_, err := c.Topic.SendSync(c.ctx, key, value)
	return err
}

func (c *Client) Flush() {
	if err := c.Producer.Flush(c.ctx); err != nil {
		driver.Fatal(err)
	}
}

func (c *Client) Close() {
	if err := c.Producer.Close(c.ctx); err != nil {
		driver.Fatal(err)
	}
}
