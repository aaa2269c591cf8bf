package producer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
)

// New partitions are picked up while records flow, and nobody loses one. There are so many records that the sticky choice
// comes to each partition: it changes after 18 of them or so.
func TestNewPartitionsArePickedUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge, cfg.BatchSize = 10*time.Second, 100 })
		warm(t, p, "t")
		for i := range 4000 {
			p.SendFunc(t.Context(), producer.Record{Topic: "t", Value: fmt.Append(nil, i)}, func(_ producer.RecordMetadata, err error) {
				if err != nil {
					t.Errorf("record %d: %v", i, err)
				}
			})
			time.Sleep(20 * time.Millisecond)
			if i == 500 {
				if err := c.AddPartitions("t", 8); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, err := p.Partitions(t.Context(), "t"); n != 8 || err != nil {
			t.Errorf("Partitions = %d, %v; want 8", n, err)
		}
		total := 0
		for part := range int32(8) {
			n := len(c.Records("t", part))
			if n == 0 {
				t.Errorf("partition %d got no record", part)
			}
			total += n
		}
		if total != 4000 {
			t.Errorf("%d records in the log, want 4000", total)
		}
	})
}

// A record's own partition wins over its key, and a key always finds the
// partition that Java would choose.
func TestWhereRecordsGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 7))
		p := start(t, c)
		for range 3 {
			for i := range 50 {
				key := fmt.Append(nil, "key-", i)
				md := send(t, p, producer.Record{Topic: "t", Key: key})
				if want := partition.JavaMurmur2(key, 7); md.Partition != want {
					t.Errorf("%s went to %d, want Java's %d", key, md.Partition, want)
				}
			}
		}
		for part := range int32(7) {
			md := send(t, p, producer.Record{Topic: "t", Key: []byte("key-1"), Partition: producer.OnPartition(part)})
			if md.Partition != part {
				t.Errorf("a record for partition %d went to %d", part, md.Partition)
			}
		}
	})
}

// Records without a key avoid a partition without a leader, and lose nothing.
func TestKeylessRecordsAvoidALeaderlessPartition(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		if err := c.MoveLeader("t", 1, -1); err != nil {
			t.Fatal(err)
		}
		p := start(t, c, func(cfg *producer.Config) { cfg.BatchSize = 100 })
		warm(t, p, "t")
		for range 500 {
			send(t, p, producer.Record{Topic: "t", Value: make([]byte, 50)})
		}
		if n := len(c.Records("t", 0)) + len(c.Records("t", 2)); n != 500 {
			t.Errorf("%d records went to the partitions with a leader, want 500", n)
		}
	})
}

// A topic that does not exist is made, where producer and broker allow it.
func TestTopicsAreMade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.DefaultPartitions(3))
		p := start(t, c)
		if n, err := p.Partitions(t.Context(), "made"); n != 3 || err != nil {
			t.Errorf("Partitions = %d, %v; want the 3 of a new topic", n, err)
		}
		send(t, p, producer.Record{Topic: "made"})

		strict := start(t, c, func(cfg *producer.Config) { cfg.AllowAutoTopicCreation = false })
		if _, err := strict.Partitions(t.Context(), "unmade"); err == nil {
			t.Error("a topic was made against the setting")
		}
	})
}
