package producer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Two records go out in one batch: what is told, in order, from Send to the callbacks.
func TestHooksFollowRecordsAndTheirBatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := start(t, c, watchedBy(w))
		warm(t, p, "t")
		w.forget()
		began := time.Now()
		for _, v := range []string{"a", "b"} {
			p.SendFunc(t.Context(), record(v), func(producer.RecordMetadata, error) { w.note("ended", nil, "callback of %s", v) })
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.want(t, ofEither,
			"begun a", "partitioned a 0", "begun b", "partitioned b 0",
			"sent t-0 2 [a b] attempt 1", "acknowledged t-0 2 [a b] attempt 1 at 0",
			"ended a 0 - false", "ended callback of a", "ended b 1 - false", "ended callback of b")
		b := event[producer.BatchAcknowledged](t, w, "acknowledged").Batch
		if b.Broker.ID != 1 || b.Broker.Addr == "" || b.Sent.Before(began) || b.Opened.IsZero() || b.Bytes < 61 || b.UncompressedBytes != b.Bytes || b.Compression != producer.NoCompression {
			t.Errorf("the batch is told of as %+v", b)
		}
		r := event[producer.RequestEnded](t, w, "request")
		if r.API != "Produce" || r.Broker.ID != 1 || r.RequestBytes <= b.Bytes || r.ResponseBytes == 0 || !r.Written || r.Err != nil {
			t.Errorf("the request is told of as %+v", r)
		}
	})
}

// Every kind of Send is told of, and so is a record that is not taken: begun once, ended once.
func TestHooksHearOfEachRecordOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := start(t, c, watchedBy(w), func(cfg *producer.Config) { cfg.MaxBlock = time.Second })
		warm(t, p, "t")
		p.Send(t.Context(), record("1"))
		p.SendFunc(t.Context(), record("2"), nil)
		if err := p.TrySend(record("3"), nil); err != nil {
			t.Fatal(err)
		}
		send(t, p, record("4"))
		topic := p.Topic("t")
		topic.Send(t.Context(), nil, []byte("5"))
		topic.SendAllFunc(t.Context(), []producer.KeyValue{{Value: []byte("6")}, {Value: []byte("7")}}, nil)
		bad := producer.Record{Topic: "t", Partition: producer.OnPartition(9), Value: []byte("8")}
		p.Send(t.Context(), bad)
		if p.TrySend(bad, nil) == nil {
			t.Error("TrySend took a record for a partition that is not there")
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		begun := w.lines("begun")
		want := []string{"begun 1", "begun 2", "begun 3", "begun 4", "begun 5", "begun 6", "begun 7", "begun 8", "begun 8"}
		if !slices.Equal(begun, want) {
			t.Errorf("begun are %v, want %v", begun, want)
		}
		ended := w.lines("ended")
		slices.Sort(ended)
		want = []string{
			"ended 1 0 - false", "ended 2 1 - false", "ended 3 2 - false", "ended 4 3 - false", "ended 5 4 - false",
			"ended 6 5 - false", "ended 7 6 - false", "ended 8 -1 other false", "ended 8 -1 other false",
		}
		if !slices.Equal(ended, want) {
			t.Errorf("ended are %v, want %v", ended, want)
		}
	})
}

// A header-adder is told of the beginning of records, and of nothing else.
type headerAdder struct{ name string }

func (h headerAdder) OnRecordBegun(_ context.Context, e *producer.RecordBegun) context.Context {
	e.Record.Headers = append(e.Record.Headers, producer.Header{Key: h.name})
	e.Record.Value, e.Record.Topic = []byte("changed"), "elsewhere" // neither counts
	return nil
}

// Hooks add headers, one after the other, behind the interceptors, and change nothing else. The caller's own slice is left
// alone, though there is room behind its end.
func TestHooksAddHeaders(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		var mu sync.Mutex
		var seen []string
		first := &spy{name: "interceptor", mu: &mu, seen: &seen, onSend: func(rec *producer.Record) error {
			if string(rec.Value) == "a" {
				rec.Headers = append(slices.Clip(rec.Headers), producer.Header{Key: "interceptor"})
			}
			return nil
		}}
		p := start(t, c, watchedBy(headerAdder{"one"}, headerAdder{"two"}), func(cfg *producer.Config) {
			cfg.Interceptors = []producer.Interceptor{first}
		})
		own := make([]producer.Header, 1, 8)
		own[0].Key = "own"
		rec := record("a")
		rec.Headers = own
		send(t, p, rec)
		synctest.Wait()
		rec = record("b")
		rec.Headers = own
		send(t, p, rec)
		synctest.Wait()
		var keys []string
		r := c.Records("t", 0)[0]
		for _, h := range r.Headers {
			keys = append(keys, h.Key)
		}
		if want := []string{"own", "interceptor", "one", "two"}; !slices.Equal(keys, want) || string(r.Value) != "a" {
			t.Errorf("the log has %q with headers %v, want a with %v", r.Value, keys, want)
		}
		if extra := own[:2][1].Key; extra != "" {
			t.Errorf("a hook has written %q behind the end of the caller's headers", extra)
		}
		want := []string{
			"interceptor send a", "interceptor ack 0 [own interceptor one two] false",
			"interceptor send b", "interceptor ack 1 [own one two] false",
		}
		if !slices.Equal(seen, want) {
			t.Errorf("the interceptor has seen %v, want %v", seen, want)
		}
	})
}

// The first answer is lost and the second is a refusal that passes: each attempt is told, with its cause, and the record ends
// once. The context that the first hook has made reaches the second.
func TestHooksHearOfRetries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := start(t, c, watchedBy(w))
		warm(t, p, "t")
		send(t, p, record("before"))
		w.forget()
		c.On(brokertest.Produce).Do(brokertest.Drop())
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.NotEnoughReplicas))
		send(t, p, record("a"))
		synctest.Wait()
		w.want(t, ofEither,
			"begun a", "partitioned a 0",
			"sent t-0 1 [a] attempt 1", "retried t-0 1 [a] attempt 1 broker",
			"sent t-0 1 [a] attempt 2", "retried t-0 1 [a] attempt 2 NOT_ENOUGH_REPLICAS",
			"sent t-0 1 [a] attempt 3", "acknowledged t-0 1 [a] attempt 3 at 1", "ended a 1 - false")
		w.want(t, []string{"disconnected"}, "disconnected 1 control false broker")
	})
}

// No broker answers until delivery.timeout: the batch fails as one that may be written, and nothing more is told of it when
// the connection ends.
func TestHooksHearOfABatchThatMayBeWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := start(t, c, watchedBy(w), func(cfg *producer.Config) {
			cfg.DeliveryTimeout, cfg.RequestTimeout, cfg.Linger = 10*time.Second, 10*time.Second, 0
		})
		warm(t, p, "t")
		c.On(brokertest.Produce).Do(brokertest.Swallow())
		w.forget()
		if _, err := p.SendSync(t.Context(), record("a")); !producer.MayBeWritten(err) {
			t.Fatalf("got %v, want that it may be written", err)
		}
		time.Sleep(time.Minute)
		w.want(t, ofEither, "begun a", "partitioned a 0", "sent t-0 1 [a] attempt 1",
			"failed t-0 1 [a] attempt 1 timeout true", "ended a -1 timeout true")
	})
}

// A batch that was never sent fails, too.
func TestHooksHearOfABatchThatWasNotSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := start(t, c, watchedBy(w), func(cfg *producer.Config) {
			cfg.DeliveryTimeout, cfg.RequestTimeout = 10*time.Second, 5*time.Second
		})
		warm(t, p, "t")
		c.StopBroker(1)
		time.Sleep(time.Second)
		w.forget()
		if _, err := p.SendSync(t.Context(), record("a")); err == nil || producer.MayBeWritten(err) {
			t.Fatalf("got %v, want a certain failure", err)
		}
		synctest.Wait()
		w.want(t, ofEither, "begun a", "partitioned a 0", "failed t-0 1 [a] attempt 0 timeout false", "ended a -1 timeout false")
		if b := event[producer.BatchFailed](t, w, "failed").Batch; b.Broker.ID != producer.NoBroker || !b.Sent.IsZero() {
			t.Errorf("the batch was sent to %+v at %v, want to nobody", b.Broker, b.Sent)
		}
		if n := len(w.lines("connected")); n == 0 {
			t.Error("no attempt to connect was told of")
		}
		if e := event[producer.BrokerConnected](t, w, "connected"); e.Err == nil || e.Broker.Addr == "" {
			t.Errorf("the last attempt to connect is told of as %+v, want an error and an address", e)
		}
	})
}

// A topic takes small batches. The large one is split, and its parts end on their own; each record ends once.
func TestHooksHearOfASplit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		if err := c.SetTopicMaxBytes("t", 1100); err != nil {
			t.Fatal(err)
		}
		w := new(witness)
		p := start(t, c, watchedBy(w))
		warm(t, p, "t")
		w.forget()
		for range 2 {
			rec := record("a")
			rec.Key = make([]byte, 1000)
			p.Send(t.Context(), rec)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.want(t, slices.Concat(ofBatches, []string{"ended"}),
			"sent t-0 2 [a a] attempt 1", "split t-0 2 [a a] attempt 1 into 2, 0 at fault MESSAGE_TOO_LARGE",
			"sent t-0 1 [a] attempt 2", "acknowledged t-0 1 [a] attempt 2 at 0",
			"sent t-0 1 [a] attempt 2", "acknowledged t-0 1 [a] attempt 2 at 1",
			"ended a 0 - false", "ended a 1 - false")
	})
}

// The broker finds one of three records at fault: it fails, and the others go on.
func TestHooksHearOfRecordsAtFault(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		c.SetCompacted("t", true)
		w := new(witness)
		p := start(t, c, watchedBy(w))
		warm(t, p, "t")
		w.forget()
		for _, v := range []string{"a", "no key", "c"} {
			rec := record(v)
			if v != "no key" {
				rec.Key = []byte("k")
			}
			p.Send(t.Context(), rec)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		lines := w.lines("split", "ended")
		if len(lines) != 4 || lines[0] != "split t-0 3 [a no key c] attempt 1 into 2, 1 at fault INVALID_RECORD" {
			t.Errorf("told were %q, want a split into 2 with 1 at fault, and three records", lines)
		}
		if acks := w.lines("acknowledged"); len(acks) != 2 {
			t.Errorf("acknowledged were %q, want both parts", acks)
		}
	})
}

// A hook that is none is refused: as a rule a method has other arguments than it should.
func TestAHookWithoutAnyInterfaceIsRefused(t *testing.T) {
	for _, bad := range []producer.Hook{nil, struct{}{}, "x"} {
		cfg := producer.DefaultConfig("localhost:9092")
		cfg.Hooks = []producer.Hook{new(witness), bad}
		var e *producer.ConfigError
		if _, err := producer.New(cfg); !errors.As(err, &e) || len(e.Violations) != 1 || e.Violations[0].Field != "Hooks" {
			t.Errorf("New with %v as a hook: %v, want Hooks to be refused", bad, err)
		}
	}
}
