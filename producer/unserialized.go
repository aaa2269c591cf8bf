package producer

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/epistle-kafka/epistle/internal/double"
)

// A record that a Typed could not serialize must fail the transaction that it was for (I7), and between the two there may be
// any number of wrappers, of which nothing is known but that they are Senders. So it goes the way of all records, marked, to
// the producer at the end, which refuses it and fails its transaction. The mark is in the record. It is in the context too, for
// a wrapper that makes a new record of the old one's bytes.
//
// A Sender need not end in a producer of this package, and must not be given what was never a record. So nothing is passed on
// while no transaction is open in the process: then there is nothing to fail.

// transactional holds the producers with a transactional id that are not closed.
var transactional struct {
	mu        sync.Mutex // never held while blocking
	producers map[*Producer]struct{}
}

// passing is set from when a record was passed on so until the next transaction begins and no other is open: a wrapper may send
// the record later, from a goroutine of its own. While it is not, as nearly always, no context is looked into.
var passing atomic.Bool // written under transactional.mu

type unserializedKey = double.UnserializedKey

func (p *Producer) enlist() {
	transactional.mu.Lock()
	defer transactional.mu.Unlock()
	if transactional.producers == nil {
		transactional.producers = map[*Producer]struct{}{}
	}
	transactional.producers[p] = struct{}{}
}

func (p *Producer) delist() {
	transactional.mu.Lock()
	defer transactional.mu.Unlock()
	delete(transactional.producers, p)
}

// startPassing notes that a record is about to be passed on, if any transaction is open that could take it.
func startPassing() bool {
	transactional.mu.Lock()
	defer transactional.mu.Unlock()
	passing.Store(anyOpen())
	return passing.Load()
}

// stopPassing notes that a transaction begins: unless another is open, what was passed on is on its way no more.
func stopPassing() {
	if !passing.Load() {
		return
	}
	transactional.mu.Lock()
	defer transactional.mu.Unlock()
	passing.Store(anyOpen())
}

// anyOpen reports whether any producer, or double of one, has a transaction open that takes records. It is called under
// transactional.mu.
func anyOpen() bool {
	if double.Open.Load() > 0 {
		return true
	}
	for p := range transactional.producers {
		if t := p.sender.Transaction(); t != nil && t.Refusal == nil {
			return true
		}
	}
	return false
}

// passOn has send pass on a record that could not be serialized, if a transaction may be at the end of the way.
func passOn(ctx context.Context, rec Record, err *SerializationError, send func(context.Context, Record)) {
	if !startPassing() {
		return
	}
	rec.unserialized = err
	send(context.WithValue(ctx, unserializedKey{}, err), rec)
}

// Unserialized returns nil for every record that can be sent. For a record that a Typed could not serialize it returns the
// *SerializationError. Only a Sender that keeps records, rather than pass them on to a producer, has to ask.
func (r *Record) Unserialized() error {
	if r.unserialized == nil {
		return nil
	}
	return r.unserialized
}

// refuseUnserialized returns nil for a record that can be sent. Otherwise it fails the record's transaction: the one with the
// given number, or with 0 the one that is open.
func (p *Producer) refuseUnserialized(ctx context.Context, rec *Record, number int64) error {
	failed := rec.unserialized
	if failed == nil {
		failed, _ = ctx.Value(unserializedKey{}).(*SerializationError)
	}
	if failed == nil {
		return nil
	}
	if number == 0 {
		if t := p.sender.Transaction(); t != nil {
			number = t.Number
		}
	}
	p.spoil(number, failed)
	return failed
}

// refuseUnserialized is the same for n records that a wrapper sends by a handle, which takes no Record: only the context has the
// mark then. done is told of each.
//
//go:noinline
func (t *Topic) refuseUnserialized(ctx context.Context, n int, done Callback) error {
	rec := Record{Topic: t.name}
	err := t.p.refuseUnserialized(ctx, &rec, t.txn)
	if err != nil && done != nil {
		for range n {
			done(rec.noMetadata(), err)
		}
	}
	return err
}
