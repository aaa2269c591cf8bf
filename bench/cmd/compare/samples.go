package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// samples are all that a comparison has measured, as a file. A report can be written again from them, without another hour of
// runs.
type samples struct {
	Date      string
	Machine   string
	Rounds    int
	Warmup    time.Duration // nanoseconds
	Duration  time.Duration
	Real      bool              // on a real Kafka
	Missing   map[string]string // peers that were left out, and why
	Scenarios []scenarioSamples
}

type scenarioSamples struct {
	Name     string
	By       map[string]rounds
	Codecs   map[string]rounds
	Sums     []sum
	Commands map[string]string
	Failures map[string]string
}

// samplesFile is where a report leaves its samples.
func (r *runner) samplesFile() string {
	if r.real != "" {
		return filepath.Join(r.bin, "samples-kafka.json")
	}
	return filepath.Join(r.bin, "samples.json")
}

func (r *runner) writeSamples(outcomes []*outcome) error {
	s := samples{Date: r.date, Machine: r.machine, Rounds: r.rounds, Warmup: r.warmup, Duration: r.duration, Real: r.real != "", Missing: map[string]string{}}
	for _, p := range r.peers {
		if p.missing != nil {
			s.Missing[p.name] = p.missing.Error()
		}
	}
	for _, o := range outcomes {
		failures := map[string]string{}
		for name, err := range o.failures {
			failures[name] = err.Error()
		}
		s.Scenarios = append(s.Scenarios, scenarioSamples{Name: o.scenario.name, By: o.by, Codecs: o.codecs, Sums: o.more, Commands: o.commands, Failures: failures})
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(r.samplesFile(), text, 0o666)
}

// readSamples takes the place of a run. Afterwards r is as the runner was that measured the samples.
func (r *runner) readSamples(name string) ([]*outcome, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var s samples
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r.date, r.machine, r.rounds, r.warmup, r.duration = s.Date, s.Machine, s.Rounds, s.Warmup, s.Duration
	if s.Real {
		r.real = "as it was"
	}
	for _, p := range r.peers {
		if why := s.Missing[p.name]; why != "" {
			p.missing = errors.New(why)
		}
	}
	var outcomes []*outcome
	for _, got := range s.Scenarios {
		known, err := pick(got.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		failures := map[string]error{}
		for peer, why := range got.Failures {
			failures[peer] = errors.New(why)
		}
		outcomes = append(outcomes, &outcome{scenario: &known[0], by: got.By, codecs: got.Codecs, more: got.Sums, commands: got.Commands, failures: failures})
	}
	return outcomes, nil
}
