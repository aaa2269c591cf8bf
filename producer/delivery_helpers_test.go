package producer_test

import (
	"context"
	"io"
	"log"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// bubble runs f in fake time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// warm looks topics up, so that what follows is about nothing else.
func warm(t *testing.T, p *producer.Producer, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		if _, err := p.Partitions(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
}

// record is one for topic t, partition 0.
func record(value string) producer.Record {
	return producer.Record{Topic: "t", Partition: producer.OnPartition(0), Value: []byte(value)}
}

// send is SendSync that must succeed.
func send(t *testing.T, p *producer.Producer, rec producer.Record) producer.RecordMetadata {
	t.Helper()
	md, err := p.SendSync(t.Context(), rec)
	if err != nil {
		t.Fatalf("sending %q: %v", rec.Value, err)
	}
	return md
}

func finished(f producer.Future) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}

// logged returns the values in partition 0 of topic t, in order.
func logged(c *brokertest.Cluster) []string {
	var values []string
	for _, r := range c.Records("t", 0) {
		values = append(values, string(r.Value))
	}
	return values
}

// produced returns when the broker got its produce requests.
func produced(c *brokertest.Cluster) []time.Time {
	var at []time.Time
	for _, r := range c.Requests() {
		if r.APIKey == brokertest.Produce {
			at = append(at, r.At)
		}
	}
	return at
}

// outcomes collects what callbacks are told.
type outcomes struct {
	mu   sync.Mutex
	list []outcome
}

type outcome struct {
	name string
	md   producer.RecordMetadata
	err  error
	at   time.Time
}

func (o *outcomes) of(name string) producer.Callback {
	return func(md producer.RecordMetadata, err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.list = append(o.list, outcome{name, md, err, time.Now()})
	}
}

func (o *outcomes) all() []outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.list
}

// closeWithin closes p and gives it so long.
func closeWithin(p *producer.Producer, d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return p.Close(ctx)
}

// discardLog is for servers that would write to standard error.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
