package producer

import (
	"context"
	"sync/atomic"
)

// Topic returns a handle for one topic, which sends records of a key and a value. It makes no look-up, and cannot fail: a topic
// that does not exist, or a name that no topic can have, fails the records, as with Send. Make a handle once and keep it.
func (p *Producer) Topic(name string) *Topic { return &Topic{p: p, name: name} }

// Topic sends to one topic what Producer sends to any: records of a key and a value, without partition, headers or timestamp of
// their own. A handle is the fastest way to send, since it makes no Record and looks up no topic. So keep it. Its methods are
// safe for concurrent use, and it needs no closing. Key and value are copied before a method returns.
//
// With a transactional id, the records of a handle from Producer.Topic belong to the transaction that is open. Those of a
// handle from Tx.Topic belong to that Tx, and are refused after its end. NewTopic makes a handle that has no Producer behind
// it.
type Topic struct {
	p     *Producer // nil: the handle sends by over
	over  Sender
	name  string
	txn   int64                // number of the transaction that the records belong to; 0: the one that is open
	place atomic.Pointer[slot] // where the topic was found last; nil: nowhere yet
}

// known returns the handle's topic as it is now, or nil.
func (t *Topic) known() *topic {
	if s := t.place.Load(); s != nil {
		if known := s.now.Load(); known != nil {
			return known
		}
	}
	return t.find()
}

// find is known for a topic that is no longer where it was found last.
func (t *Topic) find() *topic {
	s := t.p.topics.find(t.name)
	if s == nil {
		return nil
	}
	t.place.Store(s)
	return s.now.Load()
}

// Name returns the topic's name.
func (t *Topic) Name() string { return t.name }

// Send is Producer.Send.
func (t *Topic) Send(ctx context.Context, key, value []byte) Future {
	if t.p == nil {
		return t.sendOver(ctx, key, value)
	}
	return t.send(ctx, key, value, "Send")
}

func (t *Topic) send(ctx context.Context, key, value []byte, call string) Future {
	if passing.Load() {
		if err := t.refuseUnserialized(ctx, 1, nil); err != nil {
			return t.refused(err)
		}
	}
	var e entry
	e.call = call
	t.fill(ctx, &e, key, value, nil)
	return t.p.sendEntry(ctx, &e)
}

// refused is the Future of a record that was not taken. It is not inlined, so that the frame of send stays small: where many
// goroutines send and wait, their stacks are in no cache.
//
//go:noinline
func (t *Topic) refused(err error) Future {
	return refusedFuture((&Record{Topic: t.name}).noMetadata(), err)
}

// SendFunc is Producer.SendFunc.
func (t *Topic) SendFunc(ctx context.Context, key, value []byte, done Callback) {
	if t.p == nil {
		t.sendFuncOver(ctx, key, value, done)
		return
	}
	if passing.Load() && t.refuseUnserialized(ctx, 1, done) != nil {
		return
	}
	var e entry
	e.Detached, e.call = true, "SendFunc"
	t.fill(ctx, &e, key, value, done)
	t.p.sendEntryFunc(ctx, &e, done)
}

// SendSync is Producer.SendSync.
func (t *Topic) SendSync(ctx context.Context, key, value []byte) (RecordMetadata, error) {
	if t.p == nil {
		return t.sendSyncOver(ctx, key, value)
	}
	return t.send(ctx, key, value, "SendSync").Wait(ctx)
}

// TrySend is Producer.TrySend.
func (t *Topic) TrySend(key, value []byte, done Callback) error {
	if t.p == nil {
		return t.trySendOver(key, value, done)
	}
	var e entry
	e.Detached, e.call = true, "TrySend"
	t.fill(context.Background(), &e, key, value, done)
	return t.p.trySendEntry(&e)
}

// fill makes e of a key and a value.
func (t *Topic) fill(ctx context.Context, e *entry, key, value []byte, done Callback) {
	if t.p.watched {
		if hooks, concerned := t.p.watchers(ctx, t.name); concerned {
			t.fillWatched(ctx, e, key, value, done, hooks)
			return
		}
	}
	t.fillPlain(e, key, value, done)
}

// fillWatched is fill for a record that concerns interceptors or hooks. Interceptors see a Record, and may change even its
// topic: then the record goes to another topic than the handle's.
func (t *Topic) fillWatched(ctx context.Context, e *entry, key, value []byte, done Callback, hooks recordHooks) {
	e.Txn = t.txn
	t.p.fillWatched(ctx, e, &Record{Topic: t.name, Key: key, Value: value}, done, hooks)
}

// fillPlain is fill for a record that concerns neither.
func (t *Topic) fillPlain(e *entry, key, value []byte, done Callback) {
	e.Txn, e.topic, e.handle, e.Key, e.Value = t.txn, t.name, t, key, value
	if done != nil {
		e.Callback = done
	}
}
