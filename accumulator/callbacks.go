package accumulator

import "sync"

// A Callback is the completion of one record. Fn is opaque here: what it is
// and how it is called is its owner's business.
type Callback struct {
	Fn        any
	Timestamp int64 // the record's, in Unix milliseconds
	Index     int32 // in the batch
}

// callbacks are the completions of a batch. The first few are part of it; the
// rest is in blocks of fixed size, which are pooled and count against the
// memory bound as chunks do: a slice that grew by copying would cost more than
// the record.
type callbacks struct {
	n      int
	first  [4]Callback
	blocks []*callbackBlock
}

type callbackBlock [128]Callback

// callbackBytes is what a block counts for: its size where pointers have 64
// bits. A chunk of as many bytes is given in exchange.
const callbackBytes = len(callbackBlock{}) * 32

var callbackBlocks = sync.Pool{New: func() any { return new(callbackBlock) }}

// full reports whether a block has to be added before the next callback.
func (cs *callbacks) full() bool {
	return cs.n == len(cs.first)+len(cs.blocks)*len(callbackBlock{})
}

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

func (cs *callbacks) add(c Callback) {
	*cs.at(cs.n) = c
	cs.n++
}

// HasCallbacks reports whether any record of the root batch has a callback.
func (b *Batch) HasCallbacks() bool { return b.callbacks.n > 0 }

// EachCallback calls f for the callbacks of a root batch in the order of its
// records, and forgets them. It is for the one who completes the batch.
func (b *Batch) EachCallback(f func(*Callback)) {
	cs := &b.callbacks
	for i := range cs.n {
		f(cs.at(i))
	}
	for _, block := range cs.blocks {
		clear(block[:]) // what users' functions hold must not live on here
		callbackBlocks.Put(block)
	}
	*cs = callbacks{}
}
