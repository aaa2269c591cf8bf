package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/protocol"
)

// Send hands a record over and returns its future. It copies the record, and
// waits only for the metadata of a topic not yet known and for room in
// buffer.memory; ctx and max.block bound both together. From then on the
// record has delivery.timeout, whatever becomes of ctx. A record that is not
// taken gives a future that has failed with an *AdmissionError already.
func (p *Producer) Send(ctx context.Context, rec Record) Future { return p.send(ctx, rec, 0) }

// send is Send for a record of the transaction with that number; 0 for whichever is open, if any need be.
func (p *Producer) send(ctx context.Context, rec Record, number int64) Future {
	e := accumulator.Entry{Txn: number}
	hook := p.entry(ctx, &rec, &e, nil)
	t, err := p.admit(ctx, &rec, &e, true)
	if err != nil {
		p.spoil(e.Txn, err)
		p.refuse(hook, rec.Topic, err)
		return refusedFuture(rec.Topic, err)
	}
	return Future{batch: t.Batch, index: t.Index, timestamp: e.Timestamp}
}

// SendFunc is Send with a callback for the outcome; nil for none. A record
// that is not taken gets its callback before SendFunc returns.
func (p *Producer) SendFunc(ctx context.Context, rec Record, done Callback) {
	p.sendFunc(ctx, rec, done, 0)
}

func (p *Producer) sendFunc(ctx context.Context, rec Record, done Callback, number int64) {
	e := accumulator.Entry{Txn: number}
	hook := p.entry(ctx, &rec, &e, done)
	if _, err := p.admit(ctx, &rec, &e, true); err != nil {
		p.spoil(e.Txn, err)
		p.refuse(hook, rec.Topic, err)
		if done != nil {
			done(noMetadata(rec.Topic), err)
		}
	}
}

// SendSync is Send and Wait. Its batch does not linger.
func (p *Producer) SendSync(ctx context.Context, rec Record) (RecordMetadata, error) {
	return p.Send(ctx, rec).Wait(ctx)
}

// TrySend is SendFunc that never blocks. With an error nothing was taken and
// done is not called: ErrBufferFull, ErrTopicNotLoaded (the look-up has been
// started), or what Send would say.
func (p *Producer) TrySend(rec Record, done Callback) error { return p.trySend(rec, done, 0) }

func (p *Producer) trySend(rec Record, done Callback, number int64) error {
	e := accumulator.Entry{Txn: number}
	hook := p.entry(context.Background(), &rec, &e, done)
	_, err := p.admit(context.Background(), &rec, &e, false)
	if err != nil {
		p.refuse(hook, rec.Topic, err)
	}
	return err
}

// entry fills in what the accumulator stores of a record. The hook is set if
// there are interceptors, who must hear of the outcome.
func (p *Producer) entry(ctx context.Context, rec *Record, e *accumulator.Entry, done Callback) *hook {
	var h *hook
	switch {
	case len(p.cfg.Interceptors) > 0:
		h = p.intercept(ctx, rec, done)
		e.Callback = h
	case done != nil:
		e.Callback = done
	}
	e.Key, e.Value, e.Headers = rec.Key, rec.Value, rec.Headers
	return h
}

// admit puts a record into the open batch of its partition.
func (p *Producer) admit(ctx context.Context, rec *Record, e *accumulator.Entry, block bool) (accumulator.Ticket, error) {
	if p.cfg.TransactionalID != "" {
		number, err := p.admitTo(e.Txn)
		e.Txn = number
		if err != nil {
			return accumulator.Ticket{}, &AdmissionError{rec.Topic, err}
		}
	}
	if ctx.Err() != nil {
		return accumulator.Ticket{}, &AdmissionError{rec.Topic, context.Cause(ctx)}
	}
	var ticket accumulator.Ticket
	var err error
	if t := (*p.topics.Load())[rec.Topic]; t != nil {
		ticket, err = p.place(ctx, nil, t, rec, e, block)
		if _, named := rec.Partition.Get(); !named && errors.Is(err, ErrPartitionGone) {
			// The topic was made again, smaller, while this chose: it has been
			// published with what there is now.
			ticket, err = p.place(ctx, nil, (*p.topics.Load())[rec.Topic], rec, e, block)
		}
	} else {
		ticket, err = p.placeNew(ctx, rec, e, block)
	}
	if err != nil {
		err = &AdmissionError{rec.Topic, err}
	}
	return ticket, err
}

// placeNew is place for a topic that is not known yet.
func (p *Producer) placeNew(ctx context.Context, rec *Record, e *accumulator.Entry, block bool) (accumulator.Ticket, error) {
	w := wait{p: p, ctx: ctx, block: block}
	defer w.end()
	t, err := p.lookup(&w, rec.Topic)
	if err != nil {
		return accumulator.Ticket{}, err
	}
	return p.place(ctx, &w, t, rec, e, block)
}

// place chooses the record's partition and appends it there. w is nil unless
// the call has waited already. What is common does not wait, and knows nothing
// of it: every nanosecond here is a nanosecond of each record.
func (p *Producer) place(ctx context.Context, w *wait, t *topic, rec *Record, e *accumulator.Entry, block bool) (accumulator.Ticket, error) {
	now := p.clock.Now()
	e.Timestamp = now
	if !rec.Timestamp.IsZero() {
		if e.Timestamp = rec.Timestamp.UnixMilli(); e.Timestamp < 0 {
			return accumulator.Ticket{}, &InvalidTimestampError{e.Timestamp}
		}
	}
	if err := p.checkSize(e); err != nil {
		return accumulator.Ticket{}, err
	}
	q, pick, err := p.choose(t, rec)
	if err != nil {
		return accumulator.Ticket{}, err
	}
	ticket, status := q.Append(e, now)
	if status != accumulator.Appended && pick != nil && !t.sticky.Current(pick) {
		// It has moved on meanwhile: this record would open a batch here that
		// nobody fills.
		if q, pick, err = p.choose(t, rec); err != nil {
			return accumulator.Ticket{}, err
		}
		ticket, status = q.Append(e, now)
	}
	if status != accumulator.Appended {
		if ticket, err = p.placeWithRoom(ctx, w, q, e, rec.Timestamp.IsZero(), block); err != nil {
			return accumulator.Ticket{}, err
		}
	}
	if pick != nil {
		t.sticky.Appended(pick, int(ticket.Size), ticket.Full, now)
	}
	return ticket, nil
}

// placeWithRoom appends a record that does not fit its batch's last chunk.
func (p *Producer) placeWithRoom(ctx context.Context, w *wait, q *accumulator.Queue, e *accumulator.Entry, stamp, block bool) (accumulator.Ticket, error) {
	if w == nil {
		w = &wait{p: p, ctx: ctx, block: block}
		defer w.end()
	}
	return p.appendWithRoom(w, q, e, stamp)
}

// choose returns the queue of the record's partition, and the pick it came
// from if the sticky partitioner chose it.
func (p *Producer) choose(t *topic, rec *Record) (*accumulator.Queue, *partition.Pick, error) {
	n, named := rec.Partition.Get()
	if !named {
		var err error
		n, err = p.partitioner.Partition(partition.Record{Key: rec.Key, Value: rec.Value}, t.view)
		if err != nil {
			return nil, nil, fmt.Errorf("the partitioner failed: %w", err)
		}
		if n == partition.Any {
			pick := t.sticky.Pick()
			// The pick may be from before the topic was made again, smaller.
			if int(pick.Partition) < len(t.queues) {
				return t.queues[pick.Partition], pick, nil
			}
			return t.queues[0], nil, nil
		}
	}
	if n < 0 || int(n) >= len(t.queues) {
		return nil, nil, &NoSuchPartitionError{Want: n, Have: int32(len(t.queues))}
	}
	return t.queues[n], nil, nil
}

// checkSize refuses a record that no request can carry.
func (p *Producer) checkSize(e *accumulator.Entry) error {
	size := len(e.Key) + len(e.Value)
	for i := range e.Headers {
		size += len(e.Headers[i].Key) + len(e.Headers[i].Value) + 2*maxVarint
	}
	if size < p.surelyFits {
		return nil
	}
	size = protocol.BatchHeaderSize + protocol.RecordSize(protocol.RecordBodySize(0, 0, e.Key, e.Value, e.Headers))
	if size > p.cfg.MaxRequestSize {
		return &RecordTooLargeError{Size: size, Limit: int64(p.cfg.MaxRequestSize), Key: "max.request.size"}
	}
	if int64(size) > p.cfg.BufferMemory {
		return &RecordTooLargeError{Size: size, Limit: p.cfg.BufferMemory, Key: "buffer.memory"}
	}
	return nil
}

// maxVarint is the most bytes that a 32-bit varint takes.
const maxVarint = 5

// appendWithRoom appends a record that does not fit its batch's last chunk: it
// reserves a chunk first, waiting for memory if need be.
func (p *Producer) appendWithRoom(w *wait, q *accumulator.Queue, e *accumulator.Entry, stamp bool) (accumulator.Ticket, error) {
	for {
		now := time.Now()
		p.clock.Publish(now)
		chunk, err := p.chunk(w, q.Room(e, now))
		if err != nil {
			return accumulator.Ticket{}, err
		}
		if w.waited() {
			now = time.Now()
		}
		if stamp {
			e.Timestamp = now.UnixMilli()
		}
		ticket, status := q.AppendWith(e, chunk, now)
		switch status {
		case accumulator.Appended:
			return ticket, nil
		case accumulator.Refused:
			if err := q.Err(); err != nil {
				return accumulator.Ticket{}, err
			} // else it has been opened again meanwhile
		}
	}
}

// chunk reserves n bytes.
func (p *Producer) chunk(w *wait, n int) (*accumulator.Chunk, error) {
	memory := p.sender.Memory()
	chunk, err := memory.TryChunk(n)
	if err == nil {
		return chunk, nil
	}
	var large *accumulator.TooLargeError
	switch {
	case errors.As(err, &large):
		return nil, &RecordTooLargeError{Size: int(large.Size), Limit: large.Limit, Key: "buffer.memory"}
	case !errors.Is(err, accumulator.ErrNoRoom):
		return nil, err
	case !w.block:
		return nil, ErrBufferFull
	}
	chunk, err = memory.Chunk(w.begin(), n)
	if errors.Is(err, accumulator.ErrNoRoom) {
		return nil, fmt.Errorf("%w: %w", ErrBufferFull, p.sender.Explain(w.cause()))
	}
	return chunk, err
}

// A wait bounds what one Send may wait for, all together.
type wait struct {
	p      *Producer
	ctx    context.Context
	block  bool
	cancel context.CancelFunc // set once it has begun
}

// begin returns a context that ends with the caller's or with max.block.
func (w *wait) begin() context.Context {
	if w.cancel == nil {
		w.ctx, w.cancel = context.WithTimeoutCause(w.ctx, w.p.cfg.MaxBlock, fmt.Errorf("%w (%v)", ErrMaxBlock, w.p.cfg.MaxBlock))
	}
	return w.ctx
}

func (w *wait) waited() bool { return w.cancel != nil }
func (w *wait) cause() error { return context.Cause(w.ctx) }

func (w *wait) end() {
	if w.cancel != nil {
		w.cancel()
	}
}

// lookup returns a topic that Send does not know yet.
func (p *Producer) lookup(w *wait, name string) (*topic, error) {
	if err := checkTopic(name); err != nil {
		return nil, err
	}
	if !w.block {
		if s := p.sender.Snapshot(); s != nil {
			if err := s.Failure(time.Now(), name); err != nil {
				return nil, err
			}
		}
		if err := p.sender.Want(name); err != nil {
			return nil, err
		}
		return nil, ErrTopicNotLoaded
	}
	if err := p.sender.Lookup(w.begin(), name); err != nil {
		return nil, err
	}
	return (*p.topics.Load())[name], nil
}

// maxTopicName is the longest name that Kafka allows, in bytes.
const maxTopicName = 249

// checkTopic applies Kafka's rules for names.
func checkTopic(name string) error {
	switch {
	case name == "":
		return &InvalidTopicError{name, "not be empty"}
	case name == "." || name == "..":
		return &InvalidTopicError{name, `not be "." or ".."`}
	case len(name) > maxTopicName:
		return &InvalidTopicError{name, fmt.Sprintf("have at most %d characters, and it has %d", maxTopicName, len(name))}
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return &InvalidTopicError{name, "consist of letters, digits, '.', '_' and '-'"}
		}
	}
	return nil
}
