//go:build unix

package driver

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"time"
)

// CPUTime is what this process has had of all CPUs.
func CPUTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// peakMemory is the most memory that was resident, in bytes, 0 if unknown. It is not taken from getrusage, where Linux counts
// what the process was before it became this program.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kib int64
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	fmt.Sscan(string(after), &kib)
	return kib << 10
}
