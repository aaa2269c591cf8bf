//go:build unix && !linux

package perf

import (
	"runtime"
	"syscall"
)

// peakMemory is the most memory that was resident, in bytes, 0 if unknown.
func peakMemory() int64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(r.Maxrss)
	}
	return int64(r.Maxrss) << 10
}
