package producer_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// What arrives is what was sent: nulls, empty slices, headers, timestamps.
func TestRecordsArriveAsTheyWere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		at := time.Date(1999, 12, 31, 12, 0, 0, 123_999_999, time.UTC)
		records := []producer.Record{
			{Key: []byte("k"), Value: []byte("v"), Timestamp: at},
			{Key: []byte("tombstone")},
			{Key: []byte{}, Value: []byte{}},
			{Value: []byte("v"), Headers: []producer.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "", Value: []byte{}}}},
			{},
		}
		for i, rec := range records {
			rec.Topic, rec.Partition = "t", producer.OnPartition(0)
			before := time.Now()
			md := send(t, p, rec)
			r := c.Records("t", 0)[i]
			if !same(r.Key, rec.Key) || !same(r.Value, rec.Value) {
				t.Errorf("record %d = %q=%q, want %q=%q, null where it was null", i, r.Key, r.Value, rec.Key, rec.Value)
			}
			if len(r.Headers) != len(rec.Headers) {
				t.Errorf("record %d has %d headers, want %d", i, len(r.Headers), len(rec.Headers))
				continue
			}
			for j, h := range rec.Headers {
				if r.Headers[j].Key != h.Key || !same(r.Headers[j].Value, h.Value) {
					t.Errorf("record %d, header %d = %v, want %v", i, j, r.Headers[j], h)
				}
			}
			want := before.UnixMilli()
			if !rec.Timestamp.IsZero() {
				want = rec.Timestamp.UnixMilli()
			}
			if r.Timestamp != want || md.Timestamp.UnixMilli() != want || md.Offset != int64(i) {
				t.Errorf("record %d is of %d in the log; its metadata are %+v; want %d", i, r.Timestamp, md, want)
			}
		}
	})
}

// same compares slices, where null is not empty.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

// A topic whose broker gives the timestamps: the metadata tell that one.
func TestLogAppendTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		if err := c.SetLogAppendTime("t", true); err != nil {
			t.Fatal(err)
		}
		p := start(t, c)
		rec := record("a")
		rec.Timestamp = time.UnixMilli(1000)
		md := send(t, p, rec)
		if got := c.Records("t", 0)[0].Timestamp; md.Timestamp.UnixMilli() != got || got == 1000 {
			t.Errorf("timestamp = %d, want the broker's, %d", md.Timestamp.UnixMilli(), got)
		}
	})
}

func TestEveryCodec(t *testing.T) {
	for _, codec := range []producer.Compression{producer.NoCompression, producer.Gzip, producer.Snappy, producer.LZ4, producer.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 4), brokertest.Delay(10*time.Millisecond))
				p := start(t, c, func(cfg *producer.Config) { cfg.Compression = codec })
				c.On(brokertest.Produce).Skip(3).Times(2).Do(brokertest.HandleThenDrop())
				r := rand.New(rand.NewPCG(7, 7))
				const n = 3000
				sent := map[string]bool{}
				for i := range n {
					value := fmt.Sprintf("%d/%d %s", i%4, i, strings.Repeat("ab", r.IntN(100)))
					if i%50 == 0 { // does not shrink
						noise := make([]byte, 200)
						for j := range noise {
							noise[j] = byte(r.Uint32())
						}
						value += string(noise)
					}
					sent[value] = true
					p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(int32(i % 4)), Value: []byte(value)},
						func(_ producer.RecordMetadata, err error) {
							if err != nil {
								t.Error(err)
							}
						})
				}
				if err := p.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
					t.Error(err)
				}
				got := 0
				compressed := false
				for part := range int32(4) {
					for _, r := range c.Records("t", part) {
						if !sent[string(r.Value)] {
							t.Fatalf("%q is in the log, and was not sent", r.Value)
						}
						got++
					}
					for _, b := range c.Batches("t", part) {
						compressed = compressed || b.Header.Codec != protocol.CodecNone
					}
				}
				if got != n || compressed != (codec != producer.NoCompression) {
					t.Errorf("%d records, compressed %v; want %d", got, compressed, n)
				}
			})
		})
	}
}

// At most once: nothing answers, nothing is sent twice, nothing is known.
func TestAtMostOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		cfg := producer.AtMostOnce(c.Bootstrap()...)
		cfg.DialContext, cfg.Linger = c.DialContext, 0
		p, err := producer.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close(t.Context())
		for i := range 10 {
			if md := send(t, p, record(fmt.Sprint(i))); md.Offset != -1 {
				t.Errorf("offset = %d, want -1: nobody said", md.Offset)
			}
		}
		synctest.Wait()
		if n := len(logged(c)); n != 10 {
			t.Errorf("%d records in the log, want 10", n)
		}
		// The broker goes away: what is on its way is lost, and not sent again.
		c.CutConnections(1, true)
		lost := 0
		for i := range 10 {
			if _, err := p.SendSync(t.Context(), record(fmt.Sprint("b", i))); err != nil {
				if !producer.MayBeWritten(err) {
					t.Errorf("error = %v, want that it may be written: nobody knows", err)
				}
				lost++
			}
		}
		synctest.Wait()
		if lost > 1 {
			t.Errorf("%d records failed, want 1 at most", lost)
		}
		if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
			t.Error(err)
		}
		if s := p.Stats(); s.Retried != 0 {
			t.Errorf("%d records were sent again, want none", s.Retried)
		}
	})
}

// A batch that is too large for its topic is split, and the topic's limit learned;
// a record that is too large alone fails alone.
func TestABatchOverTheTopicsLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		if err := c.SetTopicMaxBytes("t", 2000); err != nil {
			t.Fatal(err)
		}
		p := start(t, c, func(cfg *producer.Config) { cfg.Linger = 100 * time.Millisecond })
		warm(t, p, "t")
		const n = 200
		var futures []producer.Future
		for i := range n {
			value := fmt.Sprint(i)
			if i == 77 {
				value += strings.Repeat(" ", 5000)
			}
			futures = append(futures, p.Send(t.Context(), record(value)))
		}
		next := int64(0)
		for i, f := range futures {
			md, err := f.Wait(t.Context())
			switch {
			case i == 77:
				if !errors.Is(err, protocol.MessageTooLarge) || producer.MayBeWritten(err) {
					t.Errorf("the large record ended with %v, want MESSAGE_TOO_LARGE", err)
				}
			case err != nil || md.Offset != next:
				t.Errorf("record %d: offset %d, %v; want %d", i, md.Offset, err, next)
				next++
			default:
				next++
			}
		}
		if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
			t.Error(err)
		}
		c.ForgetRequests()
		for range 20 {
			p.Send(t.Context(), record(string(make([]byte, 200))))
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, b := range c.Requests() {
			for _, batch := range b.Batches {
				if batch.Size > 5000 {
					t.Errorf("a batch of %d bytes after the limit was learned", batch.Size)
				}
			}
		}
	})
}

// One record that the topic does not take fails with its reason; its
// neighbours in the batch are written, once and in order.
func TestOneInvalidRecord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		if err := c.SetCompacted("t", true); err != nil {
			t.Fatal(err)
		}
		p := start(t, c)
		warm(t, p, "t")
		var futures []producer.Future
		for i := range 10 {
			rec := record(fmt.Sprint(i))
			if i != 4 && i != 7 {
				rec.Key = []byte("k")
			}
			futures = append(futures, p.Send(t.Context(), rec))
		}
		next := int64(0)
		for i, f := range futures {
			md, err := f.Wait(t.Context())
			if i == 4 || i == 7 {
				if !errors.Is(err, protocol.InvalidRecord) || producer.MayBeWritten(err) || md.Offset != -1 {
					t.Errorf("record %d without a key: %+v, %v; want INVALID_RECORD", i, md, err)
				}
				continue
			}
			if err != nil || md.Offset != next {
				t.Errorf("record %d: offset %d, %v; want %d", i, md.Offset, err, next)
			}
			next++
		}
		if got := strings.Join(logged(c), ""); got != "01235689" {
			t.Errorf("the log holds %s, want 01235689", got)
		}
		if err := c.Verify(nil); err != nil {
			t.Error(err)
		}
		if s := p.Stats(); s.Acknowledged != 8 || s.Failed != 2 || s.InFlight != 0 {
			t.Errorf("stats = %+v, want 8 acknowledged and 2 failed", s)
		}
	})
}

// A producer id that the cluster does not give fails what waits for it with an
// error that says so; when it gives one, records flow.
func TestAProducerIDIsDenied(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		c.On(brokertest.InitProducerID).Always().Do(brokertest.Error(protocol.ClusterAuthorizationFailed))
		p := start(t, c)
		begin := time.Now()
		_, err := p.SendSync(t.Context(), record("a"))
		var denied *producer.IdentityError
		if !errors.As(err, &denied) || !errors.Is(err, protocol.ClusterAuthorizationFailed) || producer.MayBeWritten(err) {
			t.Errorf("error = %v, want an IdentityError", err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("failed after %v, want soon", took)
		}
		c.ClearFaults()
		send(t, p, record("b"))
	})
}

// Every counter of Stats.
func TestStats(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		warm(t, p, "t")
		if s := p.Stats(); s != (producer.Stats{}) {
			t.Errorf("stats = %+v before anything was sent", s)
		}
		release := make(chan struct{})
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.NotEnoughReplicas))
		c.On(brokertest.Produce).Do(brokertest.Pass().Held(release))
		for range 3 {
			p.Send(t.Context(), record("a"))
		}
		if s := p.Stats(); s.BufferedBytes == 0 || s.Sent != 0 {
			t.Errorf("stats = %+v, want bytes buffered and nothing sent", s)
		}
		time.Sleep(time.Second)
		if s := p.Stats(); s.Sent != 3 || s.Retried != 3 || s.InFlight != 3 || s.Acknowledged != 0 || s.BytesSent == 0 {
			t.Errorf("stats = %+v, want 3 in flight, sent and sent again", s)
		}
		close(release)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
		if _, err := p.SendSync(t.Context(), record("b")); err == nil {
			t.Error("a record that was refused was acknowledged")
		}
		if s := p.Stats(); s.Sent != 4 || s.Acknowledged != 3 || s.Failed != 1 || s.InFlight != 0 || s.BufferedBytes != 0 {
			t.Errorf("stats = %+v, want 3 acknowledged, 1 failed and nothing left", s)
		}
	})
}
