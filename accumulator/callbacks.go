package accumulator

import "sync"

// A Callback is the completion of one record. Fn is opaque here: what it is
// and how it is called is its owner's business.
type Callback struct {
	Fn        any
	Timestamp int64 // the record's, in Unix milliseconds
	Index     int32 // in the batch
}

// callbacks are the completions of a batch in blocks of fixed size, which are
// pooled: a slice that grew by copying would cost more than the record.
type callbacks struct {
	blocks []*callbackBlock
}

type callbackBlock struct {
	n       int
	entries [128]Callback
}

var callbackBlocks = sync.Pool{New: func() any { return new(callbackBlock) }}

func (cs *callbacks) add(c Callback) {
	last := len(cs.blocks) - 1
	if last < 0 || cs.blocks[last].n == len(cs.blocks[last].entries) {
		cs.blocks = append(cs.blocks, callbackBlocks.Get().(*callbackBlock))
		last++
	}
	b := cs.blocks[last]
	b.entries[b.n] = c
	b.n++
}

// HasCallbacks reports whether any record of the root batch has a callback.
func (b *Batch) HasCallbacks() bool { return len(b.callbacks.blocks) > 0 }

// EachCallback calls f for the callbacks of a root batch in the order of its
// records, and forgets them. It is for the one who completes the batch.
func (b *Batch) EachCallback(f func(*Callback)) {
	for _, block := range b.callbacks.blocks {
		for i := range block.entries[:block.n] {
			f(&block.entries[i])
		}
		clear(block.entries[:block.n]) // what users' functions hold must not live on here
		block.n = 0
		callbackBlocks.Put(block)
	}
	b.callbacks.blocks = nil
}
