//go:build unix

package wire

import (
	"net"
	"os"
	"syscall"
)

// trySocket is the trySink of a bare TCP socket.
type trySocket struct {
	conn *net.TCPConn
	raw  syscall.RawConn
	once func(fd uintptr) bool // s.write, made a func value once and not for each try

	// Of the try in progress.
	bytes   []byte
	written int
	err     error
}

// newTrySink returns a way to write to conn without waiting; nil if there is none. TLS may have to wait for the other end, and
// of other kinds of connections nothing is known.
func newTrySink(conn net.Conn) trySink {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	s := &trySocket{conn: tcp, raw: raw}
	s.once = s.write
	return s
}

func (s *trySocket) try(b []byte) (int, error) {
	s.bytes, s.written, s.err = b, 0, nil
	err := s.raw.Write(s.once)
	s.bytes = nil
	if err == nil {
		err = s.err
	}
	return s.written, err
}

// write writes to the socket, which is non-blocking. It always returns true, so that raw does not wait until there is room.
func (s *trySocket) write(fd uintptr) bool {
	n, err := syscall.Write(int(fd), s.bytes)
	switch err {
	case nil:
		s.written = n
	case syscall.EAGAIN, syscall.EINTR: // nothing is written; the sink will wait, or try again
	default:
		s.err = &net.OpError{
			Op: "write", Net: "tcp", Source: s.conn.LocalAddr(), Addr: s.conn.RemoteAddr(), Err: os.NewSyscallError("write", err),
		}
	}
	return true
}
