package send_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

// TestCodecs sends what compresses well and what does not, in small batches and in large ones, with
// every codec at its lowest, usual and highest level.
func TestCodecs(t *testing.T) {
	c := kafka.Shared(t)
	tests := []struct {
		codec producer.Compression
		level int
	}{
		{producer.NoCompression, 0},
		{producer.Gzip, -1}, {producer.Gzip, 1}, {producer.Gzip, 9},
		{producer.Snappy, 0},
		{producer.LZ4, 1}, {producer.LZ4, 9}, {producer.LZ4, 17},
		{producer.Zstd, -131072}, {producer.Zstd, 3}, {producer.Zstd, 22},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%v=%d", test.codec, test.level), func(t *testing.T) {
			topic := newTopic(t, c, 3)
			p := start(t, c, func(cfg *producer.Config) {
				cfg.Compression = test.codec
				cfg.Linger = time.Minute // batches are sent when they are full, or flushed
				switch test.codec {
				case producer.Gzip:
					cfg.GzipLevel = test.level
				case producer.LZ4:
					cfg.LZ4Level = test.level
				case producer.Zstd:
					cfg.ZstdLevel = test.level
				}
			})
			s := newSending(t, p)
			tiny := s.sendSync(producer.Record{Topic: topic, Value: []byte("x")})
			small := s.sendSync(producer.Record{Topic: topic, Value: prose(0, 2000)})
			large := s.sendSync(producer.Record{Topic: topic, Value: prose(1, 900_000)})
			hard := s.sendSync(producer.Record{Topic: topic, Value: noise(1, 200_000)})
			for n := range 2000 {
				s.send(producer.Record{Topic: topic, Key: fmt.Append(nil, n%100), Value: prose(n, 150)})
			}
			for n := range uint64(100) {
				s.send(producer.Record{Topic: topic, Value: noise(n, 3000)})
			}
			s.arrives(c, topic)

			got := read(t, c, topic)
			for _, d := range []*delivery{small, large} {
				if codec := producer.Compression(got[d.md.Partition][d.md.Offset].Attrs.CompressionType()); codec != test.codec {
					t.Errorf("%d bytes of prose were written with codec %v", len(d.rec.Value), codec)
				}
			}
			for _, d := range []*delivery{tiny, hard} {
				if codec := producer.Compression(got[d.md.Partition][d.md.Offset].Attrs.CompressionType()); codec != producer.NoCompression {
					t.Errorf("%d bytes that only grow were written with codec %v, want none", len(d.rec.Value), codec)
				}
			}
			if raw, sent := payload(s), p.Stats().BytesSent; test.codec != producer.NoCompression && sent > raw*3/4 {
				t.Errorf("%d bytes went out for %d bytes of records", sent, raw)
			}
		})
	}
}

// payload is how many bytes of keys and values were sent.
func payload(s *sending) int64 {
	total := 0
	for _, d := range s.all {
		total += len(d.rec.Key) + len(d.rec.Value)
	}
	return int64(total)
}
