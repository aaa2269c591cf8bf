package partition

import (
	"sync"
	"sync/atomic"
)

// Any is what a Partitioner answers to leave a record to the producer's sticky partitioner: see the package documentation.
const Any int32 = -1

// Partitioner chooses the partition of records that do not name one. Every goroutine that sends calls it, for every such
// record. So it must be safe for concurrent use, fast, and must not block.
type Partitioner interface {
	// Partition returns a partition in [0, t.Partitions), or Any. Another answer, or an error, fails the record. It may keep
	// neither the bytes of r nor t.
	Partition(r Record, t *Topic) (int32, error)
}

// Record is what a Partitioner sees of a record. Nil is null, which is not the same as empty. It may get further fields.
type Record struct {
	Key, Value []byte
}

// Topic is a topic as the newest metadata has it. It is immutable: a change makes a new one. It may get further fields.
type Topic struct {
	Name string

	// Partitions is their number, at least 1.
	Partitions int32

	// Available lists the partitions that have a leader, ascending.
	Available []int32

	// Local lists those of Available whose leader is in the producer's own rack, ascending. Empty unless records without a key
	// are to stay in the rack (KIP-1123).
	Local []int32
}

// Func makes a Partitioner of a function.
type Func func(r Record, t *Topic) (int32, error)

// Partition calls f.
func (f Func) Partition(r Record, t *Topic) (int32, error) { return f(r, t) }

// Default hashes the keys of records that have one, and leaves the others to the sticky partitioner. Default(JavaMurmur2) is
// what the Java client does unless told otherwise.
func Default(h KeyHasher) Partitioner { return keyed{h} }

type keyed struct{ hash KeyHasher }

func (k keyed) Partition(r Record, t *Topic) (int32, error) {
	if r.Key == nil {
		return Any, nil
	}
	return k.hash(r.Key, t.Partitions), nil
}

// Consistent hashes every key, and a record without a key as if its key were empty, so that all of those share one partition.
// It is for compatibility with clients that do so; see the package documentation.
func Consistent(h KeyHasher) Partitioner { return consistent{h} }

type consistent struct{ hash KeyHasher }

func (c consistent) Partition(r Record, t *Topic) (int32, error) {
	return c.hash(r.Key, t.Partitions), nil
}

// IgnoreKeys leaves every record to the sticky partitioner, whatever its key: Java's partitioner.ignore.keys.
func IgnoreKeys() Partitioner { return ignoreKeys{} }

type ignoreKeys struct{}

func (ignoreKeys) Partition(Record, *Topic) (int32, error) { return Any, nil }

// RoundRobin gives each record of a topic to the next partition that has a leader, whatever its key; to the next of all
// partitions if none has one (KIP-369). It makes small batches. The sticky partitioner spreads records as evenly and makes
// large batches. Producers that share the returned value share its turns.
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
