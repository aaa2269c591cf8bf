package kafka_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
)

// The tests of this file use no code of the library: they show that the harness can be believed
// before anything else is tested with it.

func TestSharedClusterHoldsWhatWasWritten(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 3, 1)
	const count = 1000
	write(t, c, topic, 0, count)

	got, err := reader.Topic(t.Context(), c.Bootstrap(), topic, reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Errorf("read %d partitions, want 3", len(got))
	}
	expect(t, got, count)
}

func TestEmptyTopicReadsAsEmpty(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 2, 1)
	got, err := reader.Topic(t.Context(), c.Bootstrap(), topic, reader.Options{Committed: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || len(got[0])+len(got[1]) != 0 {
		t.Errorf("read %v, want two partitions without records", got)
	}
}

func TestSharedIsOneCluster(t *testing.T) {
	if a, b := kafka.Shared(t), kafka.Shared(t); a != b {
		t.Errorf("two calls gave clusters at %s and %s", a.Bootstrap(), b.Bootstrap())
	}
}

// TestFaultKilledBrokerKeepsItsAddressAndLog kills the only broker and starts it again.
func TestFaultKilledBrokerKeepsItsAddressAndLog(t *testing.T) {
	c := kafka.New(t, kafka.Options{})
	topic := newTopic(t, c, 1, 1)
	write(t, c, topic, 0, 10)

	do(t, c.Kill(0))
	if err := tryWrite(t, c, topic, 3*time.Second); err == nil {
		t.Error("a write went through while the only broker was killed")
	}
	do(t, c.Start(t.Context(), 0))
	write(t, c, topic, 10, 20)

	got, err := reader.Topic(t.Context(), c.Bootstrap(), topic, reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, 20)
	if logs := c.Logs(0); strings.Count(logs, "Kafka Server started") != 2 {
		t.Errorf("the log does not show two starts:\n%.2000s", logs)
	}
}

// TestFaultThreeBrokersDoWithoutOne has each broker of three stopped, killed or paused in turn, while
// the two others go on taking records.
func TestFaultThreeBrokersDoWithoutOne(t *testing.T) {
	c := kafka.New(t, kafka.Options{Brokers: 3, Config: map[string]string{"min.insync.replicas": "2"}})
	topic := newTopic(t, c, 3, 3)
	faults := []struct {
		name        string
		begin, heal func(i int) error
	}{
		{"kill", c.Kill, func(i int) error { return c.Start(t.Context(), i) }},
		{"stop", c.Stop, func(i int) error { return c.Start(t.Context(), i) }},
		{"pause", c.Pause, c.Resume},
	}
	written := 0
	for i, fault := range faults {
		do(t, fault.begin(i))
		write(t, c, topic, written, written+100)
		written += 100
		do(t, fault.heal(i))
		do(t, admin(t, c).AwaitInSync(t.Context(), topic, 3))
		t.Logf("%s of broker %d: %d records so far", fault.name, i, written)
	}
	// A leader that was elected right after a write does not know at once how far its followers are, and
	// until it does it cannot say where its partition ends.
	for range 10 {
		write(t, c, topic, written, written+100)
		written += 100
		do(t, admin(t, c).MoveLeaders(t.Context(), topic))
		got, err := reader.Topic(t.Context(), c.Bootstrap(), topic, reader.Options{})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, got, written)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func admin(t *testing.T, c *kafka.Cluster) *reader.Admin {
	t.Helper()
	a, err := reader.NewAdmin(c.Bootstrap())
	do(t, err)
	t.Cleanup(a.Close)
	return a
}

// newTopic makes a topic with a name that no other test or run uses.
func newTopic(t *testing.T, c *kafka.Cluster, partitions int32, replicas int16) string {
	t.Helper()
	topic := fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())
	do(t, admin(t, c).CreateTopic(t.Context(), topic, partitions, replicas, nil))
	return topic
}

// write sends the records from to to, each with its number as its value and one of seven keys.
func write(t *testing.T, c *kafka.Cluster, topic string, from, to int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.Bootstrap(), ",")...), kgo.DefaultProduceTopic(topic))
	do(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var records []*kgo.Record
	for n := from; n < to; n++ {
		records = append(records, &kgo.Record{Key: fmt.Appendf(nil, "key%d", n%7), Value: fmt.Append(nil, n)})
	}
	do(t, client.ProduceSync(ctx, records...).FirstErr())
}

func tryWrite(t *testing.T, c *kafka.Cluster, topic string, patience time.Duration) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.Bootstrap(), ",")...))
	do(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("lost")}).FirstErr()
}

// expect demands the numbers from 0 to count, each once, rising for each key.
func expect(t *testing.T, got map[int32][]*reader.Record, count int) {
	t.Helper()
	seen := make(map[int]bool)
	last := make(map[string]int)
	for _, records := range got {
		for _, r := range records {
			var n int
			if _, err := fmt.Sscan(string(r.Value), &n); err != nil {
				t.Fatalf("value %q at offset %d of partition %d: %v", r.Value, r.Offset, r.Partition, err)
			}
			if seen[n] {
				t.Errorf("record %d is there twice", n)
			}
			seen[n] = true
			if before, ok := last[string(r.Key)]; ok && n < before {
				t.Errorf("%s: record %d comes after %d", r.Key, n, before)
			}
			last[string(r.Key)] = n
		}
	}
	if len(seen) != count {
		t.Errorf("read %d different records, want %d", len(seen), count)
	}
}
