package accumulator

import (
	"sync"
	"unsafe"
)

// A Callback is the callback of Count neighbouring records. Fn is opaque here: its owner knows what it is and how it is called.
type Callback struct {
	Fn        any
	Timestamp int64 // of each of the records, in Unix milliseconds
	Index     int32 // of the first record, in the outcome
	Count     int32
}

// callbacks are the callbacks of a batch's records. Neighbouring records with one function and one timestamp share an entry, so
// that a function reused for many sends costs next to nothing. The first few entries are part of the outcome. The rest is in
// pooled blocks of fixed size, which count against the memory bound as chunks do. A slice that grew by copying would cost more
// than the record.
type callbacks struct {
	n      int // valid once the queue has settled the batch; until then openBatch.callbackRoom tells
	blocks []*callbackBlock
	first  [firstCallbacks]Callback
}

const firstCallbacks = 8 // with so many an Outcome is seven lines of memory

type callbackBlock [64]Callback

// callbackBytes is what a block counts for: its size on a 64-bit machine. A chunk of as many bytes is given in exchange.
const callbackBytes = len(callbackBlock{}) * 32

var callbackBlocks = sync.Pool{New: func() any { return new(callbackBlock) }}

// identical reports whether two values are certainly the same function, or the same pointer. Go compares no functions, but two
// values of one closure have the same address.
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

// EachCallback calls f for each callback entry, in the order of the records. Only the one who completes the outcome may call
// it.
func (o *Outcome) EachCallback(f func(*Callback)) {
	for i := range o.callbacks.n {
		f(o.callbacks.at(i))
	}
}

// clear drops the callbacks, so that what users' functions hold does not live on here.
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
