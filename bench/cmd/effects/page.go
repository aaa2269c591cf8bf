package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// A row is the figures of a case, and of the case that it stands beside, round by round.
type row struct {
	what        string
	mine, first []figures
}

// The columns. A figure is the median of the rounds; one that stands beside that of the first row has what the rounds lie
// between.
var (
	rate        = plain("records/s", func(f figures) float64 { return f.Rate })
	cpu         = plain("CPU, ns a record", func(f figures) float64 { return f.CPU })
	share       = plain("CPU, ms a second", func(f figures) float64 { return f.Share })
	allocations = column{"allocations a record", func(r row) string {
		return fmt.Sprintf("%.1f", r.median(func(f figures) float64 { return f.Allocations }))
	}}
	wire       = plain("bytes a record in the log", func(f figures) float64 { return f.Wire })
	perBatch   = plain("records a batch", func(f figures) float64 { return f.PerBatch })
	perRequest = plain("records a request", func(f figures) float64 { return f.PerRequest })
	requests   = plain("requests/s", func(f figures) float64 { return f.Requests })
	memory     = plain("memory, MiB", func(f figures) float64 { return f.Memory })
	p50        = plain("p50, ms", func(f figures) float64 { return f.P50 })
	p99        = plain("p99, ms", func(f figures) float64 { return f.P99 })
	commits    = column{"a commit, ms", func(r row) string {
		if m := r.median(func(f figures) float64 { return f.Commit }); m > 0 {
			return text(m)
		}
		return "–"
	}}
	faster  = beside("beside the first row", func(f figures) float64 { return f.Rate })
	lessCPU = beside("records per CPU second, beside the first row", func(f figures) float64 { return per(1, f.CPU) })
)

func plain(title string, of func(figures) float64) column {
	return column{title, func(r row) string { return text(r.median(of)) }}
}

// beside is a column of ratios: each round's figure by that of the first row in the same round.
func beside(title string, of func(figures) float64) column {
	return column{title, func(r row) string {
		var ratios []float64
		for i := range r.mine {
			ratios = append(ratios, per(of(r.mine[i]), of(r.first[i])))
		}
		slices.Sort(ratios)
		least, most := ratios[0], ratios[len(ratios)-1]
		if least == 1 && most == 1 { // it stands beside itself
			return "1"
		}
		return fmt.Sprintf("%.2f × (%.2f…%.2f)", ratios[len(ratios)/2], least, most)
	}}
}

func (r row) median(of func(figures) float64) float64 {
	var all []float64
	for _, f := range r.mine {
		all = append(all, of(f))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// text is a figure with as many digits as it is worth.
func text(f float64) string {
	switch {
	case f >= 100_000:
		return thousands(int64(f/10_000+0.5) * 10_000)
	case f >= 10_000:
		return thousands(int64(f/100+0.5) * 100)
	case f >= 1000:
		return thousands(int64(f/10+0.5) * 10)
	case f >= 10:
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.2g", f)
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// measure runs the cases of a table in turn.
func (t *table) measure(rounds int, once func(*table, *effect) (figures, error)) ([]row, error) {
	rows := make([]row, len(t.effects))
	for round := range rounds {
		for i := range t.effects {
			i = (i + round) % len(t.effects)
			f, err := once(t, &t.effects[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.effects[i].what, err)
			}
			rows[i].mine = append(rows[i].mine, f)
		}
	}
	for i := range rows {
		rows[i].what, rows[i].first = t.effects[i].what, rows[0].mine
	}
	return rows, nil
}

// render is the table as Markdown.
func (t *table) render(rows []row) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range t.columns {
		fmt.Fprintf(&b, " %s |", c.title)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" ---: |", len(t.columns)) + "\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s |", r.what)
		for _, c := range t.columns {
			fmt.Fprintf(&b, " %s |", c.show(r))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// conditions is the block that says what the tables were measured by.
const conditions = "conditions"

func (o *options) conditions() string {
	processor := "unknown CPU"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(info); m != nil {
			processor = string(m[1])
		}
	}
	return fmt.Sprintf("Measured by `bin/bench/effects` on %s: %s, %d cores, %s/%s, %s;\nthe median of %d rounds of %v, in brackets what the rounds lie between.\n",
		time.Now().Format(time.DateOnly), processor, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), o.rounds, o.last)
}

// markers are what a block of the page stands between.
func markers(name string) (begin, end string) {
	return "<!-- effects:" + name + ":begin -->\n", "<!-- effects:" + name + ":end -->\n"
}

// placed puts a block into the page.
func placed(page, name, text string) (string, error) {
	begin, end := markers(name)
	before, rest, begins := strings.Cut(page, begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return "", fmt.Errorf("it has no place for the table %s, between %q and %q", name, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + text + end + after, nil
}

// file is one with the values of a case, which is written once.
func (m *machine) file(c *effect) (string, error) {
	size, most := c.size, driver.RingBytes
	if size == 0 {
		size = 100
	}
	if c.many {
		most = 32 << 20
	}
	name := filepath.Join(m.values, fmt.Sprintf("%d-%d", size, most))
	if _, err := os.Stat(name); err == nil {
		return name, nil
	}
	return name, driver.Values(size, most).WriteFile(name)
}
