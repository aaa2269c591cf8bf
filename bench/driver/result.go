package driver

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// Result is the line that a driver prints.
type Result struct {
	Client  string `json:"client"`
	Version string `json:"version"`

	Records       int64   `json:"records"`      // measured
	Errors        int64   `json:"errors"`       // of warm-up and measurement
	Acknowledged  int64   `json:"acknowledged"` // of warm-up and measurement: what the sink must have counted
	WallSeconds   float64 `json:"wall_seconds"`
	CPUSeconds    float64 `json:"cpu_seconds"`
	PerSecond     float64 `json:"records_per_second"`
	PerCPUSecond  float64 `json:"records_per_cpu_second"`
	Allocations   float64 `json:"allocations_per_record"` // negative = unknown
	AllocatedSize float64 `json:"bytes_per_record"`       // negative = unknown
	PeakRSS       int64   `json:"peak_rss_bytes"`

	// From the time that the record should have been sent; with a rate, or when each is waited for.
	P50  int64 `json:"latency_p50_us"`
	P99  int64 `json:"latency_p99_us"`
	P999 int64 `json:"latency_p999_us"`
}

// Print writes the line to standard output.
func (r *Result) Print() {
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		Fatal(err)
	}
}

// A Mark is what the process had used at some moment.
type Mark struct {
	at     time.Time
	cpu    time.Duration
	memory runtime.MemStats
}

// Take returns the mark of now.
func Take() (m Mark) {
	runtime.ReadMemStats(&m.memory)
	m.cpu, m.at = CPUTime(), time.Now()
	return m
}

// Fill sets what follows from the time and the records between two marks.
func (r *Result) Fill(from, to Mark, records int64) {
	r.Records = records
	r.WallSeconds = to.at.Sub(from.at).Seconds()
	r.CPUSeconds = (to.cpu - from.cpu).Seconds()
	r.PerSecond = per(float64(records), r.WallSeconds)
	r.PerCPUSecond = per(float64(records), r.CPUSeconds)
	r.Allocations = per(float64(to.memory.Mallocs-from.memory.Mallocs), float64(records))
	r.AllocatedSize = per(float64(to.memory.TotalAlloc-from.memory.TotalAlloc), float64(records))
	r.PeakRSS = peakMemory()
}

// per is n/of, and 0 for a measurement without any records: JSON has no NaN.
func per(n, of float64) float64 {
	if of == 0 {
		return 0
	}
	return n / of
}

// ModuleVersion is the version of a module that this program was built with.
func ModuleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			if m.Replace != nil {
				return "of this directory"
			}
			return m.Version
		}
	}
	return fmt.Sprintf("of no module %s", path)
}
