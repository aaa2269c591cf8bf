package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// errUnasked is the error for a response that arrives when no request is in flight.
var errUnasked = errors.New("the broker has sent a response that nothing had asked for")

// readLoop reads responses and gives each to the oldest call in flight. It ends when the connection is closing, or when the
// stream ends or makes no sense, which closes the connection.
func (c *Conn) readLoop() {
	defer c.loopEnded()
	for {
		frame, err := c.frames.next()
		if err == nil {
			err = c.answer(frame)
		}
		if err != nil {
			c.Close(c.failure(err))
			return
		}
	}
}

// answer decodes frame into the call that it answers, and finishes the call.
func (c *Conn) answer(frame []byte) error {
	call, err := c.oldestInFlight()
	if call == nil {
		return err
	}
	if err := checkCorrelation(frame, call.correlationID, call.Request); err != nil {
		return err
	}
	if _, err := protocol.DecodeResponse(frame, call.Version, call.Response); err != nil && !c.passes(call, err) {
		return err
	}
	call.ResponseSize = 4 + len(frame)
	if _, ok := call.Response.(protocol.SelfContained); ok {
		c.frames.reuse(frame)
	}
	now := time.Now()
	c.mu.Lock()
	c.inFlight.pop()
	c.stirLocked()
	c.noteAnswerLocked(call)
	if wanted := throttle(call.Version, call.Response); wanted > 0 {
		c.throttledLocked(now, wanted)
	}
	c.freeSlotLocked(call, now)
	c.mu.Unlock()
	call.end(nil, now)
	return nil
}

// passes reports whether an answer counts although it was not read without fault: if its only fault is that bytes are left
// over. The mock cluster of librdkafka leaves one behind Metadata 12, and Java's client does not look for any. Acknowledgements
// of Produce do not pass.
func (c *Conn) passes(call *Call, err error) bool {
	var surplus *protocol.SurplusError
	if _, acknowledges := call.Response.(*protocol.ProduceResponse); acknowledges || !errors.As(err, &surplus) {
		return false
	}
	c.cfg.logger().Debug("bytes left over in an answer", "addr", c.peer.Addr, "node", c.peer.NodeID, "err", err)
	return true
}

// checkCorrelation compares the correlation id of a response frame, which has at least these four bytes, with that of the
// request that it should answer.
func checkCorrelation(frame []byte, want int32, req protocol.Request) error {
	if got := int32(binary.BigEndian.Uint32(frame)); got != want {
		return fmt.Errorf("response with correlation id %d, want %d for %s: the stream is out of step",
			got, want, req.API().Name)
	}
	return nil
}

// oldestInFlight returns the oldest call whose write has returned. A broker may answer, or pretend to, while the write is still
// busy with later calls. Then this waits for the write. It returns no call once the connection is closing, and errUnasked if no
// call is in flight or being written.
func (c *Conn) oldestInFlight() (*Call, error) {
	for {
		c.mu.Lock()
		var call *Call
		if c.inFlight.len() > 0 {
			call = c.inFlight.pending()[0]
		}
		writing, closing := c.writing, c.closing && !c.draining
		c.mu.Unlock()
		switch {
		case closing:
			return nil, ErrClosed
		case call != nil:
			return call, nil
		case !writing:
			return nil, errUnasked
		}
		select {
		case <-c.returned:
		case <-c.dying:
		}
	}
}
