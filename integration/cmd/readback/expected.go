package main

import (
	"fmt"
	"hash/maphash"
)

// expected holds the lines that a topic should hold, as hashes of 64 bits: about 100 bytes for each
// line, however long. Two lines with one hash would pass for each other; for a million lines the odds
// of that are one in 37 million.
type expected struct {
	seed   maphash.Seed
	chains map[uint64]*chain // by the hash of key and value
	next   []int32           // by line: the next line with the same key and value, or -1
	found  []bool            // by line
	keyed  map[uint64]*order // by the hash of the key
	loose  map[int32]*order  // of the lines without a key, by partition

	unexpected, disorder, scattered tally
}

// chain is the equal lines that have not been found, in the file's order. Records take them from the
// front, so of equal lines the first record is the first line.
type chain struct {
	first, last int32
	several     bool // it was made of more than one line
}

// order is how far a key, or the lines without a key in one partition, has come.
type order struct {
	line      int32 // the highest found, -1 before the first
	partition int32 // where all its records should be, -1 before the first
}

func newExpected() *expected {
	return &expected{
		seed:   maphash.MakeSeed(),
		chains: make(map[uint64]*chain),
		keyed:  make(map[uint64]*order),
		loose:  make(map[int32]*order),
	}
}

func (e *expected) lines() int { return len(e.next) }
func (e *expected) keys() int  { return len(e.keyed) }

// hash tells a nil key from an empty one.
func (e *expected) hash(key, value []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(e.seed)
	if key != nil {
		fmt.Fprintf(&h, "%d:", len(key))
		h.Write(key)
	}
	h.WriteByte(0)
	h.Write(value)
	return h.Sum64()
}

// line adds the next line of the file; key is nil for a line without one.
func (e *expected) line(key, value []byte) {
	n := int32(len(e.next))
	e.next = append(e.next, -1)
	e.found = append(e.found, false)
	if key != nil {
		if hash := maphash.Bytes(e.seed, key); e.keyed[hash] == nil {
			e.keyed[hash] = &order{line: -1, partition: -1}
		}
	}
	hash := e.hash(key, value)
	if c := e.chains[hash]; c != nil {
		e.next[c.last] = n
		c.last, c.several = n, true
		return
	}
	e.chains[hash] = &chain{first: n, last: n}
}

// record compares one record with the lines. The records of a partition have to come in the order of
// their offsets.
func (e *expected) record(partition int32, offset int64, key, value []byte) {
	c := e.chains[e.hash(key, value)]
	if c == nil {
		e.unexpected.add("partition %d, offset %d: %s is no line of the file", partition, offset, brief(key, value))
		return
	}
	o := e.order(partition, key)
	n := e.take(c, o.line)
	if n < 0 {
		e.unexpected.add("partition %d, offset %d: %s is there more often than in the file", partition, offset, brief(key, value))
		return
	}
	if key != nil && o.partition >= 0 && o.partition != partition {
		e.scattered.add("partition %d, offset %d: earlier records of key %.40q are in partition %d", partition, offset, key, o.partition)
	}
	o.partition = partition
	switch {
	case n > o.line:
		o.line = n
	case key != nil || !c.several: // equal lines without a key may have been taken by another partition
		e.disorder.add("partition %d, offset %d: line %d comes after line %d", partition, offset, n+1, o.line+1)
	}
}

func (e *expected) order(partition int32, key []byte) *order {
	if key != nil {
		return e.keyed[maphash.Bytes(e.seed, key)]
	}
	if e.loose[partition] == nil {
		e.loose[partition] = &order{line: -1, partition: -1}
	}
	return e.loose[partition]
}

// take finds the first line of the chain after another line, or else its first line, and marks it
// found. It returns -1 if all have been found.
func (e *expected) take(c *chain, after int32) int32 {
	for c.first >= 0 && e.found[c.first] {
		c.first = e.next[c.first]
	}
	n := c.first
	for n >= 0 && (e.found[n] || n <= after) {
		n = e.next[n]
	}
	if n < 0 {
		n = c.first
	}
	if n >= 0 {
		e.found[n] = true
	}
	return n
}

// finish lists what is wrong, a line for each sort and for its first examples.
func (e *expected) finish() []string {
	var missing tally
	for n, found := range e.found {
		if !found {
			missing.add("line %d", n+1)
		}
	}
	var report []string
	for _, sort := range []struct {
		name string
		tally
	}{
		{"lines that are missing", missing},
		{"records too many", e.unexpected},
		{"records out of order", e.disorder},
		{"records of a key in another partition", e.scattered},
	} {
		if sort.count == 0 {
			continue
		}
		report = append(report, fmt.Sprintf("%s: %d", sort.name, sort.count))
		for _, example := range sort.examples {
			report = append(report, "  "+example)
		}
	}
	return report
}

// tally counts one sort of problem and keeps its first few.
type tally struct {
	count    int
	examples []string
}

func (t *tally) add(format string, args ...any) {
	if t.count++; t.count <= 5 {
		t.examples = append(t.examples, fmt.Sprintf(format, args...))
	}
}

func brief(key, value []byte) string {
	if key == nil {
		return fmt.Sprintf("%.60q", value)
	}
	return fmt.Sprintf("%.40q: %.60q", key, value)
}
