package main

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A record's value says which one it is: its number in its partition, the partition, and whether its transaction is going to
// be aborted. What it has beyond leastSize bytes is padding.
const leastSize = 13

func putNumber(value []byte, partition int32, n int64, aborted bool) {
	binary.BigEndian.PutUint64(value, uint64(n))
	binary.BigEndian.PutUint32(value[8:], uint32(partition))
	value[12] = 0
	if aborted {
		value[12] = 1
	}
}

func number(value []byte) (partition int32, n int64, aborted, ok bool) {
	if len(value) < leastSize {
		return 0, 0, false, false
	}
	n, partition = int64(binary.BigEndian.Uint64(value)), int32(binary.BigEndian.Uint32(value[8:]))
	return partition, n, value[12] == 1, n >= 0 && value[12] <= 1
}

// findings is what was found in a topic. Each record is to be there once, and those of a partition in the order in which they
// were sent.
type findings struct {
	Read      int64    `json:"read"`
	Missing   int64    `json:"missing"`
	Doubled   int64    `json:"doubled"`
	Reordered int64    `json:"reordered"` // that came after one that was sent later
	Strange   int64    `json:"strange"`   // that nobody has sent to that partition, or whose transaction was aborted
	Examples  []string `json:"examples"`  // the first few of what is wrong
}

func (f *findings) wrong() int64 { return f.Missing + f.Doubled + f.Reordered + f.Strange }

// mostExamples bounds findings.Examples.
const mostExamples = 5

func (f *findings) example(format string, args ...any) {
	if len(f.Examples) < mostExamples {
		f.Examples = append(f.Examples, fmt.Sprintf(format, args...))
	}
}

// A checker is shown the records of a topic, those of a partition in the order of their offsets. It keeps of each partition
// the next number alone, and the numbers that were skipped.
type checker struct {
	findings
	partitions []column
}

// column is a partition.
type column struct {
	next   int64 // the number that is to come
	offset int64 // after the last record
	gaps   []gap // of numbers below next that have not come, in their order
}

// gap is the numbers from from up to below to.
type gap struct{ from, to int64 }

// mostGaps bounds the gaps that are remembered of a partition. The numbers of one that is forgotten stay missing, and would
// count as doubled if they came.
const mostGaps = 1000

func newChecker(partitions int) *checker { return &checker{partitions: make([]column, partitions)} }

func (c *checker) record(partition int32, offset int64, value []byte) {
	c.Read++
	if partition < 0 || int(partition) >= len(c.partitions) {
		c.Strange++
		c.example("partition %d, offset %d: there is no such partition", partition, offset)
		return
	}
	p := &c.partitions[partition]
	p.offset = offset + 1
	of, n, aborted, ok := number(value)
	switch {
	case !ok || of != partition:
		c.Strange++
		c.example("partition %d, offset %d: %.40q is no record of this partition", partition, offset, value)
	case aborted:
		c.Strange++
		c.example("partition %d, offset %d: record %d is of a transaction that was aborted", partition, offset, n)
	case n == p.next:
		p.next++
	case n > p.next:
		c.Missing += n - p.next
		c.example("partition %d, offset %d: record %d comes after record %d", partition, offset, n, p.next-1)
		p.skip(n)
	case p.fill(n):
		c.Missing--
		c.Reordered++
		c.example("partition %d, offset %d: record %d comes after record %d", partition, offset, n, p.next-1)
	default:
		c.Doubled++
		c.example("partition %d, offset %d: record %d is there already", partition, offset, n)
	}
}

// skip leaves out the numbers below n, which has come.
func (p *column) skip(n int64) {
	p.gaps = append(p.gaps, gap{p.next, n})
	p.forget()
	p.next = n + 1
}

// forget keeps the number of gaps bounded.
func (p *column) forget() {
	if more := len(p.gaps) - mostGaps; more > 0 {
		p.gaps = slices.Delete(p.gaps, 0, more)
	}
}

// fill takes a number out of the gap that it is in, and reports whether there was one.
func (p *column) fill(n int64) bool {
	for i := range p.gaps {
		g := &p.gaps[i]
		if n < g.from || n >= g.to {
			continue
		}
		rest := []gap{{g.from, n}, {n + 1, g.to}}
		rest = slices.DeleteFunc(rest, func(g gap) bool { return g.from == g.to })
		p.gaps = slices.Replace(p.gaps, i, i+1, rest...)
		p.forget()
		return true
	}
	return false
}

// finish compares with how many records were sent to each partition, once all have been shown.
func (c *checker) finish(sent []int64) {
	for i := range c.partitions {
		next := c.partitions[i].next
		switch {
		case next < sent[i]:
			c.Missing += sent[i] - next
			c.example("partition %d: it ends with record %d, and %d was the last that was sent", i, next-1, sent[i]-1)
		case next > sent[i]:
			c.Strange += next - sent[i]
			c.example("partition %d: it has record %d, and %d was the last that was sent", i, next-1, sent[i]-1)
		}
	}
}
