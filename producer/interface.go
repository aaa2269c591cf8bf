package producer

import (
	"context"

	"github.com/epistle-kafka/epistle/protocol"
)

// Interface has all methods of a [Producer] that a program calls. A program that takes an Interface in place of a *Producer can
// be given anything else with the same methods: the double of package producertest, or a type of its own around a Producer,
// which counts, encrypts or adds headers. [NewTopic] and [NewTx] make the handles of such a type.
//
// Interface is made of smaller interfaces. A function that only sends should ask for a [Sender] alone: the less it asks for,
// the more it can be given. A program can also write an interface of the few methods that it calls.
//
// Interface and its parts get no further methods. A method that Producer gets later comes in an interface of its own. *Producer
// and the double implement it, and a program embeds it beside this one:
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

// TopicSource gives handles for topics, and looks topics up. The methods are those of Producer.
type TopicSource interface {
	Topic(name string) *Topic
	LoadTopics(ctx context.Context, topics ...string) error
	Partitions(ctx context.Context, name string) (int, error)
}

// FlushCloser waits for what was sent, and ends the producer. The methods are those of Producer.
type FlushCloser interface {
	Flush(ctx context.Context) error
	Close(ctx context.Context) error
}

// Transactor runs functions in transactions. The method is that of Producer.
type Transactor interface {
	Transact(ctx context.Context, f func(tx *Tx) error, options ...TransactOption) error
}

// StepTransactor has transactions in steps, as Java's producer has them. The methods are those of Producer.
type StepTransactor interface {
	InitTransactions(ctx context.Context) error
	BeginTransaction(ctx context.Context) error
	SendOffsetsToTransaction(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) error
	CommitTransaction(ctx context.Context) error
	AbortTransaction(ctx context.Context) error
}

// Monitor tells how a producer fares. The methods are those of Producer.
type Monitor interface {
	Ping(ctx context.Context) error
	Ready(ctx context.Context, topics ...string) error
	Health() Health
	Metrics() Metrics
	Stats() Stats
	Brokers() []BrokerStats
	ClientInstanceID(ctx context.Context) (protocol.UUID, error)
}

// TransactionSender is what [NewTx] needs of a transaction. A [Tx] has these methods.
type TransactionSender interface {
	Sender
	SendOffsets(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata, group ConsumerGroupMetadata) error
}

var (
	_ Interface         = (*Producer)(nil)
	_ TransactionSender = (*Tx)(nil)
)

// NewTopic returns a handle that sends by way of s: its Send is s.Send with a Record of that topic, and so on. Its SendAllFunc
// calls s.SendFunc for each record. NewTopic is for the Topic method of a type that wraps a Producer, or stands in for one.
// Such handles are as fast as s. The handles of [Producer.Topic] have no Sender between.
func NewTopic(s Sender, name string) *Topic { return &Topic{over: s, name: name} }

// NewTx returns a Tx whose methods are those of t, and whose handles send by way of t. NewTx is for the Transact method of a
// type that wraps a Producer, or stands in for one. It is up to t that the Tx is of no use once its function has returned.
func NewTx(t TransactionSender) *Tx { return &Tx{over: t} }

// The rest is for handles that have a Sender in place of a Producer. These methods are not inlined: otherwise the Record of
// such a call would be in the frame of each Send.

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
