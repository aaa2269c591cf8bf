package perf

import (
	"runtime"
	"time"
)

// usage is what the process has used of the machine so far.
type usage struct {
	at          time.Time
	cpu         time.Duration // user and system; 0 where it cannot be had
	allocations uint64
	bytes       uint64 // of allocations
}

func usageNow() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{at: time.Now(), cpu: cpuTime(), allocations: m.Mallocs, bytes: m.TotalAlloc}
}
