//go:build !unix && !windows

package perf

import "time"

// cpuTime is 0: unknown.
func cpuTime() time.Duration { return 0 }

// peakMemory is 0: unknown.
func peakMemory() int64 { return 0 }
