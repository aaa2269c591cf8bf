package sender

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
)

// A topic is what the loop knows of one topic. Its sequence state outlives
// anything that metadata says, save a change of the topic's id (pitfall 9).
type topic struct {
	name   string
	id     protocol.UUID
	queues *accumulator.Topic
	meta   *metadata.Topic
	parts  []*partition
	at     int // its index in core.listed

	// Place in the request being built: valid while build is the core's.
	build  uint64
	place  int
	filled uint64 // number of the last request that has a batch of it

	touched    time.Time // when metadata was last told that it is in use
	leaderless time.Time // since when some partition has no leader, as the log was told; zero: all have one
	again      error     // how it last became another topic
	stamps     stamps
}

// A partition is what the loop knows of one partition. What each look reads is
// in front: with thousands of them the time goes into fetching it.
type partition struct {
	queue    *accumulator.Queue
	inFlight []*delivery // drained to a connection and not answered, in order
	retry    []*delivery // to be sent again, in order; before anything queued

	ready  *node     // whose ready list it is on, and counts
	wake   time.Time // when to look again without an event; zero: never
	soon   time.Time // of its entry in the list of alarms; zero: it has none
	place  int       // of its entry in the heap of alarms; -1: it has none
	listed *node     // whose ready list has its newest entry, whether it counts or not

	backoff  time.Time // not before
	failures int       // failed attempts since the last success
	roused   int       // how often since then news has ended the backoff

	head    accumulator.Head // of queue, as far as the loop has been told
	drained int64            // serial of the last batch that was taken out of queue

	leader int32 // -1: none known
	epoch  int32
	index  int32
	topic  *topic

	unidentified bool   // on the list of those that wait for a producer id
	build        uint64 // number of the last request that was given a batch of it

	numbers idempotent.Partition
	order   int64  // of the next drained batch
	sent    int64  // rank of the newest numbered batch
	lastErr error  // of the last failed attempt
	spell   *spell // of retries that it is part of, as the log is told; nil: none

	joined  int64 // number of the last transaction that it is part of
	joining int64 // the same, from when that was asked for
	added   int64 // the same, of the last that AddPartitionsToTxn made it part of

	answer *protocol.ProducePartitionResponse // scratch of match
}

// A delivery is a batch from its drain to the end of its last attempt. The
// user may have been told an outcome earlier.
type delivery struct {
	*accumulator.Batch // nil once its records have been told, unless a request holds it: it may be another's
	part               *partition
	opened             time.Time // the batch's, nearer at hand

	doubt    *doubt // of the batch that it is a part of; nil if there is none
	identity idempotent.Identity
	seq      int32
	order    int64
	rank     int64 // among the batches that its partition has sent, pieces counted singly
	numbered bool

	conn     conn  // which it is in flight on
	era      int32 // of its partition's numbers when it was sent
	attempts int
	limit    int  // of a half: its topic's, as far as it was known when the batch was cut; 0: no half
	unknown  bool // some attempt may have been written; see doubtful
	keeps    bool // its numbers, though its partition needs a new epoch
	told     bool // its records have their outcome
	old      bool // sent while the topic had another id
	packed   bool // compressed, or found to be incompressible
	over     bool // acknowledged, and that was all there was to tell

	sending *sending // for hooks; nil without any, and while it waits
}

// before is the order in which a partition's batches were first drained;
// pieces of one batch go by their place in it.
func (d *delivery) before(o *delivery) int {
	switch {
	case d.order != o.order:
		return int(d.order - o.order)
	default:
		return int(d.First() - o.First())
	}
}

// requeue puts d where it belongs among the batches to be sent again:
// younger batches must not overtake it (I2).
func (p *partition) requeue(d *delivery) {
	d.keeps = d.keeps && !d.old // its numbers are for a log that is gone
	i, _ := slices.BinarySearchFunc(p.retry, d, (*delivery).before)
	p.retry = slices.Insert(p.retry, i, d)
}

// makeRoom counts d as n batches, and moves the younger ones on.
func (p *partition) makeRoom(d *delivery, n int) {
	more := int64(n - 1)
	p.sent += more
	for _, list := range [2][]*delivery{p.inFlight, p.retry} {
		for _, o := range list {
			if o.before(d) > 0 {
				o.rank += more
			}
		}
	}
}

// open returns the deliveries whose records have no outcome yet, oldest first.
func (p *partition) open() []*delivery {
	if len(p.inFlight)+len(p.retry) == 0 {
		return nil
	}
	all := make([]*delivery, 0, len(p.inFlight)+len(p.retry))
	for _, d := range p.inFlight {
		if !d.told {
			all = append(all, d)
		}
	}
	all = append(all, p.retry...)
	slices.SortFunc(all, (*delivery).before)
	return all
}

// keeps reports whether something is to be sent again that keeps its numbers.
func (p *partition) keeps() bool {
	return slices.ContainsFunc(p.retry, func(d *delivery) bool { return d.keeps })
}

// resends reports whether d, the oldest of what is not in flight, is to be sent again unchanged though the partition needs a
// new epoch: it may have been written, or it or one behind it is what is left of one that may have been.
func (p *partition) resends(d *delivery) bool {
	return d.numbered && (d.doubtful() || d.keeps || p.keeps())
}

// keepNothing notes that no number of the epoch can be written any more.
func (p *partition) keepNothing() {
	for _, d := range p.retry {
		d.keeps = false
	}
}

// queued reports whether a batch waits in the queue.
func (p *partition) queued() bool { return p.head.Serial != 0 }

// noted takes in what was told of the queue's head.
func (p *partition) noted(h accumulator.Head) {
	switch {
	case h.Serial <= p.drained: // the loop was there before the note
	case h.Serial == p.head.Serial:
		p.head.Ready = p.head.Ready || h.Ready
	default:
		p.head = h
	}
}

// drain takes the oldest batch out of the queue, or returns nil.
func (p *partition) drain() *accumulator.Batch {
	b, next := p.queue.Drain()
	if b != nil {
		p.drained = b.Serial()
	}
	p.head = next
	return b
}

// landed takes d out of the batches in flight.
func (p *partition) landed(d *delivery) {
	if i := slices.Index(p.inFlight, d); i >= 0 {
		p.inFlight = slices.Delete(p.inFlight, i, i+1)
	}
}

// oldest reports whether no batch older than d is unresolved.
func (p *partition) oldest(d *delivery) bool {
	return (len(p.inFlight) == 0 || p.inFlight[0].before(d) >= 0) &&
		(len(p.retry) == 0 || p.retry[0].before(d) >= 0)
}

var zero time.Time // never, or nothing to wait for
