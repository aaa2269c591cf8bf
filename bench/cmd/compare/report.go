package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// report writes REPORT.md, the chart beside it, and the README's section on both. Measurements on a real Kafka have files of
// their own. Quick runs are not written to the README.
func (r *runner) report(outcomes []*outcome) error {
	text, picture := "REPORT.md", "report.svg"
	if r.real != "" {
		text, picture = "REPORT-kafka.md", "report-kafka.svg"
	}
	if err := os.WriteFile(filepath.Join(r.source, picture), []byte(chart(outcomes, r.peers, r.against())), 0o666); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.source, text), []byte(r.markdown(outcomes, picture)), 0o666); err != nil {
		return err
	}
	if r.real != "" || r.rounds < enoughRounds {
		return nil
	}
	return r.writeReadme(outcomes)
}

func (r *runner) against() string {
	if r.real != "" {
		return "a real Kafka"
	}
	return "a broker that only acknowledges (a sink), in a process of its own on the same cores"
}

func (r *runner) markdown(outcomes []*outcome, picture string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Side by side\n\nWritten by `make bench-report` on %s, on %s.\n\n", r.date, r.machine)
	fmt.Fprintf(&b, "Every figure is the median of %d rounds of %v after %v of warm-up (of three rounds for the Java client, whose warm-up lasts until it gets no better), against %s; in brackets what the rounds lie between. No round was left out or done again. "+
		"Clients take turns, in each round in another order, and ratios are the median of the ratios of each round: compare these, not figures from different runs. CPU is that of the client's whole process, and so is peak RSS, less the values that its driver holds: %d MiB, in (e) %d. "+
		"Every record that a client was told is delivered has been counted where it arrived.\n\n", r.rounds, r.duration, r.warmup, r.against(), driver.RingBytes>>20, manyValues>>20)
	b.WriteString("The row epistle, which is compared and drawn, is one record a call, each with a closure of its own that knows which record it is for; so are the rows of all others, each in its client's own way, but for those whose commands below have call=100 or batch.producer=true: they were faster so. " +
		"Epistle's other calls have rows of their own, and are compared with nobody else.\n\n" +
		"The row epistle, again, is the same program once more. What the two are apart at worst is the noise of the scenario: no figure has more digits than it allows, and nobody is called ahead by less.\n\n")
	if t := outcomes; nearest(t) > 0 {
		all := trips{Nearest: nearest(t)}
		for _, o := range t {
			one := o.trips(all.Nearest)
			all.Runs, all.Far = all.Runs+one.Runs, all.Far+one.Far
		}
		fmt.Fprintf(&b, "A line of memory went from one core to the other and back in %.0f ns at best. In %d of %d runs it took more than three times as long, before or after: the host had moved the cores apart, or others used them. "+
			"Clients that hand records from one core to another pay for that; the limit program hardly does. Each scenario says how many of its runs were so.\n\n", all.Nearest, all.Far, all.Runs)
	}
	b.WriteString("The limit program builds and writes on one goroutine. Where that has a core to itself, its records/s are what one core gives and no limit, so it is compared by CPU alone; its rate is compared with where it waits for the network.\n\n")
	if len(outcomes) < len(scenarios) && r.real == "" {
		var names []string
		for _, o := range outcomes {
			names = append(names, "("+o.scenario.name+")")
		}
		fmt.Fprintf(&b, "This report is of %s alone; the other scenarios were not measured.\n\n", strings.Join(names, ", "))
	}
	if r.real == "" {
		fmt.Fprintf(&b, "In (e), what a record costs with a codec, what the codec costs alone and a record without it are three runs whose errors add up: their sums are of %d rounds.\n\n", sumTimes*r.rounds)
	}
	b.WriteString("Epistle is said to be ahead of a client if its worst round was better than that client's best, and ahead in every round if it was better in each, though the two overlap as the machine drifts; in both cases by more than the noise.\n\n")
	b.WriteString("All with acks=all, idempotence where the client has it, at most 5 requests in flight, 32 MiB of records at most, and the same values. " +
		"Settings of a client alone are the best that a sweep found, listed below. What is aimed at, where a report fell short, why, and what was tried is in [NOTES.md](NOTES.md).\n\n")
	fmt.Fprintf(&b, "![records per CPU second](%s)\n", picture)
	for _, o := range outcomes {
		o.markdown(&b, r.peers, nearest(outcomes))
	}
	r.clients(&b, outcomes)
	r.tried(&b)
	r.commands(&b, outcomes)
	return b.String()
}

func (o *outcome) markdown(b *strings.Builder, peers []*peer, nearest float64) {
	fmt.Fprintf(b, "\n## (%s) %s\n\n", o.scenario.name, o.scenario.title)
	for i, row := range o.rows(peers) {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(b, "| --- |%s\n", strings.Repeat(" ---: |", len(row)-1))
		}
	}
	fmt.Fprintf(b, "\n%s %s\n", o.noises(), o.cores(nearest))
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
	b.WriteString("\n## Settings tried\n\n`compare -sweep` tries these, without what the scenario itself sets, in each scenario that best.json names; the others have what was best in (a).\n\n")
	for _, p := range r.peers {
		var stages []string
		for i, stage := range candidates[p.name] {
			var list []string
			for _, c := range stage {
				switch {
				case c != "":
					list = append(list, "`"+c+"`")
				case i == 0:
					list = append(list, "defaults")
				}
			}
			stages = append(stages, strings.Join(list, ", "))
		}
		if len(stages) > 0 {
			fmt.Fprintf(b, "- %s: %s\n", p.title, strings.Join(stages, "; with the best of these: "))
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
