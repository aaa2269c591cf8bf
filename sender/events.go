package sender

import (
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/wire"
)

// An event is something that happened outside the loop. It is applied on the loop, at the time of the core's now.
type event interface{ apply(*core) }

type (
	// dialed: an attempt to connect has ended.
	dialed struct {
		node  *node
		which lane
		dial  *dial
		conn  conn
		asked time.Duration // how long the handshake's answer asks to be sent nothing
		err   error
	}
	// hungUp: an established connection is over. Its calls end on their own.
	hungUp struct {
		node  *node
		which lane
		conn  conn
		err   error
	}
	// answered: a produce request has ended, with an answer or without. Events that come for every request are one pointer,
	// which costs no allocation.
	answered struct{ request *request }
	// packedUp: the last of a request's batches went through a compressor.
	packedUp struct{ request *request }
	// replied: a control request has ended.
	replied struct {
		node  *node
		conn  conn
		call  *wire.Call
		then  func(c *core, n *node, call *wire.Call)
		asked time.Time // when it was handed to the connection
	}
	// wanted: a caller asks for a topic, and may wait for it.
	wanted struct {
		topic      string
		wait       *lookup // nil: nobody waits
		partitions int     // it must have at least so many
	}
	// wantedAll: a caller asks for several topics at once, so that one request does.
	wantedAll []wanted
	// flushing: a caller waits for all that has been sent so far.
	flushing struct{ group *accumulator.Group }
	// closing: no more records; the group ends when all are done.
	closing struct{ group *accumulator.Group }
	// aborting: what is left fails now, and the loop ends.
	aborting struct{}
)

// An inbox is where events wait for the loop. Putting one in never blocks. It is bounded by what the events are about: one for
// each request in flight, dial, waiting caller and compressed batch.
type inbox struct {
	wake chan struct{} // capacity 1: a token says that there is something to do

	mu     sync.Mutex // guards the following
	events []event
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (in *inbox) put(e event) {
	in.mu.Lock()
	in.events = append(in.events, e)
	in.mu.Unlock()
	in.nudge()
}

// nudge makes the loop take a step.
func (in *inbox) nudge() {
	select {
	case in.wake <- struct{}{}:
	default: // a token is there already
	}
}

// take returns the waiting events and leaves spare in their place.
func (in *inbox) take(spare []event) []event {
	in.mu.Lock()
	defer in.mu.Unlock()
	events := in.events
	in.events = spare[:0]
	return events
}
