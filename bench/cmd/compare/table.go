package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// A column of a scenario's table.
type column struct {
	head string
	cell func(o *outcome, p *peer, r rounds) string
}

// columns are those of a scenario: what it is compared by comes first.
func columns(s *scenario) []column {
	ofMetric := func(m metric) func(*outcome, *peer, rounds) string {
		return func(o *outcome, _ *peer, r rounds) string {
			return o.noise(m).numbers(spreadOf(r.figures(m)))
		}
	}
	middle := func(m metric, format func(noise, float64) string) func(*outcome, *peer, rounds) string {
		return func(o *outcome, _ *peer, r rounds) string {
			return orNone(spreadOf(r.figures(m)).median, func(f float64) string { return format(o.noise(m), f) })
		}
	}
	ratio := func(to string) func(*outcome, *peer, rounds) string {
		return func(o *outcome, _ *peer, r rounds) string {
			return o.noise(s.metric).spread(ratios(s.metric, r, o.by[to]))
		}
	}
	list := []column{{"records/CPU s", ofMetric(perCPUSecond)}, {"records/s", ofMetric(perSecond)}}
	if s.metric == perSecond {
		list[0], list[1] = list[1], list[0]
	}
	if s.timed() {
		latencies := []column{{"p50 µs", ofMetric(p50)}, {"p99 µs", ofMetric(p99)}, {"p99.9 µs", middle(p999, noise.number)}}
		if s.metric == p99 {
			list = append(latencies, list...)
		} else {
			list = append(list, latencies...)
		}
	}
	of := s.metric.String()
	list = append(list, column{of + " × franz-go", ratio(franz)})
	if !s.noLimit {
		list = append(list, column{of + " × limit", ratio(limit)})
	}
	list = append(list, column{"allocs", middle(allocations, noise.small)})
	if s.timed() {
		list = append(list, column{"allocs/batch", middle(allocationsPerBatch, noise.small)})
	}
	list = append(list,
		column{"bytes", middle(allocatedSize, noise.small)},
		column{"peak RSS", middle(peakRSS, func(n noise, f float64) string { return n.digits(f/(1<<20)) + " MiB" })},
	)
	if s.codec != "" {
		list = append(list, column{"ratio", middle(compression, noise.small)})
	}
	return list
}

func orNone(f float64, format func(float64) string) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "–"
	}
	return format(f)
}

// rows is the table of a scenario, its head first.
func (o *outcome) rows(peers []*peer) [][]string {
	list := columns(o.scenario)
	head := []string{"client"}
	for _, c := range list {
		head = append(head, c.head)
	}
	rows := [][]string{head}
	for _, p := range peers {
		r := o.by[p.name]
		if len(r.figures(perSecond)) == 0 {
			continue
		}
		row := []string{p.title}
		for _, c := range list {
			row = append(row, c.cell(o, p, r))
		}
		rows = append(rows, row)
	}
	for _, client := range []string{epistle, rdkafka} {
		r := o.codecs[client]
		if len(r.figures(perSecond)) == 0 {
			continue
		}
		row := []string{"codec of " + client + ", alone", list[0].cell(o, nil, r), list[1].cell(o, nil, r)}
		for len(row) < len(head) {
			row = append(row, "–")
		}
		rows = append(rows, row)
	}
	return rows
}

// print writes the table in columns, and how Epistle stands.
func (o *outcome) print(w io.Writer, peers []*peer) {
	fmt.Fprintf(w, "\n(%s) %s\n", o.scenario.name, o.scenario.title)
	rows := o.rows(peers)
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			fmt.Fprint(w, "  ", cell, strings.Repeat(" ", widths[i]-len([]rune(cell))))
		}
		fmt.Fprintln(w)
	}
	for _, line := range o.standing(peers) {
		fmt.Fprintf(w, "  %s\n", line)
	}
}
