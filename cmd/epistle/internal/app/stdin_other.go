//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package app

// stdinClosed reports whether the program was started without a standard input, where that can be told.
func stdinClosed() bool { return false }
