package demo

import (
	"bytes"
	"context"
	"strings"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/protocol"
)

// ownBrokers are brokers in this process, over TCP.
type ownBrokers struct {
	cluster    *brokertest.Cluster
	partitions int
}

func startOwn(partitions int) (*ownBrokers, error) {
	cluster, err := brokertest.Start(brokertest.Brokers(3))
	if err != nil {
		return nil, err
	}
	return &ownBrokers{cluster, partitions}, nil
}

func (o *ownBrokers) prepare(_ context.Context, d *demo) error {
	d.say("No cluster was named (-b), so three brokers run in this process, on %s.", strings.Join(o.cluster.Bootstrap(), ", "))
	return o.cluster.CreateTopic(d.topic, o.partitions)
}

// written counts what the logs have.
func (o *ownBrokers) written(_ context.Context, d *demo) (n int64, err error) {
	for partition := range int32(o.cluster.Partitions(d.topic)) {
		n += o.cluster.EndOffset(d.topic, partition)
	}
	return n, nil
}

// check reads the logs. It goes by the file that was sent, not by what the producer said.
func (o *ownBrokers) check(_ context.Context, d *demo, r *report) error {
	expected := make(map[string][][]byte) // the values of each key, in the order of the file
	for _, e := range d.events {
		expected[string(e.key)] = append(expected[string(e.key)], e.value)
	}
	o.checkRecords(expected, len(d.events), r)
	o.checkBatches(d.topic, r)
	return nil
}

// checkRecords compares count, content and order, one partition after the other: a key is in one partition only.
func (o *ownBrokers) checkRecords(expected map[string][][]byte, sent int, r *report) {
	topic := r.d.topic
	home := make(map[string]int32)
	next := make(map[string]int) // how many of a key's records were seen
	count, other, scattered := 0, 0, 0
	for partition := range int32(o.cluster.Partitions(topic)) {
		for _, rec := range o.cluster.Records(topic, partition) {
			count++
			key := string(rec.Key)
			if at, known := home[key]; known && at != partition {
				scattered++
			}
			home[key] = partition
			values := expected[key]
			if n := next[key]; n >= len(values) || !bytes.Equal(values[n], rec.Value) {
				other++
			}
			next[key]++
		}
	}
	if count == sent {
		r.passed("count: %s in the logs, as many as were sent", ui.Number(int64(count), "record"))
	} else {
		r.wrong("count: %s in the logs, and %s sent", ui.Number(int64(count), "record"), ui.Count(int64(sent)))
	}
	if other == 0 && count == sent {
		r.passed("content and order: the records of each customer are those of the file, byte for byte, in its order")
	} else {
		r.wrong("content and order: %s not what the file has in that place", ui.Number(int64(other), "record"))
	}
	if scattered == 0 {
		r.passed("partitions: each of the %s has one", ui.Number(int64(len(home)), "customer"))
	} else {
		r.wrong("partitions: %s away from the customer's others", ui.Number(int64(scattered), "record"))
	}
}

// checkBatches decodes every batch again, which compares its CRC, and looks for gaps.
func (o *ownBrokers) checkBatches(topic string, r *report) {
	const maxRaw = 64 << 20 // bytes of an uncompressed batch
	batches, bad := 0, 0
	for partition := range int32(o.cluster.Partitions(topic)) {
		for _, b := range o.cluster.Batches(topic, partition) {
			batches++
			if _, _, err := protocol.DecodeBatch(b.Bytes, maxRaw); err != nil {
				bad++
				r.wrong("CRC: partition %d, offset %d: %v", partition, b.Header.BaseOffset, err)
			}
		}
	}
	if bad == 0 {
		r.passed("CRC: computed again for each of %s", ui.Number(int64(batches), "batch"))
	}
	switch err := o.cluster.Verify(nil); {
	case err != nil:
		r.wrong("sequences: %v", err)
	case !r.d.cfg.EnableIdempotence:
		r.passed("sequences: no gap and no repetition in the offsets; without idempotence the producer's numbers say nothing")
	default:
		r.passed("sequences: no gap and no repetition, neither in the offsets nor in the producer's numbers")
	}
}
