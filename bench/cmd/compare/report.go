package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// report writes REPORT.md and the chart beside it; what was measured on a real Kafka has files of its own.
func (r *runner) report(outcomes []*outcome) error {
	text, picture := "REPORT.md", "report.svg"
	if r.real != "" {
		text, picture = "REPORT-kafka.md", "report-kafka.svg"
	}
	if err := os.WriteFile(filepath.Join(r.source, picture), []byte(chart(outcomes, r.peers)), 0o666); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.source, text), []byte(r.markdown(outcomes, picture)), 0o666)
}

func (r *runner) markdown(outcomes []*outcome, picture string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Side by side\n\nWritten by `make bench-report` on %s, on %s.\n\n", r.date, r.machine)
	against := "a sink, a broker that only acknowledges, in a process of its own"
	if r.real != "" {
		against = "a real Kafka"
	}
	fmt.Fprintf(&b, "Every figure is the median of %d rounds of %v after %v of warm-up, against %s; in brackets what the rounds lie between. "+
		"Rounds are interleaved, and ratios are the median of the ratios of each round: compare these, not figures from different runs. CPU is that of the client's whole process, and so is peak RSS, less the values that its driver holds: %d MiB, in (e) %d. "+
		"Every record that a client was told is delivered has been counted where it arrived.\n\n"+
		"A line of memory that takes several times as long between two cores as it did says that the host has moved these apart. "+
		"Clients that hand records from one core to another pay for that, the limit program hardly does: so each run, of whichever client, waits for the cores to be near each other, and is done again, twice at most, if they are apart at its end, until the patience for its scenario has gone.\n\n", r.rounds, r.duration, r.warmup, against, driver.RingBytes>>20, manyValues>>20)
	if r.real == "" {
		fmt.Fprintf(&b, "In (e), what a record costs with a codec, what the codec costs alone and a record without it are three runs whose errors add up: their sums are of %d rounds.\n\n", sumTimes*r.rounds)
	}
	b.WriteString("Epistle is said to be ahead of a client if its worst round was better than that client's best, and ahead in every round if it was better in each, though the two overlap as the machine drifts.\n\n")
	b.WriteString("All with acks=all, idempotence where the client has it, at most 5 requests in flight, 32 MiB of records, and the same values. " +
		"Settings of a client alone are the best that a sweep found, listed below. What is aimed at, where a report fell short, why, and what was tried is in [NOTES.md](NOTES.md).\n\n")
	fmt.Fprintf(&b, "![records per CPU second](%s)\n", picture)
	for _, o := range outcomes {
		o.markdown(&b, r.peers)
	}
	r.clients(&b, outcomes)
	r.tried(&b)
	r.commands(&b, outcomes)
	return b.String()
}

func (o *outcome) markdown(b *strings.Builder, peers []*peer) {
	fmt.Fprintf(b, "\n## (%s) %s\n\n", o.scenario.name, o.scenario.title)
	for i, row := range o.rows(peers) {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(b, "| --- |%s\n", strings.Repeat(" ---: |", len(row)-1))
		}
	}
	if s := spreadOf(o.trips); s.median > 0 {
		fmt.Fprintf(b, "\nA line of memory from one core to another and back, before and after each run: %s ns; %d runs were done again.\n",
			withSpread(s, func(f float64) string { return fmt.Sprintf("%.0f", f) }), o.again)
	}
	for _, line := range o.standing(peers) {
		fmt.Fprintf(b, "\n%s.\n", line)
	}
	if o.scenario.codec != "" {
		var levels []string
		for _, p := range peers {
			if p.lz4 == "" {
				continue
			}
			level := p.lz4
			if o.scenario.codec == "zstd" {
				level = p.zstd
			}
			levels = append(levels, p.title+" "+level)
		}
		fmt.Fprintf(b, "\nLevels: %s.\n", strings.Join(levels, "; "))
	}
	for _, p := range peers {
		if err := o.failures[p.name]; err != nil {
			fmt.Fprintf(b, "\n%s failed in a round, which does not count: %v\n", p.title, err)
		}
	}
}

func (r *runner) clients(b *strings.Builder, outcomes []*outcome) {
	b.WriteString("\n## Clients\n\n| client | version | how |\n| --- | --- | --- |\n")
	v := versions(outcomes)
	for _, p := range r.peers {
		version := v[p.name]
		if p.missing != nil {
			version = "left out: " + p.missing.Error()
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", p.title, version, p.note)
	}
}

// tried lists the candidates of the sweep.
func (r *runner) tried(b *strings.Builder) {
	b.WriteString("\n## Settings tried\n\n`compare -sweep` tries these, without what the scenario itself sets, in each scenario that best.json names; the others have what was best in (a), and Epistle its defaults in (f) and (j).\n\n")
	for _, p := range r.peers {
		var list []string
		for _, c := range candidates[p.name] {
			if c == "" {
				c = "defaults"
			}
			list = append(list, "`"+c+"`")
		}
		if len(list) > 0 {
			fmt.Fprintf(b, "- %s: %s\n", p.title, strings.Join(list, ", "))
		}
	}
}

// commands lists what was run, with the paths of this machine cut short.
func (r *runner) commands(b *strings.Builder, outcomes []*outcome) {
	b.WriteString("\n## Commands\n\nThe last run of each client; addresses are those of its sink.\n")
	for _, o := range outcomes {
		to := strings.Join(append([]string{"sink"}, o.scenario.sink...), " ")
		if r.real != "" {
			to = "a real Kafka"
		}
		fmt.Fprintf(b, "\n(%s) %s\n\n", o.scenario.name, to)
		for _, p := range r.peers {
			if c := o.commands[p.name]; c != "" {
				fmt.Fprintf(b, "    %s\n", c)
			}
		}
	}
}

func (r *runner) shorten(command string) string {
	command = strings.ReplaceAll(command, r.bin+string(filepath.Separator), "")
	command = strings.ReplaceAll(command, r.bin, ".")
	if cache, err := os.UserCacheDir(); err == nil {
		command = strings.ReplaceAll(command, cache, "$CACHE")
	}
	return command
}
