package producer_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Whoever makes a Config by hand is told where to start, once, and not what each of its fields should have been.
func TestAConfigThatIsNotFromDefaultConfigIsToldSo(t *testing.T) {
	for _, cfg := range []producer.Config{{}, {BootstrapServers: []string{"localhost:9092"}}, {BootstrapServers: []string{"localhost:9092"}, Acks: producer.AcksAll, EnableIdempotence: true}} {
		_, err := producer.New(cfg)
		want(t, "New", err, []string{"start from DefaultConfig"})
		var invalid *producer.ConfigError
		if !errors.As(err, &invalid) || len(invalid.Violations) != 1 {
			t.Errorf("%v: want one violation", err)
		}
	}
	broken := producer.DefaultConfig("localhost:9092")
	broken.RequestTimeout, broken.BufferMemory = 0, 0
	var invalid *producer.ConfigError
	if _, err := producer.New(broken); !errors.As(err, &invalid) || len(invalid.Violations) < 2 {
		t.Errorf("with two fields at fault: %v, want both", err)
	}
}

// A record that is too large is told every setting that has to allow it.
func TestALargeRecordIsToldAllThatHasToAllowIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		_, err := p.SendSync(t.Context(), on(0, make([]byte, 2<<20)))
		want(t, "2 MiB", err, []string{"max.request.size is 1048576", "max.message.bytes"})
		p = start(t, c, func(cfg *producer.Config) { cfg.BufferMemory = 1 << 20 })
		_, err = p.SendSync(t.Context(), on(0, make([]byte, 2<<20)))
		want(t, "2 MiB, and a small buffer", err, []string{"max.request.size is 1048576", "buffer.memory", "max.message.bytes"})
		p = start(t, c, func(cfg *producer.Config) { cfg.BufferMemory, cfg.MaxRequestSize = 1<<20, 4<<20 })
		_, err = p.SendSync(t.Context(), on(0, make([]byte, 2<<20)))
		want(t, "2 MiB, and only a small buffer", err, []string{"buffer.memory is 1048576", "max.message.bytes"})
	})
}

// A time that Kafka has no number for is not taken for another one.
func TestATimeOutOfReachIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		for _, test := range []struct {
			at   time.Time
			says string
		}{
			{time.Unix(math.MaxInt64/1000+1, 0), "too far in the future"},
			{time.Unix(math.MaxInt64/1000*3, 0), "too far in the future"},
			{time.Unix(1<<62, 0), "too far in the future"},
			{time.Unix(math.MaxInt64/500, 0), "too far in the future"}, // whose milliseconds would come out as some day
			{time.Unix(-1<<61, 0), "too far in the past"},
			{time.Unix(math.MinInt64/500, 0), "too far in the past"},
			{time.UnixMilli(-1), "-1 ms"},
		} {
			rec := record("a")
			rec.Timestamp = test.at
			_, err := p.SendSync(t.Context(), rec)
			want(t, test.says, err, []string{test.says})
			if !errors.As(err, new(*producer.InvalidTimestampError)) {
				t.Errorf("%v: want an *InvalidTimestampError", err)
			}
		}
		if n := len(c.Records("t", 0)); n != 0 {
			t.Errorf("%d records are in the log, want none", n)
		}
	})
}

// TrySend to a topic that does not exist says so each time, once that is known, and not now this and now that. The topic is
// looked for all the while.
func TestTrySendToAMissingTopicSaysTheSameEachTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false))
		p := start(t, c)
		if err := p.TrySend(producer.Record{Topic: "missing"}, nil); !errors.Is(err, producer.ErrTopicNotLoaded) {
			t.Errorf("the first time: %v, want ErrTopicNotLoaded", err)
		}
		p.SendSync(t.Context(), producer.Record{Topic: "missing"}) // which waits for the verdict
		for i := range 60 {
			err := p.TrySend(producer.Record{Topic: "missing"}, nil)
			if !errors.As(err, new(*producer.UnknownTopicError)) || errors.Is(err, producer.ErrTopicNotLoaded) {
				t.Errorf("after %d times half a second: %v, want an *UnknownTopicError, and not that it is not loaded yet", i, err)
			}
			time.Sleep(500 * time.Millisecond)
		}
		if err := c.CreateTopic("missing", 1); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); p.TrySend(producer.Record{Topic: "missing"}, nil) != nil; time.Sleep(100 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatal("the topic was made 10 s ago, and TrySend does not know it")
			}
		}
	})
}

// Nothing but TrySend asks for a topic that does not exist. Until max.block has passed, nobody can know that it never will. What
// brokers have answered meanwhile is told all the same, as Send tells it with max.block=0.
func TestTrySendTellsTheLastAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false))
		p := start(t, c)
		impatient := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 0 })
		rec := producer.Record{Topic: "missing"}
		err := p.TrySend(rec, nil)
		if !errors.Is(err, producer.ErrTopicNotLoaded) || errors.Is(err, protocol.UnknownTopicOrPartition) {
			t.Errorf("before any answer: %v, want ErrTopicNotLoaded alone", err)
		}
		impatient.SendSync(t.Context(), rec)
		time.Sleep(time.Second)
		for began := time.Now(); time.Since(began) < 57*time.Second; time.Sleep(500 * time.Millisecond) {
			err := p.TrySend(rec, nil)
			want(t, "TrySend", err, []string{"not loaded yet; the last answer: topic \"missing\" is unknown to "})
			if !errors.Is(err, producer.ErrTopicNotLoaded) || producer.FailureReason(err) != "topic_not_loaded" {
				t.Fatalf("TrySend: %v, want ErrTopicNotLoaded in it", err)
			}
			_, sent := impatient.SendSync(t.Context(), rec)
			for _, err := range []error{err, sent} {
				if !errors.Is(err, protocol.UnknownTopicOrPartition) || !errors.As(err, new(*producer.UnknownTopicError)) {
					t.Fatalf("%v, want what the broker has answered", err)
				}
			}
		}
		time.Sleep(5 * time.Second)
		for range 60 {
			err := p.TrySend(rec, nil)
			if errors.Is(err, producer.ErrTopicNotLoaded) || !errors.As(err, new(*producer.UnknownTopicError)) {
				t.Fatalf("after max.block: %v, want the verdict", err)
			}
			time.Sleep(500 * time.Millisecond)
		}
	})
}

// What keeps brokers from answering is told, too, and whatever else they answer.
func TestTrySendTellsOfWhatItWaitsFor(t *testing.T) {
	for _, test := range []struct {
		name   string
		breaks func(*brokertest.Cluster)
		says   string
		is     func(error) bool
	}{
		{"no broker", func(c *brokertest.Cluster) { c.Break(1, brokertest.Refusing) }, "not loaded yet; last failure: bootstrap server ",
			func(err error) bool { return errors.As(err, new(*producer.BrokerError)) }},
		{"no leader", func(c *brokertest.Cluster) {
			c.On(brokertest.Metadata).Topic("t").Always().Do(brokertest.Error(protocol.LeaderNotAvailable))
		}, "not loaded yet; the last answer: ", func(err error) bool { return errors.Is(err, protocol.LeaderNotAvailable) }},
		{"an outage after the first answer", func(c *brokertest.Cluster) {
			c.On(brokertest.Metadata).Topic("t").Do(brokertest.Error(protocol.LeaderNotAvailable))
			c.On(brokertest.Metadata).Topic("t").Always().Do(brokertest.Drop())
		}, "last failure: ", func(err error) bool { return errors.Is(err, protocol.LeaderNotAvailable) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				test.breaks(c)
				p := start(t, c)
				p.TrySend(record("a"), nil)
				time.Sleep(5 * time.Second)
				for _, try := range []func() error{
					func() error { return p.TrySend(record("a"), nil) },
					func() error { return p.Topic("t").TrySend(nil, nil, nil) },
				} {
					err := try()
					want(t, test.name, err, []string{test.says})
					if !errors.Is(err, producer.ErrTopicNotLoaded) || !test.is(err) {
						t.Errorf("%v, want ErrTopicNotLoaded, and the reason", err)
					}
				}
			})
		})
	}
}

// No error is no doubt.
func TestNothingMayBeWrittenOfWhatHasNotFailed(t *testing.T) {
	if producer.MayBeWritten(nil) {
		t.Error("MayBeWritten(nil) is true")
	}
	if !producer.MayBeWritten(errors.New("of nobody knows whom")) {
		t.Error("MayBeWritten is false for an error that says nothing of it")
	}
}
