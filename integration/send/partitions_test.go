package send_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
)

// TestKeysGoWhereJavaPutsThem compares with the hash of another client that promises Java's.
func TestKeysGoWhereJavaPutsThem(t *testing.T) {
	c := kafka.Shared(t)
	const partitions = 7
	topic := newTopic(t, c, partitions)
	s := newSending(t, start(t, c))
	for n := range 500 {
		s.send(producer.Record{Topic: topic, Key: noise(uint64(n), n%33), Value: []byte{byte(n)}})
	}
	s.arrives(c, topic)
	other := kgo.StickyKeyPartitioner(nil).ForTopic(topic)
	for _, d := range s.all {
		if want := int32(other.Partition(&kgo.Record{Key: d.rec.Key}, partitions)); d.md.Partition != want {
			t.Errorf("key %x is in partition %d, want %d", d.rec.Key, d.md.Partition, want)
		}
	}
}

// TestNamedPartitionWins sends to each partition by name, against what the key says, and to some that do
// not exist.
func TestNamedPartitionWins(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 5)
	s := newSending(t, start(t, c, func(cfg *producer.Config) {
		cfg.MaxBlock = 5 * time.Second // for which a partition may be added yet
	}))
	for n := range 100 {
		s.send(producer.Record{Topic: topic, Key: []byte("the same"), Partition: producer.OnPartition(int32(n % 5))})
	}
	s.arrives(c, topic)
	for n, d := range s.all {
		if d.md.Partition != int32(n%5) {
			t.Errorf("record %d is in partition %d, want %d", n, d.md.Partition, n%5)
		}
	}
	for _, n := range []int32{5, 1000, -7} {
		_, err := s.p.SendSync(s.ctx, producer.Record{Topic: topic, Partition: producer.OnPartition(n)})
		if got := as[*producer.NoSuchPartitionError](t, err); got.Want != n || got.Have != 5 {
			t.Errorf("for partition %d the error says %+v, want that the topic has 5", n, got)
		}
	}
}

// TestRoundRobin expects the same number in each partition.
func TestRoundRobin(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 6)
	s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.Partitioner = partition.RoundRobin() }))
	for n := range 600 {
		s.send(producer.Record{Topic: topic, Key: []byte("without effect"), Value: []byte{byte(n)}})
	}
	s.arrives(c, topic)
	for partition, records := range read(t, c, topic) {
		if len(records) != 100 {
			t.Errorf("partition %d has %d records, want 100", partition, len(records))
		}
	}
}

// TestRecordsWithoutKeySpread expects each partition to have a fair share, and many records in a batch.
func TestRecordsWithoutKeySpread(t *testing.T) {
	c := kafka.Shared(t)
	const partitions, count = 6, 30_000
	for _, ignore := range []bool{false, true} {
		t.Run(fmt.Sprintf("ignore keys=%v", ignore), func(t *testing.T) {
			topic := newTopic(t, c, partitions)
			s := newSending(t, start(t, c, func(cfg *producer.Config) {
				cfg.PartitionerIgnoreKeys = ignore
				cfg.BatchSize = 4096 // some five hundred turns
			}))
			for n := range count {
				rec := producer.Record{Topic: topic, Value: prose(n, 60)}
				if ignore {
					rec.Key = []byte("the same")
				}
				s.send(rec)
			}
			s.arrives(c, topic)
			turns, last := 0, int32(-1)
			for _, d := range s.all {
				if d.md.Partition != last {
					turns, last = turns+1, d.md.Partition
				}
			}
			if turns > count/20 {
				t.Errorf("the partition changed %d times in %d records, want one for a batch's worth", turns, count)
			}
			for partition, records := range read(t, c, topic) {
				if share := float64(len(records)) / count; share < 0.04 || share > 0.5 {
					t.Errorf("partition %d has %.0f %% of the records, want about %d", partition, 100*share, 100/partitions)
				}
			}
		})
	}
}

// TestThousandPartitions sends to every partition of a large topic.
func TestThousandPartitions(t *testing.T) {
	c := kafka.Shared(t)
	const partitions = 1000
	topic := newTopic(t, c, partitions)
	s := newSending(t, start(t, c))
	if n, err := s.p.Partitions(s.ctx, topic); n != partitions || err != nil {
		t.Fatalf("Partitions: %d, %v; want %d", n, err, partitions)
	}
	for n := range 20 * partitions {
		rec := producer.Record{Topic: topic, Value: prose(n, 100)}
		switch n % 3 {
		case 0:
			rec.Partition = producer.OnPartition(int32(n / 3 % partitions))
		case 1:
			rec.Key = fmt.Append(nil, n%5000)
		}
		s.send(rec)
	}
	s.arrives(c, topic)
	for partition, records := range read(t, c, topic) {
		if len(records) == 0 {
			t.Errorf("partition %d is empty", partition)
		}
	}
}

// TestNewPartitionsWhileProducing adds partitions to a topic under load: they get their share as soon as
// metadata show them, and nothing is lost, repeated or put out of order for that.
func TestNewPartitionsWhileProducing(t *testing.T) {
	c := kafka.Shared(t)
	const before, after = 2, 6
	topic, a := newTopic(t, c, before), admin(t, c)
	s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = 200 * time.Millisecond }))
	n := 0
	burst := func() {
		for range 20 {
			rec := producer.Record{Topic: topic, Value: fmt.Append(nil, n)}
			if n%2 == 0 {
				rec.Key = fmt.Append(nil, n%100)
			}
			s.send(rec)
			n++
		}
		time.Sleep(time.Millisecond)
	}
	for range 50 {
		burst()
	}
	_, err := s.p.SendSync(s.ctx, producer.Record{Topic: topic, Partition: producer.OnPartition(after - 1)})
	if have := as[*producer.NoSuchPartitionError](t, err).Have; have != before {
		t.Errorf("the error says that there are %d partitions, want %d", have, before)
	}
	added := make(chan error, 1) // sent to once
	go func() { added <- a.SetPartitions(s.ctx, topic, after) }()
	for grown := false; !grown; {
		burst()
		select {
		case err := <-added:
			if err != nil {
				t.Fatal(err)
			}
			grown = true
		default:
		}
	}
	for known := before; known < after; {
		if known, err = s.p.Partitions(s.ctx, topic); err != nil {
			t.Fatal(err)
		}
		burst()
		if s.ctx.Err() != nil {
			t.Fatalf("%v: the producer knows %d partitions, want %d", s.ctx.Err(), known, after)
		}
	}
	for range 200 {
		burst()
	}
	s.arrives(c, topic)
	for partition, records := range read(t, c, topic) {
		if len(records) == 0 {
			t.Errorf("partition %d is empty", partition)
		}
	}
}

// TestPartitionersMistakeFailsTheRecord has a partitioner name a partition that is not there, or fail.
func TestPartitionersMistakeFailsTheRecord(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 2)
	refused := errors.New("this one is nobody's")
	own := partition.Func(func(r partition.Record, t *partition.Topic) (int32, error) {
		switch string(r.Key) {
		case "beyond":
			return t.Partitions, nil
		case "refused":
			return 0, refused
		}
		return 1, nil
	})
	s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.Partitioner = own }))
	s.send(producer.Record{Topic: topic, Value: []byte("good")})
	_, err := s.p.SendSync(s.ctx, producer.Record{Topic: topic, Key: []byte("beyond")})
	if got := as[*producer.NoSuchPartitionError](t, err); got.Want != 2 || got.Have != 2 {
		t.Errorf("the error says %+v, want partition 2 of 2", got)
	}
	if _, err := s.p.SendSync(s.ctx, producer.Record{Topic: topic, Key: []byte("refused")}); !errors.Is(err, refused) {
		t.Errorf("the error is %v, want the partitioner's", err)
	}
	s.send(producer.Record{Topic: topic, Value: []byte("good too")})
	s.arrives(c, topic)
	if n := len(read(t, c, topic)[1]); n != 2 {
		t.Errorf("partition 1 has %d records, want 2", n)
	}
}
