//go:build !linux

package perf

// residentMemory is 0: unknown.
func residentMemory() int64 { return 0 }
