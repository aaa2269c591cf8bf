package producer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// wicked is a name that nobody should have: what commands a terminal, forges a line of a log, and fills it.
var wicked = "\x1b]0;owned\a\r\nepistle: all is well\n" + strings.Repeat("x", 30_000)

// wantHarmless checks what an error says of names that may be anything.
func wantHarmless(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	text := err.Error()
	if strings.ContainsAny(strings.ReplaceAll(text, "\n  ", ""), "\x1b\a\r\n") {
		t.Errorf("%s: control characters are in %.300q", what, text)
	}
	if len(text) > 2000 {
		t.Errorf("%s: the error has %d bytes: %.300q", what, len(text), text)
	}
}

// Names and settings are shown in errors as text, and in part if they are long, whoever they are from.
func TestErrorsShowNamesAsText(t *testing.T) {
	for what, change := range map[string]func(*producer.Config){
		"server": func(c *producer.Config) { c.BootstrapServers = []string{wicked} },
		"server, no port": func(c *producer.Config) {
			c.BootstrapServers = []string{strings.NewReplacer("\r", "", "\n", "", " ", "").Replace(wicked)}
		},
		"server, empty port": func(c *producer.Config) { c.BootstrapServers = []string{"\x1b" + strings.Repeat("x", 30_000) + ":"} },
		"server, port":       func(c *producer.Config) { c.BootstrapServers = []string{"h:\x1b\a" + strings.Repeat("9", 30_000)} },
		"server, no host":    func(c *producer.Config) { c.BootstrapServers = []string{":\x1b\a" + strings.Repeat("9", 30_000)} },
		"server, brackets": func(c *producer.Config) {
			c.BootstrapServers = []string{"[:\x1b\a" + strings.Repeat("9", 30_000) + "]:1"}
		},
		"server, colons":   func(c *producer.Config) { c.BootstrapServers = []string{"[\x1b" + strings.Repeat(":", 30_000)} },
		"transactional id": func(c *producer.Config) { c.TransactionalID, c.EnableIdempotence = wicked, false },
		"API":              func(c *producer.Config) { c.MaxAPIVersions = map[string]int16{wicked: 1} },
		"API, no version":  func(c *producer.Config) { c.MaxAPIVersions = map[string]int16{wicked: -1} },
		"client id":        func(c *producer.Config) { c.ClientID = wicked + wicked },
		"many servers":     func(c *producer.Config) { c.BootstrapServers = make([]string, 10_000) },
	} {
		cfg := producer.DefaultConfig("h:1")
		change(&cfg)
		wantHarmless(t, what, cfg.Validate())
	}
	for what, err := range map[string]error{
		"admission":     &producer.AdmissionError{Topic: wicked, Err: protocol.InvalidTopicException},
		"load":          &producer.LoadError{Topic: wicked, Err: protocol.InvalidTopicException},
		"topic name":    &producer.InvalidTopicError{Name: wicked, Rule: "be short"},
		"serialization": &producer.SerializationError{Topic: wicked, Part: "key", Err: errors.New(wicked)},
		"unknown topic": &producer.UnknownTopicError{Topic: wicked},
		"topic":         &producer.TopicError{Topic: wicked, Code: protocol.InvalidTopicException},
		"transaction":   &producer.TransactionError{Call: "CommitTransaction", TransactionalID: wicked, Err: producer.ErrFenced},
		"throttle":      &producer.ThrottleError{Addr: wicked, Asked: time.Second},
		"broker":        &producer.BrokerError{Stage: producer.StageDial, Addr: wicked, Err: errors.New(wicked)},
	} {
		wantHarmless(t, what, err)
	}
}

// babbler is a partitioner, and an interceptor, that fails in words of others.
type babbler struct{ producer.Interceptor }

func (babbler) Partition(partition.Record, *partition.Topic) (int32, error) {
	return 0, errors.New(wicked)
}

func (babbler) OnSend(context.Context, *producer.Record) error { panic(wicked) }

func (babbler) OnAcknowledgement(context.Context, producer.Acknowledgement) { panic(wicked) }

// A topic of 30 kB is refused in an error that can be read, by every method that takes one; and so is what a user's own
// code says.
func TestWickedWordsAreShownInPart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log bytes.Buffer
		p := start(t, brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2)), func(c *producer.Config) {
			c.Partitioner, c.Interceptors = babbler{}, []producer.Interceptor{babbler{}}
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		_, err := p.SendSync(t.Context(), producer.Record{Topic: wicked})
		wantHarmless(t, "SendSync", err)
		wantHarmless(t, "TrySend", p.TrySend(producer.Record{Topic: wicked}, nil))
		wantHarmless(t, "LoadTopics", p.LoadTopics(t.Context(), wicked))
		_, err = p.Partitions(t.Context(), wicked)
		wantHarmless(t, "Partitions", err)
		_, err = p.SendSync(t.Context(), producer.Record{Topic: "t"})
		wantHarmless(t, "partitioner", err)

		many := make([]string, 1000)
		for i := range many {
			many[i] = fmt.Sprint("no topic ", i)
		}
		err = p.LoadTopics(t.Context(), many...)
		if len(err.Error()) > 5000 || !strings.HasSuffix(err.Error(), "\nand 980 topics more") {
			t.Errorf("1000 topics that cannot be: the error ends with %.100q", err.Error()[max(0, len(err.Error())-100):])
		}
		if p.Close(t.Context()); log.Len() == 0 || log.Len() > 20_000 {
			t.Errorf("the log has %d bytes, want the interceptor's failures, each in part", log.Len())
		}
	})
}

// What no request can carry is refused, rather than met by the encoder, which panics.
func TestGroupsThatNoRequestCanCarry(t *testing.T) {
	const most = 32767
	long := strings.Repeat("x", most+1)
	at := producer.TopicPartition{Topic: "t"}
	inEachProtocol(t, func(t *testing.T, s speech) {
		p := transactional(t, s.cluster(t))
		send := func(o producer.OffsetAndMetadata, group producer.ConsumerGroupMetadata) error {
			return p.Transact(t.Context(), func(tx *producer.Tx) error {
				return tx.SendOffsets(t.Context(), map[producer.TopicPartition]producer.OffsetAndMetadata{at: o}, group)
			})
		}
		for what, group := range map[string]producer.ConsumerGroupMetadata{
			"GroupID": {GroupID: long}, "MemberID": {GroupID: "g", MemberID: long}, "GroupInstanceID": {GroupID: "g", GroupInstanceID: long},
		} {
			if err := send(producer.OffsetAndMetadata{}, group); err == nil || !strings.Contains(err.Error(), what+" has 32768 bytes: at most 32767") {
				t.Errorf("%s: error %.300v, want that it is too long", what, err)
			}
		}
		if err := send(producer.OffsetAndMetadata{Metadata: long}, producer.ConsumerGroupMetadata{GroupID: "g"}); err == nil || !strings.Contains(err.Error(), "its metadata has 32768 bytes") {
			t.Errorf("metadata: error %.300v, want that it is too long", err)
		}
		if err := send(producer.OffsetAndMetadata{}, producer.ConsumerGroupMetadata{GroupID: long[1:]}); err != nil {
			t.Errorf("a group of %d bytes: %.300v, want success", most, err)
		}
	})
}
