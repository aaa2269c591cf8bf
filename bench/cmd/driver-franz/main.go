// Driver-franz sends with franz-go: Produce, with a promise for each record, and ProduceSync. With idempotence it has 5
// requests in flight and cannot be told otherwise. With -set pooled=true a Record is used again once its promise was called.
package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() { driver.Main("franz-go", "github.com/twmb/franz-go", open) }

type client struct {
	*kgo.Client
	ctx     context.Context
	results *driver.Results
	slots   []func(*kgo.Record, error)
	pool    *sync.Pool // of *kgo.Record; nil = each is allocated
}

func open(o *driver.Options, results *driver.Results) (driver.Client, error) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	codec, ok := codecs[o.Codec]
	if !ok {
		return nil, fmt.Errorf("no codec %q", o.Codec)
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(o.Bootstrap, ",")...),
		kgo.DefaultProduceTopic(o.Topic),
		kgo.ClientID(o.ClientID),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(codec),
		kgo.AllowAutoTopicCreation(),
		kgo.MaxBufferedBytes(o.Memory), // as all are; and by records as by default, unless there is a setting
	}
	switch records := o.Set.Text("records"); records {
	case "":
	case "all": // bounded by bytes alone
		options = append(options, kgo.MaxBufferedRecords(o.Memory/max(o.ValueSize+o.KeySize, 1)))
	default:
		options = append(options, kgo.MaxBufferedRecords(o.Set.Int("records", 0)))
	}
	if o.Linger >= 0 {
		options = append(options, kgo.ProducerLinger(o.Linger))
	}
	if o.Batch > 0 {
		options = append(options, kgo.ProducerBatchMaxBytes(int32(o.Batch)))
	}
	if n := o.Set.Int("send.buffer.bytes", 0); n > 0 {
		options = append(options, kgo.Dialer(driver.DialWithBuffer(n)))
	}
	switch o.Set.Text("partitioner") {
	case "": // its default: murmur2 for keys, sticky by bytes
	case "sticky":
		options = append(options, kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	case "bytes64k":
		options = append(options, kgo.RecordPartitioner(kgo.UniformBytesPartitioner(64<<10, true, true, nil)))
	default:
		return nil, fmt.Errorf("no partitioner %q", o.Set.Text("partitioner"))
	}
	cl, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	c := &client{Client: cl, ctx: context.Background(), results: results}
	if o.Set.Text("pooled") == "true" {
		c.pool = &sync.Pool{New: func() any { return new(kgo.Record) }}
	}
	if o.Rate > 0 {
		for i := range driver.Slots {
			c.slots = append(c.slots, func(_ *kgo.Record, err error) { results.DoneSlot(i, err) })
		}
	}
	return c, nil
}

func (c *client) Send(key, value []byte, id int64) {
	if c.pool == nil {
		c.Produce(c.ctx, &kgo.Record{Key: key, Value: value}, func(_ *kgo.Record, err error) { c.results.DoneOf(id, err) })
		return
	}
	record := c.pool.Get().(*kgo.Record)
	record.Key, record.Value = key, value
	c.Produce(c.ctx, record, func(r *kgo.Record, err error) {
		c.results.DoneOf(id, err)
		*r = kgo.Record{}
		c.pool.Put(r)
	})
}

func (c *client) SendSlot(key, value []byte, slot int) {
	c.Produce(c.ctx, &kgo.Record{Key: key, Value: value}, c.slots[slot])
}

func (c *client) SendWait(key, value []byte) error {
	return c.ProduceSync(c.ctx, &kgo.Record{Key: key, Value: value}).FirstErr()
}

func (c *client) Flush() {
	if err := c.Client.Flush(c.ctx); err != nil {
		driver.Fatal(err)
	}
}
