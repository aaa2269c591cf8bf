package wire

import (
	"bufio"
	"io"
	"net"
	"runtime"
)

// sink writes to a connection in the way that is best for it. It is used by one goroutine at a time.
type sink interface {
	// write writes bufs, which it may change and does not keep. It returns how many bytes at most can have reached the other
	// end; without an error, all of them.
	write(bufs [][]byte) (written int, err error)
}

func newSink(conn net.Conn) sink {
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &vectorSink{conn: tcp}
	}
	counted := &countingWriter{w: conn}
	return &copySink{counted: counted, buffer: bufio.NewWriterSize(counted, copySize)}
}

// vectorSink writes to a bare TCP socket by writev: the bytes are not copied on our side.
type vectorSink struct {
	conn *net.TCPConn
	bufs net.Buffers // the rest of a write; a field, so that it is not allocated for each
}

func (s *vectorSink) write(bufs [][]byte) (int, error) {
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	s.bufs = bufs
	n, err := s.bufs.WriteTo(s.conn)
	s.bufs = nil
	if err != nil && runtime.GOOS == "windows" {
		return total, err // an overlapped write that was cancelled does not say how far it got
	}
	return int(n), err
}

// copySink gathers the chunks of a write in a buffer: over TLS each Write is a record and a syscall of its own.
type copySink struct {
	counted *countingWriter
	buffer  *bufio.Writer // its error sticks, as it should: a connection is over after the first
}

const copySize = 64 << 10 // bytes; four TLS records

func (s *copySink) write(bufs [][]byte) (int, error) {
	s.counted.n = 0
	for _, b := range bufs {
		if _, err := s.buffer.Write(b); err != nil {
			return s.counted.n, err
		}
	}
	err := s.buffer.Flush()
	return s.counted.n, err
}

// countingWriter counts what was handed to w. After a failed Write it is unknown how much has arrived: with TLS, whole records
// of it may have.
type countingWriter struct {
	w io.Writer
	n int
}

func (w *countingWriter) Write(b []byte) (int, error) {
	w.n += len(b)
	return writeWhole(w.w, b)
}

// writeWhole writes b. A Write that takes less must return an error, but a user's connection may not.
func writeWhole(w io.Writer, b []byte) (int, error) {
	n, err := w.Write(b)
	if err == nil && n != len(b) {
		return min(max(n, 0), len(b)), io.ErrShortWrite
	}
	return n, err
}

// wholeConn is a connection of the user's as TLS gets it: TLS does not check how much a Write has taken.
type wholeConn struct {
	net.Conn
	heard *bool // set once a byte has come; belongs to the reader
}

func (c wholeConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		*c.heard = true
	}
	return n, err
}

func (c wholeConn) Write(b []byte) (int, error) { return writeWhole(c.Conn, b) }

// NetConn returns the user's connection.
func (c wholeConn) NetConn() net.Conn { return c.Conn }
