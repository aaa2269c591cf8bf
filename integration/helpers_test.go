package integration

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// patience bounds the waits of a test that should not need to wait.
const patience = 2 * time.Minute

func newAdmin(t *testing.T, c *kafka.Cluster) *reader.Admin {
	t.Helper()
	admin, err := reader.NewAdmin(c.Bootstrap())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	return admin
}

// newTopic makes a topic that no other test or run uses, replicated to every broker.
func newTopic(t *testing.T, c *kafka.Cluster, partitions int32, configs map[string]string) string {
	t.Helper()
	legal := func(r rune) rune {
		if strings.ContainsRune("/=#", r) {
			return '.'
		}
		return r
	}
	topic := fmt.Sprintf("%s-%d", strings.Map(legal, t.Name()), time.Now().UnixNano())
	if err := newAdmin(t, c).CreateTopic(t.Context(), topic, partitions, -1, configs); err != nil {
		t.Fatal(err)
	}
	return topic
}

// newProducer makes a producer that is closed with the test at the latest.
func newProducer(t *testing.T, cfg producer.Config) *producer.Producer {
	t.Helper()
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Close(ended) // says again what the test has seen
	})
	return p
}

// closeProducer drains the producer and demands that it succeeds.
func closeProducer(t *testing.T, p *producer.Producer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// log is what another client finds in a topic.
type log struct {
	t          *testing.T
	partitions map[int32][]*reader.Record
}

func newLog(t *testing.T, c *kafka.Cluster, topic string) log {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	partitions, err := reader.Topic(ctx, c.Bootstrap(), topic, reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return log{t, partitions}
}

func (l log) length() int {
	length := 0
	for _, records := range l.partitions {
		length += len(records)
	}
	return length
}

func (l log) expectLength(want int) {
	l.t.Helper()
	if got := l.length(); got != want {
		l.t.Errorf("the log holds %d records, want %d", got, want)
	}
}

// expectAt demands the record where its metadata says that it is.
func (l log) expectAt(md producer.RecordMetadata, want producer.Record) {
	l.t.Helper()
	records := l.partitions[md.Partition]
	i, found := slices.BinarySearchFunc(records, md.Offset, func(r *reader.Record, offset int64) int { return int(r.Offset - offset) })
	if !found {
		l.t.Fatalf("partition %d holds nothing at offset %d", md.Partition, md.Offset)
	}
	got := records[i]
	if !same(got.Key, want.Key) || !same(got.Value, want.Value) {
		l.t.Fatalf("partition %d, offset %d: got %q: %q, want %q: %q", md.Partition, md.Offset, got.Key, got.Value, want.Key, want.Value)
	}
	if !want.Timestamp.IsZero() && (!got.Timestamp.Equal(want.Timestamp) || !md.Timestamp.Equal(want.Timestamp)) {
		l.t.Fatalf("timestamp %s in the log, %s in the metadata, want %s", got.Timestamp, md.Timestamp, want.Timestamp)
	}
	if len(got.Headers) != len(want.Headers) {
		l.t.Fatalf("headers %v, want %v", got.Headers, want.Headers)
	}
	for h, header := range want.Headers {
		if got.Headers[h].Key != header.Key || !same(got.Headers[h].Value, header.Value) {
			l.t.Fatalf("header %d is %v, want %v", h, got.Headers[h], header)
		}
	}
}

// same tells null from empty.
func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// expectOrder demands that the numbers in the records' first header rise in each partition for each
// value of by, which no two equal ones do.
func (l log) expectOrder(by func(*reader.Record) string) {
	l.t.Helper()
	for partition, records := range l.partitions {
		last := make(map[string]int)
		for _, r := range records {
			n, err := strconv.Atoi(string(r.Headers[0].Value))
			if err != nil {
				l.t.Fatal(err)
			}
			if before, ok := last[by(r)]; ok && n <= before {
				l.t.Fatalf("partition %d, offset %d: record %d comes after %d", partition, r.Offset, n, before)
			}
			last[by(r)] = n
		}
	}
}
