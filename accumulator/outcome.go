package accumulator

import (
	"slices"
	"sync"
	"sync/atomic"
)

// An Outcome is how the records of a batch have ended, or will: it is what their
// futures point to. It has nothing of the records themselves, but says until when
// their bytes count, and lives as long as somebody wants to know.
//
// Until the batch is drained it is written under the queue's lock, from then on by
// the sender loop, which resolves and ends it. It is read-only once Done is closed.
// If the batch is cut, its pieces have the outcome in common. One that no future
// keeps is used again when it has ended.
//
// What the end of each looks at is in front: with a thousand partitions of a few
// records each, a line of memory more is felt.
type Outcome struct {
	queue      *Queue
	done       chan struct{} // nil while nobody keeps the outcome
	held       *Batch        // from the drain on: the batch, and all pieces of it, linked by next; see giveBack
	urged      atomic.Bool
	count      int32    // records, from the drain on
	unresolved int32    // those of them without an outcome
	groups     []*Group // wait for the end

	spans []span // of records that have ended apart; none if they have ended together,
	whole span   // as this says

	reserved  int64 // bytes of Memory, for callbacks
	callbacks callbacks
}

// A span is the common outcome of neighbouring records.
type span struct {
	first, count int32
	offset       int64 // of the first; -1 if unknown
	appendTime   int64 // Unix milliseconds; -1 if the broker did not set it
	err          error
}

// outcomes that have ended, for reuse.
var outcomes = sync.Pool{New: func() any { return new(Outcome) }}

func newOutcome(q *Queue) *Outcome {
	o := outcomes.Get().(*Outcome)
	o.queue = q
	return o
}

// keep notes that somebody may hold the outcome for as long as they like, such as
// a future. The queue's lock is held.
func (o *Outcome) keep() {
	if o.done == nil {
		o.done = make(chan struct{})
	}
}

// Queue returns the queue that the batch was made in.
func (o *Outcome) Queue() *Queue { return o.queue }

// Topic returns the name of the batch's topic.
func (o *Outcome) Topic() string { return o.queue.topic.name }

// Partition returns the batch's partition.
func (o *Outcome) Partition() int32 { return o.queue.partition }

// Done is closed when every record has its outcome. Only for those who keep it:
// see Entry.
func (o *Outcome) Done() <-chan struct{} { return o.done }

// Why returns what stands in the way of the outcome, as far as Config.Why knows.
func (o *Outcome) Why() error {
	if why := o.queue.topic.acc.why; why != nil {
		return why(o)
	}
	return nil
}

// Of returns how record index ended. Only once that is known of all. The offset
// is -1 where it is unknown; appendTime is in Unix milliseconds, or -1 unless
// the broker sets timestamps.
func (o *Outcome) Of(index int32) (offset, appendTime int64, err error) {
	s := o.span(index)
	if s.err != nil || s.offset < 0 {
		return -1, -1, s.err
	}
	return s.offset + int64(index-s.first), s.appendTime, nil
}

// Alike returns how many records from index on have one outcome, but for the
// offset, which counts on. Only once all have theirs.
func (o *Outcome) Alike(index int32) int32 {
	s := o.span(index)
	return s.first + s.count - index
}

// span returns the outcome that record index shares with its neighbours.
func (o *Outcome) span(index int32) *span {
	for i := range o.spans {
		if s := &o.spans[i]; index >= s.first && index < s.first+s.count {
			return s
		}
	}
	return &o.whole
}

// resolve gives the records of s their outcome. It reports whether all have
// theirs now: then the caller calls End.
func (o *Outcome) resolve(s span) bool {
	if o.unresolved < s.count {
		panic("accumulator: a record was resolved twice")
	}
	if s.count == o.count {
		o.whole = s
	} else {
		o.spans = append(o.spans, s)
	}
	o.unresolved -= s.count
	return o.unresolved == 0
}

// Join makes g wait for the end. It is for the owner of the outcome, before that.
func (o *Outcome) Join(g *Group) {
	if !slices.Contains(o.groups, g) {
		g.Enter()
		o.groups = append(o.groups, g)
	}
}

// End ends an outcome that is known of all records, in the order in which all
// batches end: their bytes are given back, their futures let go, their callbacks
// run, and whoever waits for all that goes on.
//
// Callbacks take their time, and what waits for them must count against the bound
// on memory. So if there are any, the futures do not wait for them: End lets go of
// these alone and reports true, and the rest is for Complete. Nobody but futures may
// use the outcome, or its batches, once it has ended.
func (o *Outcome) End() (callbacks bool) {
	if o.queue == nil || o.unresolved != 0 {
		panic("accumulator: an outcome was ended before its time, or twice")
	}
	if callbacks = o.callbacks.n > 0; !callbacks {
		o.giveBack() // first, so that who has waited for the last record finds the memory free
	}
	if o.done != nil {
		close(o.done)
	}
	if !callbacks {
		o.leave()
	}
	return callbacks
}

// Complete does what End has left. run is to call EachCallback: the bytes count no
// longer once it has begun (I5).
func (o *Outcome) Complete(run func(*Outcome)) {
	o.giveBack()
	run(o)
	o.callbacks.clear()
	o.leave()
}

// giveBack gives back what is reserved for the records, but for bytes that a
// connection may still write.
func (o *Outcome) giveBack() {
	for b := o.held; b != nil; {
		next := b.next
		b.next = nil
		b.Drop() // after which it may be another's
		b = next
	}
	o.held = nil
	if o.reserved > 0 {
		o.queue.topic.acc.Memory.release(o.reserved)
		o.reserved = 0
	}
}

// leave ends the waiting of all groups, and with it the outcome's use, unless a
// future keeps it.
func (o *Outcome) leave() {
	for i, g := range o.groups {
		g.Exit()
		o.groups[i] = nil
	}
	o.groups = o.groups[:0]
	if o.done != nil {
		return
	}
	clear(o.spans) // of the errors in it
	o.queue, o.count, o.spans, o.whole = nil, 0, o.spans[:0], span{}
	o.urged.Store(false)
	outcomes.Put(o)
}
