package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// The part of the project's README between these is written with each report, so that it claims what was measured.
const (
	readmeBegin = "<!-- bench:begin -->\n"
	readmeEnd   = "<!-- bench:end -->\n"
)

// writeReadme puts the report's claims into the README above this module.
func (r *runner) writeReadme(outcomes []*outcome) error {
	name := filepath.Join(r.source, "..", "README.md")
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(text), readmeBegin)
	_, after, ended := strings.Cut(rest, readmeEnd)
	if !begun || !ended {
		return fmt.Errorf("%s: what the report writes there has no place: %q and %q", name, readmeBegin, readmeEnd)
	}
	return os.WriteFile(name, []byte(before+readmeBegin+r.claims(outcomes)+readmeEnd+after), 0o666)
}

// claims are what the README says of speed: the conditions in two sentences, and one row for each scenario of the chart.
func (r *runner) claims(outcomes []*outcome) string {
	var b strings.Builder
	b.WriteString("![Records per CPU second, side by side with other clients](bench/report.svg)\n\n")
	all := trips{Nearest: nearest(outcomes)}
	for _, o := range outcomes {
		t := o.trips(all.Nearest)
		all.Runs, all.Far = all.Runs+t.Runs, all.Far+t.Far
	}
	conditions := fmt.Sprintf("One record a call, each with a callback that knows which record it is for, against a broker that only acknowledges and shares the client's cores "+
		"(%s), every client with the settings that a sweep found best for it. Median of %d rounds of %v on %s, none left out", r.machine, r.rounds, r.duration, r.date)
	if all.Runs > 0 {
		conditions += fmt.Sprintf(", %s of the runs with cores that were far from each other (moved apart by the host, or used by others)", percent(all.Far, all.Runs))
	}
	b.WriteString(filled(conditions+"; no figure has more digits than the same program measured beside itself allows.") + "\n")
	fmt.Fprintf(&b, "| Epistle's records per CPU second | beside %s | beside the best of the others | noise |\n| --- | ---: | ---: | ---: |\n", titled(outcomes, franz))
	for _, o := range outcomes {
		if o.scenario.short != "" {
			b.WriteString(o.claim(r.peers))
		}
	}
	if line := called(outcomes); line != "" {
		b.WriteString("\n" + filled(line))
	}
	return b.String()
}

// filled is a paragraph in lines of no more than 120 letters.
func filled(text string) string {
	var b strings.Builder
	room := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case b.Len() == 0:
			room = 120
		case n < room:
			b.WriteByte(' ')
			room--
		default:
			b.WriteByte('\n')
			room = 120
		}
		b.WriteString(word)
		room -= n
	}
	return b.String() + "\n"
}

// claim is a scenario's row.
func (o *outcome) claim(peers []*peer) string {
	m := o.scenario.metric
	ours := o.by[epistle]
	cell := func(name, title string) string {
		r := ratios(m, ours, o.by[name])
		if math.IsNaN(r.median) {
			return "–"
		}
		return strings.TrimSpace(o.noise(m).spread(r) + " × " + title)
	}
	var others []*peer
	for _, p := range peers {
		if p.name != franz {
			others = append(others, p)
		}
	}
	best := "–"
	if p := o.best(others, m); p != nil {
		best = cell(p.name, p.title)
	}
	about := "(" + o.scenario.name + ") " + o.scenario.short
	apart := "not measured"
	if o.measured(m) {
		apart = o.noise(m).String()
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", about, cell(franz, ""), best, apart)
}

// called describes Epistle's other calls, in the first scenario that has them.
func called(outcomes []*outcome) string {
	for _, o := range outcomes {
		n := o.noise(perCPUSecond)
		var parts []string
		for _, way := range []struct{ name, text string }{
			{shared, "one callback for all records"}, {several, "a hundred records a call (`SendAllFunc`)"}, {future, "a future for each in place of the callback"},
		} {
			if r := ratios(perCPUSecond, o.by[way.name], o.by[epistle]); !math.IsNaN(r.median) {
				parts = append(parts, fmt.Sprintf("%s, %s ×", way.text, n.digits(r.median)))
			}
		}
		if len(parts) > 0 {
			return fmt.Sprintf("Epistle's own other calls, beside that in (%s): %s.", o.scenario.name, strings.Join(parts, "; "))
		}
	}
	return ""
}

// titled is a client's title with its version.
func titled(outcomes []*outcome, name string) string {
	return strings.TrimSpace(peerNamed(name).title + " " + strings.TrimPrefix(versions(outcomes)[name], "v"))
}

func percent(n, of int) string {
	share := 100 * float64(n) / float64(of)
	if n > 0 && share < 1 {
		return "under 1 %"
	}
	return fmt.Sprintf("%.0f %%", share)
}
