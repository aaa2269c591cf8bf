package main

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/epistle-kafka/epistle/bench/internal/counted"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

func startTest(t *testing.T, o Options) *sink {
	t.Helper()
	o.Listen, o.Control, o.Level = "127.0.0.1:0", "127.0.0.1:0", 2
	s, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// countsOf asks as the runner does.
func countsOf(t *testing.T, s *sink, client string, reset bool) counted.Client {
	t.Helper()
	control, err := counted.Dial(s.control.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	list, err := control.Counts()
	if err != nil {
		t.Fatal(err)
	}
	if reset {
		if err := control.Reset(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range list {
		if c.Client == client {
			return c
		}
	}
	t.Fatalf("nothing came from %q: %v", client, list)
	return counted.Client{}
}

func send(t *testing.T, s *sink, clientID string, records int, set func(*producer.Config)) {
	t.Helper()
	cfg := producer.DefaultConfig(s.addresses()...)
	cfg.ClientID = clientID
	set(&cfg)
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		p.SendFunc(t.Context(), producer.Record{Topic: "t", Key: fmt.Append(nil, "key-", i%100), Value: make([]byte, i%300)},
			func(_ producer.RecordMetadata, err error) {
				if err != nil {
					t.Errorf("record %d: %v", i, err)
				}
			})
	}
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestSinkCounts guards what every comparison rests on: that the sink knows how many records of each client have come, with and
// without reading them, compressed or not, on one broker or several.
func TestSinkCounts(t *testing.T) {
	const records = 5000
	for _, o := range []Options{
		{Brokers: 1, Partitions: 12},
		{Brokers: 3, Partitions: 100, Verify: true},
		{Brokers: 2, Partitions: 12, Verify: true, Delay: 2e6},
	} {
		for _, codec := range []producer.Compression{producer.NoCompression, producer.LZ4, producer.Zstd} {
			t.Run(fmt.Sprintf("%d brokers verify=%v %v", o.Brokers, o.Verify, codec), func(t *testing.T) {
				s := startTest(t, o)
				send(t, s, "one", records, func(c *producer.Config) { c.Compression = codec })
				send(t, s, "two", records/2, func(c *producer.Config) { c.Compression, c.BatchSize, c.EnableIdempotence = codec, 1, false })
				one := countsOf(t, s, "one", false)
				if one.Records != records || one.Faults != 0 || one.Duplicates != 0 || one.Batches == 0 || one.Bytes == 0 {
					t.Errorf("of %d records the sink counts %+v", records, one)
				}
				if two := countsOf(t, s, "two", true); two.Records != records/2 || two.Faults != 0 {
					t.Errorf("of %d records of another client the sink counts %+v", records/2, two)
				}
				if again := countsOf(t, s, "one", false); again.Records != 0 {
					t.Errorf("after a reset the sink still counts %+v", again)
				}
			})
		}
	}
}

// batchOf is a batch of values as a producer writes it.
func batchOf(producerID int64, epoch int16, sequence int32, values int) []byte {
	b := make([]byte, protocol.BatchHeaderSize)
	for i := range values {
		r := protocol.Record{OffsetDelta: int32(i), Value: []byte("v")}
		b = r.Append(slices.Grow(b, 16), r.BodySize())
	}
	h := protocol.BatchHeader{
		Length: int32(len(b) - 12), LastOffsetDelta: int32(values - 1), ProducerID: producerID, ProducerEpoch: epoch,
		BaseSequence: sequence, Count: int32(values),
	}
	h.Put(b)
	protocol.PutBatchCRC([][]byte{b})
	return b
}

// TestVerifySeesWhatIsWrong shows a sink batches that no producer may send.
func TestVerifySeesWhatIsWrong(t *testing.T) {
	broken := batchOf(1, 0, 0, 3)
	broken[len(broken)-1] ^= 1
	miscounted := batchOf(1, 0, 0, 3)
	miscounted[60]++
	protocol.PutBatchCRC([][]byte{miscounted})
	const last = 1<<31 - 1
	for _, test := range []struct {
		name    string
		batches [][]byte
		want    protocol.ErrorCode // of the last one
	}{
		{"in order", [][]byte{batchOf(1, 0, 0, 3), batchOf(1, 0, 3, 2)}, protocol.NoError},
		{"the first sequence is not 0", [][]byte{batchOf(1, 0, 1, 3)}, protocol.OutOfOrderSequenceNumber},
		{"a gap", [][]byte{batchOf(1, 0, 0, 3), batchOf(1, 0, 4, 3)}, protocol.OutOfOrderSequenceNumber},
		{"again", [][]byte{batchOf(1, 0, 0, 3), batchOf(1, 0, 0, 3)}, protocol.DuplicateSequenceNumber},
		{"another producer", [][]byte{batchOf(1, 0, 0, 3), batchOf(2, 0, 0, 3)}, protocol.NoError},
		{"a new epoch begins at 0", [][]byte{batchOf(1, 0, 0, 3), batchOf(1, 1, 0, 3)}, protocol.NoError},
		{"a new epoch goes on", [][]byte{batchOf(1, 0, 0, 3), batchOf(1, 1, 3, 3)}, protocol.OutOfOrderSequenceNumber},
		{"an old epoch", [][]byte{batchOf(1, 1, 0, 3), batchOf(1, 0, 0, 3)}, protocol.InvalidProducerEpoch},
		{"without idempotence", [][]byte{batchOf(-1, -1, -1, 3), batchOf(-1, -1, -1, 3)}, protocol.NoError},
		{"a bit has turned", [][]byte{broken}, protocol.CorruptMessage},
		{"a wrong count", [][]byte{miscounted}, protocol.CorruptMessage},
		{"no batch", [][]byte{nil}, protocol.CorruptMessage},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c checks
			var got protocol.ErrorCode
			for _, b := range test.batches {
				_, got = c.batch(&protocol.ProduceTopic{Name: "t"}, 0, b)
			}
			if got != test.want {
				t.Errorf("the last batch is answered with %v, want %v", got, test.want)
			}
		})
	}
	t.Run("sequences go on at 0", func(t *testing.T) {
		c := checks{reach: map[stream]reached{{1, "t", 0}: {next: last - 1}}}
		for _, sequence := range []int32{last - 1, 1} {
			if _, got := c.batch(&protocol.ProduceTopic{Name: "t"}, 0, batchOf(1, 0, sequence, 3)); got != protocol.NoError {
				t.Errorf("sequence %d is answered with %v, want %v", sequence, got, protocol.NoError)
			}
		}
	})
}
