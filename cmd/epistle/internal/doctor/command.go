package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// Command is `epistle doctor`.
var Command = cli.Command{
	Name:    "doctor",
	Args:    "-b HOST:PORT [-t TOPIC]",
	Summary: "find out what keeps a producer from sending, and say what to do",
	About: `
Goes the way of a record, stage by stage, with the settings that a producer would have, and says of
each stage how it went, how long it took, and what to do about what is wrong: names, connections,
TLS, versions, SASL, metadata, the addresses that brokers advertise, round trips, leaders, rights,
the settings of the topic. A stage that cannot be done says because of which one.

A verdict is ok, notice (it works, and deserves a look), failed or skipped. The first that failed is
the one to put right.

Nothing is changed in the cluster that a start of a producer would not change. No topic is created,
and no record is written unless --send asks for one. One producer id is taken, as each start of a
producer takes one. With --transactional-id the coordinator is asked to abort a transaction of a
producer that cannot be: it says whether you may use the id, and refuses, and whoever has the id goes
on.

Each stage of a connection, and each request, may take socket.connection.setup.timeout.ms or
request.timeout.ms, whichever is less, and all of them together --timeout. Ctrl-C ends it, and what
is known by then is printed.

--json prints the report as one JSON object on standard output, times in milliseconds, instead of the
lines. No secret is in either.

Exit status: 0 if nothing failed, 1 if a stage has, 2 for settings or a command line that make no
sense, 130 or 143 after Ctrl-C or SIGTERM.`,
	Examples: `
epistle doctor -b localhost:9092
epistle doctor -b broker:9093 --config producer.properties -t orders
epistle doctor -b broker:9093 --config producer.properties --user alice -t orders --send
epistle doctor -b broker:9092 -t orders --transactional-id billing-1 --json`,
	Foreign: foreign,
	Setup:   setup,
}

// foreign are what others call these flags.
var foreign = []cli.Foreign{
	{Names: "-L --list", Takes: cli.Nothing, Drop: true},
	{Names: "--topics", Takes: cli.One, Flag: "topic"},
}

// options is what the command line says.
type options struct {
	settings        cli.Settings
	topics          []string
	transactionalID string
	timeout         time.Duration
	send, json      bool
}

func setup(fs *pflag.FlagSet) cli.Run {
	var o options
	o.settings.AddBootstrap(fs, cli.BootstrapUsage)
	fs.StringArrayVarP(&o.topics, "topic", "t", nil, "`name`: a topic to look at; repeatable")
	fs.BoolVar(&o.send, "send", false, "write one test record to the (first) topic, and tell where it is")
	fs.StringVar(&o.transactionalID, "transactional-id", "", "`id`: the transactional id that is to be used; whoever uses it goes on")
	fs.DurationVar(&o.timeout, "timeout", 30*time.Second, "`duration`: how long all of it may take")
	fs.BoolVar(&o.json, "json", false, "print the report as one JSON object")
	o.settings.AddProperties(fs)
	return func(env *cli.Env, args []string) error {
		if len(args) > 0 {
			return cli.Usagef("doctor takes no arguments but flags: %s%s", strings.Join(args, " "), cli.Positional(args))
		}
		if fs.Changed("transactional-id") {
			o.settings.Set("--transactional-id", "transactional.id", o.transactionalID)
		}
		return run(env, &o)
	}
}

func (o *options) check() error {
	switch {
	case slices.Contains(o.topics, ""):
		return cli.Usagef("--topic: the value is empty, as an unset variable is; give a name, or leave --topic out")
	case o.timeout <= 0:
		return cli.Usagef("--timeout %v: want more than 0", o.timeout)
	case o.send && len(o.topics) == 0:
		return cli.Usagef("--send: to which topic? Name it with -t")
	}
	return nil
}

func run(env *cli.Env, o *options) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, release := env.UntilInterrupted(context.Background())
	defer release()
	cfg, err := o.settings.Config(ctx, env)
	if err != nil {
		return err
	}
	options := []producer.DiagnoseOption{producer.DiagnoseTopics(o.topics...), producer.DiagnoseWithin(o.timeout)}
	if o.send {
		options = append(options, producer.DiagnoseSend())
	}
	if !o.json {
		options = append(options, producer.DiagnoseTold(func(c producer.Check) {
			fmt.Fprint(env.Stdout, lines(&c))
			env.Screen.Status("after " + string(c.Stage) + " …")
		}))
		env.Screen.Status("looking …")
	}
	d, err := producer.Diagnose(ctx, cfg, options...)
	env.Screen.Status("")
	if err != nil {
		return cli.Usagef("%v", ui.OneLine(err))
	}
	if o.json {
		err = writeJSON(env.Stdout, d)
	} else {
		_, err = fmt.Fprint(env.Stdout, summary(d))
	}
	if err != nil {
		return fmt.Errorf("the report could not be written: %w", err)
	}
	if interrupted, ok := errors.AsType[*cli.Interrupted](d.Interrupted); ok {
		return &cli.Reported{Err: interrupted}
	}
	if !d.Healthy() {
		return &cli.Reported{Err: errors.New("not healthy")}
	}
	return nil
}
