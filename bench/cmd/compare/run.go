package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// A runner runs scenarios.
type runner struct {
	*builder
	peers    []*peer
	rounds   int
	warmup   time.Duration
	duration time.Duration
	steady   time.Duration // at most, for who warms up until its rate is steady
	verify   bool
	best     settings
	real     string // bootstrap addresses of a real Kafka; "" = the sink
	machine  string
	date     string

	trip func() float64 // roundTrip
}

// An outcome is all that a scenario gave.
type outcome struct {
	scenario *scenario
	by       map[string]rounds // by name of the peer
	commands map[string]string
	failures map[string]error // peers that gave nothing, and why
	codecs   map[string]rounds
	more     []sum // beyond those that by and codecs have
}

// samples are those of all runs of clients.
func (o *outcome) samples() iter.Seq[*sample] {
	return func(yield func(*sample) bool) {
		for _, r := range o.by {
			for _, s := range r {
				if s != nil && !yield(s) {
					return
				}
			}
		}
		for _, s := range o.more {
			if !yield(s.Whole) || !yield(s.Bare) {
				return
			}
		}
	}
}

func (r *runner) open(s *scenario) (target, error) {
	if r.real != "" {
		return openReal(r.real, s)
	}
	args := slices.Clone(s.sink)
	if r.verify {
		args = append(args, "-verify")
	}
	return r.startSink(args)
}

// order is the order of the clients in a round. Each round has its own, the same in each comparison. If the order never
// changed, Epistle again would always run right after Epistle, and the noise would only be that of two seconds.
func order(round, clients int) []int {
	return rand.New(rand.NewPCG(driver.Seed, uint64(round))).Perm(clients)
}

// scenario runs all clients in turn, as often as there are rounds.
func (r *runner) scenario(s *scenario) (*outcome, error) {
	t, err := r.open(s)
	if err != nil {
		return nil, err
	}
	defer t.close()
	o := &outcome{scenario: s, by: map[string]rounds{}, commands: map[string]string{}, failures: map[string]error{}, codecs: map[string]rounds{}}
	for round := range r.rounds {
		for _, i := range order(round, len(r.peers)) {
			p := r.peers[i]
			if p.missing != nil || !p.knows(s) || p.name == idle && r.real != "" {
				continue
			}
			if p.sitsOut(round, r.rounds) {
				o.by[p.name] = append(o.by[p.name], nil)
				continue
			}
			got, err := r.turn(t, o, p)
			if err != nil {
				o.failures[p.name] = err
				fmt.Printf("  %s, round %d: %v\n", p.title, round+1, err)
			}
			o.by[p.name] = append(o.by[p.name], got)
		}
		if err := r.codecsAlone(o); err != nil {
			fmt.Printf("  codecs alone, round %d: %v\n", round+1, err)
		}
	}
	if err := r.sumUp(t, o); err != nil {
		fmt.Printf("  what a record costs with a codec: %v\n", err)
	}
	return o, nil
}

// turn is one run of a client.
func (r *runner) turn(t target, o *outcome, p *peer) (*sample, error) {
	args := r.command(t, o.scenario, p)
	o.commands[p.name] = r.shorten(strings.Join(append(slices.Clone(p.command), args...), " "))
	return r.around(func() (*sample, error) { return r.once(t, o.scenario, p, args) })
}

// command is all flags of a run.
func (r *runner) command(t target, s *scenario, p *peer) []string {
	return slices.Concat(r.args(t, s, p), p.args, r.best.of(p, s))
}

// args are the flags of a run but for the peer's own settings.
func (r *runner) args(t target, s *scenario, p *peer) []string {
	args := []string{"-b", t.bootstrap(), "-topic", t.topic(), "-client", p.name,
		"-warmup", r.warmup.String(), "-duration", r.duration.String(), "-values", r.values(s)}
	if s.sets("-key") {
		args = append(args, "-keys", r.keys())
	}
	args = append(args, s.args...)
	if p.name == limit {
		args = append(args, s.limit...)
	}
	if p.steady && r.steady > 0 {
		args = append(args, "-steady", r.steady.String())
	}
	return args
}

// once runs a driver, and checks that the target has counted each record that the driver calls acknowledged.
func (r *runner) once(t target, s *scenario, p *peer, args []string) (*sample, error) {
	if err := t.begin(); err != nil {
		return nil, err
	}
	got, err := r.drive(p, args)
	if err != nil {
		return nil, err
	}
	counted, err := t.arrived(p.name)
	switch {
	case err != nil:
		return nil, err
	case counted.Faults > 0:
		return nil, fmt.Errorf("%d batches were refused", counted.Faults)
	case counted.Records != got.Acknowledged:
		return nil, fmt.Errorf("%d records arrived, %d were acknowledged", counted.Records, got.Acknowledged)
	case got.Errors > 0:
		return nil, fmt.Errorf("%d records failed", got.Errors)
	}
	got.count(counted, s)
	return got, nil
}

// drive runs a driver and reads its line.
func (r *runner) drive(p *peer, args []string) (*sample, error) {
	ctx, cancel := context.WithTimeout(context.Background(), r.warmup+r.duration+2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.command[0], append(slices.Clone(p.command[1:]), args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, lastLine(stderr.String()))
	}
	var s sample
	if err := json.Unmarshal(stdout.Bytes(), &s.Result); err != nil {
		return nil, fmt.Errorf("its line of JSON: %w", err)
	}
	return &s, nil
}

// codecsAlone lets the codecs of Epistle and librdkafka compress batches that are as large, on average, as the client's were in
// this round. Nothing is sent.
func (r *runner) codecsAlone(o *outcome) error {
	if o.scenario.codec == "" {
		return nil
	}
	var errs error
	for client, program := range map[string]string{epistle: limit, rdkafka: rdkafka} {
		last := len(o.by[client]) - 1
		if last < 0 || o.by[client][last] == nil || o.by[client][last].Batches == 0 {
			o.codecs[client] = append(o.codecs[client], nil)
			continue
		}
		p := peerNamed(program)
		if p.command == nil {
			continue
		}
		got, err := r.codecAlone(o.scenario, p, o.by[client][last])
		errs = errors.Join(errs, err)
		o.codecs[client] = append(o.codecs[client], got)
	}
	return errs
}

// codecAlone has p compress batches as large, on average, as those of a run were.
func (r *runner) codecAlone(s *scenario, p *peer, of *sample) (*sample, error) {
	const overhead = 9 // bytes of a record besides its value
	size := math.Ceil(float64(of.Acknowledged) / float64(of.Batches) * float64(s.size+overhead))
	return r.drive(p, []string{"-alone", "-values", r.values(s), "-size", fmt.Sprint(s.size),
		"-codec", s.codec, "-batch", fmt.Sprint(int(size)), "-duration", r.duration.String()})
}

// versions are those of the clients that gave anything.
func versions(outcomes []*outcome) map[string]string {
	v := map[string]string{}
	for _, o := range outcomes {
		for name, r := range o.by {
			for _, s := range r {
				if s != nil && s.Version != "" {
					v[name] = s.Version
				}
			}
		}
	}
	return v
}
