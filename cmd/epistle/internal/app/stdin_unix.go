//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package app

import (
	"os"
	"syscall"
)

// stdinClosed reports whether the program was started without a standard input (<&-). Go's runtime then opens /dev/null in its
// place, for reading and writing. Nobody who means it to be read does that.
func stdinClosed() bool {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, os.Stdin.Fd(), syscall.F_GETFL, 0)
	if errno != 0 {
		return true
	}
	in, err := os.Stdin.Stat()
	null, nullErr := os.Stat(os.DevNull)
	return err == nil && nullErr == nil && os.SameFile(in, null) && int(flags)&syscall.O_ACCMODE == syscall.O_RDWR
}
