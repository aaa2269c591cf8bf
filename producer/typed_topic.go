package producer

import "context"

// Topic returns a handle for one topic, which sends keys and values. It makes no look-up, and cannot fail.
func (t *Typed[K, V]) Topic(name string) *TypedTopic[K, V] {
	return &TypedTopic[K, V]{t: t, name: name}
}

// TypedTopic sends to one topic what Typed sends to any: records of a key and a value, without partition, headers or timestamp
// of their own. It spares its caller a TypedRecord, and is as fast as Typed. Its methods are safe for concurrent use.
type TypedTopic[K, V any] struct {
	t    *Typed[K, V]
	name string
}

// Name returns the topic's name.
func (t *TypedTopic[K, V]) Name() string { return t.name }

// Send is Typed.Send.
func (t *TypedTopic[K, V]) Send(ctx context.Context, key K, value V) Future {
	return t.t.Send(ctx, TypedRecord[K, V]{Topic: t.name, Key: key, Value: value})
}

// SendFunc is Typed.SendFunc.
func (t *TypedTopic[K, V]) SendFunc(ctx context.Context, key K, value V, done Callback) {
	t.t.SendFunc(ctx, TypedRecord[K, V]{Topic: t.name, Key: key, Value: value}, done)
}

// SendSync is Typed.SendSync.
func (t *TypedTopic[K, V]) SendSync(ctx context.Context, key K, value V) (RecordMetadata, error) {
	return t.t.SendSync(ctx, TypedRecord[K, V]{Topic: t.name, Key: key, Value: value})
}

// TrySend is Typed.TrySend.
func (t *TypedTopic[K, V]) TrySend(key K, value V, done Callback) error {
	return t.t.TrySend(TypedRecord[K, V]{Topic: t.name, Key: key, Value: value}, done)
}
