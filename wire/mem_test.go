package wire

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// memConn is one end of a connection in memory. It is buffered, as a socket is, and waits on nothing but conditions, so that
// time in a synctest bubble goes on while it blocks.
type memConn struct {
	in, out *stream

	closed   atomic.Bool // by our end
	mu       sync.Mutex
	writes   int           // calls of Write
	sent     []byte        // what Write was given, as it was when the write got to it
	holding  chan struct{} // if set, Write waits for it to be closed, and reads its bytes only then
	deafness bool          // Close does not end a Write in progress
}

// newMemPair returns both ends.
func newMemPair() (client, server *memConn) {
	a, b := newStream(), newStream()
	return &memConn{in: a, out: b}, &memConn{in: b, out: a}
}

// hold makes each Write wait until release is called, or the connection is closed. With deaf even Close does not end such a
// wait.
func (c *memConn) hold(deaf bool) (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding, c.deafness = make(chan struct{}), deaf
	held := c.holding
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		close(held)
		c.holding = nil
	}
}

func (c *memConn) Read(b []byte) (int, error) { return c.in.read(b) }

func (c *memConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.writes++
	held, deaf := c.holding, c.deafness
	c.mu.Unlock()
	if held != nil {
		closed := c.out.closed
		if deaf {
			closed = nil
		}
		select {
		case <-held:
		case <-closed:
			return 0, net.ErrClosed
		}
	}
	c.mu.Lock()
	c.sent = append(c.sent, b...)
	c.mu.Unlock()
	return c.out.write(b)
}

func (c *memConn) Close() error {
	c.closed.Store(true)
	c.in.close(net.ErrClosed)
	c.out.close(io.EOF)
	return nil
}

func (c *memConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *memConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

// stream is one direction.
type stream struct {
	mu     sync.Mutex
	more   sync.Cond
	room   sync.Cond
	buf    []byte
	limit  int   // bytes that fit; 0 = no bound
	err    error // what a reader gets at the end, nil = open
	closed chan struct{}
}

func newStream() *stream {
	s := &stream{closed: make(chan struct{})}
	s.more.L, s.room.L = &s.mu, &s.mu
	return s
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buf) == 0 && s.err == nil {
		s.more.Wait()
	}
	if s.err == net.ErrClosed || len(s.buf) == 0 {
		return 0, s.err
	}
	n := copy(b, s.buf)
	s.buf = s.buf[n:]
	s.room.Signal()
	return n, nil
}

func (s *stream) write(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(b) > 0 {
		for s.err == nil && s.limit > 0 && len(s.buf) >= s.limit {
			s.room.Wait()
		}
		if s.err != nil {
			return n, net.ErrClosed
		}
		m := len(b)
		if s.limit > 0 {
			m = min(m, s.limit-len(s.buf))
		}
		s.buf = append(s.buf, b[:m]...)
		b, n = b[m:], n+m
		s.more.Signal()
	}
	return n, nil
}

// len returns how many bytes were written and not read.
func (s *stream) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.buf)
}

// setLimit makes writers wait for the reader once so many bytes are buffered.
func (s *stream) setLimit(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = bytes
}

func (s *stream) close(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.closed)
	}
	s.more.Broadcast()
	s.room.Broadcast()
}
