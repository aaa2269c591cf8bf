package producer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A spy is an interceptor that does what the test says and notes what it sees.
type spy struct {
	name   string
	onSend func(*producer.Record) error
	onAck  func()

	mu   *sync.Mutex
	seen *[]string
}

func (s *spy) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*s.seen = append(*s.seen, s.name+" "+fmt.Sprintf(format, args...))
}

func (s *spy) OnSend(_ context.Context, rec *producer.Record) error {
	s.note("send %s", rec.Value)
	if s.onSend != nil {
		return s.onSend(rec)
	}
	return nil
}

func (s *spy) OnAcknowledgement(_ context.Context, ack producer.Acknowledgement) {
	var names []string
	for _, h := range ack.Headers {
		names = append(names, h.Key)
	}
	s.note("ack %d [%s] %v", ack.Metadata.Offset, strings.Join(names, " "), ack.Err != nil)
	if s.onAck != nil {
		s.onAck()
	}
}

// Interceptors see and change a record in their order; one that errs or panics
// fails nothing, and what it changed is taken back; all of them hear of the
// outcome, with the headers that were sent, before the callback.
func TestInterceptors(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		var mu sync.Mutex
		var seen []string
		chain := []producer.Interceptor{
			&spy{name: "first", mu: &mu, seen: &seen, onSend: func(rec *producer.Record) error {
				rec.Headers = append(rec.Headers, producer.Header{Key: "trace", Value: []byte("1")})
				return nil
			}},
			&spy{name: "errs", mu: &mu, seen: &seen, onSend: func(rec *producer.Record) error {
				rec.Value = []byte("spoilt")
				rec.Topic = "elsewhere"
				return errors.New("no")
			}},
			&spy{name: "panics", mu: &mu, seen: &seen, onSend: func(rec *producer.Record) error {
				rec.Headers = nil
				panic("no")
			}, onAck: func() { panic("no") }},
			&spy{name: "last", mu: &mu, seen: &seen, onSend: func(rec *producer.Record) error {
				rec.Value = append([]byte("changed "), rec.Value...)
				return nil
			}},
		}
		p := start(t, c, func(cfg *producer.Config) { cfg.Interceptors = chain })
		warm(t, p, "t")
		p.SendFunc(t.Context(), record("a"), func(md producer.RecordMetadata, err error) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, fmt.Sprintf("callback %d %v", md.Offset, err != nil))
		})
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"first send a", "errs send a", "panics send a", "last send a",
			"first ack 0 [trace] false", "errs ack 0 [trace] false", "panics ack 0 [trace] false", "last ack 0 [trace] false",
			"callback 0 false",
		}
		if !slices.Equal(seen, want) {
			t.Errorf("seen:\n%s\nwant:\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
		}
		r := c.Records("t", 0)[0]
		if string(r.Value) != "changed a" || len(r.Headers) != 1 || r.Headers[0].Key != "trace" {
			t.Errorf("the log holds %q with headers %v, want what the interceptors left", r.Value, r.Headers)
		}
	})
}

// They hear once of each record, also of one that is not taken, that nobody
// waits for, or that fails.
func TestInterceptorsHearOfEveryRecord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		var mu sync.Mutex
		var seen []string
		i := &spy{name: "i", mu: &mu, seen: &seen}
		p := start(t, c, func(cfg *producer.Config) { cfg.Interceptors = []producer.Interceptor{i} })
		warm(t, p, "t")
		bad := producer.Record{Topic: "t", Partition: producer.OnPartition(9), Value: []byte("bad"), Headers: []producer.Header{{Key: "h"}}}
		p.Send(t.Context(), bad)
		p.SendFunc(t.Context(), bad, nil)
		if p.TrySend(bad, nil) == nil {
			t.Error("TrySend took a record for a partition that is not there")
		}
		p.Send(t.Context(), record("good"))
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want := []string{
			"i send bad", "i ack -1 [h] true", "i send bad", "i ack -1 [h] true", "i send bad", "i ack -1 [h] true",
			"i send good", "i ack 0 [] false",
		}
		if !slices.Equal(seen, want) {
			t.Errorf("seen:\n%s\nwant:\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
		}
	})
}
