package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A report is told in Markdown.
type report struct {
	options     *options
	kafka, kind string
	began       time.Time
	interrupted bool

	parts  []string // tables
	broken []string // promises
}

// phases adds what became of alternating phases.
func (r *report) phases(s *soak, all []*result) {
	if len(all) == 0 {
		return
	}
	t := newTable("phase", "s", "records", "records/s", "lowest second", "slow seconds", "failed", "missing", "doubled", "reordered",
		"strange", "re-authentications", "sent again", "p50", "p99", "p99.9", "longest", "pause", "CPU a record")
	for _, p := range all {
		r.broken = append(r.broken, s.broken(p)...)
		t.row(p.name, whole(p.took), grouped(p.sent), grouped(int64(p.rate)), grouped(p.lowest), grouped(int64(p.slow)), grouped(p.failed),
			grouped(p.found.Missing), grouped(p.found.Doubled), grouped(p.found.Reordered), grouped(p.found.Strange),
			grouped(p.stats.Reauthentications), grouped(p.stats.Retried), short(p.latency.quantile(0.5)), short(p.latency.quantile(0.99)),
			short(p.latency.quantile(0.999)), short(p.latency.most), short(p.pause), p.cpu.String())
	}
	r.parts = append(r.parts, "## Sessions that last, and sessions that end\n\n"+t.String()+
		"\nA latency is counted from the moment at which a record was due to its callback. The pause is the longest time without an "+
		"acknowledgement. A slow second has less than 98 % of the rate. The CPU time is this process's: the producer's, and that of making up "+
		"the records.\n")
	r.broken = append(r.broken, s.slower(all)...)
	r.compare(all)
}

// compare sets the two kinds of phases side by side.
func (r *report) compare(all []*result) {
	values := func(ending bool, of func(*result) float64) (list []float64) {
		for _, p := range all {
			if p.ending == ending && p.name != warmUp && p.seconds > 0 {
				list = append(list, of(p))
			}
		}
		return list
	}
	quantile := func(q float64) func(*result) float64 {
		return func(p *result) float64 { return float64(p.latency.quantile(q)) }
	}
	duration := func(v float64) string { return short(time.Duration(v)) }
	t := newTable("", "sessions last", "sessions end", "difference of the means", "spread among like phases")
	for _, row := range []struct {
		name string
		of   func(*result) float64
		show func(float64) string
	}{
		{"records/s", func(p *result) float64 { return p.rate }, func(v float64) string { return grouped(int64(v)) }},
		{"p50", quantile(0.5), duration},
		{"p99", quantile(0.99), duration},
		{"p99.9", quantile(0.999), duration},
		{"CPU a record", func(p *result) float64 { return float64(p.cpu) }, func(v float64) string { return time.Duration(v).String() }},
	} {
		lasting, ending := values(false, row.of), values(true, row.of)
		if len(lasting) == 0 || len(ending) == 0 || mean(lasting) == 0 {
			return
		}
		each := func(list []float64) string {
			var texts []string
			for _, v := range list {
				texts = append(texts, row.show(v))
			}
			return strings.Join(texts, ", ")
		}
		t.row(row.name, each(lasting), each(ending), fmt.Sprintf("%+.1f %%", 100*(mean(ending)/mean(lasting)-1)),
			between(lasting, ending))
	}
	r.parts = append(r.parts, "## Side by side\n\n"+t.String())
}

func mean(list []float64) (m float64) {
	for _, v := range list {
		m += v / float64(len(list))
	}
	return m
}

// between is the greater spread of two lists, if they have more than one each.
func between(a, b []float64) string {
	if len(a) < 2 || len(b) < 2 {
		return "one phase each"
	}
	return fmt.Sprintf("%.1f %%", 100*max(spread(a), spread(b)))
}

// spread is how far the least and the greatest are apart, as a part of the mean.
func spread(list []float64) float64 { return (slices.Max(list) - slices.Min(list)) / mean(list) }

// transactions adds what became of transactions.
func (r *report) transactions(s *soak, all []*txnResult) {
	if len(all) == 0 {
		return
	}
	t := newTable("", "open for", "committed", "aborted on purpose", "not committed", "records", "failed", "missing", "doubled",
		"reordered", "strange", "re-authentications", "most in one transaction", "commit p50", "p99", "longest")
	for _, x := range all {
		r.broken = append(r.broken, s.brokenTxn(x)...)
		t.row(x.name, x.open.String(), grouped(int64(x.committed)), grouped(int64(x.aborted)), grouped(int64(x.lost)), grouped(x.records),
			grouped(x.failed), grouped(x.found.Missing), grouped(x.found.Doubled), grouped(x.found.Reordered), grouped(x.found.Strange),
			grouped(x.stats.Reauthentications), grouped(x.sessions), short(x.commits.quantile(0.5)), short(x.commits.quantile(0.99)), short(x.commits.most))
	}
	r.parts = append(r.parts, "## Transactions in sessions that end\n\n"+t.String()+
		"\nThey were read as committed. Strange are, among others, records of a transaction that was aborted.\n")
}

// rotation adds what became of one.
func (r *report) rotation(x *rotated) {
	t := newTable("", "s", "turns", "records", "records/s", "failed", "missing", "doubled", "reordered", "strange", "sent again",
		"re-authentications", "p50", "p99.9", "pause", "what shows it")
	shown := x.shown
	if x.doubt != nil {
		shown = x.doubt.Error()
	}
	t.row(x.name, whole(x.took), grouped(int64(x.turns)), grouped(x.sent), grouped(int64(x.rate)), grouped(x.failed),
		grouped(x.found.Missing), grouped(x.found.Doubled), grouped(x.found.Reordered), grouped(x.found.Strange), grouped(x.stats.Retried),
		grouped(x.stats.Reauthentications), short(x.latency.quantile(0.5)), short(x.latency.quantile(0.999)), short(x.pause), shown)
	r.broken = append(r.broken, x.broken()...)
	if len(r.parts) == 0 {
		r.parts = append(r.parts, "## Secrets that are replaced\n\n"+t.String())
		return
	}
	r.parts[len(r.parts)-1] += t.last()
}

func (r *report) write(w io.Writer) {
	o := r.options
	fmt.Fprintf(w, "# Re-authentication under load\n\n%s: Kafka %s (%s), %d broker(s); %s", r.began.Format(time.DateTime), r.kafka, r.kind, o.brokers, o.mechanism)
	if o.secure {
		fmt.Fprint(w, " over TLS")
	}
	fmt.Fprintf(w, ", sessions of %v where they end; %s records/s of %d bytes to %d partitions. Epistle %s, %s, %d CPUs.\n\n",
		o.lifetime, grouped(int64(o.rate)), o.size, o.partitions, producer.Version, runtime.Version(), runtime.NumCPU())
	for _, p := range r.parts {
		fmt.Fprintln(w, p)
	}
	if r.interrupted {
		fmt.Fprint(w, "It was interrupted, and is not complete.\n\n")
	}
	if len(r.broken) == 0 {
		fmt.Fprintln(w, "No promise was broken.")
		return
	}
	fmt.Fprint(w, "Broken promises:\n\n")
	for _, text := range r.broken {
		fmt.Fprintln(w, "-", text)
	}
}

// table is one of Markdown. Its columns are numbers but for the first.
type table struct{ lines []string }

func newTable(columns ...string) *table {
	t := &table{}
	t.row(columns...)
	t.lines = append(t.lines, "| --- |"+strings.Repeat(" ---: |", len(columns)-1))
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	t.lines = append(t.lines, "| "+strings.Join(cells, " | ")+" |")
}

func (t *table) String() string { return strings.Join(t.lines, "\n") + "\n" }

// last is the last row.
func (t *table) last() string { return t.lines[len(t.lines)-1] + "\n" }

// grouped is a number with a comma before each three digits.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// short is a duration with three digits, or four.
func short(d time.Duration) string {
	v, unit := float64(d)/float64(time.Microsecond), "µs"
	switch {
	case d >= time.Second:
		v, unit = d.Seconds(), "s"
	case d >= time.Millisecond:
		v, unit = float64(d)/float64(time.Millisecond), "ms"
	}
	digits := 0
	switch {
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	return fmt.Sprintf("%.*f %s", digits, v, unit)
}

// whole is a duration in seconds.
func whole(d time.Duration) string { return fmt.Sprintf("%.0f", d.Seconds()) }
