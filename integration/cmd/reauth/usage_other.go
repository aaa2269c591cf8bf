//go:build !unix

package main

import "time"

// cpuTime is 0: unknown.
func cpuTime() time.Duration { return 0 }
