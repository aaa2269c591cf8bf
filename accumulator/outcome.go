package accumulator

import (
	"slices"
	"sync"
	"sync/atomic"
)

// An Outcome is how the records of a batch have ended, or will. Their futures point to it. It has nothing of the records
// themselves, but it says until when their bytes count. It lives as long as somebody wants to know.
//
// Until the batch is drained it is written under the queue's lock. From then on the sender loop writes, resolves and ends it.
// It is read-only once Done is closed. The pieces of a batch that was split share its outcome. An outcome that no future keeps
// is used again when it has ended.
//
// The fields that End reads are in front: where a thousand partitions have a few records each, a further line of memory is
// felt.
type Outcome struct {
	queue      *Queue
	done       chan struct{} // nil while nobody keeps the outcome
	held       *Batch        // from the drain on: the batch and all its pieces, linked by next; see giveBack
	urged      atomic.Bool
	count      int32    // records, from the drain on
	unresolved int32    // records that have no outcome yet
	groups     []*Group // wait for the end

	spans []span // of records that ended apart; empty if all ended together,
	whole span   // in this way

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

// keep notes that somebody, such as a future, may hold the outcome for any time. The queue's lock is held.
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

// Done is closed when every record has its outcome. It is nil unless somebody keeps the outcome: see Entry.
func (o *Outcome) Done() <-chan struct{} { return o.done }

// Why returns what stands in the way of the outcome, as far as Config.Why knows.
func (o *Outcome) Why() error {
	if why := o.queue.topic.acc.why; why != nil {
		return why(o)
	}
	return nil
}

// Of returns how record index ended. It may be called once all records have ended. The offset is -1 where it is unknown.
// appendTime is in Unix milliseconds, or -1 if the broker sets no timestamps.
func (o *Outcome) Of(index int32) (offset, appendTime int64, err error) {
	s := o.span(index)
	if s.err != nil || s.offset < 0 {
		return -1, -1, s.err
	}
	return s.offset + int64(index-s.first), s.appendTime, nil
}

// Alike returns how many records from index on have the same outcome, but for the offset, which counts on. It may be called
// once all records have ended.
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

// resolve gives the records of s their outcome. It reports whether all records have theirs now. If so, the caller calls End.
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

// Join makes g wait for the end of the outcome. Only the owner of the outcome may call it, before that end.
func (o *Outcome) Join(g *Group) {
	if !slices.Contains(o.groups, g) {
		g.Enter()
		o.groups = append(o.groups, g)
	}
}

// End ends an outcome that is known of all records. Every batch ends in this order: its bytes are given back, its futures are
// let go, its callbacks run, and its groups go on. That happens once (I4).
//
// Callbacks take their time, and records whose callbacks wait must count against the bound on memory. So if there are any, the
// futures do not wait for them: End lets go of the futures alone and reports true, and the caller has Complete do the rest.
// Once an outcome has ended, only futures may use it, and nobody may use its batches.
func (o *Outcome) End() (callbacks bool) {
	if o.queue == nil || o.unresolved != 0 {
		panic("accumulator: an outcome was ended before its time, or twice")
	}
	if callbacks = o.callbacks.n > 0; !callbacks {
		o.giveBack() // first, so that whoever waited for the last record finds the memory free
	}
	if o.done != nil {
		close(o.done)
	}
	if !callbacks {
		o.leave()
	}
	return callbacks
}

// Complete does the rest of End. run is to call EachCallback. The bytes count no longer once it has begun (I5).
func (o *Outcome) Complete(run func(*Outcome)) {
	o.giveBack()
	run(o)
	o.callbacks.clear()
	o.leave()
}

// giveBack gives back what is reserved for the records, except bytes that a connection may still write.
func (o *Outcome) giveBack() {
	for b := o.held; b != nil; {
		next := b.next
		b.next = nil
		b.Drop() // after that it may be in use for other records
		b = next
	}
	o.held = nil
	if o.reserved > 0 {
		o.queue.topic.acc.Memory.release(o.reserved)
		o.reserved = 0
	}
}

// leave lets go of all groups. The outcome is then used again, unless a future keeps it.
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
