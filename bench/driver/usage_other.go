//go:build !unix

package driver

import "time"

// CPUTime is not known here.
func CPUTime() time.Duration { return 0 }

func peakMemory() int64 { return 0 }
