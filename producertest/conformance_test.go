package producertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// A story is what a program does with a producer. It is told of the double, and of a real producer on a cluster of brokertest, both
// in fake time; what the program sees must be the same.
type story struct {
	name   string
	change func(*producer.Config) // of the settings of both
	double []producertest.Option  // how the double is to be what the cluster is
	tell   func(s *side)
}

// A side is the double or the real one, in the hands of a story.
type side struct {
	t      *testing.T
	p      producer.Interface
	cfg    producer.Config
	double *producertest.Producer // nil: kafka is there
	kafka  *brokertest.Cluster
	lines  []string // what the program has seen
	told   told     // what its callbacks have, since the last line
}

// Told is what callbacks have seen. They come beside what the program does, and their lines before those of what waits for them.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (t *told) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

// hear adds what callbacks have been told.
func (s *side) hear() {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	s.lines = append(s.lines, s.told.lines...)
	s.told.lines = nil
}

// flush is a Flush, after what callbacks were told until it returned.
func (s *side) flush() {
	err := s.p.Flush(s.t.Context())
	s.hear()
	s.did("Flush", err)
}

// closing is a Close, likewise.
func (s *side) closing(ctx context.Context) {
	err := s.p.Close(ctx)
	s.hear()
	s.did("Close", err)
}

func TestTheDoubleIsLikeAProducer(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			var real, double []string
			synctest.Test(t, func(t *testing.T) { real = onKafka(t, s) })
			synctest.Test(t, func(t *testing.T) { double = onTheDouble(t, s) })
			if len(real) == 0 {
				t.Fatal("the story says nothing")
			}
			for i := range max(len(real), len(double)) {
				a, b := lineOf(real, i), lineOf(double, i)
				if a != b {
					t.Errorf("line %d\n\tof a producer:  %s\n\tof the double:  %s", i+1, a, b)
				}
			}
			if testing.Verbose() {
				t.Log("\n" + strings.Join(real, "\n"))
			}
		})
	}
}

func stories() (all []story) {
	all = append(all, sendingStories...)
	all = append(all, troubleStories...)
	all = append(all, monitorStories...)
	all = append(all, stepStories...)
	all = append(all, lateStories...)
	return append(all, transactStories...)
}

func lineOf(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// The topics of both sides; any other does not exist.
var topics = map[string]int{"orders": 3, "one": 1}

func (s story) config(servers ...string) producer.Config {
	cfg := producer.DefaultConfig(servers...)
	if s.change != nil {
		s.change(&cfg)
	}
	return cfg
}

func onKafka(t *testing.T, s story) []string {
	opts := []brokertest.Option{brokertest.InMemory(), brokertest.AutoCreate(false)}
	for name, n := range topics {
		opts = append(opts, brokertest.Topic(name, n))
	}
	kafka := brokertest.New(t, opts...)
	cfg := s.config(kafka.Bootstrap()...)
	cfg.DialContext = kafka.DialContext
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer end(p)
	if err := p.LoadTopics(t.Context(), "orders", "one"); err != nil {
		t.Fatal(err)
	}
	side := &side{t: t, p: p, cfg: cfg, kafka: kafka}
	s.tell(side)
	synctest.Wait()
	side.hear()
	return side.lines
}

func onTheDouble(t *testing.T, s story) []string {
	cfg := s.config("double:9092")
	opts := []producertest.Option{producertest.Config(cfg), producertest.AutoCreate(false)}
	for name, n := range topics {
		opts = append(opts, producertest.Topic(name, n))
	}
	p := producertest.New(t, append(opts, s.double...)...)
	defer end(p)
	side := &side{t: t, p: p, cfg: cfg, double: p}
	s.tell(side)
	synctest.Wait()
	side.hear()
	return side.lines
}

// end closes a producer, whatever it has left.
func end(p producer.FlushCloser) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Close(ctx)
}

func (s *side) say(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// saw notes an outcome.
func (s *side) saw(what string, md producer.RecordMetadata, err error) {
	s.say("%s: %s-%d@%d, %s", what, md.Topic, md.Partition, md.Offset, kind(err))
}

// did notes the end of a call.
func (s *side) did(what string, err error) { s.say("%s: %s", what, kind(err)) }

// sync is a SendSync, and what comes of it.
func (s *side) sync(what string, rec producer.Record) {
	md, err := s.p.SendSync(s.t.Context(), rec)
	s.saw(what, md, err)
}

// callback returns one that notes what it is told.
func (s *side) callback(what string) producer.Callback {
	return func(md producer.RecordMetadata, err error) {
		s.told.say("%s: %s-%d@%d, %s", what, md.Topic, md.Partition, md.Offset, kind(err))
	}
}

// one is a record for the topic that has one partition.
func one(value string) producer.Record { return producer.Record{Topic: "one", Value: []byte(value)} }

// visible notes what consumers see who read committed records only.
func (s *side) visible(topic string) {
	synctest.Wait()
	s.hear()
	var all []string
	for n := range int32(topics[topic]) {
		if s.kafka != nil {
			for _, r := range s.kafka.Committed(topic, n) {
				all = append(all, line(n, r.Offset, r.Key, r.Value, r.Headers))
			}
			continue
		}
		for _, r := range s.double.Committed(topic) {
			if r.Metadata.Partition == n {
				all = append(all, line(n, r.Metadata.Offset, r.Record.Key, r.Record.Value, r.Record.Headers))
			}
		}
	}
	s.say("%s has %v", topic, all)
}

func line(partition int32, offset int64, key, value []byte, headers []producer.Header) string {
	text := fmt.Sprintf("%d@%d %s=%s", partition, offset, orNull(key), orNull(value))
	for _, h := range headers {
		text += fmt.Sprintf(" %s:%s", h.Key, orNull(h.Value))
	}
	return text
}

func orNull(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

// groupG is who commits offsets.
var groupG = producer.ConsumerGroupMetadata{GroupID: "g"}

// offset is one of partition 0 of topic one.
func offset(n int64) map[producer.TopicPartition]producer.OffsetAndMetadata {
	return map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "one"}: {Offset: n, Metadata: "m"}}
}

// group notes what a group has committed.
func (s *side) group() {
	if s.kafka != nil {
		o, ok := s.kafka.GroupOffsets("g")[brokertest.TopicPartition{Topic: "one"}]
		s.say("the group has offset %d, %v", o.Offset, ok)
		return
	}
	o, ok := s.double.GroupOffsets("g")[producer.TopicPartition{Topic: "one"}]
	s.say("the group has offset %d, %v", o.Offset, ok)
}

// slow has the next answer of Kafka take time. A call whose ctx has ended takes one that is there all the same, which the
// double's never are.
func (s *side) slow(api int16) {
	if s.kafka != nil {
		s.kafka.On(api).Do(brokertest.Pass().Delayed(time.Second))
	}
}

// refuseNext has the next record be refused with a code.
func (s *side) refuseNext(code protocol.ErrorCode) {
	if s.kafka != nil {
		s.kafka.On(brokertest.Produce).Do(brokertest.Error(code))
		return
	}
	s.double.FailNth(1, producertest.NotWritten(code))
}

// coordinators are the calls that ask one, and what they ask.
var coordinators = map[producertest.Call]int16{
	producertest.CallInitTransactions: brokertest.InitProducerID, producertest.CallSendOffsets: brokertest.TxnOffsetCommit,
	producertest.CallCommitTransaction: brokertest.EndTxn, producertest.CallAbortTransaction: brokertest.EndTxn,
}

// failCall has the coordinator answer the next such call with a code.
func (s *side) failCall(call producertest.Call, code protocol.ErrorCode) {
	if s.kafka != nil {
		s.kafka.On(coordinators[call]).Do(brokertest.Error(code))
		return
	}
	s.double.FailCall(call, code)
}

// lose has the answer to such calls be lost, or the request if nothing is done, until found is called.
func (s *side) lose(call producertest.Call, done bool) (found func()) {
	switch {
	case s.kafka != nil && done:
		return s.kafka.On(coordinators[call]).Always().Do(brokertest.HandleThenSwallow()).Stop
	case s.kafka != nil:
		return s.kafka.On(coordinators[call]).Always().Do(brokertest.Swallow()).Stop
	case done:
		s.double.LoseAnswer(call)
	default:
		s.double.LoseRequest(call)
	}
	return func() {}
}

// fence has another instance take the transactional id.
func (s *side) fence() {
	if s.kafka == nil {
		s.double.Fence()
		return
	}
	other, err := producer.New(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	defer end(other)
	if err := other.InitTransactions(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// kind is what a program can tell of an error: its types with their fields, and what errors.Is finds in it.
func kind(err error) string {
	if err == nil {
		return "ok"
	}
	var is []string
	add := func(format string, args ...any) { is = append(is, fmt.Sprintf(format, args...)) }
	if e, ok := errors.AsType[*producer.AdmissionError](err); ok {
		add("AdmissionError{%q}", e.Topic)
	}
	if e, ok := errors.AsType[*producer.SendError](err); ok {
		add("SendError{%s-%d, sent %v, maybe %v}", e.Topic, e.Partition, e.Attempts > 0, e.MayBeWritten)
	}
	if e, ok := errors.AsType[*producer.SerializationError](err); ok {
		add("SerializationError{%s, %s}", e.Topic, e.Part)
	}
	if e, ok := errors.AsType[*producer.LoadError](err); ok {
		add("LoadError{%s}", e.Topic)
	}
	if e, ok := errors.AsType[*producer.TransactionError](err); ok {
		add("TransactionError{%s of %s: %v, %v}", e.Call, e.TransactionalID, e.Outcome, e.Next)
	}
	if e, ok := errors.AsType[*producer.TransactionStateError](err); ok {
		add("TransactionStateError{%s: %s}", e.Call, e.Rule)
	}
	if e, ok := errors.AsType[*producer.FlushError](err); ok {
		add("FlushError{%v}", e.Waiting)
	}
	if e, ok := errors.AsType[*producer.CloseError](err); ok {
		add("CloseError{%v}", e.Lost)
	}
	if e, ok := errors.AsType[*producer.UnknownTopicError](err); ok {
		add("UnknownTopicError{%s, after %v}", e.Topic, e.After.Round(10*time.Second))
	}
	if e, ok := errors.AsType[*producer.NoSuchPartitionError](err); ok {
		add("%+v", *e)
	}
	if e, ok := errors.AsType[*producer.InvalidTopicError](err); ok {
		add("%+v", *e)
	}
	if e, ok := errors.AsType[*producer.RecordTooLargeError](err); ok {
		add("%+v", *e)
	}
	if e, ok := errors.AsType[*producer.InvalidTimestampError](err); ok {
		add("%+v", *e)
	}
	for _, s := range sentinels {
		if errors.Is(err, s) {
			add("%v", s)
		}
	}
	if code, ok := errors.AsType[protocol.ErrorCode](err); ok {
		add("%s", code.Name())
	}
	add("may be written: %v", producer.MayBeWritten(err))
	return strings.Join(is, ", ")
}

var errOwn = errors.New("the program's own")

var sentinels = []error{
	producer.ErrClosed, producer.ErrDeliveryTimeout, producer.ErrMaxBlock, producer.ErrBufferFull, producer.ErrTopicNotLoaded,
	producer.ErrOutcomeUnknown, producer.ErrCallback, producer.ErrFenced, producer.ErrTransactionAborted,
	context.Canceled, context.DeadlineExceeded, errOwn,
}
