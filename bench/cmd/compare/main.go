// Compare runs producers side by side: for each scenario it starts a sink, runs the drivers in turn, round after round, checks
// that the sink has counted every record, and prints medians with the spread of the rounds and the ratio to franz-go and to the
// limit program.
//
//	compare                              all scenarios, seven rounds
//	compare -scenarios a,e -peers epistle,franz-go,limit
//	compare -quick                       two short rounds, to see that everything works
//	compare -report                      writes REPORT.md, report.svg and README's section on speed as well
//	compare -real 127.0.0.1:9092         scenarios a, c, e and f on a real Kafka
//	compare -from samples.json -report   writes them again, from the samples that they left: nothing is run
//	compare -sweep                       finds the best settings of each peer, and records them
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	estimate := flag.Bool("estimate", false, "say how long it would take, and run nothing")
	names := flag.String("scenarios", "", "which, separated by commas; all of a letter by the letter")
	only := flag.String("peers", "", "which, separated by commas")
	rounds := flag.Int("rounds", 7, "of each client")
	warmup := flag.Duration("warmup", 500*time.Millisecond, "of each run")
	duration := flag.Duration("duration", time.Second, "of each run's measurement")
	steady := flag.Duration("steady", 20*time.Second, "for the Java client to warm up until its rate is steady, at most")
	quick := flag.Bool("quick", false, "2 rounds of half a second, and no wait for the Java client's rate, unless said otherwise")
	verify := flag.Bool("verify", false, "have the sink check CRC, counts and sequences; figures mean less then")
	report := flag.Bool("report", false, "write REPORT.md, report.svg and README's section, or REPORT-kafka.md and report-kafka.svg, and the samples beside the drivers")
	from := flag.String("from", "", "file of samples that a report has left: run nothing, and print what they say")
	sweep := flag.Bool("sweep", false, "try settings, and record the best")
	real := flag.String("real", "", "bootstrap addresses of a real Kafka")
	source := flag.String("source", "bench", "directory of the benchmark's module")
	bin := flag.String("bin", "bin/bench", "directory for what is built")
	flag.Parse()
	if *quick {
		given := map[string]bool{}
		flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, value := range map[string]string{"rounds": "2", "warmup": "500ms", "duration": "500ms", "steady": "0s"} {
			if given[name] {
				continue
			}
			if err := flag.Set(name, value); err != nil {
				return err
			}
		}
	}
	list, err := pick(*names)
	if err != nil {
		return err
	}
	r := &runner{rounds: *rounds, warmup: *warmup, duration: *duration, steady: *steady, verify: *verify, real: *real, trip: roundTrip,
		machine: machine(), date: today()}
	if r.peers, err = pickPeers(*only); err != nil {
		return err
	}
	if r.best, err = recordedBest(); err != nil {
		return err
	}
	if r.builder, err = newBuilder(*source, *bin); err != nil {
		return err
	}
	if *from != "" {
		return r.fromSamples(*from, *report)
	}
	if *estimate {
		fmt.Printf("about %.0f minutes\n", r.estimate(list, *sweep).Minutes())
		return nil
	}
	if err := r.all(r.peers); err != nil {
		return err
	}
	if *sweep {
		return r.sweep(list)
	}
	return r.compare(list, *report)
}

func newBuilder(source, bin string) (*builder, error) {
	source, err := filepath.Abs(source)
	if err != nil {
		return nil, err
	}
	bin, err = filepath.Abs(bin)
	return &builder{source: source, bin: bin}, err
}

// compare runs the scenarios and prints the results. If a peer has failed, that is an error at the end.
func (r *runner) compare(list []scenario, report bool) error {
	r.begin()
	var outcomes []*outcome
	var failed []string
	for i := range list {
		if r.real != "" && !list[i].real {
			continue
		}
		o, err := r.scenario(&list[i])
		if err != nil {
			return fmt.Errorf("(%s): %w", list[i].name, err)
		}
		outcomes = append(outcomes, o)
		if report {
			if err := r.writeSamples(outcomes); err != nil {
				return err
			}
		}
		o.print(os.Stdout, r.peers)
		for name := range o.failures {
			failed = append(failed, fmt.Sprintf("%s in (%s)", name, o.scenario.name))
		}
	}
	r.leftOut()
	if report {
		if err := r.report(outcomes); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("runs failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

func (r *runner) begin() {
	fmt.Printf("%s\n%d rounds of %v after %v\n", r.machine, r.rounds, r.duration, r.warmup)
}

func (r *runner) leftOut() {
	for _, p := range r.peers {
		if p.missing != nil {
			fmt.Printf("\nleft out: %s: %v\n", p.title, p.missing)
		}
	}
}

// fromSamples prints the results of samples that were measured before, and writes their report.
func (r *runner) fromSamples(name string, report bool) error {
	outcomes, err := r.readSamples(name)
	if err != nil {
		return err
	}
	r.begin()
	for _, o := range outcomes {
		o.print(os.Stdout, r.peers)
	}
	r.leftOut()
	if !report {
		return nil
	}
	return r.report(outcomes)
}
