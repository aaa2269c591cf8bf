package produce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/lines"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// job is one run of the command. Its reading goroutine is started and waited for by run.
type job struct {
	env         *cli.Env
	options     *options
	producer    *producer.Producer
	record      producer.Record // what all records have in common
	splitter    lines.Splitter
	sources     []*source
	undelivered *undelivered
	pool        *pool
	gate        *gate
	txns        *transactions // nil: every line is on its own
	maxLine     int           // bytes
	verb        string        // what becomes of a line that is delivered
	watch       *cli.Watch
	remarks     *remarks
	typed       bool // somebody types the lines, at the terminal that shows them
	began       time.Time

	read         atomic.Int64 // lines
	acknowledged atomic.Int64 // lines
	bytes        atomic.Int64 // of these, newlines excluded

	fed chan error // what kept the reading goroutine from reading everything, or nil, once it has ended
}

func run(env *cli.Env, o *options, args []string) error {
	j := &job{env: env, options: o, gate: newGate(), fed: make(chan error, 1)}
	var err error
	if j.record, err = o.template(); err != nil {
		return err
	}
	if j.splitter, err = o.splitter(); err != nil {
		return err
	}
	j.remarks = newRemarks(env, &j.splitter)
	o.warnOfFiles(env)
	ctx, release := env.UntilInterrupted(context.Background())
	defer release()
	cfg, err := o.config(ctx, env)
	if err != nil {
		return err
	}
	if o.sizeGiven && cfg.TransactionalID == "" {
		return cli.Usagef("--transaction-size is of use only with --transactional-id: without an id there are no transactions")
	}
	if j.sources, err = sources(env, args); err != nil {
		return err
	}
	j.typed = env.Interactive && slices.ContainsFunc(j.sources, func(s *source) bool { return s.stdin != nil })
	if j.typed {
		env.Screen.Still() // nothing may be written over what is being typed
	}
	if j.undelivered, err = openUndelivered(ctx, env, o, j.sources); err != nil {
		return err
	}
	defer j.undelivered.close()
	if err := j.open(ctx, cfg); err != nil {
		return err
	}
	release() // the next is for run
	if interrupted, ok := errors.AsType[*cli.Interrupted](context.Cause(ctx)); ok {
		cli.CloseNow(j.producer)
		return fmt.Errorf("%w; nothing was read or sent", interrupted)
	}
	return j.run()
}

// open connects. No line is read before it succeeds, so that a mistake costs nothing.
func (j *job) open(ctx context.Context, cfg producer.Config) error {
	const blocksBeside = 32 << 20 // bytes of input beyond what the producer buffers
	j.maxLine = cfg.MaxRequestSize + j.splitter.Longer()
	j.pool = newPool(cfg.BufferMemory+blocksBeside, j.finished)
	j.verb, j.watch = cli.Verb(&cfg), cli.NewWatch(j.env, &cfg)
	if cfg.TransactionalID != "" {
		// The lines of a transaction are held until it ends. It could not end if reading them waited for memory.
		j.txns = newTransactions(j, &cfg)
		j.pool = newPool(math.MaxInt64, j.txns.finished)
	}
	j.pool.taken, j.pool.freed = j.undelivered.taken, j.undelivered.freed

	began := time.Now()
	p, partitions, err := j.options.settings.Open(ctx, j.env, cfg, j.record.Topic)
	if err != nil {
		return fmt.Errorf("%w; nothing was read or sent", err)
	}
	if n, named := j.record.Partition.Get(); named && int(n) >= partitions {
		if err := cli.AwaitPartition(ctx, j.env, p, j.record.Topic, n, cli.StartPatience(&cfg)-time.Since(began)); err != nil {
			cli.CloseNow(p)
			return fmt.Errorf("%w; nothing was read or sent", err)
		}
	}
	j.producer = p
	if j.txns != nil {
		if err := cli.InitTransactions(ctx, j.env, p, cli.StartPatience(&cfg)); err != nil {
			cli.CloseNow(p)
			return fmt.Errorf("%w; nothing was read or sent", err)
		}
	}
	return nil
}

// run reads and sends everything, waits for the outcomes, and reports them.
func (j *job) run() error {
	j.began = time.Now()
	if j.typed && len(j.sources) == 1 && !j.options.quiet {
		when := ""
		if j.txns != nil {
			when = fmt.Sprintf(", committed with others after %s or %v", ui.Number(int64(j.txns.size), "line"), j.txns.age)
		}
		j.env.Say("each line that you type is a record%s; Ctrl-D ends", when)
	}
	tick := j.env.Screen.Every(200*time.Millisecond, j.progress)
	j.env.AtOnce(j.endAtOnce)
	go j.start()
	interrupt, input := j.await()
	tick()
	j.undelivered.endLong(errStopped)
	j.undelivered.flush()
	return j.summary(input, interrupt)
}

// await waits until the reading goroutine has ended and every line has its outcome. The first interrupt ends the reading, the
// second gives up what is under way. It returns the last interrupt, and the error that kept the input from being read to its
// end.
func (j *job) await() (interrupt os.Signal, input error) {
	ctx, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	closed := make(chan error, 1)
	closing := false
	finish := func() {
		if !closing {
			closing = true
			go func() { closed <- cli.Close(ctx, j.producer) }()
		}
	}
	enough := j.undelivered.enough
	for fed, open := j.fed, true; fed != nil || open; {
		select {
		case <-enough:
			enough = nil
			if fed != nil && j.stopReading() {
				input, fed = errStopped, nil
				finish()
			}
		case input = <-fed:
			fed = nil
			finish()
		case err := <-closed:
			open = false
			if err != nil {
				j.env.Say("given up: %v", err) // these records are among the undelivered
			}
		case sig := <-j.env.Interrupts:
			switch {
			case interrupt != nil:
				j.undelivered.givenUp.Store(true)
				giveUp()
				finish() // which also ends a send that waits for room
			case fed == nil:
				j.env.Say("all lines are read; waiting for what is under way (Ctrl-C again gives it up)")
			default:
				if j.stopReading() {
					input, fed = errStopped, nil
					finish()
				}
				// Of a line that is just being read it is not known yet whether it counts, so the summary tells how many.
				j.env.Say("stopped reading; waiting for what is under way (Ctrl-C again gives it up)")
			}
			interrupt = sig
		}
	}
	return interrupt, input
}

// stopReading closes the gate. It reports whether the reading goroutine hangs in a read and is to be left there.
func (j *job) stopReading() (left bool) {
	abandoned := j.gate.stop()
	if abandoned && j.txns != nil {
		j.txns.hang() // it ends by that
		return false
	}
	return abandoned
}

// finished is the callback of every line.
func (j *job) finished(l *line, _ producer.RecordMetadata, err error) {
	if err == nil {
		j.arrived(l)
	} else {
		j.undelivered.add(l, err)
	}
}

// arrived counts a line that is delivered.
func (j *job) arrived(l *line) {
	j.acknowledged.Add(1)
	j.bytes.Add(int64(len(l.text)))
	j.undelivered.passed(l)
}

// progress shows how it goes, and brings undelivered lines to their file.
func (j *job) progress() {
	j.undelivered.flush()
	stats := j.producer.Stats()
	trouble := j.watch.Look(time.Now(), stats)
	if !j.env.Screen.Live() || j.options.quiet {
		return
	}
	took := time.Since(j.began)
	read, acknowledged, failed := j.read.Load(), j.acknowledged.Load(), j.undelivered.failed()
	j.env.Screen.Status(fmt.Sprintf("%s read, %s%s, %s failed, %s, %s in flight, %s sent again",
		ui.Number(read, "line"), j.delivered(acknowledged), trouble, ui.Count(failed),
		ui.MegabytesPerSecond(j.bytes.Load(), took), ui.Count(stats.InFlight), ui.Count(stats.Retried)))
}

// delivered counts lines whose outcome is the one that was wanted.
func (j *job) delivered(lines int64) string {
	if j.txns != nil {
		return j.txns.progress(lines)
	}
	return ui.Count(lines) + " " + j.verb
}

// summary reports what became of all lines, and returns the command's result. input is the error that kept the rest of the
// input from being read, interrupt the last signal. Both may be nil.
func (j *job) summary(input error, interrupt os.Signal) error {
	took := time.Since(j.began)
	read, acknowledged, failed := j.read.Load(), j.acknowledged.Load(), j.undelivered.failed()
	if !j.options.quiet || failed > 0 || input != nil {
		again := ""
		if n := j.producer.Stats().Retried; n > 0 {
			again = fmt.Sprintf("; %s sent again", ui.Number(n, "record"))
		}
		j.env.Say("%s read, %s, %s failed in %s (%s/s, %s%s)",
			ui.Number(read, "line"), j.delivered(acknowledged), ui.Count(failed), ui.Elapsed(took),
			ui.PerSecond(acknowledged, took), ui.MegabytesPerSecond(j.bytes.Load(), took), again)
	}
	if !j.options.quiet {
		j.remarks.report(read)
	}
	j.undelivered.report(j.options.failedTo)
	broken, isBroken := errors.AsType[*brokenError](input)
	if errors.Is(input, errStopped) || isBroken {
		// For those who want to go on from there.
		for _, s := range j.sources {
			j.env.Say("  of %s, %s read", s.name, ui.Number(s.lines, "line"))
		}
	}
	switch {
	case isBroken && interrupt == nil:
		return fmt.Errorf("no more transactions: %w", broken)
	case interrupt == nil && errors.Is(input, errStopped):
		return errors.New(j.enough(failed))
	case interrupt != nil && (input != nil || failed > 0):
		return &cli.Reported{Err: &cli.Interrupted{Signal: interrupt}}
	case input != nil:
		return input
	case acknowledged != read:
		return &cli.Reported{Err: fmt.Errorf("%s not delivered", ui.Number(failed, "line"))}
	}
	return nil
}

// enough says why reading was stopped although nobody has asked for it.
func (j *job) enough(failed int64) string {
	if most := j.options.maxErrors; most > 0 && failed >= most {
		text := fmt.Sprintf("stopped reading: --max-errors is %s, and %s failed", ui.Count(most), ui.Number(failed, "line"))
		if more := failed - most; more > 0 {
			text += fmt.Sprintf("; %s of them had been read when so many had failed", ui.Count(more))
		}
		return text
	}
	return "stopped reading: there is no room for more lines that are not delivered; name a place with --failed-to FILE"
}

// start reads and sends everything. With transactions another goroutine reads, and passes the lines on.
func (j *job) start() {
	if j.txns == nil {
		j.fed <- j.feed(j.send)
		return
	}
	read := make(chan error, 1)
	go func() {
		read <- j.feed(func(l *line) { j.txns.lines <- l })
		close(j.txns.lines)
	}()
	j.fed <- j.txns.run(read)
}

// feed reads until the input ends or the gate closes, and hands over each line.
func (j *job) feed(hand func(*line)) error {
	for i, s := range j.sources {
		err := j.feedFrom(s, hand)
		if err == nil {
			continue
		}
		if !errors.Is(err, errStopped) {
			err = fmt.Errorf("%s: reading stopped after %s: %w", s.name, ui.Number(s.lines, "line"), ui.OneLine(err))
			if left := len(j.sources) - i - 1; left > 0 {
				err = fmt.Errorf("%w; not sent: %s after it", err, ui.Number(int64(left), "file"))
			}
		}
		return err
	}
	return nil
}

// feedFrom hands over the lines of one input.
func (j *job) feedFrom(s *source, hand func(*line)) error {
	var in io.ReadCloser
	var err error
	stopped := j.gate.during(func() { in, err = s.open() }) // a pipe waits for its writer
	if err != nil && !stopped {
		return err
	}
	if err == nil {
		defer in.Close()
	}
	if stopped {
		return errStopped
	}
	r := &reader{pool: j.pool, gate: j.gate, in: j.sniffed(in, s), source: s, maxLine: j.maxLine}
	defer r.close()
	for {
		l, err := r.next()
		switch {
		case err == nil:
			j.read.Add(1)
			if err := j.demand(l); err != nil {
				return err
			}
			hand(l)
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errTooLong):
			if err := j.refuseLong(r, s); err != nil {
				return err
			}
		default:
			j.keepRest(r, err)
			return err
		}
	}
}

// sniffed unpacks an input, or refuses it. Lines that somebody types are taken as they are.
func (j *job) sniffed(in io.Reader, s *source) io.Reader {
	if j.typed && s.stdin != nil {
		return in
	}
	return lines.Unpacked(in, s.name, j.splitter.Delimiters(), j.env.Say)
}

func (j *job) send(l *line) {
	j.producer.SendFunc(context.Background(), j.recordOf(l), l.done)
}
