package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"time"
)

// machine tells where the figures come from.
func machine() string {
	cpu := "unknown CPU"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(info); m != nil {
			cpu = string(m[1])
		}
	}
	memory := ""
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		if m := regexp.MustCompile(`MemTotal:\s*(\d+) kB`).FindSubmatch(info); m != nil {
			if kib, err := strconv.Atoi(string(m[1])); err == nil {
				memory = fmt.Sprintf(", %.0f GiB of memory", float64(kib)/(1<<20))
			}
		}
	}
	return fmt.Sprintf("%s, %d cores%s, %s/%s, %s", cpu, runtime.NumCPU(), memory, runtime.GOOS, runtime.GOARCH, runtime.Version())
}

func today() string { return time.Now().Format(time.DateOnly) }
