package send_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// TestLargestRecord sends records of exactly max.request.size, and one byte more.
func TestLargestRecord(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1)
	for _, codec := range []producer.Compression{producer.NoCompression, producer.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.Compression = codec }))
			limit := settings(c).MaxRequestSize
			value := noise(7, limit-60) // a record and its batch take some 70 bytes more
			_, err := s.p.SendSync(s.ctx, producer.Record{Topic: topic, Key: []byte("k"), Value: value})
			large := as[*producer.RecordTooLargeError](t, err)
			if large.Limit != int64(limit) || large.Key != "max.request.size" || producer.MayBeWritten(err) {
				t.Errorf("refused with %+v, want the limit %d of max.request.size, and that it is not written", large, limit)
			}
			fits := len(value) - (large.Size - limit)
			_, err = s.p.SendSync(s.ctx, producer.Record{Topic: topic, Key: []byte("k"), Value: value[:fits+1]})
			if got := as[*producer.RecordTooLargeError](t, err).Size; got != limit+1 {
				t.Errorf("with one byte too many its size is %d, want %d", got, limit+1)
			}
			for range 3 {
				if d := s.sendSync(producer.Record{Topic: topic, Key: []byte("k"), Value: value[:fits]}); d.err != nil {
					t.Fatalf("a record of max.request.size: %v", d.err)
				}
			}
			small := s.sendSync(producer.Record{Topic: topic, Value: []byte("and a small one behind it")})
			if small.err != nil {
				t.Fatal(small.err)
			}
			records := read(t, c, topic)[0]
			for _, d := range s.all {
				if wrong := difference(records[d.md.Offset], d); wrong != "" {
					t.Errorf("offset %d: %s", d.md.Offset, wrong)
				}
			}
		})
	}
}

// TestTenMebibytes sends more such records than buffer.memory holds at once.
func TestTenMebibytes(t *testing.T) {
	c := kafka.Shared(t)
	const most = 11 << 20
	for _, codec := range []producer.Compression{producer.NoCompression, producer.LZ4} {
		t.Run(codec.String(), func(t *testing.T) {
			topic := newTopic(t, c, 2, "max.message.bytes", strconv.Itoa(most))
			s := newSending(t, start(t, c, func(cfg *producer.Config) {
				cfg.MaxRequestSize = most
				cfg.Compression = codec
			}))
			for n := range 5 {
				s.send(producer.Record{Topic: topic, Key: fmt.Append(nil, n), Value: noise(uint64(n), 10<<20)})
				s.send(producer.Record{Topic: topic, Key: fmt.Append(nil, n), Value: prose(n, 1000)})
			}
			s.arrives(c, topic)
		})
	}
}

// TestBatchOverTheTopicsLimitIsSplit fills batches of a size that their topic does not take.
func TestBatchOverTheTopicsLimitIsSplit(t *testing.T) {
	c := kafka.Shared(t)
	for _, idempotent := range []bool{true, false} {
		for _, codec := range []producer.Compression{producer.NoCompression, producer.Gzip} {
			t.Run(fmt.Sprintf("idempotent=%v,%v", idempotent, codec), func(t *testing.T) {
				topic := newTopic(t, c, 2, "max.message.bytes", "2000")
				p := start(t, c, func(cfg *producer.Config) {
					cfg.EnableIdempotence = idempotent
					cfg.MaxInFlightRequestsPerConnection = 1
					if idempotent {
						cfg.MaxInFlightRequestsPerConnection = 5
					}
					cfg.Compression = codec
					cfg.Linger = time.Minute
				})
				s := newSending(t, p)
				for n := range 1000 {
					s.send(producer.Record{Topic: topic, Key: fmt.Append(nil, n%10), Value: noise(uint64(n), 90)})
				}
				s.arrives(c, topic)
				if p.Stats().Retried == 0 {
					t.Error("no batch was too large: the test shows nothing")
				}
			})
		}
	}
}

// TestRecordOverTheTopicsLimit sends a record that its topic takes in no batch at all, between others.
func TestRecordOverTheTopicsLimit(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1, "max.message.bytes", "2000")
	s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.Linger = time.Minute }))
	for n := range 30 {
		size := 100
		if n == 11 || n == 12 || n == 25 {
			size = 4000
		}
		s.send(producer.Record{Topic: topic, Value: noise(uint64(n), size)})
	}
	s.flush()
	s.matches(c, topic)
	for n, d := range s.all {
		switch large := len(d.rec.Value) > 2000; {
		case large && (!errors.Is(d.err, protocol.MessageTooLarge) || producer.MayBeWritten(d.err)):
			t.Errorf("record %d of %d bytes: %v, want MESSAGE_TOO_LARGE and that it is not written", n, len(d.rec.Value), d.err)
		case !large && d.err != nil:
			t.Errorf("record %d, which the topic takes: %v", n, d.err)
		}
	}
}
