package wire

import "github.com/epistle-kafka/epistle/protocol"

// A request of at most so many bytes may be written by Send itself. It is copied into one piece, and a socket usually has room
// for it. For a larger request the copy would cost more than it saves, and would hold up the caller of Send.
const maxDirect = 32 << 10

// trySink writes to a connection without ever waiting. Like a sink it is used by one goroutine at a time, and not while the
// connection's sink is in use.
type trySink interface {
	// try writes as many bytes of b as go at once, perhaps none, and says how many; it does not keep b.
	try(b []byte) (written int, err error)
}

// directVersion returns the version that call has in a direct write, and whether it can be written directly. A call without an
// answer cannot: it is done when written, and Send must not call Done. Neither can one that cannot be encoded.
func (c *Conn) directVersion(call *Call) (version int16, ok bool) {
	if c.direct == nil || call.SizeHint <= 0 || call.SizeHint > maxDirect || call.Response == nil {
		return 0, false
	}
	version, err := c.versions.choose(call.Request.API(), call.MaxVersion)
	return version, err == nil
}

// writeDirectly encodes and writes call on the goroutine of Send, which owns the writer. The group is this call. writeLoop does
// the rest: it writes what the socket does not take at once, and ends the connection after an error.
func (c *Conn) writeDirectly(call *Call, version int16) {
	w := &c.writer
	header := w.prepare(c, call, version)
	w.scratch = protocol.AppendRequest(w.scratch, header, call.Request)
	call.RequestSize = len(w.scratch)
	w.grown(call.RequestSize)

	var written int
	var err error
	begun := c.beginWrite()
	if begun {
		written, err = c.direct.try(w.scratch)
	}

	broken := false
	c.mu.Lock()
	switch {
	case !begun: // the connection is closing: the call stays in the group, and ends with it
		c.writerOwner = ownerNone
	case err == nil && written < w.size:
		w.bufs, w.sent = append(w.bufs, w.scratch[written:]), written
		c.writerOwner = ownerLoop
	default:
		broken = c.endWriteLocked(w, written, err)
	}
	wake := c.writerOwner == ownerLoop || c.waiting.len() > 0 || c.closing
	c.mu.Unlock()

	// From here on the call may be done, and the writer may have another owner.
	c.wroteGroup(broken)
	if wake {
		notify(c.wake)
	}
}
