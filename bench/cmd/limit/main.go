// Limit shows what this machine allows. It does nothing for a record but what no producer can do without. It copies each value
// once, into a record batch of its partition, sums the batch with CRC32C, and writes several batches with one call, with as
// many requests in flight as all others. There is no queue, no lock, no timer, and no callback, and nothing that fails is sent
// again. Batches have the scenario's size, and requests one batch for each partition that has records, up to 1 MiB.
//
// It has one goroutine that sends, whatever -goroutines says, and another for each broker that reads answers. With -alone it
// compresses batches and sends nothing: that is what the codec costs.
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/bench/internal/nap"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/protocol"
)

func main() {
	o := driver.ParseFlags("limit")
	result := driver.Result{Client: "limit", Version: "of this directory"}
	if err := run(o, &result); err != nil {
		driver.Fatal(err)
	}
	result.Print()
}

func run(o *driver.Options, result *driver.Result) error {
	if o.Wait {
		return errors.New("a limit that sends and waits is not known")
	}
	if o.Batch == 0 {
		o.Batch = 16 << 10
	}
	if o.Alone {
		return codecAlone(o, result)
	}
	values, keys, err := o.Rings()
	if err != nil {
		return err
	}
	l := &limit{o: o, values: values, keys: keys, began: time.Now()}
	if l.packer, err = newPacker(o.Codec); err != nil {
		return err
	}
	if err := l.connect(); err != nil {
		return err
	}
	if err := o.Set.Unknown(); err != nil {
		return err
	}
	warm, err := l.phase(o.Warmup, 0)
	if err != nil {
		return err
	}
	l.latency.Reset()
	from := driver.Take()
	sent, err := l.phase(o.Duration, o.Records)
	if err != nil {
		return err
	}
	result.Fill(from, driver.Take(), sent)
	result.Acknowledged = warm + sent
	if o.Rate > 0 {
		result.P50, result.P99, result.P999 = l.latency.Quantile(0.5), l.latency.Quantile(0.99), l.latency.Quantile(0.999)
	}
	return nil
}

// A limit is a producer without anything around it.
type limit struct {
	o            *driver.Options
	values, keys *driver.Ring
	began        time.Time
	latency      driver.Histogram
	packer       *packer

	brokers    []*broker
	partitions []target // by number

	value, key, next int // of the next record: indices, and the partition where it has no key
}

// phase sends for that long, or that many records, and returns when all are acknowledged.
func (l *limit) phase(last time.Duration, records int) (sent int64, err error) {
	if last <= 0 && records == 0 {
		return 0, nil
	}
	if l.o.Rate > 0 {
		sent, err = l.paced(last)
	} else {
		sent, err = l.flood(last, records)
	}
	for _, b := range l.brokers {
		err = errors.Join(err, b.finish(l))
	}
	return sent, err
}

func (l *limit) flood(last time.Duration, records int) (sent int64, err error) {
	until := time.Now().Add(last)
	for ; ; sent++ {
		if sent%1024 == 0 && records == 0 && time.Now().After(until) || records > 0 && sent == int64(records) {
			return sent, nil
		}
		b := l.append()
		if b.building.size >= b.enough {
			if err := b.send(l); err != nil {
				return sent, err
			}
		}
	}
}

// append puts the next record into the batch of its partition.
func (l *limit) append() *broker {
	value := l.values.At(l.value)
	if l.value++; l.value == l.values.Len() {
		l.value = 0
	}
	if l.o.KeySize == 0 {
		t := &l.partitions[l.next]
		if t.broker.append(t, nil, value) >= l.o.Batch {
			l.next = (l.next + 1) % len(l.partitions)
		}
		return t.broker
	}
	key := l.keys.At(l.key)
	if l.key++; l.key == l.keys.Len() {
		l.key = 0
	}
	t := &l.partitions[partition.JavaMurmur2(key, int32(len(l.partitions)))]
	t.broker.append(t, key, value)
	return t.broker
}

// paced sends each record when it is due. If all requests are in flight then, it goes together with later ones.
func (l *limit) paced(last time.Duration) (sent int64, err error) {
	interval := time.Second / time.Duration(l.o.Rate)
	start := time.Now()
	offset := start.Sub(l.began)
	for ; ; sent++ {
		due := time.Duration(sent) * interval
		if due >= last {
			return sent, nil
		}
		nap.Until(start.Add(due))
		b := l.append()
		b.building.due = append(b.building.due, offset+due)
		l.next = (l.next + 1) % len(l.partitions)
		if len(b.free) > 0 {
			if err := b.send(l); err != nil {
				return sent, err
			}
		}
	}
}

// codecAlone compresses what was encoded beforehand.
func codecAlone(o *driver.Options, result *driver.Result) error {
	values, _, err := o.Rings()
	if err != nil {
		return err
	}
	p, err := newPacker(o.Codec)
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("no codec %q to have alone", o.Codec)
	}
	batches := batchesOf(values, o.Batch)
	var sent int64
	from, began := driver.Take(), time.Now()
	for i := 0; time.Since(began) < o.Duration; i = (i + 1) % len(batches) {
		out, err := p.compressor.Compress(p.out[:0], [][]byte{batches[i].buf[protocol.BatchHeaderSize:]})
		if err != nil {
			return err
		}
		p.out = out
		sent += int64(batches[i].count)
	}
	result.Fill(from, driver.Take(), sent)
	return nil
}

// batchesOf returns batches of all the values, as a producer makes them: with only a few of them, a processor would learn them
// by heart. Each but the last has size bytes, or just over.
func batchesOf(values *driver.Ring, size int) []batch {
	var batches []batch
	for value := 0; value < values.Len(); {
		var b batch
		b.open()
		for ; len(b.buf) < size && value < values.Len(); value++ {
			b.append(nil, values.At(value))
		}
		batches = append(batches, b)
	}
	return batches
}
