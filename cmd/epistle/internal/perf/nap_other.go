//go:build !linux

package perf

import "time"

// nap sleeps for d.
func nap(d time.Duration) { time.Sleep(d) }
