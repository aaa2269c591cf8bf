package sender

import (
	"sync"
	"sync/atomic"

	"github.com/epistle-kafka/epistle/accumulator"
)

// completions run users' callbacks on a goroutine of their own, in the order in which batches ended. A slow callback holds up
// those behind it and nothing else. What waits here still counts against buffer.memory, which bounds it.
type completions struct {
	call func(o *accumulator.Outcome, next func())
	step func()        // cs.next, made a func value once and not for each batch
	wake chan struct{} // capacity 1
	done chan struct{}

	// running is 0 while no callback runs. Otherwise it is the number, from 1 on, of a callback of the batch at hand: of the
	// one that runs if somebody watches, and of any one if nobody does.
	running atomic.Int64
	watched atomic.Int32 // how many callers watch
	last    int64        // number of the last callback; the goroutine's alone
	took    callbackTimes

	held []completion // not handed over yet; the loop's alone

	mu     sync.Mutex // guards the following
	queue  []completion
	closed bool
}

// A completion is an outcome whose callbacks are to run, or a group that waits for those before it.
type completion struct {
	outcome *accumulator.Outcome
	group   *accumulator.Group
}

func newCompletions(call func(o *accumulator.Outcome, next func())) *completions {
	cs := &completions{call: call, wake: make(chan struct{}, 1), done: make(chan struct{})}
	cs.step = cs.next
	return cs
}

// hold keeps c for the next handOver. Only the loop calls the two.
func (cs *completions) hold(c completion) {
	cs.held = append(cs.held, c)
}

// handOver hands over all that is held, and so the batches of an answer at once: doing it for each would take a third of the
// time of its callbacks. It reports whether there was anything.
func (cs *completions) handOver() bool {
	if len(cs.held) == 0 {
		return false
	}
	cs.took.add(cs.held)
	cs.mu.Lock()
	cs.queue = append(cs.queue, cs.held...)
	cs.mu.Unlock()
	clear(cs.held)
	cs.held = cs.held[:0]
	cs.nudge()
	return true
}

func (cs *completions) nudge() {
	select {
	case cs.wake <- struct{}{}:
	default:
	}
}

// run ends when close was called and the queue is empty.
func (cs *completions) run() {
	defer close(cs.done)
	var batch []completion
	for {
		cs.mu.Lock()
		batch, cs.queue = cs.queue, batch[:0]
		closed := cs.closed
		cs.mu.Unlock()
		if len(batch) == 0 {
			if closed {
				return
			}
			<-cs.wake
			continue
		}
		cs.took.rouse()
		for i := range batch {
			cs.complete(batch[i])
			batch[i] = completion{}
		}
		cs.took.rest()
	}
}

func (cs *completions) complete(c completion) {
	if c.group != nil {
		c.group.Exit()
		return
	}
	c.outcome.Complete(cs.callBack)
}

// callBack runs the callbacks of o.
func (cs *completions) callBack(o *accumulator.Outcome) {
	cs.running.Store(cs.last + 1)
	cs.took.begin()
	cs.call(o, cs.step)
	cs.took.end()
	cs.running.Store(0)
}

// next notes that another callback begins.
func (cs *completions) next() {
	cs.last++
	if cs.watched.Load() > 0 { // a load costs a tenth of a store
		cs.running.Store(cs.last)
	}
}

// close waits until all callbacks of what was handed over have run.
func (cs *completions) close() {
	cs.mu.Lock()
	cs.closed = true
	cs.mu.Unlock()
	cs.nudge()
	<-cs.done
}
