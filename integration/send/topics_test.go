package send_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// TestUnknownTopic sends to a topic that does not exist: that fails within the grace and some, then at
// once, and other topics go on. Once it exists, records arrive.
func TestUnknownTopic(t *testing.T) {
	c := kafka.Shared(t)
	known, unknown := newTopic(t, c, 1), topicName(t)+"-none"
	const grace = time.Second
	s := newSending(t, start(t, c, func(cfg *producer.Config) {
		cfg.AllowAutoTopicCreation = false
		cfg.UnknownTopicGrace = grace
	}))
	s.send(producer.Record{Topic: known, Value: []byte("before")})
	began := time.Now()
	_, err := s.p.SendSync(s.ctx, producer.Record{Topic: unknown, Value: []byte("v")})
	if got := as[*producer.UnknownTopicError](t, err); got.Topic != unknown || !errors.Is(err, protocol.UnknownTopicOrPartition) || producer.MayBeWritten(err) {
		t.Errorf("the error is %v, want that %s is unknown and nothing is written", err, unknown)
	}
	if took := time.Since(began); took > grace+5*time.Second {
		t.Errorf("that took %v, with a grace of %v", took, grace)
	}
	began = time.Now()
	_, err = s.p.SendSync(s.ctx, producer.Record{Topic: unknown, Value: []byte("v")})
	if took := time.Since(began); took > grace/2 {
		t.Errorf("the second time took %v, want the remembered answer (%v) at once", took, err)
	}
	as[*producer.UnknownTopicError](t, err)
	if err := s.p.TrySend(producer.Record{Topic: unknown}, nil); err == nil {
		t.Error("TrySend took a record for it")
	}
	s.send(producer.Record{Topic: known, Value: []byte("after")})

	a := admin(t, c)
	if err := a.CreateTopic(s.ctx, unknown, 1, -1, nil); err != nil {
		t.Fatal(err)
	}
	deleteLater(t, a, unknown)
	for {
		md, err := s.p.SendSync(s.ctx, producer.Record{Topic: unknown, Value: []byte("now")})
		if err == nil {
			if got := read(t, c, unknown)[md.Partition]; len(got) != 1 || string(got[0].Value) != "now" {
				t.Errorf("the topic holds %v, want the one record", got)
			}
			break
		}
		pause(t, s.ctx, err.Error())
	}
	s.arrives(c, known)
}

// TestAutoCreation lets the broker create the topic, if it is one that does.
func TestAutoCreation(t *testing.T) {
	c := kafka.Shared(t)
	topic, a := topicName(t), admin(t, c)
	s := newSending(t, start(t, c))
	d := s.sendSync(producer.Record{Topic: topic, Value: []byte("v")})
	if on, err := strconv.ParseBool(brokerSetting(t, a, "auto.create.topics.enable")); err != nil {
		t.Fatal(err)
	} else if !on {
		as[*producer.UnknownTopicError](t, d.err)
		return
	}
	deleteLater(t, a, topic)
	s.arrives(c, topic)
}

// brokerSetting is a setting of some broker.
func brokerSetting(t *testing.T, a *reader.Admin, key string) string {
	t.Helper()
	brokers, err := a.Client().ListBrokers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answers, err := a.Client().DescribeBrokerConfigs(t.Context(), brokers.NodeIDs()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range answers {
		for _, setting := range answer.Configs {
			if setting.Key == key {
				return setting.MaybeValue()
			}
		}
	}
	t.Fatalf("no broker has a setting %s", key)
	return ""
}

// TestNamesThatNoTopicHas are refused without asking a broker.
func TestNamesThatNoTopicHas(t *testing.T) {
	c := kafka.Shared(t)
	p := start(t, c)
	for _, name := range []string{"", ".", "..", "a b", "a/b", "größe", strings.Repeat("x", 250)} {
		began := time.Now()
		_, err := p.SendSync(t.Context(), producer.Record{Topic: name})
		as[*producer.InvalidTopicError](t, err)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%q took %v", name, took)
		}
	}
}

// TestOneInvalidRecord puts a record without a key among others into a batch for a compacted topic.
func TestOneInvalidRecord(t *testing.T) {
	c := kafka.Shared(t)
	for _, bad := range [][]int{{0}, {17}, {39}, {3, 4, 20}} {
		topic := newTopic(t, c, 1, "cleanup.policy", "compact")
		s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.Linger = time.Minute }))
		isBad := make(map[int]bool)
		for _, n := range bad {
			isBad[n] = true
		}
		for n := range 40 {
			rec := producer.Record{Topic: topic, Key: []byte(strconv.Itoa(n)), Value: []byte("v")}
			if isBad[n] {
				rec.Key = nil
			}
			s.send(rec)
		}
		s.flush()
		// What comes later finds the partition in order.
		s.send(producer.Record{Topic: topic, Key: []byte("later"), Value: []byte("v")})
		s.flush()
		s.matches(c, topic)
		for n, d := range s.all {
			switch {
			case !isBad[n] && d.err != nil:
				t.Errorf("bad %v: record %d: %v, and nothing is wrong with it", bad, n, d.err)
			case isBad[n] && (!errors.Is(d.err, protocol.InvalidRecord) || producer.MayBeWritten(d.err)):
				t.Errorf("bad %v: record %d: %v, want INVALID_RECORD and that it is not written", bad, n, d.err)
			case isBad[n] && !strings.Contains(d.err.Error(), "Compacted topic cannot accept message without key"):
				t.Errorf("bad %v: record %d: %v, want the broker's own words for it", bad, n, d.err)
			}
		}
	}
}

// TestDeniedTopic has the broker refuse one topic to everybody, and take another.
func TestDeniedTopic(t *testing.T) {
	c := kafka.Shared(t)
	allowed, denied := newTopic(t, c, 1), newTopic(t, c, 1)
	a := admin(t, c)
	const everybody = "User:ANONYMOUS"
	change := func(cfg *producer.Config) { cfg.MetadataMaxAge = 200 * time.Millisecond }
	s := newSending(t, start(t, c, change))
	s.sendSync(producer.Record{Topic: denied, Value: []byte("while it was allowed")})

	if err := a.Deny(s.ctx, denied, everybody); errors.Is(err, reader.ErrNoAuthorizer) {
		kafka.NotRun(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // nothing is left to allow if the test has got to its end
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = a.Allow(ctx, denied, everybody)
	})
	var err error
	for err == nil { // the broker may take some time to hear of it
		err = s.sendSync(producer.Record{Topic: denied, Value: []byte("until it was denied")}).err
		pause(t, s.ctx, "the broker still takes records for a topic that is denied")
	}
	if !errors.Is(err, protocol.TopicAuthorizationFailed) || producer.MayBeWritten(err) ||
		!strings.Contains(err.Error(), "TOPIC_AUTHORIZATION_FAILED") || !strings.Contains(err.Error(), denied) {
		t.Errorf("the topic was denied with %v, want TOPIC_AUTHORIZATION_FAILED by name, and that it is not written", err)
	}

	// Whoever does not know it yet is told so too, soon.
	began := time.Now()
	_, err = start(t, c, change).SendSync(s.ctx, producer.Record{Topic: denied, Value: []byte("denied")})
	if !errors.Is(err, protocol.TopicAuthorizationFailed) || producer.MayBeWritten(err) {
		t.Errorf("a new producer: %v, want TOPIC_AUTHORIZATION_FAILED", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a new producer was told so after %v", took)
	}
	for n := range 100 {
		s.send(producer.Record{Topic: allowed, Value: prose(n, 100)})
	}

	if err := a.Allow(s.ctx, denied, everybody); err != nil {
		t.Fatal(err)
	}
	for {
		if d := s.sendSync(producer.Record{Topic: denied, Value: []byte("allowed again")}); d.err == nil {
			break
		}
		pause(t, s.ctx, "the topic is allowed again, and records still fail")
	}
	s.flush()
	s.matches(c, allowed, denied)
}
