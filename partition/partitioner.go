package partition

import (
	"sync"
	"sync/atomic"
)

// Any is what a Partitioner returns to leave a record to the producer's sticky partitioner: see the package documentation.
const Any int32 = -1

// Partitioner chooses the partition of records that do not name one. Every goroutine that sends calls it, for each such record.
// So it must be safe for concurrent use and fast, and must not block.
type Partitioner interface {
	// Partition returns a partition in [0, t.Partitions), or [Any]. A partition without a leader is allowed: the record waits
	// for one. Any other number, or an error, fails the record: it is not taken, and its *producer.AdmissionError wraps the
	// error. Partition must not change r's bytes or t, nor keep them after it has returned.
	Partition(r Record, t *Topic) (int32, error)
}

// Record is what a Partitioner sees of a record. A nil Key or Value is null, which is not the same as empty. Record may get
// further fields.
type Record struct {
	Key, Value []byte
}

// Topic is a topic as the newest metadata has it. It is immutable: a change makes a new one. It may get further fields.
type Topic struct {
	Name string

	// Partitions is the number of partitions, at least 1.
	Partitions int32

	// Available lists the partitions that have a leader, ascending.
	Available []int32

	// Local lists those of Available whose leader is in the producer's own rack, ascending. It is empty unless
	// partitioner.rack.aware is set (KIP-1123).
	Local []int32
}

// Func makes a Partitioner of a function.
type Func func(r Record, t *Topic) (int32, error)

// Partition calls f.
func (f Func) Partition(r Record, t *Topic) (int32, error) { return f(r, t) }

// Default hashes the keys of records that have one, and leaves the others to the sticky partitioner. Default(JavaMurmur2) is
// what a producer does without a setting, as the Java client.
func Default(h KeyHasher) Partitioner { return keyed{h} }

type keyed struct{ hash KeyHasher }

func (k keyed) Partition(r Record, t *Topic) (int32, error) {
	if r.Key == nil {
		return Any, nil
	}
	return k.hash(r.Key, t.Partitions), nil
}

// Consistent hashes every key. A record without a key counts as one with an empty key, so all of these share one partition. It
// is for compatibility with clients that do so; see the package documentation.
func Consistent(h KeyHasher) Partitioner { return consistent{h} }

type consistent struct{ hash KeyHasher }

func (c consistent) Partition(r Record, t *Topic) (int32, error) {
	return c.hash(r.Key, t.Partitions), nil
}

// IgnoreKeys leaves every record to the sticky partitioner, whatever its key, as Java's partitioner.ignore.keys.
func IgnoreKeys() Partitioner { return ignoreKeys{} }

type ignoreKeys struct{}

func (ignoreKeys) Partition(Record, *Topic) (int32, error) { return Any, nil }

// RoundRobin gives each record of a topic to the next partition that has a leader, whatever the record's key. If no partition
// has one, all take turns (KIP-369). RoundRobin makes small batches; the sticky partitioner spreads records as evenly, and
// makes large ones. Producers that share the returned value share its turns.
func RoundRobin() Partitioner { return &roundRobin{} }

type roundRobin struct {
	turns sync.Map // topic name -> *atomic.Uint32
}

func (rr *roundRobin) Partition(_ Record, t *Topic) (int32, error) {
	v, ok := rr.turns.Load(t.Name)
	if !ok {
		v, _ = rr.turns.LoadOrStore(t.Name, new(atomic.Uint32))
	}
	turn := v.(*atomic.Uint32).Add(1) - 1
	if n := uint32(len(t.Available)); n > 0 {
		return t.Available[turn%n], nil
	}
	return int32(turn % uint32(t.Partitions)), nil
}
