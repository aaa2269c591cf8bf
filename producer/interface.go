package producer

import (
	"context"

	"github.com/epistle-kafka/epistle/protocol"
)

// Interface is all that a program calls on a [Producer]. A program that takes one of these in place of a *Producer can be given
// anything else that has the same methods: the double of package producertest, or a type of its own around a Producer, which
// counts, encrypts or adds headers. [NewTopic] and [NewTx] make the handles of such a type.
//
// It is made of smaller ones. What only sends had best ask for a [Sender] alone: the less a function asks for, the more it can
// be given. All types in them are this package's own, so that a program can also write an interface of the few methods that it
// calls.
//
// Neither it nor those that it is made of get further methods. What a Producer learns later comes as an interface of its own,
// which a *Producer and the double have, and which a program embeds beside this one:
//
//	type client interface {
//		producer.Interface
//		producer.SomethingNew
//	}
type Interface interface {
	Sender
	TopicSource
	FlushCloser
	Transactor
	StepTransactor
	Monitor
}

// TopicSource gives handles for topics, and looks topics up.
type TopicSource interface {
	Topic(name string) *Topic
	LoadTopics(ctx context.Context, topics ...string) error
	Partitions(ctx context.Context, name string) (int, error)
}

// FlushCloser waits for what was sent, and ends.
type FlushCloser interface {
	Flush(ctx context.Context) error
	Close(ctx context.Context) error
}

// Transactor runs functions in transactions.
type Transactor interface {
	Transact(ctx context.Context, f func(tx *Tx) error, options ...TransactOption) error
}

// StepTransactor has transactions in steps, as Java's producer has them.
type StepTransactor interface {
	InitTransactions(ctx context.Context) error
	BeginTransaction(ctx context.Context) error
	SendOffsetsToTransaction(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) error
	CommitTransaction(ctx context.Context) error
	AbortTransaction(ctx context.Context) error
}

// Monitor tells how a producer fares.
type Monitor interface {
	Ping(ctx context.Context) error
	Ready(ctx context.Context, topics ...string) error
	Health() Health
	Metrics() Metrics
	Stats() Stats
	Brokers() []BrokerStats
	ClientInstanceID(ctx context.Context) (protocol.UUID, error)
}

// TransactionSender is what [NewTx] needs of a transaction, and what a [Tx] has.
type TransactionSender interface {
	Sender
	SendOffsets(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) error
}

var (
	_ Interface         = (*Producer)(nil)
	_ TransactionSender = (*Tx)(nil)
)

// NewTopic returns a handle that sends by way of s: its Send is s.Send with a Record of that topic, and so on; its SendAllFunc
// calls s.SendFunc for each record. It is for the Topic method of a type that is no Producer, or that has one inside: such
// handles are as fast as s. [Producer.Topic] returns one that has no Sender between.
func NewTopic(s Sender, name string) *Topic { return &Topic{over: s, name: name} }

// NewTx returns a Tx whose methods are those of t, and whose handles send by way of t. It is for the Transact method of a type
// that is no Producer, or that has one inside; that a Tx is of no use when its function has returned is up to t.
func NewTx(t TransactionSender) *Tx { return &Tx{over: t} }

// The rest is what handles do that have a Sender in place of a Producer. It is apart from what is fast, and stays so: the
// Record of a call that is inlined would be in the frame of each Send.

//go:noinline
func (t *Topic) sendOver(ctx context.Context, key, value []byte) Future {
	return t.over.Send(ctx, Record{Topic: t.name, Key: key, Value: value})
}

//go:noinline
func (t *Topic) sendFuncOver(ctx context.Context, key, value []byte, done Callback) {
	t.over.SendFunc(ctx, Record{Topic: t.name, Key: key, Value: value}, done)
}

//go:noinline
func (t *Topic) sendSyncOver(ctx context.Context, key, value []byte) (RecordMetadata, error) {
	return t.over.SendSync(ctx, Record{Topic: t.name, Key: key, Value: value})
}

//go:noinline
func (t *Topic) trySendOver(key, value []byte, done Callback) error {
	return t.over.TrySend(Record{Topic: t.name, Key: key, Value: value}, done)
}

func (t *Topic) sendAllOver(ctx context.Context, records []KeyValue, done Callback) {
	for _, r := range records {
		t.sendFuncOver(ctx, r.Key, r.Value, done)
	}
}
