package produce

import (
	"sync"
	"sync/atomic"

	"github.com/epistle-kafka/epistle/producer"
)

const (
	blockSize  = 64 << 10 // bytes of input
	blockLines = 1024
	lineCost   = 144 // bytes of memory for a line besides its text, its callback included
)

// block is a piece of input with the lines that were cut from it. The reader fills it. It is used for other input when the
// reader has gone on to the next block and all its lines have their outcome.
type block struct {
	pool  *pool
	buf   []byte
	lines []line // of fixed length, as their callbacks point into it
	cut   int    // lines in use
	refs  atomic.Int32

	before, after *block // in the order of reading; undelivered.mu guards these
	written       int    // lines that need not be looked at again, as they are delivered or written
}

// line is a line of the input, until its outcome is known.
type line struct {
	block  *block
	text   []byte // in block.buf, without the newline
	source *source
	number int64 // in its source, from 1
	done   producer.Callback
	err    error // what its record ended with, until its transaction ends

	outcome atomic.Uint32 // pending, delivered or failed
	why     *reason       // if it failed
	fate    string        // if it failed
}

func (b *block) release() {
	if b.refs.Add(-1) == 0 {
		if b.pool.freed != nil {
			b.pool.freed(b)
		}
		b.pool.put(b)
	}
}

func (b *block) cost() int64 { return int64(len(b.buf)) + blockLines*lineCost }

// pool bounds the memory of blocks.
type pool struct {
	done  func(*line, producer.RecordMetadata, error) // every line's callback
	limit int64                                       // bytes
	taken func(*block)                                // if not nil: called when the reader gets a block
	freed func(*block)                                // if not nil: called when a block is no longer in use

	mu   sync.Mutex // guards the following; never held while sending
	room sync.Cond
	held int64 // bytes of the blocks in use
	free []*block
}

func newPool(limit int64, done func(*line, producer.RecordMetadata, error)) *pool {
	p := &pool{limit: limit, done: done}
	p.room.L = &p.mu
	return p
}

// get returns a block for at least size bytes, with one reference. It waits for memory, but not for what only the caller can
// free: own, which may be nil, is the block that the caller holds. So there may be one block beyond the limit.
func (p *pool) get(size int, own *block) *block {
	b := p.await(size, own)
	if p.taken != nil {
		p.taken(b)
	}
	return b
}

func (p *pool) await(size int, own *block) *block {
	size = max(size, blockSize)
	kept := int64(0)
	if own != nil {
		kept = own.cost()
	}
	need := int64(size) + blockLines*lineCost
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.held+need > p.limit && p.held > kept {
		p.room.Wait()
	}
	p.held += need
	if n := len(p.free); n > 0 && size == blockSize {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		for i := range b.lines[:b.cut] {
			b.lines[i].outcome.Store(pending)
		}
		b.cut = 0
		b.refs.Store(1)
		return b
	}
	return p.newBlock(size)
}

func (p *pool) newBlock(size int) *block {
	b := &block{pool: p, buf: make([]byte, size), lines: make([]line, blockLines)}
	for i := range b.lines {
		l := &b.lines[i]
		l.block = b
		l.done = func(md producer.RecordMetadata, err error) { p.done(l, md, err) }
	}
	b.refs.Store(1)
	return b
}

func (p *pool) put(b *block) {
	p.mu.Lock()
	p.held -= b.cost()
	if len(b.buf) == blockSize {
		p.free = append(p.free, b)
	}
	p.mu.Unlock()
	p.room.Signal()
}
