package wire

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// writer is what writeLoop alone uses: the memory that it encodes into, over and over.
type writer struct {
	scratch       []byte   // all bytes but the record batches
	bufs          [][]byte // the group's bytes in the order of writing: parts of scratch, and chunks of batches
	size          int      // bytes in bufs
	ends          []int    // where each call of the group ends, in bytes from the beginning of the group
	done          []*Call  // the calls of the group that are done now that they are written
	correlationID int32    // of the next request
}

// A write takes no further call once it has so many bytes: enough to make the syscall cheap. No answer counts before the
// write has returned, so a larger group would hold back the answer to its first call for the writing of its last.
const groupSize = 128 << 10

// Scratch above this size, from a metadata request for very many topics, say, is not kept.
const maxKeptScratch = 1 << 20

// writeLoop takes calls that wait, encodes and writes them. It ends when the connection is closing.
func (c *Conn) writeLoop() {
	defer c.loopEnded()
	w := &writer{correlationID: c.firstID}
	for c.awaitCalls() {
		for w.size < groupSize {
			call := c.takeCall()
			if call == nil {
				break
			}
			if err := w.encode(c, call); err != nil {
				c.dropCall(call)
				failure := c.failure(err)
				failure.API = call.Request.API().Name
				c.finish(call, failure)
			}
		}
		if len(w.ends) == 0 {
			continue
		}
		if !c.beginWrite() {
			return
		}
		written, err := c.out.write(w.bufs)
		clear(w.bufs) // before any of the calls can be done: nothing refers to their bytes then
		c.endWrite(w, written, err)
		if err != nil {
			c.Close(c.failure(err))
			return
		}
		for i, call := range w.done {
			w.done[i] = nil
			c.finish(call, nil)
		}
		w.reset()
	}
}

// encode appends call's request to the group.
func (w *writer) encode(c *Conn, call *Call) error {
	version, err := c.versions.choose(call.Request.API(), call.MaxVersion)
	if err != nil {
		return err
	}
	if call.Before != nil {
		call.Before(version)
	}
	call.Version = version
	call.correlationID = w.correlationID
	w.correlationID++ // wraps: brokers only send it back
	header := protocol.RequestHeader{
		APIKey: call.Request.API().Key, Version: version, CorrelationID: call.correlationID, ClientID: &c.cfg.ClientID,
	}
	w.scratch, w.bufs, call.RequestSize = protocol.FrameRequest(w.scratch, w.bufs, header, call.Request)
	w.size += call.RequestSize
	w.ends = append(w.ends, w.size)
	return nil
}

// reset makes room for the next group.
func (w *writer) reset() {
	w.bufs, w.size, w.ends, w.done = w.bufs[:0], 0, w.ends[:0], w.done[:0]
	if w.scratch = w.scratch[:0]; cap(w.scratch) > maxKeptScratch {
		w.scratch = nil
	}
}

// awaitCalls waits until there is a call to write and the broker lets us. It reports false once the connection is
// closing.
func (c *Conn) awaitCalls() bool {
	for {
		c.mu.Lock()
		closing, calls, until := c.closing, c.waiting.len(), c.throttledUntil
		c.mu.Unlock()
		switch {
		case closing:
			return false
		case calls == 0:
			select {
			case <-c.wake:
			case <-c.dying:
			}
		default:
			mute := time.Duration(0)
			if !until.IsZero() {
				mute = time.Until(until)
			}
			if mute <= 0 {
				return true
			}
			timer := time.NewTimer(mute)
			select {
			case <-timer.C:
			case <-c.dying:
				timer.Stop()
			}
		}
	}
}

// takeCall moves the oldest waiting call to the group, nil if there is none.
func (c *Conn) takeCall() *Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting.len() == 0 {
		return nil
	}
	call := c.waiting.pop()
	c.group = append(c.group, call)
	return call
}

// dropCall takes back the last takeCall, for a call that cannot be written.
func (c *Conn) dropCall(call *Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.group) - 1
	if c.group[last] != call {
		panic("wire: dropped call is not the last of the group")
	}
	c.group[last] = nil
	c.group = c.group[:last]
}

// beginWrite starts the clock of the group's calls. It reports false once the connection is closing: then none of them
// is written.
func (c *Conn) beginWrite() bool {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.writing = true
	for _, call := range c.group {
		call.WrittenAt = now
		timeout := call.Timeout
		if timeout == 0 {
			timeout = c.cfg.RequestTimeout
		}
		if timeout > 0 {
			call.deadline = now.Add(timeout)
			c.setAlarmLocked(call.deadline)
		}
	}
	return true
}

// endWrite sorts the group's calls after its write has returned: the calls that expect an answer are in flight from
// here on, the others are done. After an error all stay in the group, as if the write went on: the connection is about to
// be closed, and they end with it.
func (c *Conn) endWrite(w *writer, written int, err error) {
	c.mu.Lock()
	begin := 0
	for i, call := range c.group {
		call.Written = begin < written
		begin = w.ends[i]
	}
	if err == nil {
		c.writing = false
		for i, call := range c.group {
			if call.Response == nil {
				w.done = append(w.done, call)
			} else {
				c.inFlight.push(call)
			}
			c.group[i] = nil
		}
		c.group = c.group[:0]
	}
	c.mu.Unlock()
	notify(c.returned)
}
