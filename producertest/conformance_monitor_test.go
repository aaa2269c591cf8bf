package producertest_test

import (
	"context"
	"errors"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// health notes what a probe goes by. The reasons are left out, since they name brokers.
func (s *side) health() {
	h := s.p.Health()
	s.say("%v: alive %v, reachable %v, authenticated %v, %d brokers, the oldest %v, acknowledged %v, reasons %v",
		h.State, h.Alive(), h.Reachable, h.Authenticated, h.Brokers, h.OldestAge.Round(time.Second), !h.LastAcknowledged.IsZero(), len(h.Reasons) > 0)
}

func (s *side) ready(topics ...string) {
	err := s.p.Ready(s.t.Context(), topics...)
	_, says := errors.AsType[*producer.NotReadyError](err)
	s.say("Ready: %s, a NotReadyError: %v", kind(err), says)
}

// numbers notes what is counted. A topic of which nothing is counted may be there or not.
func (s *side) numbers() {
	stats, m := s.p.Stats(), s.p.Metrics()
	counted := func(of string, r producer.RecordMetrics) {
		s.say("%s: sent %d, acknowledged %d, failed %d, maybe %d", of, r.Sent, r.Acknowledged, r.Failed, r.MayBeWritten)
	}
	s.say("stats: sent %d, acknowledged %d, failed %d, maybe %d, in flight %d, the oldest %v",
		stats.Sent, stats.Acknowledged, stats.Failed, stats.MayBeWritten, stats.InFlight, m.OldestAge)
	counted("all topics", m.Records)
	s.say("in flight %d", m.InFlight)
	for _, t := range m.Topics {
		if t.RecordMetrics != (producer.RecordMetrics{}) {
			counted(t.Topic, t.RecordMetrics)
		}
	}
	s.say("failures %v, refusals %v", m.Failures, m.Refusals)
}

var monitorStories = []story{
	{name: "probes", tell: func(s *side) {
		s.ready("orders")
		s.health()
		s.ready("unknown")
		s.ready("no such")
		s.sync("a", one("a"))
		s.health()
		s.did("Close", s.p.Close(s.t.Context()))
		s.health()
		s.ready()
		s.ready("orders")
	}},
	{name: "probes while nothing is answered", double: []producertest.Option{producertest.Manual()}, tell: func(s *side) {
		s.warm()
		s.silence()
		s.p.SendFunc(s.t.Context(), one("a"), nil)
		time.Sleep(29 * time.Second)
		s.health()
		time.Sleep(time.Second)
		s.health()
	}},
	{name: "probes of a producer that another has taken over from", change: transactional, tell: func(s *side) {
		s.open()
		s.fence()
		s.health()
		s.commit()
		s.health()
		s.ready("orders")
		s.did("Close", s.p.Close(s.t.Context()))
		s.health()
	}},
	{name: "probes of a producer whose commit is in doubt for good", change: transactional, tell: func(s *side) {
		s.open()
		s.failCall(producertest.CallCommitTransaction, protocol.UnknownServerError)
		s.commit()
		s.health()
		s.ready()
	}},
	{name: "numbers of records", tell: func(s *side) {
		s.sync("a", one("a"))
		s.refuseNext(protocol.TopicAuthorizationFailed)
		s.sync("b", one("b"))
		s.sync("c", producer.Record{Topic: "no such"})
		s.did("TrySend", s.p.TrySend(producer.Record{Topic: "orders", Partition: producer.OnPartition(7)}, nil))
		s.numbers()
		s.did("Close", s.p.Close(s.t.Context()))
		s.sync("d", one("d"))
		s.numbers()
	}},
	{name: "a partitioner that fails, and one that panics", change: func(cfg *producer.Config) {
		cfg.Interceptors = []producer.Interceptor{&interceptor{name: "a"}}
		cfg.Partitioner = partition.Func(func(r partition.Record, _ *partition.Topic) (int32, error) {
			if string(r.Value) == "panics" {
				panic("on purpose")
			}
			return 0, errOwn
		})
	}, tell: func(s *side) {
		s.cfg.Interceptors[0].(*interceptor).say = s.told.say
		s.sync("a record", one("fails"))
		func() {
			defer func() { s.say("the panic is %v", recover()) }()
			s.p.SendFunc(s.t.Context(), one("panics"), s.callback("never"))
		}()
		s.hear()
		s.numbers()
	}},
	{name: "numbers of what is in flight", double: []producertest.Option{producertest.Manual()}, tell: func(s *side) {
		s.warm()
		s.silence()
		s.p.SendFunc(s.t.Context(), one("a"), nil)
		time.Sleep(time.Second)
		s.numbers()
		time.Sleep(2 * time.Minute)
		s.numbers()
	}},
	{name: "numbers of what is not sent", double: []producertest.Option{producertest.Unsent()}, tell: func(s *side) {
		if s.kafka != nil {
			s.kafka.StopBroker(1)
		}
		synctest.Wait()
		s.p.SendFunc(s.t.Context(), one("a"), s.callback("a"))
		s.p.SendFunc(s.t.Context(), one("b"), s.callback("b"))
		time.Sleep(time.Second)
		s.numbers()
		time.Sleep(3 * time.Minute)
		s.hear()
		s.numbers()
	}},
	{name: "numbers of an abort", change: func(cfg *producer.Config) {
		transactional(cfg)
		cfg.Linger, cfg.DeliveryTimeout = time.Hour, 2*time.Hour
	}, double: []producertest.Option{producertest.Unsent()}, tell: func(s *side) {
		s.initialise()
		s.begin()
		s.p.SendFunc(s.t.Context(), one("a"), s.callback("a"))
		s.abort()
		s.numbers()
	}},
	{name: "calls whose ctx has ended, without a transaction", tell: func(s *side) {
		ended, cancel := context.WithCancelCause(s.t.Context())
		cancel(errOwn)
		s.did("LoadTopics of what is known", s.p.LoadTopics(ended, "orders"))
		n, err := s.p.Partitions(ended, "orders")
		s.say("Partitions of what is known: %d, %s", n, kind(err))
		s.slow(brokertest.Metadata)
		s.did("Ping", s.p.Ping(ended))
		time.Sleep(time.Minute)
		s.slow(brokertest.Metadata)
		s.did("LoadTopics", s.p.LoadTopics(ended, "unknown"))
		time.Sleep(time.Minute)
		s.slow(brokertest.Metadata)
		_, err = s.p.Partitions(ended, "unknown-too")
		s.did("Partitions", err)
		f := s.p.Send(s.t.Context(), one("a"))
		<-f.Done()
		md, err := f.Wait(ended)
		s.saw("a future that has its outcome", md, err)
		s.did("Flush", s.p.Flush(ended))
		s.did("Close", s.p.Close(ended))
		s.did("Ping", s.p.Ping(ended))
	}},
	{name: "a wait that ends before the outcome", double: []producertest.Option{producertest.Manual()}, tell: func(s *side) {
		s.warm()
		s.silence()
		ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
		defer cancel()
		when := time.Now()
		for _, rec := range []producer.Record{one("a"), {Topic: "one", Timestamp: when.Add(-123_456_789)}} {
			md, err := s.p.Send(s.t.Context(), rec).Wait(ctx)
			s.saw("the future", md, err)
			s.say("its time is %v", md.Timestamp.UTC())
		}
		md, err := s.p.Topic("one").Send(s.t.Context(), nil, []byte("b")).Wait(ctx)
		s.saw("that of a handle", md, err)
	}},
	{name: "interceptors that name a partition", change: func(cfg *producer.Config) {
		cfg.Interceptors = []producer.Interceptor{partitionNamer{}}
	}, tell: func(s *side) {
		for _, value := range []string{"named", "below", "beyond"} {
			s.sync(value, producer.Record{Topic: "orders", Value: []byte(value)})
			s.did("TrySend", s.p.TrySend(producer.Record{Topic: "orders", Value: []byte(value)}, s.callback(value)))
			s.flush()
		}
	}},
}

// A partitionNamer names the partition of each record.
type partitionNamer struct{}

func (partitionNamer) OnSend(_ context.Context, rec *producer.Record) error {
	rec.Partition = producer.OnPartition(map[string]int32{"named": 2, "below": -2, "beyond": 3}[string(rec.Value)])
	return nil
}

func (partitionNamer) OnAcknowledgement(context.Context, producer.Acknowledgement) {}
