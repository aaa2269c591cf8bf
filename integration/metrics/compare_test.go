package metrics

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// How two clients are compared.
type strictness int

const (
	ofItsOwn strictness = iota // what each counts is what came out of it
	exactly                    // that, and both have done the same
)

// compare holds each metric of both clients against what was counted outside of them.
func (l *load) compare(t *testing.T, how strictness) {
	t.Helper()
	for _, o := range l.outcome {
		l.known(t, o)
	}
	for _, r := range rows {
		readings := map[string]reading{}
		for name, o := range l.outcome {
			got := o.read(r.group, r.name)
			readings[name] = got
			if !got.some {
				t.Errorf("%s, %s: there is no %s %s", l.name, name, r.group, r.name)
				continue
			}
			l.checkOne(t, r, o, got, how)
		}
		a, b := readings[java].value(r.name), readings[epistle].value(r.name)
		switch {
		case near(a-r.beyond(l.outcome[java]), b):
		case r.why == "", r.same && how == exactly:
			t.Errorf("%s: %s %s: Java's is %v, and ours %v", l.name, r.group, r.name, a, b)
		}
	}
}

// checkOne holds a client's metric against what was counted outside of it.
func (l *load) checkOne(t *testing.T, r row, o *outcome, got reading, how strictness) {
	t.Helper()
	v := got.value(r.name)
	switch {
	case how == ofItsOwn && o.client == java && slices.Contains(handed, r.name):
		t.Logf("%s, Java: %s %s is %v, and what was counted is %v", l.name, r.group, r.name, v, r.counted(o))
		if strings.HasSuffix(r.name, "-total") && v < r.counted(o) {
			t.Errorf("%s, Java: %s %s is %v, and what was counted is more: %v", l.name, r.group, r.name, v, r.counted(o))
		}
	case r.counted != nil && r.windowed && l.took > window:
		t.Logf("%s, %s: %s %s is %v; of the time before the last minute it knows nothing any more", l.name, o.client, r.group, r.name, v)
	case r.counted != nil:
		if want := r.counted(o) + r.beyond(o); !near(v, want) && !math.IsNaN(want) {
			t.Errorf("%s, %s: %s %s is %v, and what was counted is %v", l.name, o.client, r.group, r.name, v, want)
		}
	case r.total != "":
		total := o.read(r.group, r.total).sum
		if of := total / v; total == 0 && v != 0 || total != 0 && l.took < window && (of < 29 || of > 62) {
			t.Errorf("%s, %s: %s %s is %v, which is %v in %v s", l.name, o.client, r.group, r.name, v, total, of)
		}
	case r.why == whyTime:
		limit := float64(l.took.Milliseconds())
		if strings.HasSuffix(r.name, "-ns-total") {
			limit = float64(l.took)
		}
		if v < 0 || v > limit {
			t.Errorf("%s, %s: %s %s is %v, and the load took %v", l.name, o.client, r.group, r.name, v, l.took)
		}
	}
}

// near is equality, but for what adding up floating-point numbers in another order makes.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

// leftOut are metrics without a row: of Java's that docs/metrics.md leaves out, and of what this load does not do.
var leftOut = []string{
	"io-", "iotime", "io-wait", "select-", "network-io-", "count", "record-size-max", "successful-authentication-no-reauth-total", "txn-", "connections",
	"reauthentication-latency-", "start-time-ms", "commit-id", "version",
}

// known demands that each metric that a client gives has a row, or a reason to have none.
func (l *load) known(t *testing.T, o *outcome) {
	t.Helper()
	for _, m := range o.metrics {
		if slices.ContainsFunc(rows, func(r row) bool { return r.group == m.Group && r.name == m.Name }) ||
			slices.ContainsFunc(leftOut, func(name string) bool { return strings.HasPrefix(m.Name, name) }) {
			continue
		}
		t.Errorf("%s gives %s %s, of which this test knows nothing", o.client, m.Group, m.Name)
	}
}

const (
	page  = "../../docs/metrics.md"
	begin = "<!-- beside:begin -->\n"
	end   = "<!-- beside:end -->\n"
)

// document writes the tables with -update, and demands else that the page has those rows.
func document(t *testing.T, rounds, steady *load) {
	t.Helper()
	text, err := os.ReadFile(page)
	do(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks its markers", page)
	}
	got := rounds.summary(roundsHead) + rounds.table(func(row) bool { return true }) +
		steady.summary(steadyHead) + steady.table(func(r row) bool { return !r.windowed && r.why != whyTime })
	if *update && !t.Failed() {
		do(t, os.WriteFile(page, []byte(before+begin+got+end+after), 0o644))
		return
	}
	if want, has := namesOf(got), namesOf(table); !slices.Equal(want, has) {
		t.Errorf("the tables of %s are of\n%q\nand what was compared is\n%q\nWrite them anew with -update.", page, has, want)
	}
}

// namesOf is what the tables are about, without a number: of each line the first column, and the metric in the second.
func namesOf(tables string) (names []string) {
	for line := range strings.Lines(tables) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		name := strings.TrimSpace(cells[1])
		if strings.Contains(cells[2], "`") {
			name += strings.TrimRight(cells[2], " ")
		}
		names = append(names, name)
	}
	return names
}

const roundsHead = `### The same batches, the same faults

Both send 64 records, wait for all, send the next 64, and so on, in batches that a flush ends. Each of three brokers leads two
partitions. In some rounds a connection ends before a request arrives, in some it ends in the place of the answer. One record is
larger than ` + "`max.request.size`" + `, one is larger than its topic takes, and one expires, since its leader does not answer.

`

const steadyHead = `
### Under load

Both send 64 records each 30 ms, compressed by zstd, with up to five requests in flight. Every 400 ms a connection ends, before a
request arrives or in the place of its answer. One broker restarts: it has moved its leaders before. At the end come batches that
are larger than their topic takes. Which batch meets a fault is chance, so each client is compared with what came out of it.

`

// summary is what became of the records.
func (l *load) summary(head string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%sIt took %.0f s.\n\n| records | Java 4.4.0 | Epistle |\n| --- | --- | --- |\n", head, l.took.Seconds())
	j, e := l.outcome[java], l.outcome[epistle]
	line := func(what string, of func(*outcome) any) { fmt.Fprintf(&b, "| %s | %v | %v |\n", what, of(j), of(e)) }
	line("acknowledged", func(o *outcome) any { return o.acknowledged })
	line("that have failed", func(o *outcome) any { return o.failed })
	fmt.Fprintf(&b, "| of these, that may be in the log, as the client says | not told | %d |\n", e.maybe)
	line("in the log, by the ends of its partitions", func(o *outcome) any { return o.ends })
	line("in the log, by another client that has read it, none of them twice", func(o *outcome) any { return o.found })
	line("bytes in the log, by its leaders", func(o *outcome) any { return o.bytes })
	line("bytes of the batches that brokers have taken, as seen before the brokers", func(o *outcome) any {
		n := int64(0)
		for _, t := range o.wire.Topics {
			n += t.LoggedBytes
		}
		return n
	})
	b.WriteString("\n")
	return b.String()
}

// table is a line for each metric.
func (l *load) table(want func(row) bool) string {
	var b strings.Builder
	b.WriteString("| group | metric | Java 4.4.0 | counted | Epistle | counted | |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		if !want(r) {
			continue
		}
		j, e := l.outcome[java], l.outcome[epistle]
		why := "equal"
		if !near(j.read(r.group, r.name).value(r.name), e.read(r.group, r.name).value(r.name)) {
			why = r.why
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s | %s |\n", r.group, r.name,
			r.shown(j.read(r.group, r.name)), r.count(l, j), r.shown(e.read(r.group, r.name)), r.count(l, e), why)
	}
	return b.String()
}

// shown is a client's value; of averages of several nodes or topics the least and the most.
func (r row) shown(got reading) string {
	if v := got.value(r.name); !r.windowed || v == got.sum || near(got.least, got.most) || strings.HasSuffix(r.name, "-max") {
		return number(v)
	}
	return number(got.least) + " to " + number(got.most)
}

// count is what was counted outside of the client.
func (r row) count(l *load, o *outcome) string {
	if r.counted == nil || r.windowed && l.took > window {
		return ""
	}
	if v := r.counted(o); !math.IsNaN(v) {
		return number(v)
	}
	return ""
}

func number(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
