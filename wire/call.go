package wire

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Call is one request, and what became of it. The caller fills the first part, and leaves the call alone from a successful Send
// until Done. Then it may be sent again, on this connection or another.
type Call struct {
	Request  protocol.Request
	Response protocol.Response // decoded into; nil: nothing answers (acks=0), and the call is done when it is written

	MaxVersion int16         // cap on the negotiated version; 0 = none
	Timeout    time.Duration // from the beginning of the write to the answer; 0 = Config.RequestTimeout

	// SizeHint is about how many bytes the request has. Send itself writes a small one if nothing is in its way, which saves
	// waking writeLoop. 0 means unknown: writeLoop writes it.
	SizeHint int

	// Before, if set, runs just before the request is encoded, and may still change it for the version that it will have. It
	// runs on writeLoop, or with SizeHint perhaps inside Send. It must not block. It does not run for a call that ends earlier.
	Before func(version int16)

	// Done is called exactly once after a successful Send, by a goroutine of the connection and never from inside Send. It must
	// not block, and it may call Send. From then on the connection refers neither to Request, nor to its slices or their bytes.
	Done func(*Call)

	// Results, valid in Done and after.

	Version int16 // the version that was encoded
	Err     error // nil: Response holds the answer, or is nil and the request was written
	Written bool  // some byte may have reached the broker

	RequestSize, ResponseSize int       // bytes on the wire, with the length prefix; 0 = none
	WrittenAt                 time.Time // when its write began; zero if it never did
	DoneAt                    time.Time

	correlationID int32
	deadline      time.Time // zero = none; set when the write begins
	timedOut      bool
	session       bool // it is part of an authentication, and has no slot
}

// reset clears the results of an earlier Send.
func (call *Call) reset() {
	call.Version, call.Err, call.Written = 0, nil, false
	call.RequestSize, call.ResponseSize = 0, 0
	call.WrittenAt, call.DoneAt = time.Time{}, time.Time{}
	call.correlationID, call.deadline, call.timedOut = 0, time.Time{}, false
}

// end is the only caller of Done. The call's slot must be free by then.
func (call *Call) end(err error, now time.Time) {
	call.Err, call.DoneAt = err, now
	call.Done(call)
}

// queue is a first-in first-out queue of calls. It reuses its memory: pushing and popping at an even pace allocates nothing.
type queue struct {
	calls []*Call
	head  int // index in calls of the oldest
}

func (q *queue) len() int         { return len(q.calls) - q.head }
func (q *queue) pending() []*Call { return q.calls[q.head:] }

func (q *queue) push(call *Call) {
	// Only once half of it is free, so that moving costs a call no more than growing would.
	if len(q.calls) == cap(q.calls) && q.head > 0 && q.head >= len(q.calls)/2 {
		n := copy(q.calls, q.calls[q.head:])
		clear(q.calls[n:])
		q.calls, q.head = q.calls[:n], 0
	}
	q.calls = append(q.calls, call)
}

func (q *queue) pop() *Call {
	call := q.calls[q.head]
	q.calls[q.head] = nil
	q.head++
	if q.head == len(q.calls) {
		q.calls, q.head = q.calls[:0], 0
	}
	return call
}
