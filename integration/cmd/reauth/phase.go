package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A world is a Kafka that is sent to.
type world interface {
	// create makes a topic.
	create(ctx context.Context, topic string, partitions int) error
	// remove deletes it again, if it can.
	remove(topic string)
	// follow begins to read a topic back; committed leaves out the records of aborted transactions.
	follow(topic string, partitions int, committed bool) (readBack, error)
}

// A soak is what all phases have in common.
type soak struct {
	world
	partitions, size, rate int
	every                  time.Duration // how often it is looked which records are due
	lifetime               time.Duration // of sessions, where they end
	progress               io.Writer
	topics                 int
}

// A phase is one load, by a producer of its own to a topic of its own.
type phase struct {
	name   string
	config producer.Config
	ending bool // sessions end, after soak.lifetime
	long   time.Duration
	// during, if it is set, happens while records flow. It begins nothing that would be over after the time that is its last
	// argument; if it is late all the same, records flow on until it returns. An error ends the phase. The end of ctx hurries it.
	during func(ctx context.Context, until time.Time) error
}

// A result is what became of a phase.
type result struct {
	name   string
	ending bool
	took   time.Duration // what was measured: the phase without its lead
	sent   int64
	figures
	cpu   time.Duration // of this process, for each record
	found findings
	stats producer.Stats
}

// patience bounds what comes after the last record: its acknowledgement, which delivery.timeout.ms bounds as well, and reading
// the rest of the topic.
const patience = 3 * time.Minute

// run has a phase happen. When ctx ends, it ends early: what was sent until then is flushed, read back and told all the same. An
// error says that it cannot be told what became of it.
func (s *soak) run(ctx context.Context, ph phase) (*result, error) {
	topic := s.nextTopic()
	if err := s.create(ctx, topic, s.partitions); err != nil {
		return nil, err
	}
	defer s.remove(topic)
	back, err := s.follow(topic, s.partitions, false)
	if err != nil {
		return nil, err
	}
	defer back.stop()
	p, err := producer.New(ph.config)
	if err != nil {
		return nil, err
	}
	defer closeProducer(p)
	if _, err := p.Partitions(ctx, topic); err != nil {
		return nil, err
	}
	l := s.load(topic)
	until := l.from.Add(ph.long)
	watched := s.watch(ph.name, until.Sub(l.began), func() string {
		stats := p.Stats()
		return standing(stats, stats.Failed, back.now())
	})
	defer watched()
	n, cpu, err := l.with(ctx, p, until, ph.during)
	if err != nil {
		return nil, err
	}
	if now := time.Now(); now.Before(until) || ph.during != nil {
		until = now
	}
	r := &result{name: ph.name, ending: ph.ending, took: max(until.Sub(l.from), 0), sent: n}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := p.Flush(after); err != nil {
		return nil, err
	}
	r.stats, r.figures = p.Stats(), l.acks.figures(until)
	if measured := r.rate * r.took.Seconds(); measured > 0 {
		r.cpu = time.Duration(float64(cpu) / measured)
	}
	r.found, err = back.finish(after, l.sent(n))
	return r, err
}

// with runs the load while something else happens.
func (l *load) with(ctx context.Context, p *producer.Producer, until time.Time, during func(context.Context, time.Time) error) (n int64, cpu time.Duration, err error) {
	if during == nil {
		n, cpu = l.run(ctx, p, until)
		return n, cpu, nil
	}
	calm, hurry := context.WithCancel(ctx)
	defer hurry()
	sending, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, 1) // sent to once
	go func() {
		err := during(calm, until)
		if err == nil {
			pause(calm, time.Until(until))
		}
		stop()
		failed <- err
	}()
	n, cpu = l.run(sending, p, until.Add(patience))
	hurry()
	return n, cpu, <-failed
}

func (s *soak) nextTopic() string {
	s.topics++
	return fmt.Sprintf("reauth-%d", s.topics)
}

func closeProducer(p *producer.Producer) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = p.Close(ctx) // what was to be told of its records has been told
}

// watchEvery is how often it is told how a phase goes.
const watchEvery = 10 * time.Second

// watch tells how a phase goes, until the function that it returns is called.
func (s *soak) watch(name string, long time.Duration, standing func() string) (stop func()) {
	began := time.Now()
	fmt.Fprintf(s.progress, "%s %s: %v\n", began.Format(time.TimeOnly), name, long.Round(time.Second))
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case now := <-tick.C:
				fmt.Fprintf(s.progress, "%s   %v: %s\n", now.Format(time.TimeOnly), now.Sub(began).Round(time.Second), standing())
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// standing is how a load stands, in words.
func standing(stats producer.Stats, failed int64, found findings) string {
	return fmt.Sprintf("%s acknowledged, %d failed, %d re-authentications; %s read back: %d missing, %d doubled, %d reordered, %d strange",
		grouped(stats.Acknowledged), failed, stats.Reauthentications, grouped(found.Read), found.Missing, found.Doubled, found.Reordered, found.Strange)
}

// warmUp is the name of the phase that comes first: what it measures is not compared.
const warmUp = "warm-up"

// alternate has phases whose sessions last and phases whose sessions end take turns, that many rounds.
func (s *soak) alternate(ctx context.Context, lasting, ending producer.Config, rounds int, long, before time.Duration) ([]*result, error) {
	var phases []phase
	if before > 0 {
		phases = append(phases, phase{name: warmUp, config: lasting, long: before})
	}
	for i := range rounds {
		phases = append(phases, phase{name: fmt.Sprintf("A%d: sessions last", i+1), config: lasting, long: long},
			phase{name: fmt.Sprintf("B%d: sessions end", i+1), config: ending, ending: true, long: long})
	}
	var results []*result
	for _, ph := range phases {
		if ctx.Err() != nil {
			break
		}
		r, err := s.run(ctx, ph)
		if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			break // before it had begun
		}
		if err != nil {
			return results, fmt.Errorf("%s: %w", ph.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// broken is which promises a phase of alternate breaks.
func (s *soak) broken(r *result) []string {
	all := r.loss()
	switch again := r.stats.Reauthentications; {
	case r.ending && again < s.least(r.took):
		all = append(all, fmt.Sprintf("%s: %d re-authentications in %v, in sessions of %v", r.name, again, r.took.Round(time.Second), s.lifetime))
	case !r.ending && again > 0:
		all = append(all, fmt.Sprintf("%s: %d re-authentications, in sessions that last: there is nothing to compare with", r.name, again))
	}
	return all
}

// least is how often a producer authenticates itself again in that time: each session when 85 to 95 % of it have passed, and the
// last may not be there yet.
func (s *soak) least(in time.Duration) int64 { return max(int64(in/s.lifetime)-1, 0) }

// loss is what happened to records of a phase that must not happen.
func (r *result) loss() (all []string) {
	say := func(format string, args ...any) { all = append(all, r.name+": "+fmt.Sprintf(format, args...)) }
	for _, of := range []struct {
		what string
		n    int64
	}{{"failed", r.failed}, {"missing", r.found.Missing}, {"doubled", r.found.Doubled}, {"reordered", r.found.Reordered},
		{"strange", r.found.Strange}} {
		if of.n > 0 {
			say("records %s: %s", of.what, grouped(of.n))
		}
	}
	if told := r.stats.Acknowledged + r.failed; told != r.sent {
		say("%s records were sent, and %s have an outcome", grouped(r.sent), grouped(told))
	}
	for _, text := range append(r.errors, r.found.Examples...) {
		say("%s", text)
	}
	return all
}

// sustained is what of the rate has to be reached, if it can be: the rest is the grain of the seconds.
const sustained = 0.98

// slower says if the rate is not sustained where sessions end, though the machine does where they last.
func (s *soak) slower(results []*result) (broken []string) {
	var rates [2]float64
	var n [2]int
	for _, r := range results {
		if r.seconds > 0 && r.name != warmUp {
			i := 0
			if r.ending {
				i = 1
			}
			rates[i] += r.rate
			n[i]++
		}
	}
	if n[0] == 0 || n[1] == 0 {
		return nil
	}
	lasting, ending := rates[0]/float64(n[0]), rates[1]/float64(n[1])
	if ending < sustained*min(lasting, float64(s.rate)) {
		broken = append(broken, fmt.Sprintf("%s records/s where sessions end, %s where they last", grouped(int64(ending)), grouped(int64(lasting))))
	}
	return broken
}
