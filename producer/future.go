package producer

import (
	"context"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/overdue"
)

// Future is the outcome of one record, now or later. It is a small value: copy it freely, and keep it as long as you like. It
// holds none of the record's bytes. Its methods may be called concurrently and any number of times. A future may be dropped:
// the record is sent all the same. The methods of the zero Future panic. NewFuture makes a future for a Sender of your own.
type Future struct {
	outcome   *accumulator.Outcome // of the record and its neighbours
	failed    *refusal             // in place of outcome: the record was not taken, or no producer has it
	timestamp int64                // Unix milliseconds
	index     int32
}

// A refusal is the outcome of a record that was not taken, or that no producer has.
type refusal struct {
	md    RecordMetadata
	err   error
	soFar RecordMetadata // what is known while they are not set
	done  chan struct{}  // closed when md and err are set; nil: they are set from the beginning
}

func failedFuture(err error) Future {
	return refusedFuture(RecordMetadata{Partition: -1, Offset: -1}, err)
}

func refusedFuture(md RecordMetadata, err error) Future {
	return Future{failed: &refusal{md: md, err: err}}
}

// noMetadata is the metadata of a record that was not taken: what its caller has said.
func (r *Record) noMetadata() RecordMetadata {
	md := RecordMetadata{Topic: r.Topic, Partition: -1, Offset: -1, Timestamp: r.Timestamp}
	if n, named := r.Partition.Get(); named {
		md.Partition = n
	}
	return md
}

// noMetadata is that of Record, with the partition that was chosen, if any.
func (e *entry) noMetadata() RecordMetadata {
	md := RecordMetadata{Topic: e.topic, Partition: -1, Offset: -1}
	if n, named := e.partition.Get(); named {
		md.Partition = n
	}
	if e.stamped && e.Timestamp >= 0 {
		md.Timestamp = time.UnixMilli(e.Timestamp)
	}
	return md
}

// closed is a channel that is closed from the beginning.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done returns a channel that is closed when the outcome is there; then Wait returns at once. Done does not end the linger of
// the record's batch, as Wait does.
func (f Future) Done() <-chan struct{} {
	if f.failed != nil {
		return f.failed.ended()
	}
	return f.outcome.Done()
}

// Wait returns the record's outcome as soon as it is there. It ends the linger of the record's batch. An outcome that is there
// is returned even if ctx has ended.
//
// If ctx ends first, the error is ErrOutcomeUnknown: the record goes on, and may well be delivered. The error also wraps the
// error of ctx, its cause, and the last failure of the partition's broker if there was one.
func (f Future) Wait(ctx context.Context) (RecordMetadata, error) {
	if f.failed != nil {
		return f.failed.wait(ctx)
	}
	select {
	case <-f.outcome.Done():
		return f.result()
	default:
	}
	f.outcome.Urge()
	over := ctx.Err() != nil
	select { // as overdue.Await, without its frame: a thousand goroutines may wait, and each has its stack in no cache
	case <-f.outcome.Done():
		return f.result()
	case <-ctx.Done():
	}
	if !over && overdue.After(ctx, f.outcome.Done(), nil) {
		return f.result()
	}
	select {
	case <-f.outcome.Done():
		return f.result() // both at once
	default:
	}
	md := RecordMetadata{
		Topic: f.outcome.Topic(), Partition: f.outcome.Partition(), Offset: -1, Timestamp: time.UnixMilli(f.timestamp),
	}
	return md, f.unknown(cause.Of(ctx))
}

// unknown is what Wait returns when err has ended it: err, and what the record still waits for.
func (f Future) unknown(err error) error {
	if why := f.outcome.Why(); why != nil {
		return fmt.Errorf("%w: %w; %w", ErrOutcomeUnknown, err, nested(why))
	}
	return fmt.Errorf("%w: %w; record of %s-%d", ErrOutcomeUnknown, err, f.outcome.Topic(), f.outcome.Partition())
}

// result reads the outcome. The outcome must be there.
func (f Future) result() (RecordMetadata, error) {
	return resultOf(f.outcome, f.index, f.timestamp)
}

func resultOf(o *accumulator.Outcome, index int32, timestamp int64) (RecordMetadata, error) {
	offset, appendTime, err := o.Of(index)
	if appendTime >= 0 {
		timestamp = appendTime
	}
	return RecordMetadata{
		Topic: o.Topic(), Partition: o.Partition(),
		Offset: offset, Timestamp: time.UnixMilli(timestamp),
	}, err
}
