package sticky

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/epistle-kafka/epistle/partition"
)

// Sticky is the uniform sticky partitioner of one topic (KIP-794). Records without a key go to the current [Pick] until about a
// batch of bytes has gone there. Then the next one is drawn at random. The less waits in a partition's queue, the more weight
// it has.
//
// All methods are safe for concurrent use, and none blocks: one goroutine at a time draws, and the others go on with the old
// pick.
type Sticky struct {
	batchSize int64
	adaptive  bool
	even      bool
	load      Load

	pick  atomic.Pointer[Pick]
	topic atomic.Pointer[partition.Topic]

	switching atomic.Bool // whoever sets it owns the following; not a lock: nobody waits for it
	rand      *rand.Rand
	table     table
	picks     []Pick // not yet used: one allocation serves many switches
}

// Pick is a partition that records go to for a while. Picks are compared by address.
type Pick struct {
	Partition int32 // read only
}

// picksAtOnce is how many picks are allocated together.
const picksAtOnce = 512

// Config is what a Sticky needs to know.
type Config struct {
	// BatchSize is Java's batch.size in bytes: a pick lasts for one to two times that. Below 1 counts as 1.
	BatchSize int

	// Adaptive prefers partitions with less queued. It needs Load.
	Adaptive bool

	// Even gives each partition the same bytes, whatever becomes of its batches. A pick ends at exactly BatchSize bytes, and
	// each partition has its turn before any has another. It excludes Adaptive and Load.
	Even bool

	// Load describes the partitions' queues. Nil: all are alike and available.
	Load Load

	// Rand is the source of the draws, and from then on belongs to the Sticky. Nil: one with a random seed.
	Rand *rand.Rand
}

// Load tells how busy partitions are. The goroutine that happens to draw asks it for each partition of a topic, up to a hundred
// times a second. So it must be quick, must not block, and must be safe for concurrent use.
type Load interface {
	// Queued returns the bytes of a partition that wait to be sent.
	Queued(partition int32) int64

	// Available is false for a partition whose node has taken nothing for longer than Java's
	// partitioner.availability.timeout.ms, although something waited. nowMs is the time passed to Sticky.
	Available(partition int32, nowMs int64) bool
}

// New returns the Sticky of topic t with its first pick drawn. nowMs is on the same clock as in all other calls.
func New(cfg Config, t *partition.Topic, nowMs int64) *Sticky {
	s := &Sticky{
		batchSize: max(int64(cfg.BatchSize), 1),
		adaptive:  cfg.Adaptive && cfg.Load != nil,
		even:      cfg.Even,
		load:      cfg.Load,
		rand:      cfg.Rand,
	}
	if s.even {
		s.adaptive, s.load = false, nil
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	s.topic.Store(t)
	s.pick.Store(s.next(t, nowMs))
	return s
}

// Update notes that the topic has changed. The current pick is given up if its partition has no leader any more.
func (s *Sticky) Update(t *partition.Topic, nowMs int64) {
	s.topic.Store(t)
	if p := s.pick.Load(); !usable(t, p.Partition) {
		s.switchFrom(p, nowMs)
	}
}

// Topic returns the topic of the last Update.
func (s *Sticky) Topic() *partition.Topic { return s.topic.Load() }

// Pick returns where the next record goes. It is never nil.
func (s *Sticky) Pick() *Pick { return s.pick.Load() }

// Current reports whether p is still the pick. An appender that holds the partition's queue and finds that it is not should
// take the new one: its record would open a batch that nobody fills.
func (s *Sticky) Current(p *Pick) bool { return s.pick.Load() == p }

// Appended notes a record that went to p. bytes is how many have gone there while p was the pick, with this record; whoever
// appends counts them, since it holds the partition's queue anyway. full says that the record left no half-filled batch in the
// queue. From batch.size bytes on that is the moment to switch, and at twice as many the switch comes in any case. A pick that
// is no longer current is ignored. With Even, full does not count: how full a batch is depends on how soon its broker takes it,
// and a partition with a slow broker would get less.
func (s *Sticky) Appended(p *Pick, bytes int64, full bool, nowMs int64) {
	if bytes < s.batchSize || !full && !s.even && bytes < 2*s.batchSize {
		return
	}
	s.switchFrom(p, nowMs)
}

// switchFrom replaces p by a new pick, unless another goroutine is at it or has done so.
func (s *Sticky) switchFrom(p *Pick, nowMs int64) {
	for s.pick.Load() == p && s.switching.CompareAndSwap(false, true) {
		t := s.topic.Load()
		if s.pick.Load() == p {
			s.pick.Store(s.next(t, nowMs))
		}
		s.switching.Store(false)

		// An Update that came while this drew from the old list could not switch, and left that to us.
		newest := s.topic.Load()
		p = s.pick.Load()
		if newest == t || usable(newest, p.Partition) {
			return
		}
	}
}

// next returns a new pick of a partition of t. The caller owns the switch.
func (s *Sticky) next(t *partition.Topic, nowMs int64) *Pick {
	if len(s.picks) == 0 {
		s.picks = make([]Pick, picksAtOnce)
	}
	p := &s.picks[0]
	s.picks = s.picks[1:]
	p.Partition = s.draw(t, nowMs)
	return p
}

// draw returns a partition of t. The caller owns the switch.
func (s *Sticky) draw(t *partition.Topic, nowMs int64) int32 {
	if s.table.stale(t, s.load, nowMs) {
		s.table.build(t, s.load, s.adaptive, s.batchSize, nowMs)
	}
	if s.even {
		return s.table.deal(s.rand)
	}
	return s.table.draw(s.rand)
}

// usable reports whether keyless records may go to partition p of t.
func usable(t *partition.Topic, p int32) bool {
	if len(t.Available) == 0 {
		return p < t.Partitions
	}
	_, ok := slices.BinarySearch(t.Available, p)
	return ok
}
