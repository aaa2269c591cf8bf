package demo

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/admin"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// Command is `epistle demo`.
var Command = cli.Command{
	Name:    "demo",
	Args:    "[-b HOST:PORT] [-t TOPIC]",
	Summary: "send a real file, to brokers in this process or to yours, and check every record",
	About: `
Sends a file of some thousand events of an online shop, which is part of the program, keyed by
customer, and then checks what became of it.

Without -b it starts three brokers in this process, on ports of 127.0.0.1: nothing has to be
installed, and nothing is left behind. It then reads the brokers' logs and compares count, content,
order and checksums.

With -b it sends to that cluster. A topic that does not exist is created; one that exists gets the
records in addition to what it has. The program is no consumer: it compares the offsets before and
after with what was acknowledged. For another client to compare the content, --file-out writes the
lines as they were sent, key, colon, value.

Exit status: 0 if every check passed, 1 if not, 2 for a command line that makes no sense.`,
	Examples: `
epistle demo
epistle demo -b localhost:9092
epistle demo -b localhost:9092 -t demo-2 --file-out sent.txt`,
	Foreign: []cli.Foreign{
		{Names: "-n --records --num-records --count --size --record-size --rate --throughput", Takes: cli.One, Instead: "the demo sends the file that it brings along, as it is; `epistle perf` sends as many records as you like, at the rate that you like"},
		{Names: "--file --input-file --payload-file -K --key-delimiter -k --key -p --partition -H --header", Takes: cli.One, Instead: "the demo sends the file that it brings along, as it is; `epistle produce` sends yours"},
	},
	Setup: func(fs *pflag.FlagSet) cli.Run {
		o := options{topic: "epistle-demo"}
		o.settings.AddBootstrap(fs, "`host:port,…`: brokers of a cluster to send to; without it, brokers of its own")
		o.topic.AddTopic(fs)
		fs.Int32Var(&o.partitions, "partitions", 6, "`number`: how many partitions a topic gets that is created")
		fs.StringVar(&o.fileOut, "file-out", "", "`file`: write the lines there too, key:value")
		o.settings.AddProperties(fs)
		fs.BoolVarP(&o.quiet, "quiet", "q", false, "do not say at the end what to try next")
		return func(env *cli.Env, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("demo takes no arguments but flags: %s", strings.Join(args, " "))
			}
			return run(env, &o)
		}
	},
}

type options struct {
	settings   cli.Settings
	topic      cli.Topic
	partitions int32
	fileOut    string
	quiet      bool
}

// stage is where the demo takes place.
type stage interface {
	// prepare makes the topic and says so.
	prepare(ctx context.Context, d *demo) error
	// written counts the records that are in the logs since.
	written(ctx context.Context, d *demo) (int64, error)
	// check compares what was sent with what is there.
	check(ctx context.Context, d *demo, r *report) error
}

// demo is one run.
type demo struct {
	env      *cli.Env
	settings *cli.Settings
	cfg      producer.Config
	topic    string
	verb     string // what becomes of a record that is delivered
	events   []event
	placed   []producer.RecordMetadata // of each event, by index
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintln(d.env.Stdout, ui.Text(fmt.Sprintf(format, args...)))
}

func run(env *cli.Env, o *options) error {
	if o.partitions < 1 {
		return cli.Usagef("--partitions %d: a topic has at least one", o.partitions)
	}
	ctx, release := env.UntilInterrupted(context.Background())
	defer release()
	d := &demo{env: env, settings: &o.settings, topic: string(o.topic), events: events()}
	if _, err := cli.Await(ctx, func() (struct{}, error) { return struct{}{}, writeOut(o.fileOut, d.events) }, nil); err != nil {
		return err
	}
	place, err := o.stage(ctx, d)
	if err != nil {
		return err
	}
	if own, ok := place.(*ownBrokers); ok {
		defer own.cluster.Close()
	}
	if d.cfg.TransactionalID != "" {
		return cli.Usagef("transactional.id: the demo sends no transactions; epistle produce does")
	}
	if err := place.prepare(ctx, d); err != nil {
		return err
	}
	d.verb = cli.Verb(&d.cfg)
	if err := d.send(ctx); err != nil {
		return err
	}
	if err := d.settle(ctx, place); err != nil {
		return err
	}
	d.say("\nChecked, %s:", d.how(place))
	r := &report{d: d}
	if err := place.check(ctx, d, r); err != nil {
		return err
	}
	if r.failed > 0 {
		return fmt.Errorf("%s failed", ui.Number(int64(r.failed), "check"))
	}
	d.next(o)
	return nil
}

// settle waits until the logs have as much as was sent. With acks=0 nobody says when that is so, and with acks=1 followers may
// have yet to copy it, before which it is not to be read. It gives up when the logs no longer grow.
func (d *demo) settle(ctx context.Context, place stage) error {
	const pause, still = 100 * time.Millisecond, 5 * time.Second
	defer d.env.Screen.Status("")
	var most int64
	for grew := time.Now(); ; {
		n, err := place.written(ctx, d)
		switch {
		case err != nil:
			return err
		case n >= int64(len(d.events)) || time.Since(grew) > still:
			return nil
		case n > most:
			most, grew = n, time.Now()
		}
		d.env.Screen.Status(fmt.Sprintf("%s of %s are in the logs", ui.Count(n), ui.Count(int64(len(d.events)))))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// stage decides where, and makes the settings.
func (o *options) stage(ctx context.Context, d *demo) (stage, error) {
	if o.elsewhere() {
		cfg, err := o.settings.Config(ctx, d.env)
		d.cfg = cfg
		return &realCluster{admin: admin.New(cfg), partitions: o.partitions}, err
	}
	own, err := startOwn(int(o.partitions))
	if err != nil {
		return nil, err
	}
	o.settings.Bootstrap = strings.Join(own.cluster.Bootstrap(), ",")
	defer func() { o.settings.Bootstrap = "" }()
	if d.cfg, err = o.settings.Config(ctx, d.env); err != nil {
		own.cluster.Close()
		return nil, err
	}
	return own, nil
}

// elsewhere says that the user has named a cluster.
func (o *options) elsewhere() bool {
	return o.settings.Bootstrap != "" || o.settings.Has("bootstrap.servers") || o.settings.HasFile()
}

func (d *demo) how(place stage) string {
	if _, ok := place.(*ownBrokers); ok {
		return "by what the brokers have in their logs"
	}
	return "by the offsets that the cluster tells"
}

// writeOut writes the lines as `epistle produce -K :` would take them.
func writeOut(name string, events []event) error {
	if name == "" {
		return nil
	}
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s:%s\n", e.key, e.value)
	}
	if holds(name, b.String()) {
		return cli.Usagef("--file-out: %s holds something else, and is not written over; name another file", ui.Plain(name))
	}
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		return cli.Usagef("--file-out: %v", err)
	}
	return nil
}

// holds reports whether a file holds anything but text. A pipe counts as empty: to read it would wait for its writer.
func holds(name, text string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	there, err := os.ReadFile(name)
	return err == nil && len(there) > 0 && string(there) != text
}

// next suggests what to try, in lines that can be copied.
func (d *demo) next(o *options) {
	if o.quiet {
		return
	}
	epistle := d.env.Command()
	d.say("\nWhat to try next:")
	if !o.elsewhere() {
		d.say("  %s help                            what there is", epistle)
		d.say("  %s demo -X acks=0                  the same, at most once", epistle)
		d.say("and with a Kafka of yours at localhost:9092:")
		d.say("  %s demo -b localhost:9092          the same there", epistle)
		d.say("  seq 1000 | %s produce -b localhost:9092 -t numbers", epistle)
		d.say("  %s perf -b localhost:9092 -t load -n 100000", epistle)
		return
	}
	b := strings.Join(d.cfg.BootstrapServers, ",")
	d.say("  seq 1000 | %s produce -b %s -t %s", epistle, b, d.topic)
	d.say("  %s perf -b %s -t %s -n 100000", epistle, b, d.topic)
	d.say("and with Kafka's own tools:")
	d.say("  kafka-console-consumer.sh --bootstrap-server %s --topic %s --from-beginning", b, d.topic)
}

// patience bounds what the demo does besides sending.
const patience = time.Minute
