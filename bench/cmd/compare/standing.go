package main

import (
	"fmt"
	"math"
	"strings"
)

// enoughRounds have a spread that says something.
const enoughRounds = 3

// verdict says how Epistle compares with each peer, by what the scenario is compared by; nothing after too few rounds.
func (o *outcome) verdict(peers []*peer) string {
	m := o.scenario.metric
	var front, level, behind []string
	ours := o.by[epistle]
	for _, p := range peers {
		theirs := o.by[p.name]
		switch {
		case !p.rival() || len(theirs.figures(m)) < enoughRounds:
		case ahead(m, ours, theirs):
			front = append(front, p.title)
		case ahead(m, theirs, ours):
			behind = append(behind, p.title)
		default:
			level = append(level, p.title)
		}
	}
	if len(ours.figures(m)) < enoughRounds || len(front)+len(level)+len(behind) == 0 {
		return ""
	}
	var parts []string
	for _, part := range []struct {
		what  string
		peers []string
	}{{"ahead of", front}, {"within the spread of the rounds of", level}, {"behind", behind}} {
		if len(part.peers) > 0 {
			parts = append(parts, part.what+" "+strings.Join(part.peers, ", "))
		}
	}
	return "epistle by " + m.String() + ": " + strings.Join(parts, "; ")
}

// standing is what the scenario says of Epistle, in lines: the ratios that matter in it, and the verdict.
func (o *outcome) standing(peers []*peer) []string {
	ours := o.by[epistle]
	if len(ours.figures(perSecond)) == 0 {
		return nil
	}
	var lines []string
	var parts []string
	add := func(m metric, name, title string) {
		if r := ratios(m, ours, o.by[name]); !math.IsNaN(r.median) {
			parts = append(parts, fmt.Sprintf("%v %.2f × %s", m, r.median, title))
		}
	}
	if o.scenario.metric == p99 {
		add(p50, limit, "the limit's")
	} else {
		add(perCPUSecond, franz, "franz-go's")
		add(perCPUSecond, rdkafka, "librdkafka's")
		add(perCPUSecond, limit, "the limit's")
		if best := o.best(peers, perSecond); best != nil {
			add(perSecond, best.name, "the best peer's, "+best.title)
		}
		add(perSecond, limit, "the limit's")
		add(perCPUSecond, roomy, "the limit's with a larger send buffer")
		add(perCPUSecond, untuned, "its own one by one, with its defaults")
		add(perCPUSecond, idle, "its own beside idle partitions")
		add(perSecond, eight, "its own with 8 goroutines")
	}
	if best := o.best(peers, p99); best != nil && o.scenario.timed() {
		add(p99, best.name, "the best peer's, "+best.title)
	}
	if len(parts) > 0 {
		lines = append(lines, "epistle: "+strings.Join(parts, "; "))
	}
	if line := o.codecSum(); line != "" {
		lines = append(lines, line)
	}
	if v := o.verdict(peers); v != "" {
		lines = append(lines, v)
	}
	return lines
}

// best is the peer with the best median.
func (o *outcome) best(peers []*peer, m metric) (best *peer) {
	least := 0.0
	for _, p := range peers {
		if f := spreadOf(o.by[p.name].figures(m)).median; p.rival() && !math.IsNaN(f) && (best == nil || m.better(f, least)) {
			best, least = p, f
		}
	}
	return best
}
