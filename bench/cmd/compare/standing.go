package main

import (
	"fmt"
	"math"
	"strings"
)

// enoughRounds have a spread that says something.
const enoughRounds = 3

// A verdict is how Epistle compares with a peer, from best to worst.
type verdict int

const (
	ahead verdict = iota
	aheadInEach
	level
	behindInEach
	behind
)

func (v verdict) String() string {
	return [...]string{"ahead of", "in every round ahead of", "within the spread of the rounds of", "in every round behind", "behind"}[v]
}

// compared is the verdict by a metric.
func compared(m metric, ours, theirs rounds) verdict {
	won, lost, of := wins(m, ours, theirs)
	switch {
	case beyond(m, ours, theirs):
		return ahead
	case beyond(m, theirs, ours):
		return behind
	case won == of:
		return aheadInEach
	case lost == of:
		return behindInEach
	}
	return level
}

// verdicts say how Epistle compares with each peer, by what the scenario is compared by; nothing after too few rounds.
func (o *outcome) verdicts(peers []*peer) string {
	m := o.scenario.metric
	ours := o.by[epistle]
	if len(ours.figures(m)) < enoughRounds {
		return ""
	}
	var titles [behind + 1][]string
	for _, p := range peers {
		theirs := o.by[p.name]
		if !p.rival() || len(theirs.figures(m)) < enoughRounds {
			continue
		}
		v, title := compared(m, ours, theirs), p.title
		if v == level {
			won, _, of := wins(m, ours, theirs)
			title += fmt.Sprintf(" (better in %d of %d)", won, of)
		}
		titles[v] = append(titles[v], title)
	}
	var parts []string
	for v, list := range titles {
		if len(list) > 0 {
			parts = append(parts, fmt.Sprintf("%v %s", verdict(v), strings.Join(list, ", ")))
		}
	}
	if len(parts) == 0 {
		return ""
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
	if v := o.verdicts(peers); v != "" {
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
