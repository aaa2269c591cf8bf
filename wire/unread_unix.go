//go:build unix

package wire

import (
	"net"
	"syscall"
)

// newUnread returns a function that reports whether bytes, the end of the stream or an error lie in the socket, without
// taking them off or waiting for them; nil if the connection has no socket that can be asked.
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
		// Control, and not Read: that would wait for the Read in progress.
		raw.Control(func(fd uintptr) {
			_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
			there = err != syscall.EAGAIN && err != syscall.EINTR
		})
		return there
	}
}
