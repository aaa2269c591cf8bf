package nap

import (
	"syscall"
	"time"
)

// sleep sleeps for d, or less. The runtime's own timers wake an idle program to the millisecond, which is too coarse for a
// schedule; this takes a thread instead.
func sleep(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&t, nil)
}
