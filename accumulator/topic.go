package accumulator

import (
	"sync"
	"sync/atomic"
	"time"
)

// Config is what an Accumulator needs to know.
type Config struct {
	BatchSize     int                  // bytes; a batch of this size is sent at once (batch.size)
	MaxBatchBytes int                  // bytes; a batch grows beyond this only by a single record
	Memory        int64                // bytes (buffer.memory)
	SealAge       time.Duration        // a batch older than this takes no more records
	Epoch         time.Time            // Millis counts from here, by the monotonic clock if it has a reading of that. Zero: 1970
	Even          bool                 // a series is counted by its records alone, whatever batches they are in
	Compressed    bool                 // batches will be compressed, so records are not summed as they come
	Wake          func()               // tells the sender loop to take a step; must not block
	Why           func(*Outcome) error // says what a batch waits for: see Outcome.Why; nil: nobody knows
	Urgent        func()               // is called in place of Wake for a batch that somebody waits for: see Outcome.Urge; nil: Wake
}

// An Accumulator has all queues of one producer, and their common memory.
type Accumulator struct {
	Memory *Memory

	batchSize     int
	maxBatchBytes int
	sealAgeMs     int64
	epoch         time.Time
	even          bool // see Config.Even
	sums          bool // records are summed as they come
	wake, urgent  func()
	why           func(*Outcome) error

	mu      sync.Mutex   // guards the following; never held while blocking
	changes []HeadChange // that the loop has not taken yet
}

// New returns an empty accumulator.
func New(c Config) *Accumulator {
	if c.Urgent == nil {
		c.Urgent = c.Wake
	}
	if c.Epoch.IsZero() {
		c.Epoch = time.Unix(0, 0)
	}
	return &Accumulator{
		epoch:         c.Epoch,
		Memory:        newMemory(c.Memory, c.Wake),
		batchSize:     c.BatchSize,
		maxBatchBytes: c.MaxBatchBytes,
		sealAgeMs:     c.SealAge.Milliseconds(),
		even:          c.Even,
		sums:          !c.Compressed,
		wake:          c.Wake,
		urgent:        c.Urgent,
		why:           c.Why,
	}
}

// Millis returns now in the milliseconds by which queues measure the age of batches. If the epoch has a monotonic reading they
// follow the monotonic clock: the wall clock may be set back while a batch waits.
func (a *Accumulator) Millis(now time.Time) int64 { return now.Sub(a.epoch).Milliseconds() }

// A Topic is the queues of one topic.
type Topic struct {
	acc     *Accumulator
	name    string
	learned atomic.Int64             // bytes before compression; the batch size cap that the topic has taught
	lesson  lesson                   // the loop's
	queues  atomic.Pointer[[]*Queue] // by partition; replaced, never changed
}

// Topic returns a new topic with n partitions.
func (a *Accumulator) Topic(name string, n int) *Topic {
	t := &Topic{acc: a, name: name}
	t.learned.Store(int64(a.maxBatchBytes))
	t.queues.Store(&[]*Queue{})
	t.Grow(n)
	return t
}

// Queues returns the queues by partition. The slice must not be changed.
func (t *Topic) Queues() []*Queue { return *t.queues.Load() }

// Grow adds queues so that there are n. What is batched stays where it is. Only one goroutine, the sender loop, may call it.
func (t *Topic) Grow(n int) {
	old := t.Queues()
	if n <= len(old) {
		return
	}
	next := make([]*Queue, n)
	copy(next, old)
	for i := len(old); i < n; i++ {
		next[i] = &Queue{topic: t, partition: int32(i)}
	}
	t.queues.Store(&next)
}

// cap returns the size that a batch of the topic may grow to, in bytes.
func (t *Topic) cap() int { return int(t.learned.Load()) }
