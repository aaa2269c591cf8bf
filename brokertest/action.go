package brokertest

import (
	"encoding/binary"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Action is what happens to a request. A [Rule] or [Cluster.Control] takes it. Functions such as [Error], [Drop] and [Pass]
// make Actions, which may be used more than once.
type Action struct {
	handle  bool // the request takes effect
	code    protocol.ErrorCode
	after   bool   // code is answered, though the request took effect
	topic   string // the topic that gets code; "": all
	index   int32
	cut     bool // the connection is closed instead of an answer
	reset   bool
	swallow bool // nothing is answered, and the connection stays
	delay   time.Duration
	until   <-chan struct{}
	edit    func(*Request, protocol.Response)
	mangle  func(frame []byte) []byte

	throttle time.Duration
}

// Pass handles the request as if there were no fault. Its answer can be Delayed and Held.
func Pass() *Action { return &Action{handle: true, index: -1} }

// Error answers with a code. The request takes no effect: nothing is appended.
func Error(code protocol.ErrorCode) *Action { return &Action{handle: true, code: code, index: -1} }

// AppendThenError lets a Produce request take effect, and answers with a code all the same. Batches that are refused anyway get
// the code of their refusal.
func AppendThenError(code protocol.ErrorCode) *Action {
	return &Action{handle: true, code: code, after: true, index: -1}
}

// Drop closes the connection before the request takes effect.
func Drop() *Action { return &Action{cut: true} }

// Reset is Drop by a reset of the connection: the client sees ECONNRESET.
func Reset() *Action { return &Action{cut: true, reset: true} }

// HandleThenDrop lets the request take effect, and closes the connection in place of an answer: the answer is lost.
func HandleThenDrop() *Action { return &Action{handle: true, cut: true, index: -1} }

// Swallow does not handle the request, does not answer it, and leaves the connection open.
func Swallow() *Action { return &Action{swallow: true} }

// HandleThenSwallow lets the request take effect, and never answers it.
func HandleThenSwallow() *Action { return &Action{handle: true, swallow: true, index: -1} }

// Edit handles the request and lets f change the answer before it is sent. f is called on the connection's goroutine. It may
// change the response itself, but not the slices in it, which it shares with the cluster.
func Edit(f func(*Request, protocol.Response)) *Action {
	return &Action{handle: true, edit: f, index: -1}
}

// Throttled handles the request, tells the client to pause for d, and reads nothing from the client for that time (KIP-219).
func Throttled(d time.Duration) *Action { return &Action{handle: true, throttle: d, index: -1} }

// Delayed makes the answer wait for d after the request took effect. Answers on a connection keep their order, so those behind
// it wait too.
func (a Action) Delayed(d time.Duration) *Action { a.delay = d; return &a }

// Held makes the answer wait until a channel is closed.
func (a Action) Held(until <-chan struct{}) *Action { a.until = until; return &a }

// Garbage answers with bytes that are not a frame. The request takes no effect.
func Garbage(bytes []byte) *Action {
	return &Action{mangle: func([]byte) []byte { return bytes }}
}

// HalfFrame handles the request, sends the first half of the answer, and leaves the connection open. Clients read the answers
// that come later as the other half.
func HalfFrame() *Action {
	return &Action{handle: true, index: -1, mangle: func(frame []byte) []byte { return frame[:len(frame)/2] }}
}

// FrameLength handles the request, and answers with a frame whose length field is n, which is wrong.
func FrameLength(n int32) *Action {
	return &Action{handle: true, index: -1, mangle: func(frame []byte) []byte {
		binary.BigEndian.PutUint32(frame, uint32(n))
		return frame
	}}
}

// WrongCorrelationID handles the request, and answers under a correlation ID that no request has.
func WrongCorrelationID() *Action {
	return &Action{handle: true, index: -1, mangle: func(frame []byte) []byte {
		frame[4] ^= 0x40
		return frame
	}}
}

// Truncated handles the request, and answers with a frame without the last n bytes of the message. The length of the frame is
// right.
func Truncated(n int) *Action {
	return &Action{handle: true, index: -1, mangle: func(frame []byte) []byte {
		frame = frame[:max(8, len(frame)-n)]
		binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
		return frame
	}}
}
