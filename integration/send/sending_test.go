package send_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// A sending is what one goroutine of a test sends with a producer, and what the producer says of it.
type sending struct {
	t   *testing.T
	p   *producer.Producer
	ctx context.Context
	all []*delivery // in the order of sending

	mu sync.Mutex // guards what callbacks write of each delivery
}

// A delivery is a record and its outcome.
type delivery struct {
	rec      producer.Record
	outcomes int // how often the callback was called
	md       producer.RecordMetadata
	err      error
}

func newSending(t *testing.T, p *producer.Producer) *sending {
	return &sending{t: t, p: p, ctx: soon(t)}
}

// send sends records by SendFunc.
func (s *sending) send(records ...producer.Record) {
	for _, rec := range records {
		d := &delivery{rec: rec}
		s.all = append(s.all, d)
		s.p.SendFunc(s.ctx, rec, func(md producer.RecordMetadata, err error) { s.end(d, md, err) })
	}
}

// sendSync sends one record and waits for its outcome.
func (s *sending) sendSync(rec producer.Record) *delivery {
	d := &delivery{rec: rec}
	s.all = append(s.all, d)
	md, err := s.p.SendSync(s.ctx, rec)
	s.end(d, md, err)
	return d
}

func (s *sending) end(d *delivery, md producer.RecordMetadata, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.outcomes++
	d.md, d.err = md, err
}

// flush waits for every outcome. From then on the deliveries may be read.
func (s *sending) flush() {
	s.t.Helper()
	if err := s.p.Flush(s.ctx); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, d := range s.all {
		if d.outcomes != 1 {
			s.t.Fatalf("after Flush record %d has %d outcomes, want 1", n, d.outcomes)
		}
	}
}

// arrives flushes, and demands that all was acknowledged and is in the topics.
func (s *sending) arrives(c *kafka.Cluster, topics ...string) {
	s.t.Helper()
	s.flush()
	failed := 0
	for n, d := range s.all {
		if d.err != nil {
			if failed++; failed <= 3 {
				s.t.Errorf("record %d failed: %v", n, d.err)
			}
		}
	}
	if failed > 0 {
		s.t.Errorf("%d of %d records failed", failed, len(s.all))
	}
	s.matches(c, topics...)
}

// matches demands that the topics hold exactly the records that were acknowledged: whole, each where its
// metadata say, and in each partition in the order of sending.
func (s *sending) matches(c *kafka.Cluster, topics ...string) {
	s.t.Helper()
	for _, topic := range topics {
		want := make(map[int32][]*delivery)
		for _, d := range s.all {
			if d.rec.Topic == topic && d.err == nil {
				want[d.md.Partition] = append(want[d.md.Partition], d)
			}
		}
		got := read(s.t, c, topic)
		for partition := range want {
			if _, ok := got[partition]; !ok {
				s.t.Errorf("%d records were sent to partition %d, which topic %s does not have", len(want[partition]), partition, topic)
			}
		}
		for partition, records := range got {
			compare(s.t, records, want[partition])
		}
	}
}

// compare reports the first record of a partition that is not as it was sent.
func compare(t *testing.T, got []*reader.Record, want []*delivery) {
	t.Helper()
	for n := range min(len(got), len(want)) {
		if wrong := difference(got[n], want[n]); wrong != "" {
			t.Errorf("%s-%d, offset %d: %s", got[n].Topic, got[n].Partition, got[n].Offset, wrong)
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("a partition holds %d records, and %d were acknowledged", len(got), len(want))
	}
}

// difference says how a record differs from what was sent and told of it; "" if it does not.
func difference(got *reader.Record, want *delivery) string {
	switch {
	case want.md.Topic != got.Topic:
		return fmt.Sprintf("the topic is %s, and the metadata say %s", got.Topic, want.md.Topic)
	case want.md.Offset >= 0 && want.md.Offset != got.Offset:
		return fmt.Sprintf("the metadata say that the record is at offset %d", want.md.Offset)
	case !same(got.Key, want.rec.Key):
		return fmt.Sprintf("the key is %s, want %s", show(got.Key), show(want.rec.Key))
	case !same(got.Value, want.rec.Value):
		return fmt.Sprintf("the value is %s, want %s", show(got.Value), show(want.rec.Value))
	case len(got.Headers) != len(want.rec.Headers):
		return fmt.Sprintf("there are %d headers, want %d", len(got.Headers), len(want.rec.Headers))
	case !got.Timestamp.Equal(want.md.Timestamp):
		return fmt.Sprintf("the timestamp is %v, and the metadata say %v", got.Timestamp, want.md.Timestamp)
	}
	const createTime = 0
	if sent := want.rec.Timestamp; !sent.IsZero() && got.Attrs.TimestampType() == createTime && !got.Timestamp.Equal(sent.Truncate(time.Millisecond)) {
		return fmt.Sprintf("the timestamp is %v, want %v", got.Timestamp, sent)
	}
	for i, h := range want.rec.Headers {
		if g := got.Headers[i]; g.Key != h.Key || !same(g.Value, h.Value) {
			return fmt.Sprintf("header %d is %q: %s, want %q: %s", i, g.Key, show(g.Value), h.Key, show(h.Value))
		}
	}
	return ""
}

// same tells null from empty.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func show(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%.60q of %d bytes", b, len(b))
}
