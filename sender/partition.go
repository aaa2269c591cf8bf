package sender

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
)

// A partition is what the loop knows of one partition. What each refresh reads is in front: with thousands of them the time
// goes into fetching it.
type partition struct {
	queue    *accumulator.Queue
	inFlight []*delivery // drained to a connection and not answered, in order
	retry    []*delivery // to be sent again, in order; before anything queued

	ready  *node     // whose ready list it is on, by an entry that counts
	wake   time.Time // when to refresh it without an event; zero: never
	soon   time.Time // of its entry in the list of alarms; zero: it has none
	place  int       // of its entry in the heap of alarms; -1: it has none
	listed *node     // whose ready list has its newest entry, whether it counts or not

	backoff       time.Time // not before
	failures      int       // failed attempts since the last success
	backoffsEnded int       // how often since then news has ended the backoff

	head    accumulator.Head // of queue, as far as the loop has been told
	drained int64            // serial of the last batch that was taken out of queue

	leader int32 // -1: none known
	epoch  int32
	index  int32
	topic  *topic

	unidentified bool   // on the list of those that wait for a producer id
	requestNo    uint64 // the last request that was given a batch of it

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

// requeue puts d where it belongs among the batches to be sent again: younger batches must not overtake it (I2).
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
		if !d.resolved {
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

// resends reports whether d is sent again unchanged although the partition needs a new epoch. That is so if d may be written,
// or if d, or a batch behind it, is a part of a batch that may be. d is the oldest batch that is not in flight.
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

// headChanged takes in what was told of the queue's head.
func (p *partition) headChanged(h accumulator.Head) {
	switch {
	case h.Serial <= p.drained: // the loop has drained it already
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

// removeInFlight takes d out of the batches in flight.
func (p *partition) removeInFlight(d *delivery) {
	if i := slices.Index(p.inFlight, d); i >= 0 {
		p.inFlight = slices.Delete(p.inFlight, i, i+1)
	}
}

// oldest reports whether no batch older than d is unresolved.
func (p *partition) oldest(d *delivery) bool {
	return (len(p.inFlight) == 0 || p.inFlight[0].before(d) >= 0) &&
		(len(p.retry) == 0 || p.retry[0].before(d) >= 0)
}

// unoffer takes p, which has nothing to send, off its leader's ready list.
func (p *partition) unoffer() {
	p.ready = nil // its entry no longer counts
	p.unblock()
}

// unblock notes that nothing of p's queue waits for its broker.
func (p *partition) unblock() {
	if p.queue.BlockedSince.Load() != 0 { // a store costs more than a load, also for those who append
		p.queue.BlockedSince.Store(0)
	}
}

// oldestOpened returns when the oldest delivery without an outcome was opened; the zero time if there is none.
func (p *partition) oldestOpened() (oldest time.Time) {
	for _, d := range p.inFlight {
		if !d.resolved {
			oldest = sooner(oldest, d.opened)
		}
	}
	for _, d := range p.retry {
		oldest = sooner(oldest, d.opened)
	}
	return oldest
}
