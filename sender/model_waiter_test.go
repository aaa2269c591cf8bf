package sender

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
)

// A modelWaiter is a caller that waits for memory, for one record. It takes turns with its history: while it runs, the
// history waits until it waits again, or has its record appended or refused.
type modelWaiter struct {
	entry  *accumulator.Entry
	record *modelRecord
	waits  chan (<-chan struct{}) // what it waits for
	goes   chan bool              // on, since that has come; false: it gives up
	ended  chan error
	ready  <-chan struct{}
}

// await has a caller wait for memory for e, if there is no such caller yet.
func (h *history) await(q *accumulator.Queue, e *accumulator.Entry, r *modelRecord) {
	if h.mode != modeWaiting || h.waiter != nil || h.calm {
		return
	}
	w := &modelWaiter{entry: e, record: r, waits: make(chan (<-chan struct{})), goes: make(chan bool), ended: make(chan error)}
	h.waiter = w
	h.counts[tallyWaiting]++
	h.tracef("a caller waits for memory")
	now := h.now
	go func() {
		w.ended <- q.Append(e, now, func(ready <-chan struct{}) (time.Time, bool) {
			w.waits <- ready
			goes := <-w.goes
			return h.now, goes
		})
	}()
	h.follow()
}

// follow lets the waiter run until it waits, or its call has ended.
func (h *history) follow() {
	w := h.waiter
	select {
	case w.ready = <-w.waits:
	case err := <-w.ended:
		h.waiter = nil
		if err != nil {
			h.tracef("the caller is refused: %v", err)
			return
		}
		h.appended(w.record, w.entry)
	}
}

// seeWaiter lets a caller go on that has been given memory, or was refused it.
func (h *history) seeWaiter() {
	for w := h.waiter; w != nil; w = h.waiter {
		select {
		case <-w.ready:
		default:
			return
		}
		w.entry.Timestamp, w.record.id = h.now.UnixMilli(), len(h.records)
		binary.BigEndian.PutUint32(w.entry.Value, uint32(w.record.id))
		w.goes <- true
		h.follow()
	}
}

// dismiss ends the waiting of a history that is over.
func (h *history) dismiss() {
	if w := h.waiter; w != nil {
		w.goes <- false
		<-w.ended
		h.waiter = nil
	}
}

// standStill lets minutes pass in which the process does nothing, while brokers work and their answers come. When it goes on
// the loop finds its alarm overdue before the connections have brought what they have. They do so in a moment; only then
// requests have timed out. On a connection that has outlived its cluster nothing comes, since nobody has answered there: what
// would come is an answer of zeros, and with it a producer id that no broker gave.
func (h *history) standStill() {
	if h.inRow++; h.now.Sub(h.stood) > 2*afterPause {
		h.inRow = 0
	} else if h.inRow > mostAgain {
		return // what is prolonged has a bound
	}
	d := time.Duration(1+h.rng.IntN(4*60_000)) * time.Millisecond
	h.tracef("the process stands still for %v", d)
	h.counts[tallyStill]++
	h.hurt = true
	if h.caller != nil {
		h.mayDie = "what was decided while it stood still it cannot know"
	}
	for _, mc := range h.conns {
		for _, f := range mc.flights {
			if !f.processed && h.chance(0.8) {
				h.process(f, f.call.Response, true)
			} else if !f.processed {
				break
			}
		}
	}
	answered := h.answeredOK()
	before := h.now
	h.now = h.now.Add(d)
	h.stood = h.now
	if !h.closed.IsZero() {
		h.closed = h.closed.Add(d + afterPause)
	}
	for _, root := range h.roots {
		root.opened = root.opened.Add(d + afterPause)
	}
	unnoticed := false
	if due := h.wakeAt; !due.IsZero() && h.now.Sub(due) > punctual {
		h.core.pause.stoodStill(later(before, due.Add(-1)), h.now)
	} else {
		unnoticed = !due.IsZero() && !h.now.Before(due)
	}
	h.settle()
	if unnoticed {
		// A loop that is no later than on a busy machine cannot know that it stood still. It judges deadlines at once, as I4
		// demands, and what lies in the sockets has not been read. See TestNoPause.
		h.poll()
		answered = slices.DeleteFunc(answered, func(r *modelRecord) bool { return r.done && errors.Is(r.err, ErrDeliveryTimeout) })
	}
	h.now = h.now.Add(time.Duration(h.rng.IntN(60)) * time.Millisecond)
	for _, mc := range h.conns[:len(h.conns):len(h.conns)] {
		for !mc.deaf && len(mc.flights) > 0 && mc.flights[0].processed && !mc.broken {
			mc.deliver()
		}
	}
	h.settle()
	h.poll()
	for _, r := range answered {
		if r.done && r.err != nil {
			h.fail("I4: the answer for record %d lay ready when the process went on, and the record ended with %v", r.id, r.err)
		}
	}
}

// answeredOK returns the records without an outcome of which a success lies ready. What a connection that has outlived its
// cluster was to bring, it brings no more: see outlive.
func (h *history) answeredOK() (records []*modelRecord) {
	h.poll()
	for _, mc := range h.conns {
		for _, f := range mc.flights {
			if mc.deaf || !f.processed {
				break
			}
			for _, a := range f.attempts {
				for _, r := range a.records {
					if a.acked && !r.done {
						records = append(records, r)
					}
				}
			}
		}
	}
	return records
}
