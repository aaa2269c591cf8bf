package perf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

func run(env *cli.Env, o *options) error {
	if err := o.check(); err != nil {
		return err
	}
	cfg, payloads, err := o.read(env)
	if err != nil {
		return err
	}
	if err := o.checkSize(cfg, payloads); err != nil {
		return err
	}
	if err := o.checkTransactions(cfg); err != nil {
		return err
	}
	var page *reportFile
	if o.report != "" {
		if page, err = openReport(o.report); err != nil {
			return err
		}
		defer page.discard()
	}
	p, err := open(env, o, cfg)
	if err != nil {
		return err
	}
	if payloads != nil && !o.json {
		env.Say("%s", told(payloads))
	}
	m := &measurement{env: env, options: o, cfg: cfg, file: page, producer: p, verb: cli.Verb(&cfg), watch: cli.NewWatch(env, &cfg), load: &load{
		producer: p, topic: string(o.topic), size: o.size, keySize: o.keySize, payloads: payloads, headers: o.fixed,
		goroutines: o.goroutines, rate: o.rate, random: randomText(randomSize + max(o.size, o.keySize)),
	}}
	if cfg.TransactionalID != "" {
		m.load.txns = &transactions{env: env, producer: p, size: o.transactionSize, patience: cli.Patience(&cfg)}
	}
	return m.run()
}

// read reads the files that are named, until it is interrupted.
func (o *options) read(env *cli.Env) (cfg producer.Config, list []payload, err error) {
	ctx, release := env.UntilInterrupted(context.Background())
	defer release()
	if cfg, err = o.settings.Config(ctx, env); err != nil {
		return cfg, nil, err
	}
	list, err = cli.Await(ctx, func() ([]payload, error) { return o.payloads(env) }, nil)
	if interrupted, ok := errors.AsType[*cli.Interrupted](context.Cause(ctx)); ok {
		return cfg, nil, fmt.Errorf("%w; nothing was sent", interrupted)
	}
	return cfg, list, err
}

// open connects, and begins with transactions if there are to be some.
func open(env *cli.Env, o *options, cfg producer.Config) (*producer.Producer, error) {
	ctx, release := env.UntilInterrupted(context.Background())
	defer release()
	p, _, err := o.settings.Open(ctx, env, cfg, string(o.topic))
	if err != nil || cfg.TransactionalID == "" {
		return p, err
	}
	if err := cli.InitTransactions(ctx, env, p, cli.StartPatience(&cfg)); err != nil {
		cli.CloseNow(p)
		return nil, err
	}
	return p, nil
}

// measurement is one run of the command.
type measurement struct {
	env      *cli.Env
	options  *options
	cfg      producer.Config
	file     *reportFile // nil: none is wanted
	producer *producer.Producer
	verb     string // what becomes of records that are delivered
	watch    *cli.Watch
	load     *load
	result   *result
	outcomes *outcomes
	states   *states // nil without a file
}

// run measures on a goroutine of its own, and listens to interrupts meanwhile: the first stops the load, the second fails what
// is under way.
func (m *measurement) run() error {
	giveUp, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.measure(giveUp)
	}()
	var interrupt os.Signal
	for running := true; running; {
		select {
		case <-done:
			running = false
		case sig := <-m.env.Interrupts:
			if interrupt != nil {
				cancel()
				m.producer.Close(giveUp) // ends sends that wait
			} else {
				m.env.Say("stopping; waiting for what is under way (Ctrl-C again gives it up)")
				m.load.stopped.Store(true)
			}
			interrupt = sig
		}
	}
	m.producer.Close(giveUp)
	return m.report(interrupt)
}

// measure does the warm-up and then what counts.
func (m *measurement) measure(giveUp context.Context) {
	if m.options.warmup > 0 {
		stop := m.progress("warm-up", m.options.warmup)
		o := newOutcomes()
		m.load.run(m.options.warmup, m.options.every(), o)
		m.producer.Flush(giveUp)
		stop()
		if n := o.failed.Load(); n > 0 {
			m.env.Say("%s of the warm-up failed, the first because of: %v", ui.Number(n, "record"), *o.first.Load())
		}
	}
	m.outcomes = newOutcomes()
	stop := m.progress("", m.options.records)
	runtime.GC()
	before := m.producer.Stats()
	watched := func() *states { return nil }
	if m.file != nil {
		m.outcomes.intervals = newIntervals()
		watched = m.watchStates()
	}
	from := usageNow()
	sent := m.load.run(m.options.records, m.options.every(), m.outcomes)
	// Flush ends early only with giveUp, after which Close has failed the rest.
	m.producer.Flush(giveUp)
	if giveUp.Err() != nil {
		cli.Close(giveUp, m.producer)
	}
	to := usageNow()
	m.states = watched()
	stop()
	after := m.producer.Stats()
	m.result = newResult(sent, m.load.bytes.Load(), from, to, m.outcomes)
	m.result.Retries, m.result.SentBytes = after.Retried-before.Retried, after.BytesSent-before.BytesSent
}

// watchStates begins to take states.
func (m *measurement) watchStates() (stop func() *states) {
	base := time.Now()
	return watchStates(func() state {
		metrics := m.producer.Metrics()
		return state{at: time.Since(base), stats: m.producer.Stats(), batches: metrics.Records.Batches, cpu: cpuTime(), resident: residentMemory()}
	})
}

// progress shows how it goes until the returned function is called, and tells when it does not.
func (m *measurement) progress(phase string, records int64) (stop func()) {
	if phase != "" {
		phase += ": "
	}
	began := time.Now()
	before := m.producer.Stats()
	return m.env.Screen.Every(500*time.Millisecond, func() {
		now := m.producer.Stats()
		trouble := m.watch.Look(time.Now(), now)
		took, delivered := time.Since(began), now.Acknowledged-before.Acknowledged
		m.env.Screen.Status(fmt.Sprintf("%s%s of %s %s%s, %s/s, %s, %s in flight, %s sent again, %s failed", phase,
			ui.Count(delivered), ui.Number(records, "record"), m.verb, trouble, ui.PerSecond(delivered, took),
			ui.MegabytesPerSecond(now.BytesSent-before.BytesSent, took), ui.Count(now.InFlight), ui.Count(now.Retried-before.Retried),
			ui.Count(now.Failed-before.Failed)))
	})
}

// report prints the figures, and is the command's outcome.
func (m *measurement) report(interrupt os.Signal) error {
	if m.options.json {
		if err := m.result.writeJSON(m.env.Stdout); err != nil {
			return err
		}
	} else {
		m.result.write(m.env.Stdout)
	}
	if m.file != nil {
		if err := m.file.write(m.page(time.Now())); err != nil {
			return err
		}
		if !m.options.json {
			m.env.Say("how it went is drawn in %s", m.options.report)
		}
	}
	var err error
	if n := m.result.Errors; n > 0 {
		lacking := m.verb
		if m.load.txns != nil {
			lacking = "committed"
		}
		err = fmt.Errorf("%s not %s, the first because of: %w", ui.Number(n, "record"), lacking, *m.outcomes.first.Load())
	} else if m.outcomes.broken != nil {
		err = fmt.Errorf("no more transactions: %w", m.outcomes.broken)
	}
	if interrupt != nil && (err != nil || m.result.Records < m.options.records) {
		if err != nil {
			m.env.Say("%v", err)
		}
		return &cli.Reported{Err: &cli.Interrupted{Signal: interrupt}}
	}
	return err
}
