package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// settings are those of each peer, by scenario, "*" for those that are not named. They are what a sweep found best.
type settings map[string]map[string]string

//go:embed best.json
var recorded []byte

func recordedBest() (settings, error) {
	var s settings
	if err := json.Unmarshal(recorded, &s); err != nil {
		return nil, fmt.Errorf("best.json: %w", err)
	}
	return s, nil
}

func (b settings) of(p *peer, s *scenario) []string {
	name := p.name
	if p.as != "" {
		name = p.as
	}
	load := s.name
	if p.settingsOf != "" {
		load = p.settingsOf
	}
	args, ok := b[name][load]
	if !ok {
		args = b[name]["*"]
	}
	return fitting(s, strings.Fields(args))
}

// fitting leaves out what the scenario itself gives.
func fitting(s *scenario, args []string) []string {
	var fit []string
	for i := 0; i+1 < len(args); i += 2 {
		if !s.sets(args[i]) {
			fit = append(fit, args[i], args[i+1])
		}
	}
	return fit
}

// candidates are what a sweep tries for each peer, in each scenario: its defaults, and what its documentation recommends for
// throughput. They come in stages: the best of one stage is part of all candidates of the next. For Epistle they are the
// socket's buffer, how many bytes in a row go to one partition, and how far batches grow while they wait: zstd takes longest
// over large batches, whoever makes them, and consecutive records are alike. For franz-go they are first how many records it
// buffers, since fewer stay in the caches and more make larger batches, and whether a Record is used again. All others may also
// hold less than they are allowed: closures that wait are work for the garbage collector. The limit program is not swept: it
// runs as the scenario says. If a scenario sets linger or batch size itself, these are left out.
var candidates = map[string][][]string{
	epistle: {
		{
			"",
			"-set " + sendBuffer,
			"-set send.buffer.bytes=-1",
			"-set max.batch.bytes=65536",
			"-batch 65536",
			"-batch 65536 -set max.batch.bytes=65536",
		},
		{"", "-memory 1048576", "-memory 4194304", "-memory 8388608"},
	},
	franz: {
		{
			"",
			"-set pooled=true",
			"-set pooled=true -set records=1000",
			"-set pooled=true -set records=3000",
			"-set pooled=true -set records=10000",
			"-set pooled=true -set records=all",
			"-set records=10000",
		},
		{"", "-linger 0", "-linger 5ms", "-batch 65536", "-set partitioner=sticky", "-set " + sendBuffer},
	},
	"sarama": {
		{
			"",
			"-set channel=4096",
			"-linger 1ms -batch 65536 -set channel=4096",
			"-linger 5ms -batch 1000000 -set channel=4096",
		},
		{"", "-set room=10000"},
	},
	"kafka-go": {
		{
			"-linger 1ms",
			"-linger 1ms -set messages=1000",
			"-linger 1ms -set messages=1000 -set call=100",
			"-linger 1ms -set messages=1000 -set call=100 -set " + sendBuffer,
			"-linger 5ms -set messages=10000 -set call=1000",
		},
		{"", "-set room=10000"},
	},
	"confluent": {
		{
			"",
			"-linger 0",
			"-set batch.num.messages=100000",
			"-set batch.producer=true",
			"-set batch.producer=true -set socket." + sendBuffer,
			"-linger 50ms -set batch.num.messages=100000",
			"-set batch.producer=true -batch 65536",
		},
		{"", "-set messages=100000"},
	},
	rdkafka: {
		{
			"",
			"-linger 0",
			"-set copy=0",
			"-set call=100",
			"-set call=100 -set copy=0",
			"-set call=100 -set copy=0 -set socket." + sendBuffer,
			"-set call=100 -set copy=0 -set batch.num.messages=100000",
			"-set poll.inline=1",
			"-set call=100 -set copy=0 -batch 65536",
		},
		{"", "-set messages=100000"},
	},
	"java": {
		{
			"",
			"-linger 0",
			"-batch 65536",
			"-batch 262144",
			"-batch 262144 -set " + sendBuffer,
		},
		{"", "-memory 4194304", "-memory 8388608"},
	},
}

// sendBuffer gives the socket room for half of a request of 1 MiB. In librdkafka's name of it "socket." stands in front. sarama
// has none, nor a way to dial that keeps its timeouts.
const sendBuffer = "send.buffer.bytes=524288"

// sweep finds the best of the candidates, for each peer and scenario, and records it in best.json. The first metric of the
// scenario decides.
func (r *runner) sweep(list []scenario) error {
	best := r.best
	for i := range list {
		s := &list[i]
		t, err := r.open(s)
		if err != nil {
			return err
		}
		for _, p := range r.peers {
			if p.missing != nil || candidates[p.name] == nil {
				continue
			}
			args, err := r.sweepOne(t, s, p)
			if err != nil {
				return err
			}
			if best[p.name] == nil {
				best[p.name] = map[string]string{}
			}
			best[p.name][s.name] = strings.Join(args, " ")
			if s.name == "a" {
				best[p.name]["*"] = best[p.name][s.name]
			}
		}
		if err := t.close(); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(best, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.source, "cmd", "compare", "best.json"), append(text, '\n'), 0o666)
}

// sweepOne returns what was best in the last stage. Failures are printed. A candidate alone may not fail.
func (r *runner) sweepOne(t target, s *scenario, p *peer) ([]string, error) {
	best := []string{}
	for _, stage := range candidates[p.name] {
		var err error
		if best, err = r.sweepStage(t, s, p, best, stage); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// sweepStage returns the candidate with the best median, behind what the stages before found.
func (r *runner) sweepStage(t target, s *scenario, p *peer, found, stage []string) ([]string, error) {
	var tried []trial
	for _, c := range stage {
		args := fitting(s, slices.Concat(found, strings.Fields(c)))
		if !slices.ContainsFunc(tried, func(other trial) bool { return slices.Equal(other.args, args) }) {
			tried = append(tried, trial{args: args})
		}
	}
	if len(tried) == 1 {
		return tried[0].args, nil
	}
	inTurn(tried, r.rounds, func(args []string) (*sample, error) {
		return r.once(t, s, p, slices.Concat(r.args(t, s, p), p.args, args))
	})
	best, least := []string{}, 0.0
	for _, c := range tried {
		found := fmt.Sprint(c.failed)
		if c.failed == nil {
			median := spreadOf(c.got.figures(s.metric)).median
			found = noise(0.01).number(median)
			if least == 0 || s.metric.better(median, least) {
				best, least = append([]string{}, c.args...), median
			}
		}
		fmt.Printf("%-6s %-10s %-70s %s\n", s.name, p.name, strings.Join(c.args, " "), found)
	}
	if least == 0 {
		return nil, fmt.Errorf("no settings of %s work in (%s)", p.title, s.name)
	}
	return best, nil
}

// A trial is a candidate of a sweep, and what it gave.
type trial struct {
	args   []string
	got    rounds
	failed error // of its first run that failed: it has no more
}

// inTurn runs the trials one after the other, as often as there are rounds, so that a machine that becomes slower does so for
// all of them. Each round begins with another one.
func inTurn(tried []trial, rounds int, run func(args []string) (*sample, error)) {
	for round := range rounds {
		for i := range tried {
			c := &tried[(i+round)%len(tried)]
			if c.failed != nil {
				continue
			}
			one, err := run(c.args)
			if err != nil {
				c.failed = err
				continue
			}
			c.got = append(c.got, one)
		}
	}
}
