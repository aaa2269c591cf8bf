package producer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
)

// A record that cannot be sent is refused at once, by an error that names the
// field, the value and the rule. Nothing of it is kept, and no other record is
// touched.
func TestBadRecordsAreRefused(t *testing.T) {
	tests := []struct {
		name string
		rec  producer.Record
		want error    // of its type, by errors.As
		text []string // in the message
	}{
		{"no topic", producer.Record{}, new(producer.InvalidTopicError), []string{`""`, "empty"}},
		{"dot", producer.Record{Topic: "."}, new(producer.InvalidTopicError), []string{`"."`}},
		{"dots", producer.Record{Topic: ".."}, new(producer.InvalidTopicError), []string{`".."`}},
		{"slash", producer.Record{Topic: "a/b"}, new(producer.InvalidTopicError), []string{`"a/b"`, "letters"}},
		{"space", producer.Record{Topic: "a b"}, new(producer.InvalidTopicError), []string{`"a b"`}},
		{"umlaut", producer.Record{Topic: "grün"}, new(producer.InvalidTopicError), []string{"grün"}},
		{"long name", producer.Record{Topic: strings.Repeat("x", 250)}, new(producer.InvalidTopicError), []string{"249", "250"}},
		{"partition -2", producer.Record{Topic: "t", Partition: producer.OnPartition(-2)}, new(producer.NoSuchPartitionError), []string{"partition -2"}},
		{"timestamp", producer.Record{Topic: "t", Timestamp: time.UnixMilli(-1)}, new(producer.InvalidTimestampError), []string{"-1 ms", "1970"}},
		{"value", producer.Record{Topic: "t", Value: make([]byte, 1<<20)}, new(producer.RecordTooLargeError), []string{"max.request.size", "1048576", "1048"}},
		{"key", producer.Record{Topic: "t", Key: make([]byte, 1<<20)}, new(producer.RecordTooLargeError), []string{"max.request.size"}},
		{"headers", producer.Record{Topic: "t", Headers: []producer.Header{{Key: strings.Repeat("h", 1<<20)}}}, new(producer.RecordTooLargeError), []string{"max.request.size"}},
	}
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c)
		warm(t, p, "t")
		begin := time.Now()
		for _, tt := range tests {
			_, err := p.Send(t.Context(), tt.rec).Wait(t.Context())
			var admission *producer.AdmissionError
			if !errors.As(err, &admission) || admission.Topic != tt.rec.Topic {
				t.Errorf("%s: %v, want an AdmissionError that names the topic", tt.name, err)
				continue
			}
			if !isA(err, tt.want) {
				t.Errorf("%s: %v, want a %T", tt.name, err, tt.want)
			}
			for _, s := range tt.text {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%s: the message lacks %q: %v", tt.name, s, err)
				}
			}
			if producer.MayBeWritten(err) {
				t.Errorf("%s: MayBeWritten is true", tt.name)
			}
			calls := 0
			p.SendFunc(t.Context(), tt.rec, func(_ producer.RecordMetadata, got error) {
				if calls++; got == nil || got.Error() != err.Error() {
					t.Errorf("%s: the callback got %v, want %v", tt.name, got, err)
				}
			})
			if calls != 1 {
				t.Errorf("%s: %d callbacks before SendFunc returned, want 1", tt.name, calls)
			}
			if got := p.TrySend(tt.rec, nil); got == nil || got.Error() != err.Error() {
				t.Errorf("%s: TrySend: %v, want %v", tt.name, got, err)
			}
		}
		if !time.Now().Equal(begin) {
			t.Errorf("it took %v, want no waiting", time.Since(begin))
		}
		if s := p.Stats(); s != (producer.Stats{}) {
			t.Errorf("stats = %+v, want that nothing was taken", s)
		}
		send(t, p, record("good"))
	})
}

// isA reports whether a *T is in err, for the *T that want is.
func isA(err error, want error) bool {
	switch want.(type) {
	case *producer.InvalidTopicError:
		return errors.As(err, new(*producer.InvalidTopicError))
	case *producer.NoSuchPartitionError:
		return errors.As(err, new(*producer.NoSuchPartitionError))
	case *producer.InvalidTimestampError:
		return errors.As(err, new(*producer.InvalidTimestampError))
	case *producer.RecordTooLargeError:
		return errors.As(err, new(*producer.RecordTooLargeError))
	}
	return false
}

// The largest record that fits, and the smallest that does not.
func TestTheLimitOnRecordsIsExact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) {
			cfg.MaxRequestSize, cfg.MaxBatchBytes, cfg.BatchSize = 50_000, 20_000, 1000
		})
		warm(t, p, "t")
		fits, fails := 0, 60_000
		for fails-fits > 1 {
			n := (fits + fails) / 2
			if _, err := p.SendSync(t.Context(), record(string(make([]byte, n)))); err == nil {
				fits = n
			} else {
				var large *producer.RecordTooLargeError
				if !errors.As(err, &large) || large.Size <= 50_000 || large.Limit != 50_000 {
					t.Fatalf("%d bytes: %v, want a RecordTooLargeError of more than 50000", n, err)
				}
				fails = n
			}
		}
		if fits < 50_000-100 || fits > 50_000-61 {
			t.Errorf("a value of %d bytes fits 50000, one of %d does not; want the limit less what is around a record", fits, fails)
		}
	})
}

// A record that buffer.memory can never hold does not wait for it.
func TestARecordLargerThanTheBuffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.BufferMemory = 20_000 })
		warm(t, p, "t")
		begin := time.Now()
		_, err := p.SendSync(t.Context(), record(string(make([]byte, 30_000))))
		var large *producer.RecordTooLargeError
		if !errors.As(err, &large) || large.Key != "buffer.memory" || !time.Now().Equal(begin) {
			t.Errorf("error = %v after %v, want a RecordTooLargeError for buffer.memory at once", err, time.Since(begin))
		}
		send(t, p, record("good"))
	})
}

type badPartitioner struct {
	n   int32
	err error
}

func (b badPartitioner) Partition(partition.Record, *partition.Topic) (int32, error) {
	return b.n, b.err
}

// A partitioner of the user's own may err, or choose what is not there.
func TestABadPartitioner(t *testing.T) {
	broken := errors.New("broken")
	for _, part := range []badPartitioner{{n: 3}, {n: -7}, {err: broken}} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
			p := start(t, c, func(cfg *producer.Config) { cfg.Partitioner = part })
			_, err := p.SendSync(t.Context(), producer.Record{Topic: "t"})
			var missing *producer.NoSuchPartitionError
			switch {
			case part.err != nil && !errors.Is(err, broken):
				t.Errorf("error = %v, want the partitioner's", err)
			case part.err == nil && (!errors.As(err, &missing) || missing.Want != part.n || missing.Have != 3):
				t.Errorf("error = %v, want NoSuchPartitionError of %d and 3", err, part.n)
			}
			send(t, p, producer.Record{Topic: "t", Partition: producer.OnPartition(2)})
		})
	}
}

// A topic that may not be described, or not be written, fails with the broker's
// code, and the others go on.
func TestDeniedTopics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("hidden", 1), brokertest.Topic("readonly", 1))
		c.DenyTopic("hidden")
		c.DenyWrite("readonly")
		p := start(t, c)
		var denied *producer.TopicError
		if _, err := p.SendSync(t.Context(), producer.Record{Topic: "hidden"}); !errors.As(err, &denied) || producer.MayBeWritten(err) {
			t.Errorf("error = %v, want a TopicError", err)
		}
		var failure *producer.SendError
		if _, err := p.SendSync(t.Context(), producer.Record{Topic: "readonly"}); !errors.As(err, &failure) || producer.MayBeWritten(err) {
			t.Errorf("error = %v, want a SendError that says it was not written", err)
		}
		send(t, p, record("good"))
		c.AllowTopic("hidden")
		time.Sleep(5 * time.Second)
		send(t, p, producer.Record{Topic: "hidden"})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if n, err := p.Partitions(ctx, "t"); n != 1 || err != nil {
			t.Errorf("Partitions of a topic that is known = %d, %v; want 1, whatever its context", n, err)
		}
	})
}
