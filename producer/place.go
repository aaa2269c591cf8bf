package producer

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/sticky"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
)

// An entry is a record on its way into a batch: what the accumulator stores of it, and what chooses its place.
type entry struct {
	accumulator.Entry
	topic     string
	handle    *Topic // the handle that sends it; nil: none
	partition Partition
	stamped   bool   // the record brought Timestamp along
	hook      *hook  // set if interceptors or hooks must hear of the outcome
	call      string // the method that was called, for errors
}

// fill makes e of a record and its callback. Interceptors and hooks may change the record.
func (p *Producer) fill(ctx context.Context, e *entry, rec *Record, done Callback) {
	if p.watched {
		if hooks, concerned := p.watchers(ctx, rec.Topic); concerned {
			p.fillWatched(ctx, e, rec, done, hooks)
			return
		}
	}
	if done != nil {
		e.Callback = done
	}
	e.set(rec)
}

// fillWatched is fill for a record that concerns interceptors or hooks.
func (p *Producer) fillWatched(ctx context.Context, e *entry, rec *Record, done Callback, hooks recordHooks) {
	e.hook = p.intercept(ctx, rec, done, hooks)
	e.Callback = e.hook
	e.set(rec)
}

// set takes over the fields of a record.
func (e *entry) set(rec *Record) {
	e.topic, e.partition = rec.Topic, rec.Partition
	e.Key, e.Value, e.Headers = rec.Key, rec.Value, rec.Headers
	if !rec.Timestamp.IsZero() {
		e.Timestamp, e.stamped = milliseconds(rec.Timestamp), true
	}
}

// milliseconds returns the Unix time of t. math.MaxInt64 and math.MinInt64 stand for all times beyond, of which UnixMilli would
// make any number.
func milliseconds(t time.Time) int64 {
	switch seconds := t.Unix(); {
	case seconds >= math.MaxInt64/1000:
		return math.MaxInt64
	case seconds <= math.MinInt64/1000:
		return math.MinInt64
	}
	return t.UnixMilli()
}

// known returns the record's topic as it is now, or nil.
func (p *Producer) known(e *entry) *topic {
	if e.handle != nil {
		return e.handle.known()
	}
	return p.topics.get(e.topic)
}

// admit puts a record into the open batch of its partition.
func (p *Producer) admit(ctx context.Context, e *entry, block bool) error {
	if p.cfg.TransactionalID != "" {
		number, err := p.admitTo(e.Txn)
		e.Txn = number
		if err != nil {
			return p.notTaken(e, err)
		}
	}
	if ctx.Err() != nil {
		return p.notTaken(e, cause.Of(ctx))
	}
	var err error
	if t := p.known(e); t != nil {
		err = p.place(ctx, nil, t, e, block)
		if err != nil {
			err = p.placeAgain(ctx, t, e, block, err)
		}
	} else {
		err = p.placeNew(ctx, e, block, nil)
	}
	if err != nil {
		return p.notTaken(e, err)
	}
	return nil
}

// notTaken returns the error of a record that was not taken because of err. If the producer is closed, it says only that, since
// whatever else is wrong does not matter then.
func (p *Producer) notTaken(e *entry, err error) error {
	if p.sender.Closing() {
		err = ErrClosed
	}
	return &AdmissionError{e.topic, calledBy(e.call, outward(err))}
}

// placeAgain is place for a record that place has failed to place, with err, since its topic has changed or may have changed.
// It returns err if that is not the reason.
func (p *Producer) placeAgain(ctx context.Context, was *topic, e *entry, block bool, err error) error {
	var lacking *NoSuchPartitionError
	switch {
	case errors.Is(err, sender.ErrForgotten):
		// The topic was idle until now.
	case errors.Is(err, ErrPartitionGone) && !e.partition.named:
		// The topic was made again, smaller: it has been published with what there is now.
	case errors.As(err, &lacking):
		return p.placeNew(ctx, e, block, lacking)
	default:
		return err
	}
	if t := p.known(e); t != nil && t != was {
		return p.place(ctx, nil, t, e, block)
	}
	return p.placeNew(ctx, e, block, nil)
}

// placeNew is place for a topic that is not known yet, or that lacks the record's partition as far as is known.
func (p *Producer) placeNew(ctx context.Context, e *entry, block bool, lacking *NoSuchPartitionError) error {
	w := wait{p: p, ctx: ctx, block: block, admits: true}
	defer w.end()
	for {
		var t *topic
		var err error
		if lacking == nil {
			t, err = p.lookup(&w, e.topic)
		} else {
			t, err = p.lookupPartition(&w, e, lacking)
		}
		if err != nil {
			return err
		}
		err = p.place(ctx, &w, t, e, block)
		if lacking = nil; !errors.As(err, &lacking) {
			return err
		}
	}
}

// place chooses the record's partition and appends the record there. w is nil unless the call has waited already. The common
// way does not wait, and knows nothing of w: every nanosecond here is a nanosecond of each record.
func (p *Producer) place(ctx context.Context, w *wait, t *topic, e *entry, block bool) error {
	accumulator.Fetch(e.Value)
	now := p.clock.Now()
	if !e.stamped {
		e.Timestamp = p.clock.Wall(now)
	} else if e.Timestamp < 0 || e.Timestamp == math.MaxInt64 {
		return &InvalidTimestampError{e.Timestamp}
	}
	if len(e.Key)+len(e.Value) >= p.surelyFits || len(e.Headers) > 0 {
		if err := p.checkSize(&e.Entry); err != nil {
			return err
		}
	}
	q, pick, err := p.choose(t, e)
	if err != nil {
		return err
	}
	if e.hook != nil {
		e.hook.choose(e.topic, q.Partition())
	}
	if !q.TryAppend(&e.Entry, now) {
		if pick != nil && !t.sticky.Current(pick) {
			// The partitioner has moved on meanwhile, so this record would open a batch here that nobody fills.
			if q, pick, err = p.choose(t, e); err != nil {
				return err
			}
			if e.hook != nil {
				e.hook.choose(e.topic, q.Partition())
			}
		}
		if err := p.placeWithRoom(ctx, w, q, e, block); err != nil {
			if !errors.Is(err, ErrPartitionGone) { // else another may be chosen
				e.partition = OnPartition(q.Partition()) // for the callback's metadata
			}
			return err
		}
	}
	if pick != nil {
		t.sticky.Appended(pick, e.SeriesBytes, e.Full, now)
	}
	return nil
}

// choose returns the queue of the record's partition. If the sticky partitioner has chosen it, choose also returns the pick,
// and counts e to it.
func (p *Producer) choose(t *topic, e *entry) (*accumulator.Queue, *sticky.Pick, error) {
	e.Series = nil
	n := e.partition.n
	switch {
	case e.partition.named:
	case p.keyless && e.Key == nil:
		n = partition.Any // without a call to say so
	case p.murmur:
		n = partition.JavaMurmur2(e.Key, t.view.Partitions) // likewise
	default:
		var err error
		n, err = p.ask(t, e)
		if err != nil {
			return nil, nil, &partitionerError{err}
		}
	}
	if n == partition.Any && !e.partition.named {
		pick := t.sticky.Pick()
		// The pick may be from before the topic was made again, smaller.
		if int(pick.Partition) < len(t.queues) {
			e.Series = &pick.Partition
			return t.queues[pick.Partition], pick, nil
		}
		return t.queues[0], nil, nil
	}
	if n < 0 || int(n) >= len(t.queues) {
		return nil, nil, &NoSuchPartitionError{Want: n, Have: int32(len(t.queues))}
	}
	return t.queues[n], nil, nil
}

// ask asks the program's partitioner. If that panics, the record is not taken, and whoever was told of it hears so before the
// panic goes up to the caller.
func (p *Producer) ask(t *topic, e *entry) (n int32, err error) {
	returned := false
	defer func() {
		if !returned { // a panic, or runtime.Goexit
			p.refuse(e, &AdmissionError{e.topic, errPartitionerGone})
		}
	}()
	n, err = p.partitioner.Partition(partition.Record{Key: e.Key, Value: e.Value}, t.view)
	returned = true
	return n, err
}

var errPartitionerGone = &partitionerError{errors.New("it has not returned, but panicked or ended its goroutine")}

// partitionerError is an error of the program's partitioner.
type partitionerError struct{ err error }

func (e *partitionerError) Error() string {
	return "the partitioner failed: " + protocol.ShownText(e.err.Error())
}

func (e *partitionerError) Unwrap() error { return e.err }

// checkSize refuses a record that fits into no request.
func (p *Producer) checkSize(e *accumulator.Entry) error {
	size := len(e.Key) + len(e.Value)
	for i := range e.Headers {
		size += len(e.Headers[i].Key) + len(e.Headers[i].Value) + 2*maxVarint
	}
	if size < p.surelyFits {
		return nil
	}
	size = e.SizeAlone()
	if size > p.cfg.MaxRequestSize {
		err := &RecordTooLargeError{Size: size, Limit: int64(p.cfg.MaxRequestSize), Key: "max.request.size"}
		if int64(size) > p.cfg.BufferMemory {
			err.Also = "buffer.memory"
		}
		return err
	}
	if int64(size) > p.cfg.BufferMemory {
		return &RecordTooLargeError{Size: size, Limit: p.cfg.BufferMemory, Key: "buffer.memory"}
	}
	return nil
}

// maxVarint is the most bytes that a 32-bit varint takes.
const maxVarint = 5
