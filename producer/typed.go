package producer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Typed sends keys of type K and values of type V by way of a producer. A producer may have several of them. A Typed is safe
// for concurrent use, starts no goroutine and needs no closing; flush and close the producer. Key and value may be changed once
// a method has returned.
//
// A record whose key or value cannot be serialized is not sent. Its error is a *SerializationError, and reaches the caller as
// all errors of the method do.
type Typed[K, V any] struct {
	to    Sender
	key   Serializer[K]
	value Serializer[V]
}

// Sender has the methods that send, of a *Producer, a *Tx, or a double. A type that wraps one, to add a header, to count, to
// encrypt, implements Sender too, and passes on what it is given. [NewFuture] makes futures for a Sender that is no producer.
// Interface has all that a producer does.
//
// While a transaction is open, a Sender may be given a record without key and value, which a Typed could not serialize. A
// wrapper passes it on like all others: the producer at the end refuses it, and fails the transaction. A Sender that keeps
// records elsewhere has to ask Record.Unserialized.
//
// Nothing depends on the type behind a Sender. Sender gets no further methods. If a later version asks for a further interface,
// that is for speed alone, since a wrapper does not have it.
type Sender interface {
	Send(ctx context.Context, rec Record) Future
	SendFunc(ctx context.Context, rec Record, done Callback)
	SendSync(ctx context.Context, rec Record) (RecordMetadata, error)
	TrySend(rec Record, done Callback) error
}

// TypedRecord is a Record before it is serialized. It may get further fields.
type TypedRecord[K, V any] struct {
	Topic     string
	Partition Partition // as in Record: the zero value leaves the choice to the partitioner
	Key       K
	Value     V
	Headers   []Header
	Timestamp time.Time // as in Record: the zero time stands for the time of Send
}

// SerializationError says which part of a record could not be turned into bytes. The record was not sent.
type SerializationError struct {
	Topic string
	Part  string // "key" or "value"
	Err   error  // the serializer's error
}

func (e *SerializationError) Error() string {
	return fmt.Sprintf("serializing the %s of a record for topic %s: %s", e.Part, protocol.Quoted(e.Topic), protocol.ShownText(fmt.Sprint(e.Err)))
}

// Unwrap returns the serializer's error.
func (e *SerializationError) Unwrap() error { return e.Err }

// NewTyped returns a Typed that sends by way of p. K and V usually follow from the serializers:
//
//	orders := producer.NewTyped(p, producer.StringSerializer{}, producer.JSONSerializer[Order]{})
func NewTyped[K, V any](p Sender, key Serializer[K], value Serializer[V]) *Typed[K, V] {
	return &Typed[K, V]{to: p, key: key, value: value}
}

// Send is Producer.Send.
func (t *Typed[K, V]) Send(ctx context.Context, rec TypedRecord[K, V]) Future {
	s := takeScratch()
	defer s.free()
	plain, err := t.serialize(ctx, s, rec)
	if err != nil {
		passOn(ctx, plain, err, func(ctx context.Context, rec Record) { t.to.Send(ctx, rec) })
		return refusedFuture(plain.noMetadata(), err)
	}
	return t.to.Send(ctx, plain)
}

// SendFunc is Producer.SendFunc. After a *SerializationError, done is called before SendFunc returns.
func (t *Typed[K, V]) SendFunc(ctx context.Context, rec TypedRecord[K, V], done Callback) {
	s := takeScratch()
	defer s.free()
	plain, err := t.serialize(ctx, s, rec)
	if err != nil {
		passOn(ctx, plain, err, func(ctx context.Context, rec Record) { t.to.SendFunc(ctx, rec, func(RecordMetadata, error) {}) })
		if done != nil {
			done(plain.noMetadata(), err)
		}
		return
	}
	t.to.SendFunc(ctx, plain, done)
}

// SendSync is Producer.SendSync.
func (t *Typed[K, V]) SendSync(ctx context.Context, rec TypedRecord[K, V]) (RecordMetadata, error) {
	s := takeScratch()
	defer s.free()
	plain, err := t.serialize(ctx, s, rec)
	if err != nil {
		passOn(ctx, plain, err, func(ctx context.Context, rec Record) { _, _ = t.to.SendSync(ctx, rec) })
		return plain.noMetadata(), err
	}
	return t.to.SendSync(ctx, plain)
}

// TrySend is Producer.TrySend. If it returns an error, the record was not taken and done is not called. Serializers get a ctx
// that never ends.
func (t *Typed[K, V]) TrySend(rec TypedRecord[K, V], done Callback) error {
	s := takeScratch()
	defer s.free()
	plain, err := t.serialize(context.Background(), s, rec)
	if err != nil {
		return err // not passed on: a record that TrySend refuses fails no transaction
	}
	return t.to.TrySend(plain, done)
}

// serialize returns rec with key and value as bytes. They lie in s, or where the serializers left them. With an error it
// returns the record without them.
func (t *Typed[K, V]) serialize(ctx context.Context, s *scratch, rec TypedRecord[K, V]) (Record, *SerializationError) {
	plain := Record{Topic: rec.Topic, Partition: rec.Partition, Headers: rec.Headers, Timestamp: rec.Timestamp}
	s.of = Serialization{Topic: rec.Topic, Part: "key", Headers: slices.Clip(rec.Headers)} // so that to append copies them
	key, err := t.key.Serialize(ctx, s.key[:0], &s.of, rec.Key)
	if err != nil {
		return plain, &SerializationError{Topic: rec.Topic, Part: "key", Err: err}
	}
	s.of.Topic, s.of.Part = rec.Topic, "value"
	value, err := t.value.Serialize(ctx, s.value[:0], &s.of, rec.Value)
	if err != nil {
		return plain, &SerializationError{Topic: rec.Topic, Part: "value", Err: err}
	}
	s.key = grownTo(s.key, len(key))
	s.value = grownTo(s.value, len(value))
	plain.Key, plain.Value, plain.Headers = key, value, s.of.Headers
	return plain, nil
}

// scratch is where a record is serialized to. The producer copies key and value before its Send returns, so the next record may
// have the scratch then.
type scratch struct {
	key, value []byte
	of         Serialization
}

const (
	firstScratch = 256
	// maxScratch keeps a single huge record from staying in memory for good.
	maxScratch = 256 << 10
)

var scratches = sync.Pool{New: func() any {
	return &scratch{key: make([]byte, 0, firstScratch), value: make([]byte, 0, firstScratch)}
}}

func takeScratch() *scratch { return scratches.Get().(*scratch) }

func (s *scratch) free() {
	s.of = Serialization{}
	scratches.Put(s)
}

// grownTo returns buf, or a larger buffer of our own if n bytes did not fit. A buffer that the serializer returned is not kept:
// it may belong to the serializer, and the next record would be written over it.
func grownTo(buf []byte, n int) []byte {
	if n <= cap(buf) || n > maxScratch {
		return buf
	}
	return make([]byte, 0, n+n/2)
}
