package perf

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/report"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// reportFile is where --report goes. It is opened before anything is sent, beside the file that may be there, and takes its
// place when it is whole.
type reportFile struct {
	path string
	temp *os.File
}

func openReport(path string) (*reportFile, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("--report %s: it is there, and no file", path)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("--report %s: %w", path, reason(err))
	}
	return &reportFile{path, temp}, nil
}

// reason is err without the name of a file that nobody has heard of.
func reason(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

func (f *reportFile) write(p *report.Page) error {
	err := p.Write(f.temp)
	if err == nil {
		err = f.temp.Chmod(0o644)
	}
	if closing := f.temp.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.temp.Name(), f.path)
	}
	if err != nil {
		f.discard()
		return fmt.Errorf("--report %s: %w", f.path, reason(err))
	}
	return nil
}

// discard removes what is not whole.
func (f *reportFile) discard() {
	_ = f.temp.Close()
	_ = os.Remove(f.temp.Name())
}

// page is the report of a run.
func (m *measurement) page(now time.Time) *report.Page {
	r := m.result
	title := "epistle perf: " + ui.Plain(string(m.options.topic))
	p := &report.Page{
		Title: title,
		Subtitle: fmt.Sprintf("%s, %s in %s", now.Format("2 January 2006, 15:04 MST"), ui.Number(r.Records, "record"),
			ui.Elapsed(time.Duration(r.WallSeconds*float64(time.Second)))),
		Figures: m.figures(),
		Charts:  append(m.overTime(), m.curve()),
		Tables:  []report.Table{m.loadTable(), settingsTable(&m.cfg), machineTable()},
		Data:    r,
	}
	return p
}

func (m *measurement) figures() []report.Figure {
	r := m.result
	figures := []report.Figure{
		{Name: "Throughput", Value: ui.Count(int64(r.RecordsPerSecond)) + "/s", Note: fmt.Sprintf("records; %s/s of keys and values", ui.Megabytes(r.MegabytesPerSecond*1e6))},
		{Name: "Latency, p50", Value: micros(r.LatencyP50), Note: latencyFrom(m.options)},
		{Name: "Latency, p99", Value: micros(r.LatencyP99), Note: "p99.9 " + micros(r.LatencyP999)},
		{Name: "Not acknowledged", Value: ui.Count(r.Errors), Note: ui.Count(r.Retries) + " sent again"},
	}
	if r.CPUSeconds > 0 {
		figures = append(figures, report.Figure{Name: "Records a CPU second", Value: ui.Count(int64(r.RecordsPerCPUSecond)), Note: fmt.Sprintf("%.2f s of CPU", r.CPUSeconds)})
	}
	if r.PeakRSS > 0 {
		figures = append(figures, report.Figure{Name: "Memory", Value: ui.Megabytes(float64(r.PeakRSS)), Note: "resident at most"})
	}
	if r.Transactions > 0 {
		figures = append(figures, report.Figure{Name: "Transactions", Value: ui.Count(r.Transactions), Note: "commit p50 " + micros(r.CommitP50) + ", p99 " + micros(r.CommitP99)})
	}
	return figures
}

// latencyFrom says where a latency begins.
func latencyFrom(o *options) string {
	if o.rate > 0 {
		return "from when a record was due"
	}
	return "from the call, the wait for room included"
}

// Axes that several charts have.
var (
	seconds = report.Axis{Format: func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) + " s" }}
	counted = report.Axis{Format: short, Zero: true}
	sized   = report.Axis{Format: func(v float64) string { return short(v) + "B" }, Zero: true}
	latency = report.Axis{Kind: report.Log, Format: func(us float64) string { return micros(int64(us)) }}
)

// short writes a number in at most five characters.
func short(v float64) string {
	for _, unit := range []struct {
		of   float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.of {
			return strconv.FormatFloat(v/unit.of, 'g', 3, 64) + " " + unit.name
		}
	}
	return strconv.FormatFloat(v, 'g', 3, 64) + " "
}

// overTime are the charts with time on their first axis.
func (m *measurement) overTime() []report.Chart {
	var acknowledged, written, again, failed, batch, cores, resident, flying, buffered []report.Point
	m.states.between(func(at, s float64, before, after *state) {
		rate := func(what func(*producer.Stats) int64) report.Point {
			return report.Point{X: at, Y: float64(what(&after.stats)-what(&before.stats)) / s}
		}
		acknowledged = append(acknowledged, rate(func(s *producer.Stats) int64 { return s.Acknowledged }))
		written = append(written, rate(func(s *producer.Stats) int64 { return s.BytesSent }))
		again = append(again, rate(func(s *producer.Stats) int64 { return s.Retried }))
		failed = append(failed, rate(func(s *producer.Stats) int64 { return s.Failed }))
		if n := after.batches - before.batches; n > 0 {
			batch = append(batch, report.Point{X: at, Y: float64(after.stats.BytesSent-before.stats.BytesSent) / float64(n)})
		}
		if after.cpu > 0 {
			cores = append(cores, report.Point{X: at, Y: (after.cpu - before.cpu).Seconds() / s})
		}
	})
	for _, s := range m.states.list {
		at := s.at.Seconds()
		flying = append(flying, report.Point{X: at, Y: float64(s.stats.InFlight)})
		buffered = append(buffered, report.Point{X: at, Y: float64(s.stats.BufferedBytes)})
		if s.resident > 0 {
			resident = append(resident, report.Point{X: at, Y: float64(s.resident)})
		}
	}
	charts := []report.Chart{
		{Title: "Records acknowledged a second", X: seconds, Y: counted, Lines: []report.Line{{Name: "acknowledged", Points: acknowledged}}},
		m.latencyOverTime(),
		{Title: "Bytes written a second", Note: "of batches, compressed, those sent again included", X: seconds, Y: sized, Lines: []report.Line{{Name: "written", Points: written}}},
		{Title: "Bytes of a batch", Note: "as written, compressed, on average", X: seconds, Y: sized, Lines: []report.Line{{Name: "a batch", Points: batch}}},
		{Title: "Records in flight", Note: "drained to a connection, or waiting for a retry", X: seconds, Y: counted, Lines: []report.Line{{Name: "in flight", Points: flying}}},
		{Title: "Memory", Note: "buffered counts against buffer.memory", X: seconds, Y: sized, Lines: drawable(report.Line{Name: "buffered", Points: buffered}, report.Line{Name: "resident, the whole process", Points: resident})},
		{Title: "CPU", Note: "cores that the whole process kept busy", X: seconds, Y: counted, Lines: []report.Line{{Name: "cores", Points: cores}}},
	}
	if m.result.Retries > 0 || m.result.Errors > 0 {
		charts = append(charts, report.Chart{Title: "Trouble", Note: "records a second", X: seconds, Y: counted,
			Lines: []report.Line{{Name: "sent again", Points: again}, {Name: "failed", Points: failed}}})
	}
	return charts
}

// drawable leaves out those without a point.
func drawable(all ...report.Line) (some []report.Line) {
	for _, l := range all {
		if len(l.Points) > 0 {
			some = append(some, l)
		}
	}
	return some
}

func (m *measurement) latencyOverTime() report.Chart {
	n := m.outcomes.intervals
	all := []report.Line{{Name: "p50"}, {Name: "p99"}, {Name: "max"}}
	for i, h := range n.list {
		at := (time.Duration(i)*n.width + n.width/2).Seconds()
		values := []float64{math.NaN(), math.NaN(), math.NaN()}
		if h != nil {
			values = []float64{float64(h.quantile(0.5)), float64(h.quantile(0.99)), float64(h.max)}
		}
		for l := range all {
			all[l].Points = append(all[l].Points, report.Point{X: at, Y: values[l]})
		}
	}
	return report.Chart{
		Title: "Latency over time", Note: latencyFrom(m.options) + ", in intervals of " + ui.Elapsed(n.width), X: seconds, Y: latency, Lines: all,
	}
}

// curve is the latency that each share of the records did not exceed.
func (m *measurement) curve() report.Chart {
	share := func(q float64) string { return strconv.FormatFloat(100*q, 'f', -1, 64) + " %" }
	h := &m.outcomes.latency
	line := report.Line{Name: "records that took no longer"}
	for nines := 0.0; nines <= 4; nines += 0.05 {
		q := 1 - math.Pow(10, -nines)
		if h.count > 0 && q <= 1-1/float64(h.count) { // what fewer records than one say is nothing
			line.Points = append(line.Points, report.Point{X: q, Y: float64(h.quantile(q))})
		}
	}
	return report.Chart{
		Title: "Latency by share of records", Note: fmt.Sprintf("%s measured", ui.Number(h.count, "record")),
		X: report.Axis{Kind: report.Quantile, Format: share}, Y: latency, Lines: []report.Line{line},
	}
}

func (m *measurement) loadTable() report.Table {
	o := m.options
	rows := []report.Row{
		{Name: "topic", Value: string(o.topic)},
		{Name: "brokers", Value: strings.Join(m.cfg.BootstrapServers, ", ")},
		{Name: "records", Value: fmt.Sprintf("%s, after %s of warm-up", ui.Count(o.records), ui.Count(o.warmup))},
	}
	if o.payloadFile != "" {
		rows = append(rows, report.Row{Name: "payloads", Value: o.payloadFile})
	} else {
		rows = append(rows, report.Row{Name: "value, key", Value: fmt.Sprintf("%d bytes, %d bytes", o.size, o.keySize)})
	}
	rate := "as fast as they are taken"
	if o.rate > 0 {
		rate = strconv.FormatFloat(o.rate, 'f', -1, 64) + " records/s"
	}
	rows = append(rows, report.Row{Name: "rate", Value: rate}, report.Row{Name: "goroutines that send", Value: strconv.Itoa(o.goroutines)})
	if m.cfg.TransactionalID != "" {
		rows = append(rows, report.Row{Name: "transactions", Value: fmt.Sprintf("of %s", ui.Number(o.transactionSize, "record"))})
	}
	return report.Table{Title: "Load", Rows: rows}
}

// settingsTable has the settings that decide what a run measures, by Java's names.
func settingsTable(cfg *producer.Config) report.Table {
	security := "PLAINTEXT"
	if cfg.TLS != nil || cfg.TLSFiles != nil {
		security = "SSL"
	}
	if cfg.SASL != nil {
		security = "SASL_" + security + ", " + cfg.SASL.Name()
	}
	show := func(v any) string { return ui.Plain(fmt.Sprint(v)) }
	rows := []report.Row{
		{Name: "acks", Value: show(cfg.Acks)},
		{Name: "enable.idempotence", Value: show(cfg.EnableIdempotence)},
		{Name: "transactional.id", Value: show(cfg.TransactionalID)},
		{Name: "batch.size", Value: ui.Count(int64(cfg.BatchSize))},
		{Name: "linger.ms", Value: show(cfg.Linger.Milliseconds())},
		{Name: "compression.type", Value: show(cfg.Compression)},
		{Name: "max.in.flight.requests.per.connection", Value: show(cfg.MaxInFlightRequestsPerConnection)},
		{Name: "max.request.size", Value: ui.Count(int64(cfg.MaxRequestSize))},
		{Name: "buffer.memory", Value: ui.Count(cfg.BufferMemory)},
		{Name: "delivery.timeout.ms", Value: ui.Count(cfg.DeliveryTimeout.Milliseconds())},
		{Name: "request.timeout.ms", Value: ui.Count(cfg.RequestTimeout.Milliseconds())},
		{Name: "security.protocol", Value: security},
	}
	return report.Table{Title: "Settings", Rows: slices.DeleteFunc(rows, func(r report.Row) bool { return r.Value == "" })}
}

func machineTable() report.Table {
	return report.Table{Title: "Program and machine", Rows: []report.Row{
		{Name: "epistle", Value: producer.Version},
		{Name: "Go", Value: strings.TrimPrefix(runtime.Version(), "go")},
		{Name: "system", Value: runtime.GOOS + "/" + runtime.GOARCH},
		{Name: "CPUs", Value: strconv.Itoa(runtime.NumCPU())},
		{Name: "GOMAXPROCS", Value: strconv.Itoa(runtime.GOMAXPROCS(0))},
	}}
}
