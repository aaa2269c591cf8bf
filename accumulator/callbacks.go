package accumulator

import (
	"sync"
	"unsafe"
)

// A Callback is the completion of Count neighbouring records. Fn is opaque
// here: what it is and how it is called is its owner's business.
type Callback struct {
	Fn        any
	Timestamp int64 // of each of the records, in Unix milliseconds
	Index     int32 // of the first record, in the outcome
	Count     int32
}

// callbacks are the completions of a batch's records. Records that follow each other
// with one function and one timestamp share an entry, so that a function
// reused for many sends costs next to nothing. The first few are part of the
// outcome; the rest is in blocks of fixed size, which are pooled and count
// against the memory bound as chunks do: a slice that grew by copying would
// cost more than the record.
type callbacks struct {
	n      int // once the queue has settled the batch; until then the tip knows
	blocks []*callbackBlock
	first  [firstCallbacks]Callback
}

const firstCallbacks = 8 // with as many an Outcome is seven lines of memory

type callbackBlock [64]Callback

// callbackBytes is what a block counts for: its size where pointers have 64
// bits. A chunk of as many bytes is given in exchange.
const callbackBytes = len(callbackBlock{}) * 32

var callbackBlocks = sync.Pool{New: func() any { return new(callbackBlock) }}

// identical reports whether two values are one and the same function, or other
// value held by pointer, for certain. Go compares no functions; two that are
// one closure have the same address, and whoever calls one calls the other.
func identical(a, b any) bool {
	return *(*[2]uintptr)(unsafe.Pointer(&a)) == *(*[2]uintptr)(unsafe.Pointer(&b))
}

// most returns how many entries there can be without a further block.
func (cs *callbacks) most() int { return len(cs.first) + len(cs.blocks)*len(callbackBlock{}) }

func (cs *callbacks) grow() {
	cs.blocks = append(cs.blocks, callbackBlocks.Get().(*callbackBlock))
}

func (cs *callbacks) at(i int) *Callback {
	if i < len(cs.first) {
		return &cs.first[i]
	}
	i -= len(cs.first)
	return &cs.blocks[i/len(callbackBlock{})][i%len(callbackBlock{})]
}

// EachCallback calls f for the callbacks in the order of the records. It is for
// the one who completes the outcome.
func (o *Outcome) EachCallback(f func(*Callback)) {
	for i := range o.callbacks.n {
		f(o.callbacks.at(i))
	}
}

// clear forgets the callbacks: what users' functions hold must not live on here.
func (cs *callbacks) clear() {
	clear(cs.first[:min(cs.n, len(cs.first))])
	rest := cs.n - len(cs.first)
	for i, block := range cs.blocks {
		clear(block[:min(max(rest, 0), len(block))])
		rest -= len(block)
		callbackBlocks.Put(block)
		cs.blocks[i] = nil
	}
	cs.n, cs.blocks = 0, cs.blocks[:0]
}
