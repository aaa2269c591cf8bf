package producertest

import (
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/producer"
)

// Option is a choice made for a double when it is made.
type Option func(*options)

type options struct {
	cfg        *producer.Config
	id         string // transactional.id
	topics     map[string]int
	partitions int // of a topic that topics lacks
	autoCreate bool
	manual     bool
	unsent     bool
	delay      time.Duration
	room       int // records that may wait; 0: any number
}

// Config gives the double the settings of a producer. It heeds Partitioner and PartitionerIgnoreKeys; Interceptors, and Logger
// for what these do wrong; Acks, TransactionalID and TransactionTimeout; MaxBlock and DeliveryTimeout; MaxRequestSize and
// BufferMemory as limits of one record; AllowAutoTopicCreation and UnknownTopicGrace for what a topic that does not exist is
// told of. It does not heed Hooks. Without this option the settings are those of producer.DefaultConfig. Settings that a
// producer refuses are refused.
func Config(cfg producer.Config) Option { return func(o *options) { o.cfg = &cfg } }

// Transactional gives the double a transactional.id, so every record is part of a transaction.
func Transactional(id string) Option { return func(o *options) { o.id = id } }

// Topic makes a topic with that many partitions, at least 1. Other topics are made by the first record to them; with
// AutoCreate(false) there are no others.
func Topic(name string, partitions int) Option {
	return func(o *options) { o.topics[name] = partitions }
}

// AutoCreate says whether the first record to a topic makes it. The default is true. If false, a topic that no Topic has made
// does not exist: a record to it fails with a *producer.UnknownTopicError.
func AutoCreate(on bool) Option { return func(o *options) { o.autoCreate = on } }

// DefaultPartitions sets the number of partitions of a topic that AutoCreate makes. The default is 1.
func DefaultPartitions(n int) Option { return func(o *options) { o.partitions = n } }

// Manual makes records wait until the test completes them: see Producer.CompleteNext. They count as sent: if they end without
// an answer, they may be in the log.
func Manual() Option { return func(o *options) { o.manual = true } }

// Unsent is Manual for records that count as not sent while they wait, as if no broker could be reached: if they end without an
// answer, they are not in the log.
func Unsent() Option { return func(o *options) { o.manual, o.unsent = true, true } }

// Delivery makes each record end this long after it was sent. The default is 0: at once.
func Delivery(d time.Duration) Option { return func(o *options) { o.delay = d } }

// BufferRecords bounds the records that wait for their completion, as buffer.memory does by bytes. When there is no room, Send
// waits within ctx and Config.MaxBlock, and TrySend returns producer.ErrBufferFull. By default there is room for any number.
func BufferRecords(n int) Option { return func(o *options) { o.room = n } }

// server is where a double pretends to be connected to.
const server = "producertest:9092"

// chosen applies and checks options.
func chosen(opts []Option) (*options, error) {
	o := &options{topics: map[string]int{}, partitions: 1, autoCreate: true}
	for _, opt := range opts {
		opt(o)
	}
	if o.cfg == nil {
		cfg := producer.DefaultConfig(server)
		o.cfg = &cfg
	}
	if o.id != "" {
		o.cfg.TransactionalID = o.id
	}
	var errs []error
	if err := o.cfg.Validate(); err != nil {
		errs = append(errs, err)
	}
	for name, n := range o.topics {
		if err := double.CheckTopic(name); err != nil {
			errs = append(errs, fmt.Errorf("Topic: %w", err))
		}
		if n < 1 {
			errs = append(errs, fmt.Errorf("Topic(%q, %d): a topic has 1 partition at least", name, n))
		}
	}
	if o.partitions < 1 {
		errs = append(errs, fmt.Errorf("DefaultPartitions(%d): a topic has 1 partition at least", o.partitions))
	}
	if o.delay < 0 {
		errs = append(errs, fmt.Errorf("Delivery(%v): it cannot be negative", o.delay))
	}
	if o.delay > 0 && o.manual {
		errs = append(errs, errors.New("Delivery and Manual contradict each other: either time completes records or the test does"))
	}
	if o.room < 0 {
		errs = append(errs, fmt.Errorf("BufferRecords(%d): it cannot be negative", o.room))
	}
	return o, errors.Join(errs...)
}
