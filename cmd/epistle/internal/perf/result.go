package perf

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// result is what was measured, in the form of --json. Rates count what was acknowledged. A megabyte is 10^6 bytes of keys and
// values. What the platform does not tell is 0.
type result struct {
	Records              int64   `json:"records"` // sent, warm-up excluded
	Errors               int64   `json:"errors"`  // of these, not acknowledged, or not committed as far as is known
	Retries              int64   `json:"retries"` // records sent again
	WallSeconds          float64 `json:"wall_seconds"`
	CPUSeconds           float64 `json:"cpu_seconds"` // of the whole process, user and system
	RecordsPerSecond     float64 `json:"records_per_second"`
	MegabytesPerSecond   float64 `json:"mb_per_second"`
	PayloadBytes         int64   `json:"payload_bytes"` // of keys and values
	SentBytes            int64   `json:"sent_bytes"`    // of batches as they were written, compressed, those sent again included
	RecordsPerCPUSecond  float64 `json:"records_per_cpu_second"`
	AllocationsPerRecord float64 `json:"allocations_per_record"` // of the whole process
	BytesPerRecord       float64 `json:"bytes_per_record"`       // allocated on the heap
	PeakRSS              int64   `json:"peak_rss_bytes"`         // since the start, warm-up included
	LatencyP50           int64   `json:"latency_p50_us"`
	LatencyP99           int64   `json:"latency_p99_us"`
	LatencyP999          int64   `json:"latency_p999_us"`
	LatencyMax           int64   `json:"latency_max_us"`
	LatencySamples       int64   `json:"latency_samples"`

	// Of transactions; 0 if there are none.
	Transactions          int64   `json:"transactions"` // committed
	TransactionsPerSecond float64 `json:"transactions_per_second"`
	CommitP50             int64   `json:"commit_p50_us"`
	CommitP99             int64   `json:"commit_p99_us"`
	CommitMax             int64   `json:"commit_max_us"`
}

// newResult is for records with so many bytes of keys and values together.
func newResult(sent, bytes int64, from, to usage, o *outcomes) *result {
	failed := o.failed.Load()
	acknowledged := float64(sent - failed)
	wall, cpu := to.at.Sub(from.at).Seconds(), (to.cpu - from.cpu).Seconds()
	return &result{
		Records: sent, Errors: failed, PayloadBytes: bytes, WallSeconds: wall, CPUSeconds: cpu,
		RecordsPerSecond:     ratio(acknowledged, wall),
		MegabytesPerSecond:   ratio(float64(bytes)*ratio(acknowledged, float64(sent))/1e6, wall),
		RecordsPerCPUSecond:  ratio(acknowledged, cpu),
		AllocationsPerRecord: ratio(float64(to.allocations-from.allocations), float64(sent)),
		BytesPerRecord:       ratio(float64(to.bytes-from.bytes), float64(sent)),
		PeakRSS:              peakMemory(),
		LatencyP50:           o.latency.quantile(0.50), LatencyP99: o.latency.quantile(0.99), LatencyP999: o.latency.quantile(0.999),
		LatencyMax: o.latency.max, LatencySamples: o.latency.count,
		Transactions: o.commits.count, TransactionsPerSecond: ratio(float64(o.commits.count), wall),
		CommitP50: o.commits.quantile(0.50), CommitP99: o.commits.quantile(0.99), CommitMax: o.commits.max,
	}
}

func ratio(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return a / b
}

// writeJSON writes one line.
func (r *result) writeJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// write writes it for people.
func (r *result) write(w io.Writer) {
	wall := time.Duration(r.WallSeconds * float64(time.Second))
	fmt.Fprintf(w, "%s sent, %s failed, %s sent again, in %s\n",
		ui.Number(r.Records, "record"), ui.Count(r.Errors), ui.Count(r.Retries), ui.Elapsed(wall))
	fmt.Fprintf(w, "  throughput  %s records/s, %s/s\n", ui.Count(int64(r.RecordsPerSecond)), ui.Megabytes(r.MegabytesPerSecond*1e6))
	fmt.Fprintf(w, "  network     %s of batches for %s of keys and values, %.1f %%\n",
		ui.Megabytes(float64(r.SentBytes)), ui.Megabytes(float64(r.PayloadBytes)), 100*ratio(float64(r.SentBytes), float64(r.PayloadBytes)))
	fmt.Fprintf(w, "  CPU         %.2f s, %s records per CPU second\n", r.CPUSeconds, ui.Count(int64(r.RecordsPerCPUSecond)))
	fmt.Fprintf(w, "  memory      %.4f allocations and %.1f bytes a record, %s resident at most\n",
		r.AllocationsPerRecord, r.BytesPerRecord, ui.Megabytes(float64(r.PeakRSS)))
	fmt.Fprintf(w, "  latency     p50 %s, p99 %s, p99.9 %s, max %s (%s measured)\n",
		micros(r.LatencyP50), micros(r.LatencyP99), micros(r.LatencyP999), micros(r.LatencyMax), ui.Number(r.LatencySamples, "record"))
	if r.Transactions > 0 {
		fmt.Fprintf(w, "  committed   %s, %.1f a second, in p50 %s, p99 %s, max %s\n",
			ui.Number(r.Transactions, "transaction"), r.TransactionsPerSecond, micros(r.CommitP50), micros(r.CommitP99), micros(r.CommitMax))
	}
}

func micros(us int64) string { return ui.Elapsed(time.Duration(us) * time.Microsecond) }
