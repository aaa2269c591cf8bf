package perf

import (
	"bytes"
	"fmt"
	"os"
)

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
