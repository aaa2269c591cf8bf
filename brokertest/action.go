package brokertest

import (
	"encoding/binary"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Action is what happens to a request, by a Rule or by Control. The functions of this file make Actions, which may be used more
// than once.
type Action struct {
	handle  bool // the request takes effect
	code    protocol.ErrorCode
	after   bool   // code is answered, though the request took effect
	topic   string // that code is for; empty: all
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

// Pass handles the request as if there were no fault. It can be Delayed and Held.
func Pass() *Action { return &Action{handle: true, index: -1} }

// Error answers with a code, and the request takes no effect: nothing is appended.
func Error(code protocol.ErrorCode) *Action { return &Action{handle: true, code: code, index: -1} }

// AppendThenError lets a Produce request take effect and answers with a code all the same. Batches that were refused anyway get
// the code of their refusal.
func AppendThenError(code protocol.ErrorCode) *Action {
	return &Action{handle: true, code: code, after: true, index: -1}
}

// Drop closes the connection before the request takes effect.
func Drop() *Action { return &Action{cut: true} }

// Reset is Drop, with a reset: the client sees ECONNRESET.
func Reset() *Action { return &Action{cut: true, reset: true} }

// HandleThenDrop lets the request take effect and closes the connection instead of an answer: the answer is lost.
func HandleThenDrop() *Action { return &Action{handle: true, cut: true, index: -1} }

// Swallow neither handles nor answers the request, nor closes the connection.
func Swallow() *Action { return &Action{swallow: true} }

// HandleThenSwallow lets the request take effect and never answers it.
func HandleThenSwallow() *Action { return &Action{handle: true, swallow: true, index: -1} }

// Edit handles the request and lets f change the answer before it is sent. f is called on the connection's goroutine. It may
// change only the response itself, and no slices that the response shares with the cluster.
func Edit(f func(*Request, protocol.Response)) *Action {
	return &Action{handle: true, edit: f, index: -1}
}

// Throttled handles the request, tells the client to pause for d, and reads nothing from it for as long (KIP-219).
func Throttled(d time.Duration) *Action { return &Action{handle: true, throttle: d, index: -1} }

// Delayed makes the answer wait for d after the request took effect. Answers on a connection keep their order, so those behind
// it wait too.
func (a Action) Delayed(d time.Duration) *Action { a.delay = d; return &a }

// Held makes the answer wait until a channel is closed.
func (a Action) Held(until <-chan struct{}) *Action { a.until = until; return &a }

// Garbage answers with bytes that are no frame at all; the request takes no effect.
func Garbage(bytes []byte) *Action {
	return &Action{mangle: func([]byte) []byte { return bytes }}
}

// HalfFrame handles the request, sends the first half of the answer and then nothing: the connection stays open, and whatever
// is answered later is read as part of it.
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

// WrongCorrelationID handles the request and answers under a correlation ID that nobody waits for.
func WrongCorrelationID() *Action {
	return &Action{handle: true, index: -1, mangle: func(frame []byte) []byte {
		frame[4] ^= 0x40
		return frame
	}}
}

// Truncated handles the request and answers with a frame that lacks its last n bytes. The frame's length says so, but the
// message is cut off.
func Truncated(n int) *Action {
	return &Action{handle: true, index: -1, mangle: func(frame []byte) []byte {
		frame = frame[:max(8, len(frame)-n)]
		binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
		return frame
	}}
}
