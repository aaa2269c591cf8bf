package producertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

var sendingStories = []story{
	{name: "keys go to their partitions, offsets count up", tell: func(s *side) {
		for i := range 20 {
			s.sync("a key", producer.Record{Topic: "orders", Key: fmt.Append(nil, "customer-", i), Value: []byte("v")})
		}
		s.sync("a partition", producer.Record{Topic: "orders", Key: []byte("k"), Partition: producer.OnPartition(2)})
		s.visible("orders")
	}},
	{name: "what is sent is what is in the log", tell: func(s *side) {
		headers := []producer.Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "", Value: []byte{}}}
		value := []byte("reused")
		f := s.p.Send(s.t.Context(), producer.Record{Topic: "one", Key: []byte{}, Value: value, Headers: headers})
		copy(value, "######")
		headers[0].Key = "b"
		md, err := f.Wait(s.t.Context())
		s.saw("the future", md, err)
		s.sync("a tombstone", producer.Record{Topic: "one", Key: []byte("k")})
		s.sync("no key", producer.Record{Topic: "one", Value: []byte{}})
		s.visible("one")
	}},
	{name: "timestamps", tell: func(s *side) {
		when := time.Now().Add(123_456_789 * time.Nanosecond)
		for _, at := range []time.Time{when, {}, time.UnixMilli(0), time.UnixMilli(-1), time.Unix(1<<60, 0), time.Unix(-1<<60, 0)} {
			md, err := s.p.SendSync(s.t.Context(), producer.Record{Topic: "one", Timestamp: at})
			s.saw("a record", md, err)
			s.say("its time is %v", md.Timestamp.UTC())
		}
	}},
	{name: "callbacks come in the order of the records", tell: func(s *side) {
		for i := range 10 {
			s.p.SendFunc(s.t.Context(), one(fmt.Sprint(i)), s.callback(fmt.Sprint(i)))
		}
		s.did("TrySend", s.p.TrySend(one("tried"), s.callback("tried")))
		s.did("TrySend without a callback", s.p.TrySend(one("tried"), nil))
		s.p.SendFunc(s.t.Context(), one("no callback"), nil)
		s.flush()
		s.visible("one")
	}},
	{name: "handles", tell: func(s *side) {
		h := s.p.Topic("one")
		s.say("%s, %v", h.Name(), h)
		md, err := h.Send(s.t.Context(), []byte("k"), []byte("1")).Wait(s.t.Context())
		s.saw("Send", md, err)
		h.SendFunc(s.t.Context(), nil, []byte("2"), s.callback("SendFunc"))
		s.flush()
		md, err = h.SendSync(s.t.Context(), nil, []byte("3"))
		s.saw("SendSync", md, err)
		s.did("TrySend", h.TrySend(nil, []byte("4"), s.callback("TrySend")))
		s.flush()
		h.SendAllFunc(s.t.Context(), []producer.KeyValue{{Value: []byte("5")}, {Key: []byte("k")}, {}}, s.callback("SendAllFunc"))
		s.flush()
		s.visible("one")
		md, err = s.p.Topic("no such").SendSync(s.t.Context(), nil, nil)
		s.saw("a name that cannot be", md, err)
		s.did("TrySend to it", s.p.Topic("no such").TrySend(nil, nil, s.callback("never")))
	}},
	{name: "records that are not taken", tell: func(s *side) {
		ended, cancel := context.WithCancelCause(s.t.Context())
		cancel(errOwn)
		for _, rec := range []producer.Record{
			{},
			{Topic: "no such"},
			{Topic: ".."},
			{Topic: strings.Repeat("n", 250)},
			{Topic: "unknown", Partition: producer.OnPartition(1)},
			{Topic: "one", Partition: producer.OnPartition(1)},
			{Topic: "one", Partition: producer.OnPartition(-1)},
			{Topic: "one", Key: []byte("k"), Value: make([]byte, 1<<20), Headers: []producer.Header{{Key: "h", Value: []byte("v")}}},
			{Topic: "one", Value: make([]byte, 33<<20)},
			{Topic: "one", Value: make([]byte, 1<<20-68)},
			{Topic: "one", Value: make([]byte, 1<<20-78)},
		} {
			s.p.SendFunc(s.t.Context(), rec, s.callback("SendFunc"))
			s.flush()
			s.sync("SendSync", rec)
		}
		md, err := s.p.SendSync(ended, one("late"))
		s.saw("a ctx that has ended", md, err)
		s.visible("orders")
	}},
	{name: "partitioners of the program's own", change: func(cfg *producer.Config) {
		cfg.Partitioner = partition.Func(func(r partition.Record, topic *partition.Topic) (int32, error) {
			switch string(r.Key) {
			case "fails":
				return 0, errOwn
			case "beyond":
				return topic.Partitions, nil
			case "below":
				return -7, nil
			}
			return topic.Available[len(topic.Available)-1], nil
		})
	}, tell: func(s *side) {
		for _, key := range []string{"last", "fails", "beyond", "below"} {
			s.sync(key, producer.Record{Topic: "orders", Key: []byte(key)})
		}
	}},
	{name: "keys are ignored", change: func(cfg *producer.Config) { cfg.PartitionerIgnoreKeys = true }, tell: func(s *side) {
		s.sync("a key", producer.Record{Topic: "one", Key: []byte("k")})
	}},
	{name: "acks=0", change: func(cfg *producer.Config) {
		cfg.Acks, cfg.EnableIdempotence, cfg.Retries = producer.AcksNone, false, 0
	}, tell: func(s *side) {
		s.sync("a record", one("a"))
	}},
	{name: "typed records", tell: func(s *side) {
		orders := producer.NewTyped(s.p, producer.StringSerializer{}, producer.JSONSerializer[any]{})
		md, err := orders.Topic("orders").SendSync(s.t.Context(), "customer-7", map[string]int{"n": 1})
		s.saw("SendSync", md, err)
		md, err = orders.SendSync(s.t.Context(), producer.TypedRecord[string, any]{Topic: "orders", Value: make(chan int), Partition: producer.OnPartition(2)})
		s.saw("no JSON", md, err)
		orders.Topic("orders").SendFunc(s.t.Context(), "k", func() {}, s.callback("no JSON either"))
		s.did("TrySend", orders.Topic("orders").TrySend("k", make(chan int), s.callback("never")))
		s.visible("orders")
	}},
	{name: "topics are looked up", tell: func(s *side) {
		s.did("LoadTopics", s.p.LoadTopics(s.t.Context(), "orders", "one", "one"))
		s.did("LoadTopics of what is not there", s.p.LoadTopics(s.t.Context(), "one", "no such", "no such"))
		n, err := s.p.Partitions(s.t.Context(), "orders")
		s.say("Partitions: %d, %s", n, kind(err))
		n, err = s.p.Partitions(s.t.Context(), "unknown")
		s.say("Partitions: %d, %s", n, kind(err))
		s.did("Ping", s.p.Ping(s.t.Context()))
	}},
	{name: "TrySend to a topic that does not exist", tell: func(s *side) {
		_ = s.p.TrySend(producer.Record{Topic: "unknown"}, nil) // the double has the answer already
		for range 8 {
			time.Sleep(10 * time.Second)
			s.did("TrySend", s.p.TrySend(producer.Record{Topic: "unknown"}, s.callback("never")))
			s.did("TrySend of a handle", s.p.Topic("unknown").TrySend(nil, nil, s.callback("never")))
		}
		s.sync("SendSync to another", producer.Record{Topic: "unknown too"})
		s.sync("SendSync to a third", producer.Record{Topic: "unknown-too"})
		s.did("TrySend to that", s.p.TrySend(producer.Record{Topic: "unknown-too"}, s.callback("never")))
	}},
	{name: "brokers are believed at once", change: func(cfg *producer.Config) { cfg.AllowAutoTopicCreation = false }, tell: func(s *side) {
		_ = s.p.TrySend(producer.Record{Topic: "unknown"}, nil)
		time.Sleep(time.Second)
		s.did("TrySend", s.p.TrySend(producer.Record{Topic: "unknown"}, s.callback("never")))
	}},
	{name: "interceptors", change: func(cfg *producer.Config) {
		cfg.Interceptors = []producer.Interceptor{&interceptor{name: "a"}, &interceptor{name: "b"}}
	}, tell: func(s *side) {
		for _, i := range s.cfg.Interceptors {
			i.(*interceptor).say = s.told.say
		}
		ctx := context.WithValue(s.t.Context(), ctxKey{}, "of the sender")
		s.p.SendFunc(ctx, producer.Record{Topic: "orders", Key: []byte("k"), Headers: []producer.Header{{Key: "own"}}}, s.callback("a record"))
		s.flush()
		s.p.SendFunc(ctx, producer.Record{Topic: "no such"}, s.callback("a record that is not taken"))
		s.did("TrySend", s.p.TrySend(producer.Record{Topic: "no such"}, s.callback("never")))
		s.p.SendFunc(ctx, one("fail"), s.callback("a record of which one fails"))
		s.flush()
		s.p.SendFunc(ctx, one("panic"), s.callback("a record of which one panics"))
		s.flush()
		s.visible("orders")
		s.visible("one")
	}},
	{name: "stats count records", tell: func(s *side) {
		s.sync("a", one("a"))
		s.refuseNext(protocol.TopicAuthorizationFailed)
		s.sync("b", one("b"))
		s.sync("c", producer.Record{Topic: "no such"})
		stats := s.p.Stats()
		s.say("sent %d, acknowledged %d, failed %d, maybe %d, in flight %d", stats.Sent, stats.Acknowledged, stats.Failed, stats.MayBeWritten, stats.InFlight)
	}},
}

type ctxKey struct{}

// An interceptor tells what it is told, and adds a header.
type interceptor struct {
	name string
	say  func(string, ...any)
}

func (i *interceptor) OnSend(ctx context.Context, rec *producer.Record) error {
	i.say("%s sees a record for %s, with %d headers, in the ctx %v", i.name, rec.Topic, len(rec.Headers), ctx.Value(ctxKey{}))
	rec.Headers = append(rec.Headers[:len(rec.Headers):len(rec.Headers)], producer.Header{Key: i.name, Value: []byte("seen")})
	switch {
	case i.name == "a" && string(rec.Value) == "fail":
		return errors.New("on purpose")
	case i.name == "a" && string(rec.Value) == "panic":
		panic("on purpose")
	}
	return nil
}

func (i *interceptor) OnAcknowledgement(ctx context.Context, ack producer.Acknowledgement) {
	i.say("%s hears of %s-%d@%d, with %d headers, in the ctx %v: %s", i.name, ack.Metadata.Topic, ack.Metadata.Partition, ack.Metadata.Offset,
		len(ack.Headers), ctx.Value(ctxKey{}), kind(ack.Err))
	if i.name == "b" && ack.Metadata.Topic == "orders" {
		panic("on purpose")
	}
}

var troubleStories = []story{
	{name: "a record that a broker refuses", tell: func(s *side) {
		for _, code := range []protocol.ErrorCode{protocol.TopicAuthorizationFailed, protocol.MessageTooLarge, protocol.InvalidRecord} {
			s.refuseNext(code)
			s.p.SendFunc(s.t.Context(), one("a"), s.callback("refused"))
			s.flush()
		}
		s.sync("the next", one("b"))
		s.visible("one")
	}},
	{name: "nothing is answered", double: []producertest.Option{producertest.Manual()}, tell: func(s *side) {
		s.warm()
		s.silence()
		s.p.SendFunc(s.t.Context(), one("a"), s.callback("a"))
		f := s.p.Send(s.t.Context(), one("b"))
		ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
		defer cancel()
		_, err := f.Wait(ctx)
		s.did("Wait", err)
		md, err := s.p.SendSync(ctx, one("late"))
		s.saw("a ctx that has ended", md, err)
		ctx, cancel = context.WithTimeout(s.t.Context(), time.Second)
		defer cancel()
		md, err = s.p.SendSync(ctx, one("c"))
		s.saw("SendSync", md, err)
		ctx, cancel = context.WithTimeout(s.t.Context(), time.Second)
		defer cancel()
		s.did("Flush", s.p.Flush(ctx))
		ctx, cancel = context.WithTimeout(s.t.Context(), time.Second)
		defer cancel()
		s.closing(ctx)
		md, err = f.Wait(s.t.Context())
		s.saw("the future", md, err)
		s.did("Close again", s.p.Close(s.t.Context()))
	}},
	{name: "nothing is answered for delivery.timeout", double: []producertest.Option{producertest.Manual()}, tell: func(s *side) {
		s.silence()
		began := time.Now()
		s.sync("a record", one("a"))
		s.say("after %v", time.Since(began).Round(time.Second))
		s.p.SendFunc(s.t.Context(), one("b"), s.callback("b"))
		s.flush()
		s.say("after %v", time.Since(began).Round(time.Second))
	}},
	{name: "no broker can be reached", double: []producertest.Option{producertest.Unsent()}, tell: func(s *side) {
		if s.kafka != nil {
			s.kafka.StopBroker(1)
		}
		synctest.Wait()
		s.p.SendFunc(s.t.Context(), one("a"), s.callback("a"))
		s.p.SendFunc(s.t.Context(), one("b"), s.callback("b"))
		ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
		defer cancel()
		s.did("Flush", s.p.Flush(ctx))
		s.sync("c", one("c"))
		ctx, cancel = context.WithTimeout(s.t.Context(), time.Second)
		defer cancel()
		s.p.SendFunc(s.t.Context(), one("d"), s.callback("d"))
		s.closing(ctx)
	}},
	{name: "after Close", tell: func(s *side) {
		h := s.p.Topic("one")
		s.sync("a", one("a"))
		s.did("Close", s.p.Close(s.t.Context()))
		s.sync("SendSync", one("b"))
		s.p.SendFunc(s.t.Context(), one("b"), s.callback("SendFunc"))
		s.did("TrySend", s.p.TrySend(one("b"), s.callback("never")))
		md, err := h.SendSync(s.t.Context(), nil, nil)
		s.saw("a handle", md, err)
		s.sync("a key", producer.Record{Topic: "orders", Key: []byte("customer-7")})
		s.sync("a partition", producer.Record{Topic: "orders", Partition: producer.OnPartition(2)})
		s.sync("no such partition", producer.Record{Topic: "orders", Partition: producer.OnPartition(3)})
		s.sync("an unknown topic", producer.Record{Topic: "unknown"})
		s.sync("an invalid topic", producer.Record{Topic: "no such"})
		s.did("LoadTopics", s.p.LoadTopics(s.t.Context(), "orders"))
		_, err = s.p.Partitions(s.t.Context(), "orders")
		s.did("Partitions", err)
		s.did("Ping", s.p.Ping(s.t.Context()))
		s.flush()
		s.did("Close", s.p.Close(s.t.Context()))
		s.did("InitTransactions", s.p.InitTransactions(s.t.Context()))
	}},
	{name: "a callback that calls Flush", tell: func(s *side) {
		s.p.SendFunc(s.t.Context(), one("a"), func(producer.RecordMetadata, error) {
			s.callback("Flush inside")(producer.RecordMetadata{}, s.p.Flush(s.t.Context()))
		})
		_ = s.p.Flush(s.t.Context()) // the two give up at the same time
		s.visible("one")
	}},
	{name: "a callback that sends", tell: func(s *side) {
		s.p.SendFunc(s.t.Context(), one("a"), func(producer.RecordMetadata, error) {
			if err := s.p.TrySend(one("b"), s.callback("b")); err != nil {
				s.t.Error(err)
			}
			s.callback("a")(producer.RecordMetadata{}, nil)
		})
		_ = s.p.Flush(s.t.Context())
		s.flush()
		s.visible("one")
	}},
}

// warm has a first record be acknowledged: until then a producer has one batch in flight.
func (s *side) warm() {
	f := s.p.Send(s.t.Context(), one("first"))
	if s.double != nil {
		s.double.CompleteNext()
	}
	if _, err := f.Wait(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// silence has nothing be answered from now on. The double is made with Manual.
func (s *side) silence() {
	if s.kafka != nil {
		s.kafka.On(brokertest.Produce).Always().Do(brokertest.Swallow())
	}
}
