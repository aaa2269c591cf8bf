package producer_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
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
			if !errors.As(err, new(*producer.UnknownTopicError)) {
				t.Errorf("after %d times half a second: %v, want an *UnknownTopicError", i, err)
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

// No error is no doubt.
func TestNothingMayBeWrittenOfWhatHasNotFailed(t *testing.T) {
	if producer.MayBeWritten(nil) {
		t.Error("MayBeWritten(nil) is true")
	}
	if !producer.MayBeWritten(errors.New("of nobody knows whom")) {
		t.Error("MayBeWritten is false for an error that says nothing of it")
	}
}
