package wire

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// writer is the memory into which requests are encoded. It belongs to the writerOwner.
type writer struct {
	scratch       []byte   // all bytes but the record batches
	bufs          [][]byte // the group's bytes in the order of writing: parts of scratch, and chunks of batches
	size          int      // bytes of the group
	sent          int      // bytes of the group that a direct write has written; they are no longer in bufs
	ends          []int    // where each call of the group ends, in bytes from the beginning of the group
	correlationID int32    // of the next request
}

// A group takes no further call once it has so many bytes: the system call costs little beside them. A larger group would hold
// back the answer to its first call, since no answer counts before the write of all has returned.
const groupSize = 128 << 10

// Scratch that has grown beyond this, as for a metadata request for very many topics, is not kept.
const maxKeptScratch = 1 << 20

// writeLoop takes calls that wait, encodes and writes them. It ends when the connection is closing.
func (c *Conn) writeLoop() {
	defer c.loopEnded()
	w := &c.writer
	for c.awaitWriter() {
		if len(w.ends) == 0 { // otherwise a direct write has left its rest
			c.fillGroup(w)
			if len(w.ends) == 0 {
				c.releaseWriter()
				continue
			}
			if !c.beginWrite() {
				return
			}
		}
		written, err := c.out.write(w.bufs)
		clear(w.bufs) // before any of the calls can be done: then nothing may refer to their bytes
		c.mu.Lock()
		broken := c.endWriteLocked(w, written, err)
		c.mu.Unlock()
		c.wroteGroup(broken)
		if err != nil {
			return
		}
		for i, call := range c.silent {
			c.silent[i] = nil
			c.finish(call, nil)
		}
		c.silent = c.silent[:0]
	}
}

// fillGroup takes calls that wait and encodes them.
func (c *Conn) fillGroup(w *writer) {
	for w.size < groupSize {
		call := c.takeCall()
		if call == nil {
			return
		}
		version, err := c.versions.choose(call.Request.API(), call.MaxVersion)
		if err != nil {
			c.dropCall(call)
			failure := c.failure(err)
			failure.API = call.Request.API().Name
			c.finish(call, failure)
			continue
		}
		header := w.prepare(c, call, version)
		w.scratch, w.bufs, call.RequestSize = protocol.FrameRequest(w.scratch, w.bufs, header, call.Request)
		w.grown(call.RequestSize)
	}
}

// prepare readies call to be encoded, and returns its header.
func (w *writer) prepare(c *Conn, call *Call, version int16) protocol.RequestHeader {
	if call.Before != nil {
		call.Before(version)
	}
	call.Version = version
	call.correlationID = w.correlationID
	w.correlationID++ // wraps: brokers only send it back
	return protocol.RequestHeader{
		APIKey: call.Request.API().Key, Version: version, CorrelationID: call.correlationID, ClientID: &c.cfg.ClientID,
	}
}

// grown notes that a request of so many bytes was added to the group.
func (w *writer) grown(size int) {
	w.size += size
	w.ends = append(w.ends, w.size)
}

// reset makes room for the next group.
func (w *writer) reset() {
	w.bufs, w.size, w.sent, w.ends = w.bufs[:0], 0, 0, w.ends[:0]
	if w.scratch = w.scratch[:0]; cap(w.scratch) > maxKeptScratch {
		w.scratch = nil
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

// dropCall undoes the last takeCall, for a call that cannot be written.
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

// beginWrite starts the timeouts of the group's calls. It reports false once the connection is closing. Then none of them is
// written.
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

// endWriteLocked sorts the group's calls after its write has returned, and gives up the writer. Calls that expect an answer are
// in flight from here on. The others are silent, and writeLoop finishes them. After an error all of them stay in the group and
// end with the connection, which is set to closing under the same lock, so that nobody writes to a broken socket. The caller
// must then call wroteGroup, without the lock.
func (c *Conn) endWriteLocked(w *writer, written int, err error) (broken bool) {
	written += w.sent
	c.peer.Counters.wrote(written)
	begin := 0
	for i, call := range c.group {
		call.Written = begin < written
		begin = w.ends[i]
	}
	w.reset()
	c.releaseWriterLocked()
	if err != nil {
		c.draining = c.beginCloseLocked(c.failure(err))
		return c.draining
	}
	c.writing = false
	for i, call := range c.group {
		if call.Response == nil {
			c.silent = append(c.silent, call)
		} else {
			c.inFlight.push(call)
		}
		c.group[i] = nil
	}
	c.group = c.group[:0]
	return false
}

// wroteGroup does what has to follow endWriteLocked without the lock.
func (c *Conn) wroteGroup(broken bool) {
	if broken {
		c.lastLook()
	}
	notify(c.returned)
}
