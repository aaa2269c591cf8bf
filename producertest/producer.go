package producertest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Producer is a double of producer.Producer: see the package documentation. Its methods are safe for concurrent use. As with
// producer.Producer, only one goroutine at a time may call the transaction methods.
type Producer struct {
	cfg         producer.Config
	set         *options
	started     time.Time
	log         *slog.Logger
	partitioner partition.Partitioner

	transacting atomic.Bool // a Transact has not returned
	initialised atomic.Bool // InitTransactions has succeeded, by way of Transact

	// mu guards all that follows. Nothing blocks under it, and nothing of the program is called.
	mu      sync.Mutex
	changed chan struct{} // closed, and another made, by each change that somebody may wait for
	timer   *time.Timer   // rings for the next record that ends by itself; nil before the first
	closing bool          // nothing is taken any more
	ended   bool          // nothing waits any more
	topics  map[string]*topic
	denied  map[string]time.Time // topics that do not exist, and from when on a producer would be sure of that

	history   []*entry
	pending   []*entry // taken, and without an outcome; the oldest first
	calls     []*entry // have an outcome, and their callbacks are to be called; the first to end first
	calling   *entry   // whose callback is being called; nil: nobody's
	callingAt time.Time

	acknowledged time.Time // when a record last was; zero: none was yet

	stats       producer.Stats
	edit        func(*producer.Stats)
	health      *producer.Health // what a test has set; nil: nothing
	brokers     []producer.BrokerStats
	editMetrics func(*producer.Metrics)
	faults      faults
	coordinator
}

// A topic is what a double keeps of one.
type topic struct {
	view *partition.Topic
	turn int32           // of records without a key: the partition of the next
	ends map[int32]int64 // by partition: the offset of the next record
}

var (
	_ producer.Interface = (*Producer)(nil)
	_ fmt.Formatter      = (*Producer)(nil)
)

// TB is what New and expectations need of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// New makes a double that ends with the test. An option that is not valid fails the test. Without any, every topic is there,
// with one partition; with AutoCreate(false), only those of Topic are.
func New(t TB, opts ...Option) *Producer {
	t.Helper()
	p, err := Start(opts...)
	if err != nil {
		t.Fatalf("producertest: %v", err)
		return nil
	}
	t.Cleanup(p.end)
	return p
}

// Start makes a double outside of a test. The caller must Close it.
func Start(opts ...Option) (*Producer, error) {
	o, err := chosen(opts)
	if err != nil {
		return nil, err
	}
	p := &Producer{cfg: *o.cfg, set: o, started: time.Now(), log: o.cfg.Logger, changed: make(chan struct{}), topics: map[string]*topic{}, denied: map[string]time.Time{}}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	switch {
	case p.cfg.Partitioner != nil:
		p.partitioner = p.cfg.Partitioner
	case p.cfg.PartitionerIgnoreKeys:
		p.partitioner = partition.IgnoreKeys()
	default:
		p.partitioner = partition.Default(partition.JavaMurmur2)
	}
	for name, n := range o.topics {
		p.addTopic(name, n)
	}
	if p.cfg.TransactionalID != "" {
		p.coordinator.start(&p.cfg)
	}
	return p, nil
}

func (p *Producer) addTopic(name string, partitions int) *topic {
	view := &partition.Topic{Name: name, Partitions: int32(partitions)}
	for i := range view.Partitions {
		view.Available = append(view.Available, i)
	}
	t := &topic{view: view, ends: map[int32]int64{}}
	p.topics[name] = t
	return t
}

// end stops what goes on by itself. Whoever waits goes on to do so, up to the end of its ctx.
func (p *Producer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.closing = true, true
	p.coordinator.count(false)
	if p.timer != nil {
		p.timer.Stop()
	}
}

// Format prints what it is, whatever the verb: its fields change while others look at them.
func (p *Producer) Format(f fmt.State, _ rune) { fmt.Fprint(f, "producertest.Producer") }

// Send is that of producer.Producer.
func (p *Producer) Send(ctx context.Context, rec producer.Record) producer.Future {
	return p.send(ctx, &entry{rec: rec, call: "Send"})
}

func (p *Producer) send(ctx context.Context, e *entry) producer.Future {
	var f producer.Future
	f, e.complete = producer.NewFuture()
	if p.hand(ctx, e, true) == nil { // else the future has it
		double.SoFar(f, e.nowhere())
	}
	return f
}

// SendFunc is that of producer.Producer. The package documentation says on whose goroutine done runs.
func (p *Producer) SendFunc(ctx context.Context, rec producer.Record, done producer.Callback) {
	p.sendFunc(ctx, &entry{rec: rec, call: "SendFunc", done: done})
}

func (p *Producer) sendFunc(ctx context.Context, e *entry) {
	if err := p.hand(ctx, e, true); err != nil && e.done != nil {
		e.done(e.md, err)
	}
}

// SendSync is that of producer.Producer.
func (p *Producer) SendSync(ctx context.Context, rec producer.Record) (producer.RecordMetadata, error) {
	return p.sendSync(ctx, &entry{rec: rec, call: "SendSync"})
}

func (p *Producer) sendSync(ctx context.Context, e *entry) (producer.RecordMetadata, error) {
	return p.send(ctx, e).Wait(ctx)
}

// TrySend is that of producer.Producer.
func (p *Producer) TrySend(rec producer.Record, done producer.Callback) error {
	return p.trySend(&entry{rec: rec, call: "TrySend", done: done})
}

func (p *Producer) trySend(e *entry) error { return p.hand(context.Background(), e, false) }

// Topic is that of producer.Producer.
func (p *Producer) Topic(name string) *producer.Topic { return producer.NewTopic(p, name) }

// LoadTopics is that of producer.Producer. All topics that exist are known at once.
func (p *Producer) LoadTopics(ctx context.Context, topics ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return producer.ErrClosed
	}
	fault := p.faults.take(CallLoadTopics)
	return loadErrors(topics, func(name string) error {
		if fault != nil {
			return fault
		}
		_, err := p.lookup(ctx, name)
		return err
	})
}

// Partitions is that of producer.Producer.
func (p *Producer) Partitions(ctx context.Context, name string) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return 0, producer.ErrClosed
	}
	if err := p.faults.take(CallPartitions); err != nil {
		return 0, err
	}
	t, err := p.lookup(ctx, name)
	if err != nil {
		return 0, err
	}
	return int(t.view.Partitions), nil
}

// Ping is that of producer.Producer. The cluster is there, unless FailCall says otherwise.
func (p *Producer) Ping(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.faults.take(CallPing)
	switch {
	case p.closing:
		err = producer.ErrClosed
	case err == nil:
		err = cause.Of(ctx)
	}
	if err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// Stats is that of producer.Producer: the counters of records, as EditStats has changed them.
func (p *Producer) Stats() producer.Stats {
	p.mu.Lock()
	s, edit := p.stats, p.edit
	s.InFlight = p.inFlight()
	for _, e := range p.pending {
		s.BufferedBytes += e.size
	}
	p.mu.Unlock()
	if edit != nil {
		edit(&s)
	}
	return s
}

// inFlight counts the records that were sent, and wait.
func (p *Producer) inFlight() int64 {
	if p.set.unsent {
		return 0
	}
	return int64(len(p.pending))
}

// Brokers is that of producer.Producer. It returns what SetBrokers was given; at first there are none.
func (p *Producer) Brokers() []producer.BrokerStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.brokers)
}

// known is topic for a TrySend, which waits for nothing. Of a topic that does not exist, a producer can be sure only when it has
// looked for it for long. Until then it says what brokers have answered.
func (p *Producer) known(name string) (*topic, error) {
	sure, asked := p.denied[name]
	t, err := p.topic(name)
	if _, unknown := errors.AsType[*producer.UnknownTopicError](err); !unknown {
		return t, err
	}
	if !asked {
		sure = time.Now().Add(p.doubt())
	}
	p.denied[name] = sure
	if left := time.Until(sure); left > 0 {
		answer := &producer.UnknownTopicError{Topic: name, Brokers: []int32{broker}, After: p.doubt() - left}
		err = fmt.Errorf("%w; the last answer: %w", producer.ErrTopicNotLoaded, answer)
	}
	return nil, err
}

// doubt is how long a producer looks for a topic that brokers do not know, before it believes them.
func (p *Producer) doubt() time.Duration {
	if !p.cfg.AllowAutoTopicCreation {
		return 0
	}
	return double.Grace(p.cfg)
}

// lookup is topic for a call that waits for it within ctx. One that has ended gets no answer but of what is known.
func (p *Producer) lookup(ctx context.Context, name string) (*topic, error) {
	t, err := p.topic(name)
	ended := cause.Of(ctx)
	if _, unknown := errors.AsType[*producer.UnknownTopicError](err); unknown && ended != nil {
		err = fmt.Errorf("looking up topic %q: %w", name, ended)
	}
	return t, err
}

// topic returns a topic that exists, or is made now.
func (p *Producer) topic(name string) (*topic, error) {
	if t := p.topics[name]; t != nil {
		return t, nil
	}
	if err := checkTopic(name); err != nil {
		return nil, err
	}
	if !p.set.autoCreate {
		p.denied[name] = time.Now()
		return nil, &producer.UnknownTopicError{Topic: name, Brokers: []int32{broker}, After: p.doubt()}
	}
	return p.addTopic(name, p.set.partitions), nil
}

// broker is the id of the one that a double pretends to be connected to.
const broker int32 = 1

// checkLimits returns why no request can carry a record of these settings.
func (p *Producer) checkLimits(e *entry) error {
	size := (&protocol.Record{Key: e.rec.Key, Value: e.rec.Value, Headers: e.rec.Headers}).SizeAlone()
	e.size = int64(size)
	err := &producer.RecordTooLargeError{Size: size, Limit: int64(p.cfg.MaxRequestSize), Key: "max.request.size"}
	switch {
	case size > p.cfg.MaxRequestSize && int64(size) > p.cfg.BufferMemory:
		err.Also = "buffer.memory"
		return err
	case size > p.cfg.MaxRequestSize:
		return err
	case int64(size) > p.cfg.BufferMemory:
		return &producer.RecordTooLargeError{Size: size, Limit: p.cfg.BufferMemory, Key: "buffer.memory"}
	}
	return nil
}

// number is that of the transaction that e is of, if any is open.
func (p *Producer) number(e *entry) int64 {
	if e.txn == 0 && p.tx != nil {
		return p.tx.Number()
	}
	return e.txn
}
