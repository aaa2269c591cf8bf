//go:build unix

package wire

import (
	"net"
	"syscall"
)

// newUnread returns a function that reports whether bytes, the end of the stream or an error lie in the socket. It does not
// take them, and does not wait. newUnread returns nil if the socket is not known.
func newUnread(sock net.Conn) func() bool {
	tcp := socketOf(sock)
	if tcp == nil {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var one [1]byte
	return func() (there bool) {
		// Read would wait for the Read in progress; Control does not.
		raw.Control(func(fd uintptr) {
			_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
			there = err != syscall.EAGAIN && err != syscall.EINTR
		})
		return there
	}
}
