// Reauth shows on a real Kafka, under load, what becomes of records while sessions end and while secrets are replaced:
//
//	reauth [-duration 10m] [-rate 100000] [-lifetime 10s] [-rounds 2] [-mechanism SCRAM-SHA-256] [-tls] [-transactions 5m]
//	reauth -rotate [-duration 10m] [-rate 20000] [-run REGEXP]
//
// It starts brokers on the JVM. Progress goes to standard error and a report in Markdown to standard output.
//
// Without -rotate, an idempotent producer sends records of some bytes to several partitions, at an even rate: in phases A over
// connections whose sessions last, in phases B over ones whose sessions end, which take turns. -duration is that of all phases B
// together, and of all phases A. Then transactions are made where sessions end: short ones, some of which are aborted on
// purpose, and at the same time ones that outlast several sessions.
//
// With -rotate it does so while secrets are replaced again and again. They have equal parts of the duration. A password changes
// at the brokers first, and some time later in the file. The certificates of the client and of the brokers change, and so does
// the authority that both trust: in files that are renamed, and in ones that are mounted as Kubernetes does it. The endpoint
// for tokens moves to another address. It is also down when a token is about to be refreshed.
//
// The promises: no record fails, is missing, doubled or out of order, sessions do end, the rate is sustained, and the new secrets
// are used. Another client reads everything back meanwhile, in a process of its own, and deletes what it has read. The exit
// status is 0 if all promises held, 1 if one was broken, 2 if it cannot be told, and 130 if an interrupt has cut it short and
// none was broken until then. The first interrupt ends the load, and what was sent is checked and told; a second one ends the
// program at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"
	"time"
)

const (
	statusBroken      = 1
	statusUnknown     = 2
	statusInterrupted = 130
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == followCommand {
		if err := followTopic(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "reauth: reading back:", err)
			os.Exit(statusUnknown)
		}
		return
	}
	os.Exit(run(os.Args[1:]))
}

// options are the flags.
type options struct {
	bedOptions
	duration, transactions, warmUp time.Duration
	rate, rounds, partitions, size int
	rotate                         bool
	which                          *regexp.Regexp
}

var mechanisms = []string{"SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN", "OAUTHBEARER"}

func parse(arguments []string, out io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("reauth", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.DurationVar(&o.duration, "duration", 10*time.Minute, "for how long sessions end, or secrets are replaced, in all")
	flags.IntVar(&o.rate, "rate", 0, "records a second, in total (default 100000, and 20000 with -rotate)")
	flags.DurationVar(&o.lifetime, "lifetime", 10*time.Second, "of sessions that end: connections.max.reauth.ms, and that of tokens")
	flags.IntVar(&o.rounds, "rounds", 2, "how often sessions that last and sessions that end take turns")
	flags.StringVar(&o.mechanism, "mechanism", mechanisms[0], fmt.Sprintf("of %v; with -rotate, one of SCRAM", mechanisms))
	flags.BoolVar(&o.secure, "tls", false, "SASL over TLS")
	flags.DurationVar(&o.transactions, "transactions", -1, "for how long transactions are made; 0: none (default: as long as one phase)")
	flags.DurationVar(&o.warmUp, "warm-up", 20*time.Second, "how long records are sent before the first phase")
	flags.IntVar(&o.brokers, "brokers", 1, "how many brokers")
	flags.IntVar(&o.partitions, "partitions", 6, "of each topic")
	flags.IntVar(&o.size, "size", 16, fmt.Sprintf("of a record, in bytes; at least %d", leastSize))
	flags.BoolVar(&o.rotate, "rotate", false, "replace secrets")
	which := flags.String("run", "", "with -rotate, only those whose name matches")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if o.rate == 0 {
		o.rate = 100_000
		if o.rotate {
			o.rate = 20_000
		}
	}
	if o.transactions < 0 {
		o.transactions = o.duration / time.Duration(max(o.rounds, 1))
	}
	var err error
	if o.which, err = regexp.Compile(*which); err != nil {
		return nil, err
	}
	return o, o.check(flags.Args())
}

func (o *options) check(rest []string) error {
	const shortest = 3 * time.Second
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is not a flag", rest[0])
	case !slices.Contains(mechanisms, o.mechanism):
		return fmt.Errorf("-mechanism is %s, it may be one of %v", o.mechanism, mechanisms)
	case o.rotate && o.mechanism != "SCRAM-SHA-256" && o.mechanism != "SCRAM-SHA-512":
		return errors.New("-rotate replaces a password, and brokers can be given another one for SCRAM alone")
	case o.rate < 1 || o.rounds < 1 || o.partitions < 1 || o.brokers < 1 || o.warmUp < 0:
		return errors.New("-rate, -rounds, -partitions and -brokers have to be 1 at least, and -warm-up not negative")
	case o.size < leastSize:
		return fmt.Errorf("-size is %d, a record has at least %d bytes", o.size, leastSize)
	case o.lifetime < shortest:
		return fmt.Errorf("-lifetime is %v, it has to be %v at least", o.lifetime, shortest)
	case !o.rotate && o.phase() < 3*o.lifetime:
		return fmt.Errorf("a phase lasts %v, which is too short to see sessions of %v end: -duration, -rounds", o.phase(), o.lifetime)
	}
	return nil
}

// phase is how long one phase is, without -rotate.
func (o *options) phase() time.Duration { return o.duration / time.Duration(o.rounds) }

func run(arguments []string) int {
	o, err := parse(arguments, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reauth:", err)
		return statusUnknown
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	o.log = os.Stderr
	b, err := openBed(ctx, o.bedOptions)
	if err != nil {
		fmt.Fprintln(os.Stderr, "reauth:", err)
		return statusUnknown
	}
	defer b.close()
	s := &soak{world: b, partitions: o.partitions, size: o.size, rate: o.rate, lifetime: o.lifetime, every: time.Millisecond, progress: os.Stderr}
	r := &report{options: o, kafka: b.Version, kind: b.Kind, began: time.Now()}
	err = o.measure(ctx, s, b, r)
	r.interrupted = ctx.Err() != nil
	r.write(os.Stdout)
	switch {
	case len(r.broken) > 0:
		return statusBroken
	case err != nil:
		fmt.Fprintln(os.Stderr, "reauth:", err)
		return statusUnknown
	case r.interrupted:
		return statusInterrupted
	}
	return 0
}

// measure has everything happen, and notes it in the report.
func (o *options) measure(ctx context.Context, s *soak, b *bed, r *report) error {
	if o.rotate {
		return o.rotateAll(ctx, s, b, r)
	}
	results, err := s.alternate(ctx, b.config(onLasting, b.login()), b.config(onEnding, b.login()), o.rounds, o.phase(), o.warmUp)
	r.phases(s, results)
	if err != nil || o.transactions == 0 || ctx.Err() != nil {
		return err
	}
	made, err := s.transactAll(ctx, b.config(onEnding, b.login()), o.transactions)
	r.transactions(s, made)
	return err
}

// rotateAll has each rotation that was asked for its part of the time.
func (o *options) rotateAll(ctx context.Context, s *soak, b *bed, r *report) error {
	var chosen []namedRotation
	for _, n := range b.rotations() {
		if o.which.MatchString(n.name) {
			chosen = append(chosen, n)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("-run %s: no rotation has such a name", o.which)
	}
	for _, n := range chosen {
		if ctx.Err() != nil {
			break
		}
		rotation, end, err := n.begin(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		long := o.duration / time.Duration(len(chosen))
		if long < rotation.takes+lead {
			end()
			return fmt.Errorf("%s: it takes %v, and has %v: -duration", n.name, rotation.takes+lead, long)
		}
		turned, err := s.rotate(ctx, rotation, long)
		end()
		if err != nil {
			return err
		}
		r.rotation(turned)
	}
	return nil
}
