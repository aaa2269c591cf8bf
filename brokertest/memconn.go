package brokertest

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// memConn is one end of an in-memory connection that behaves as a TCP connection does. It buffers in both directions, and a
// writer blocks only while the other end's buffer is full. Bytes written before a Close are still delivered, and then io.EOF. A
// write to an end that is closed fails with EPIPE. Closing an end that still has bytes to read resets the connection. It starts
// no goroutine.
type memConn struct {
	in, out       *stream
	local, remote net.Addr
	closed        atomic.Bool
}

// memPipe returns the two ends of a connection between a and b. Each can hold limit unread bytes.
func memPipe(a, b net.Addr, limit int) (*memConn, *memConn) {
	ab, ba := newStream(limit), newStream(limit)
	return &memConn{in: ba, out: ab, local: a, remote: b}, &memConn{in: ab, out: ba, local: b, remote: a}
}

func (c *memConn) Read(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, c.failure("read", net.ErrClosed)
	}
	n, err := c.in.read(p)
	return n, c.failure("read", err)
}

func (c *memConn) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, c.failure("write", net.ErrClosed)
	}
	n, err := c.out.write(p)
	return n, c.failure("write", err)
}

func (c *memConn) failure(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Close ends both directions. Readers and writers of this end return net.ErrClosed.
func (c *memConn) Close() error { return c.close(false) }

// reset is Close by a host that has lost the connection: the other end sees ECONNRESET, not io.EOF.
func (c *memConn) reset() error { return c.close(true) }

func (c *memConn) close(reset bool) error {
	if c.closed.Swap(true) {
		return c.failure("close", net.ErrClosed)
	}
	unread := c.in.leave()
	c.out.end(reset || unread)
	return nil
}

func (c *memConn) LocalAddr() net.Addr  { return c.local }
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

func (c *memConn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	if c.closed.Load() {
		return c.failure("set", net.ErrClosed)
	}
	c.in.setReadDeadline(t)
	return nil
}

func (c *memConn) SetWriteDeadline(t time.Time) error {
	if c.closed.Load() {
		return c.failure("set", net.ErrClosed)
	}
	c.out.setWriteDeadline(t)
	return nil
}
