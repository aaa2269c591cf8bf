package main

import (
	"fmt"
	"math"
	"strings"
)

// enoughRounds is how many rounds make a meaningful spread.
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
	return [...]string{"ahead of", "in every round ahead of", "within the noise or the spread of the rounds of", "in every round behind", "behind"}[v]
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

// verdicts say how Epistle compares with each peer, by the scenario's metric; nothing after too few rounds.
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
		if ratio := ratios(m, ours, theirs).median; math.Abs(math.Log(ratio)) <= math.Log1p(float64(o.noise(m))) {
			v = level // more than the same program is apart from itself
		}
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
			parts = append(parts, fmt.Sprintf("%v %s × %s", m, o.noise(m).digits(r.median), title))
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
		if o.limitWaits() {
			add(perSecond, limit, "the limit's")
		}
		add(perCPUSecond, roomy, "the limit's with a larger send buffer")
		add(perCPUSecond, bare, "franz-go's with its defaults")
		add(perCPUSecond, untuned, "its own with its defaults")
		add(perCPUSecond, shared, "its own with one callback")
		add(perCPUSecond, several, "its own with 100 a call")
		add(perCPUSecond, future, "its own with futures")
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

// limitWaits reports whether the limit program's rate shows what the machine and the network allow. It builds and writes on one
// goroutine. If that has a core to itself, its rate is that of one core, and no limit for a client with two.
func (o *outcome) limitWaits() bool {
	const busy = 0.8 // cores
	r := o.by[limit]
	return spreadOf(r.figures(perSecond)).median/spreadOf(r.figures(perCPUSecond)).median < busy
}

// noises says how far the same program was from itself.
func (o *outcome) noises() string {
	m := o.scenario.metric
	if !o.measured(m) {
		return fmt.Sprintf("The same program was not measured often enough beside itself: a noise of %v is taken for granted.", guessed)
	}
	r := ratios(m, o.by[again], o.by[epistle])
	return fmt.Sprintf("The same program again, by %v: %.2f × (%.2f…%.2f), so the noise is %v.", m, r.median, r.least, r.most, o.noise(m))
}

// cores says how many runs had cores that were far from each other, and what that did to Epistle beside franz-go.
func (o *outcome) cores(nearest float64) string {
	t := o.trips(nearest)
	if t.Runs == 0 {
		return ""
	}
	text := fmt.Sprintf("Cores were far from each other in %d of %d runs, all of which count.", t.Far, t.Runs)
	m := o.scenario.metric
	if near, far := o.apart(m, epistle, franz, nearest); len(near) > 0 && len(far) > 0 {
		n := o.noise(m)
		text += fmt.Sprintf(" Epistle by %v beside franz-go: %s × in the %d rounds in which they were so for one of the two, %s × in the other %d.",
			m, n.digits(spreadOf(far).median), len(far), n.digits(spreadOf(near).median), len(near))
	}
	return text
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
