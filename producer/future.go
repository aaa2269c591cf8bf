package producer

import (
	"context"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/overdue"
)

// Future is the outcome of one record, now or later. It is a small value: copy
// it freely, keep it as long as you like; it holds none of the record's bytes.
// Its methods may be called concurrently and any number of times. The zero
// Future is not valid; NewFuture makes one that is no producer's.
type Future struct {
	outcome   *accumulator.Outcome // of the record and its neighbours
	failed    *refusal             // instead of that: the record was not taken, or no producer has it
	timestamp int64                // Unix milliseconds
	index     int32
}

// A refusal is the outcome of a record that was not taken, or that no producer has.
type refusal struct {
	md   RecordMetadata
	err  error
	done chan struct{} // closed when the two are set; nil: they are from the beginning
}

func failedFuture(err error) Future {
	return refusedFuture(RecordMetadata{Partition: -1, Offset: -1}, err)
}

func refusedFuture(md RecordMetadata, err error) Future {
	return Future{failed: &refusal{md: md, err: err}}
}

// noMetadata is what is known of a record that was not taken: what its caller has said.
func (r *Record) noMetadata() RecordMetadata {
	md := RecordMetadata{Topic: r.Topic, Partition: -1, Offset: -1, Timestamp: r.Timestamp}
	if n, named := r.Partition.Get(); named {
		md.Partition = n
	}
	return md
}

// noMetadata is that of Record, with the partition that was chosen, if one was.
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

// closed is done from the beginning.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is closed when the outcome is there. It does not hurry the record:
// Wait does.
func (f Future) Done() <-chan struct{} {
	if f.failed != nil {
		return f.failed.ended()
	}
	return f.outcome.Done()
}

// Wait returns the record's outcome as soon as it is there. That somebody
// waits ends the linger of the record's batch. If ctx ends first, the error
// is ErrOutcomeUnknown, and wraps the context's error and its cause, and the
// last failure of the partition's broker if there was one: the record goes on,
// and may well be delivered.
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
	overdue.Await(ctx, f.outcome.Done(), nil)
	select {
	case <-f.outcome.Done():
		return f.result()
	case <-ctx.Done():
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
}

// unknown is what Wait returns when err has ended it: that, and what the record still waits for.
func (f Future) unknown(err error) error {
	if why := f.outcome.Why(); why != nil {
		return fmt.Errorf("%w: %w; %w", ErrOutcomeUnknown, err, nested(why))
	}
	return fmt.Errorf("%w: %w; record of %s-%d", ErrOutcomeUnknown, err, f.outcome.Topic(), f.outcome.Partition())
}

// result reads the outcome. Only once that is done.
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
