package perf

import (
	"syscall"
	"time"
)

// nap sleeps for d, or less. The runtime's timers wake an idle program to the millisecond, which is too coarse for a schedule.
// This uses a thread instead.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&t, nil)
}
