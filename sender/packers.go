package sender

import (
	"runtime"
	"sync"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// packers compress batches, several at once, off the loop. Each has a compressor of its own, made when it is first needed. What
// waits here is bounded by the requests in flight.
type packers struct {
	codec protocol.Codec
	level int
	inbox *inbox
	ended sync.WaitGroup

	mu      sync.Mutex // guards the following
	cond    *sync.Cond // on mu: the queue has work, or closed
	queue   fifo[packing]
	idle    int // goroutines that wait
	running int
	closed  bool
}

// A packing is one batch of a request to be compressed.
type packing struct {
	request  *request
	delivery *delivery
}

func newPackers(codec protocol.Codec, level int, in *inbox) *packers {
	ps := &packers{codec: codec, level: level, inbox: in}
	ps.cond = sync.NewCond(&ps.mu)
	return ps
}

// put never blocks. Goroutines are started as they are needed.
func (ps *packers) put(p packing) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.queue.push(p)
	if ps.idle < ps.queue.len() && ps.running < runtime.GOMAXPROCS(0) {
		ps.running++
		ps.ended.Go(ps.run)
		return
	}
	ps.cond.Signal()
}

func (ps *packers) run() {
	compressor, err := protocol.NewCompressor(ps.codec, ps.level)
	if err != nil {
		panic("sender: a compressor's settings were not checked: " + err.Error())
	}
	var scratch accumulator.Scratch
	for {
		p, ok := ps.next()
		if !ok {
			return
		}
		if err := p.delivery.Compress(ps.codec, compressor, &scratch); err != nil { // a codec does not fail on bytes in memory
			panic("sender: compressing: " + err.Error())
		}
		if p.request.packedOne() {
			ps.inbox.put(packedUp{p.request})
			// Yield now, before the next batch: the loop has a request to write, and callers can have the memory that
			// compression has freed.
			runtime.Gosched()
		}
	}
}

func (ps *packers) next() (packing, bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for ps.queue.len() == 0 {
		if ps.closed {
			return packing{}, false
		}
		ps.idle++
		ps.cond.Wait()
		ps.idle--
	}
	return ps.queue.pop(), true
}

func (ps *packers) close() {
	ps.mu.Lock()
	ps.closed = true
	ps.mu.Unlock()
	ps.cond.Broadcast()
	ps.ended.Wait()
}
