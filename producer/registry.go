package producer

import (
	"hash/maphash"
	"sync/atomic"
)

// A registry holds the topics that Send knows, by their names. Any goroutine reads it, without a lock; the sender loop alone
// changes it. To add, replace or remove a topic costs the same however many topics there are.
type registry struct {
	seed  maphash.Seed
	cache [32]atomic.Pointer[slot] // by cacheIndex, one topic for each index: most records then need no hash of a topic's name
	table atomic.Pointer[[]atomic.Pointer[bucket]]
	count int // number of topics; the loop's
}

// A slot is a topic's place in the registry, for as long as the topic is known.
type slot struct {
	name string
	now  atomic.Pointer[topic] // nil: the topic is forgotten, and the slot is not used again
}

// A bucket is a slot in the list of those with the same place in the table. It is immutable.
type bucket struct {
	slot *slot
	next *bucket
}

const fewestBuckets = 64

func newRegistry() *registry {
	r := &registry{seed: maphash.MakeSeed()}
	table := make([]atomic.Pointer[bucket], fewestBuckets)
	r.table.Store(&table)
	return r
}

// cacheIndex is a name's index in the cache. Length and last letter tell most names apart.
func cacheIndex(name string) uint {
	if len(name) == 0 {
		return 0
	}
	return (uint(len(name))*5 + uint(name[len(name)-1])) % uint(len(registry{}.cache))
}

// get returns a topic as it is now, or nil.
func (r *registry) get(name string) *topic {
	if s := r.cache[cacheIndex(name)].Load(); s != nil && s.name == name {
		return s.now.Load()
	}
	if s := r.find(name); s != nil {
		return s.now.Load()
	}
	return nil
}

// find returns a topic's slot, or nil.
func (r *registry) find(name string) *slot {
	for b := r.place(*r.table.Load(), name).Load(); b != nil; b = b.next {
		if b.slot.name == name {
			return b.slot
		}
	}
	return nil
}

func (r *registry) place(table []atomic.Pointer[bucket], name string) *atomic.Pointer[bucket] {
	return &table[maphash.String(r.seed, name)%uint64(len(table))]
}

// set adds or replaces a topic.
func (r *registry) set(t *topic) {
	s := r.find(t.name)
	if s == nil {
		s = &slot{name: t.name}
		table := *r.table.Load()
		if r.count >= len(table) {
			table = r.grow(table)
		}
		at := r.place(table, t.name)
		at.Store(&bucket{s, at.Load()})
		r.count++
	}
	s.now.Store(t)
	r.cache[cacheIndex(t.name)].Store(s)
}

// grow doubles the table. So each doubling costs as much as all additions since the last one.
func (r *registry) grow(old []atomic.Pointer[bucket]) []atomic.Pointer[bucket] {
	table := make([]atomic.Pointer[bucket], 2*len(old))
	for i := range old {
		for b := old[i].Load(); b != nil; b = b.next {
			at := r.place(table, b.slot.name)
			at.Store(&bucket{b.slot, at.Load()})
		}
	}
	r.table.Store(&table)
	return table
}

// remove takes a topic out. The table keeps its size, since what was needed once may be needed again.
func (r *registry) remove(name string) {
	s := r.find(name)
	if s == nil {
		return
	}
	at := r.place(*r.table.Load(), name)
	var rest *bucket
	for b := at.Load(); b != nil; b = b.next {
		if b.slot != s {
			rest = &bucket{b.slot, rest}
		}
	}
	at.Store(rest)
	r.cache[cacheIndex(name)].CompareAndSwap(s, nil)
	r.count--
	s.now.Store(nil)
}
