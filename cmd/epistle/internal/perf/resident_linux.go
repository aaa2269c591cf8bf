package perf

import (
	"fmt"
	"os"
)

// residentMemory is how much memory is resident now, in bytes; 0 if unknown.
func residentMemory() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	fmt.Sscan(string(statm), &size, &resident)
	return resident * int64(os.Getpagesize())
}
