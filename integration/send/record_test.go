package send_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// TestRecordsArriveWhole sends records whose parts are null, empty, repeated or odd.
func TestRecordsArriveWhole(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 2)
	headers := []producer.Header{
		{Key: "null", Value: nil},
		{Key: "empty", Value: []byte{}},
		{Key: "twice", Value: []byte("first")},
		{Key: "twice", Value: []byte("second")},
		{Key: "", Value: []byte("a header without a name")},
		{Key: "größe", Value: []byte{0, 0xff, 0x80}},
	}
	var many []producer.Header
	for n := range 1000 {
		many = append(many, producer.Header{Key: fmt.Sprint("h", n), Value: noise(uint64(n), n%40)})
	}
	s := newSending(t, start(t, c))
	for _, how := range []string{"one batch for each", "one for all"} {
		for _, rec := range []producer.Record{
			{},
			{Key: []byte{}},
			{Value: []byte{}},
			{Key: []byte{}, Value: []byte{}},
			{Key: []byte("tombstone")},
			{Key: []byte("empty value"), Value: []byte{}},
			{Value: []byte("no key")},
			{Key: []byte("key"), Value: []byte("value"), Headers: headers},
			{Headers: headers},
			{Key: []byte("tombstone with headers"), Headers: headers[:2]},
			{Key: []byte("many"), Headers: many},
			{Key: noise(1, 5000), Value: noise(2, 5000)},
		} {
			rec.Topic = topic
			if how == "one for all" {
				s.send(rec)
			} else {
				s.sendSync(rec)
			}
		}
	}
	s.arrives(c, topic)
}

// TestRecordIsCopied hands over every record in the same memory.
func TestRecordIsCopied(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1)
	p := start(t, c)
	key, value, headers := make([]byte, 8), make([]byte, 100), make([]producer.Header, 1)
	const count = 5000
	for n := range count {
		key = fmt.Appendf(key[:0], "%08d", n)
		value = fmt.Appendf(value[:0], "%0100d", n)
		headers[0] = producer.Header{Key: fmt.Sprint(n), Value: key}
		p.SendFunc(soon(t), producer.Record{Topic: topic, Key: key, Value: value, Headers: headers}, nil)
	}
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	got := read(t, c, topic)[0]
	if len(got) != count {
		t.Fatalf("%d records arrived, want %d", len(got), count)
	}
	for n, r := range got {
		want := fmt.Sprintf("%08d %0100d %d %08d", n, n, n, n)
		if has := fmt.Sprintf("%s %s %s %s", r.Key, r.Value, r.Headers[0].Key, r.Headers[0].Value); has != want {
			t.Fatalf("record %d is %q, want %q", n, has, want)
		}
	}
}

// TestTimestamps sends records with times of their own, in any order, and without.
func TestTimestamps(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1)
	s := newSending(t, start(t, c))
	base := time.Now().Add(-time.Hour)
	for _, at := range []time.Time{
		base, base.Add(time.Second), base.Add(-24 * time.Hour), base.Add(-24*365*20*time.Hour + 999*time.Microsecond),
		time.UnixMilli(0), time.UnixMilli(1), base.In(time.FixedZone("elsewhere", 5*3600)),
	} {
		s.send(producer.Record{Topic: topic, Timestamp: at})
	}
	before := time.Now().Truncate(time.Millisecond)
	own := s.sendSync(producer.Record{Topic: topic})
	after := time.Now()
	s.arrives(c, topic)

	// The producer's clock may be 10 ms old.
	if at := own.md.Timestamp; at.Before(before.Add(-10*time.Millisecond)) || at.After(after) {
		t.Errorf("a record without a time has %v, and was sent between %v and %v", at, before, after)
	}
}

// TestLogAppendTime sends to a topic where the broker's clock is what counts.
func TestLogAppendTime(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1, "message.timestamp.type", "LogAppendTime")
	for _, codec := range []producer.Compression{producer.NoCompression, producer.LZ4} {
		s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.Compression = codec }))
		long := time.Now().Add(-48 * time.Hour)
		for n := range 200 {
			s.send(producer.Record{Topic: topic, Value: prose(n, 200), Timestamp: long})
		}
		s.flush()
		records := read(t, c, topic)[0]
		for _, d := range s.all {
			if d.err != nil {
				t.Fatal(d.err)
			}
			r := records[d.md.Offset]
			if wrong := difference(r, d); wrong != "" {
				t.Fatalf("offset %d: %s", r.Offset, wrong)
			}
			if age := time.Since(r.Timestamp); age > time.Hour {
				t.Fatalf("offset %d is from %v, want the time of writing", r.Offset, r.Timestamp)
			}
		}
	}
}

// TestWrongTimestampsFailAlone sends one record from before 1970, which no record can be from, and one
// from tomorrow to a topic that takes none from more than an hour ahead, each among others of one batch.
func TestWrongTimestampsFailAlone(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1, "message.timestamp.after.max.ms", "3600000")
	s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.Linger = time.Minute }))
	for n := range 20 {
		rec := producer.Record{Topic: topic, Value: prose(n, 50)}
		switch n {
		case 5:
			rec.Timestamp = time.UnixMilli(-1)
		case 12:
			rec.Timestamp = time.Now().Add(24 * time.Hour)
		}
		s.send(rec)
	}
	s.flush()
	s.matches(c, topic)
	for n, d := range s.all {
		switch n {
		case 5:
			if got := as[*producer.InvalidTimestampError](t, d.err).Milliseconds; got != -1 {
				t.Errorf("the error names %d ms, want -1", got)
			}
		case 12:
			if !errors.Is(d.err, protocol.InvalidTimestamp) || producer.MayBeWritten(d.err) {
				t.Errorf("the record from tomorrow: %v, want INVALID_TIMESTAMP and that it is not written", d.err)
			}
		default:
			if d.err != nil {
				t.Errorf("record %d, whose time is right: %v", n, d.err)
			}
		}
	}
}

// TestInterceptorsReachTheLog has an interceptor add a header, and hear what became of the record.
func TestInterceptorsReachTheLog(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1)
	mark := &marker{heard: make(chan producer.RecordMetadata, 1)}
	p := start(t, c, func(cfg *producer.Config) { cfg.Interceptors = []producer.Interceptor{mark} })
	md, err := p.SendSync(soon(t), producer.Record{Topic: topic, Value: []byte("v")})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	if heard := <-mark.heard; heard != md {
		t.Errorf("the interceptor heard %+v, and SendSync said %+v", heard, md)
	}
	if r := read(t, c, topic)[0][0]; len(r.Headers) != 1 || r.Headers[0].Key != "trace" {
		t.Errorf("the record's headers are %v, want the interceptor's", r.Headers)
	}
}

type marker struct {
	heard chan producer.RecordMetadata // for the one record of the test
}

func (*marker) OnSend(_ context.Context, rec *producer.Record) error {
	rec.Headers = append(rec.Headers, producer.Header{Key: "trace", Value: []byte("1")})
	return nil
}

func (m *marker) OnAcknowledgement(_ context.Context, ack producer.Acknowledgement) {
	m.heard <- ack.Metadata
}
