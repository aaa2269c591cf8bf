package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// DefaultVersion is the Kafka that is started unless Options or KAFKA_VERSION say otherwise.
const DefaultVersion = "4.4.0"

// Options say which Kafka is wanted. The zero value is one broker of the default version.
type Options struct {
	// Brokers is how many to start; 0 is 1.
	Brokers int
	// Version is Kafka's, as 4.4.0; "" is that of KAFKA_VERSION, or else DefaultVersion.
	Version string
	// Config holds further lines of every broker's server.properties; they win over our own.
	Config map[string]string
	// Listeners are further ones of every broker, besides the plaintext one that Address is of. What they ask of clients is
	// told by Config, under "listener.name." and the name in lower case. Containers have none: they are skipped.
	Listeners []Listener
	// JVM holds further options of every broker's JVM, as -Dkey=value. Containers have none: they are skipped.
	JVM []string
	// ClassPath holds further directories and jars for every broker's class path, with plugins. Containers have none: they are
	// skipped.
	ClassPath []string
	// Own refuses an existing cluster, because brokers are to be killed or need Config.
	Own bool
	// Front, if it is set, is given each broker's address as it is reached, and returns the one that the brokers tell
	// their clients: that of a proxy in between. Address and Bootstrap stay the brokers' own.
	Front func(address string) (advertised string)
	// Log is told why a kind cannot be had, before the next one is tried, which was taken, and how long
	// things take; nil is standard error.
	Log io.Writer
}

// A Listener is where brokers await clients who have to prove who they are, or speak TLS.
type Listener struct {
	Name     string // letters and digits, in upper case; not PLAINTEXT, INTERNAL or CONTROLLER
	Protocol string // SASL_PLAINTEXT, SASL_SSL, SSL or PLAINTEXT
	Host     string // of 127.0.0.1, as brokers tell it their clients; "" is the address itself
}

// ErrUnavailable is what Open returns when no Kafka can be had on this machine; its text says why for
// each kind. Any other error comes from a Kafka that was there and failed.
var ErrUnavailable = errors.New("no Kafka can be had here")

// kind is one way to come by a Kafka. An open that fails with ErrUnavailable lets the next kind try.
type kind struct {
	name string
	open func(context.Context, Options) (*Cluster, error)
}

var kinds = []kind{{"bootstrap", openBootstrap}, {"docker", openDocker}, {"jvm", openJVM}}

// Open starts a Kafka as o says, by the first kind that works, and returns when every broker of it
// serves clients. ctx bounds the start alone; Close ends what was started.
func Open(ctx context.Context, o Options) (*Cluster, error) {
	if o.Brokers == 0 {
		o.Brokers = 1
	}
	if o.Brokers < 0 {
		return nil, fmt.Errorf("kafka: %d brokers", o.Brokers)
	}
	if o.Version == "" {
		o.Version = os.Getenv("KAFKA_VERSION")
	}
	if o.Version == "" {
		o.Version = DefaultVersion
	}
	if o.Log == nil {
		o.Log = os.Stderr
	}
	tried, err := wantedKinds(os.Getenv("KAFKA_KIND"), o)
	if err != nil {
		return nil, err
	}
	var reasons []string
	for i, k := range tried {
		cluster, err := k.open(ctx, o)
		if err == nil {
			cluster.Kind = k.name
			o.announce(cluster)
			return cluster, nil
		}
		if !errors.Is(err, ErrUnavailable) && len(tried) == 1 {
			return nil, fmt.Errorf("kafka: %s: %w", k.name, err)
		}
		reasons = append(reasons, fmt.Sprintf("%s: %v", k.name, err))
		if ctx.Err() != nil {
			break
		}
		if i < len(tried)-1 {
			o.logf("not by %s: %v; trying %s", k.name, err, tried[i+1].name)
		}
	}
	return nil, fmt.Errorf("kafka: %w:\n  %s", ErrUnavailable, strings.Join(reasons, "\n  "))
}

// wantedKinds is what Open tries, in order. An existing cluster is not taken for tests of which the
// next kind would do, since who names one wants that one: those tests are not run.
func wantedKinds(forced string, o Options) ([]kind, error) {
	if forced == "" && os.Getenv("KAFKA_BOOTSTRAP") != "" {
		forced = "bootstrap"
	}
	if forced == "" {
		return kinds[1:], nil
	}
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == forced })
	if i < 0 {
		return nil, fmt.Errorf("kafka: KAFKA_KIND is %q, it may be bootstrap, docker or jvm", forced)
	}
	if forced == "bootstrap" && o.Own {
		return nil, fmt.Errorf("kafka: %w: brokers have to be killed or configured, and KAFKA_BOOTSTRAP names a cluster that is not ours", ErrUnavailable)
	}
	return kinds[i : i+1], nil
}

func (o Options) announce(c *Cluster) {
	version := ""
	if c.Version != "" {
		version = " " + c.Version
	}
	o.logf("Kafka%s by %s, %d broker(s) at %s", version, c.Kind, c.Brokers(), c.Bootstrap())
}

// tellEvery is how often who waits is told that it goes on.
const tellEvery = 20 * time.Second

// keepTelling says every tellEvery that something goes on, until the function that it returns is called.
func (o Options) keepTelling(what string) (end func()) {
	began := time.Now()
	ended, quiet := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(quiet)
		tick := time.NewTicker(tellEvery)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				o.logf("%s so far: %s", time.Since(began).Round(time.Second), what)
			}
		}
	}()
	return func() {
		close(ended)
		<-quiet
	}
}

func (o Options) logf(format string, args ...any) {
	fmt.Fprintf(o.Log, "kafka: "+format+"\n", args...)
}

// unavailable is an error that lets the next kind try.
func unavailable(format string, args ...any) error {
	return &reason{fmt.Errorf(format, args...)}
}

// reason is an ErrUnavailable whose text is the reason alone.
type reason struct{ error }

func (*reason) Is(target error) bool { return target == ErrUnavailable }
func (r *reason) Unwrap() error      { return r.error }

// bootstrapPatience is how long a cluster that was named is waited for, if it does not answer yet.
const bootstrapPatience = 30 * time.Second

// openBootstrap takes the cluster of KAFKA_BOOTSTRAP.
func openBootstrap(ctx context.Context, o Options) (*Cluster, error) {
	list := strings.FieldsFunc(os.Getenv("KAFKA_BOOTSTRAP"), func(r rune) bool { return r == ',' || r == ' ' })
	if len(list) == 0 {
		return nil, unavailable("KAFKA_BOOTSTRAP is not set")
	}
	if err := o.awaitOne(ctx, list, bootstrapPatience); err != nil {
		return nil, err
	}
	return &Cluster{addresses: list}, nil
}

// awaitOne waits until one of the addresses answers, for as long as patience: a broker that is starting refuses
// connections, or hangs up on them. It does not wait for what has answered, and is no Kafka.
func (o Options) awaitOne(ctx context.Context, list []string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	until := time.Now().Add(patience)
	for told := false; ; {
		var failed []error
		final := true
		for _, address := range list {
			err := probe(ctx, address, o.Brokers)
			if err == nil {
				return nil
			}
			failed = append(failed, fmt.Errorf("%s: %w", address, err))
			_, foreign := errors.AsType[*foreignError](err)
			final = final && foreign
		}
		err := errors.Join(failed...)
		if final {
			return err
		}
		if !told {
			told = true
			o.logf("%v; or it is still starting: waiting until %s (%v)", err, until.Format(time.TimeOnly), patience)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; it was waited for until %s", err, time.Now().Format(time.TimeOnly))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// properties is the server.properties of broker i, given where each broker is reached.
func (o Options) properties(i int, at []endpoints, logDir string) map[string]string {
	var voters []string
	for n, e := range at {
		voters = append(voters, fmt.Sprintf("%d@%s", n+1, e.controller))
	}
	replicas := fmt.Sprint(min(3, len(at)))
	inSync := fmt.Sprint(max(1, min(3, len(at))-1))
	p := map[string]string{
		"process.roles":                            "broker,controller",
		"node.id":                                  fmt.Sprint(i + 1),
		"controller.quorum.voters":                 strings.Join(voters, ","),
		"listeners":                                "PLAINTEXT://" + at[i].clientListen + ",INTERNAL://" + at[i].internalListen + ",CONTROLLER://" + at[i].controllerListen,
		"advertised.listeners":                     "PLAINTEXT://" + o.advertised(at[i].client) + ",INTERNAL://" + at[i].internal,
		"listener.security.protocol.map":           "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name":               "INTERNAL",
		"controller.listener.names":                "CONTROLLER",
		"log.dirs":                                 logDir,
		"default.replication.factor":               replicas,
		"offsets.topic.replication.factor":         replicas,
		"offsets.topic.num.partitions":             "3",
		"group.initial.rebalance.delay.ms":         "0",
		"transaction.state.log.replication.factor": replicas,
		"transaction.state.log.min.isr":            inSync,
		"transaction.state.log.num.partitions":     "3",
		// A transaction that has timed out is aborted within half a second rather than ten.
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
		// A dead broker is noticed in four seconds rather than nine.
		"broker.session.timeout.ms":    "4000",
		"broker.heartbeat.interval.ms": "500",
		// A quarter of the heap otherwise, and 20 MB of index for each of a thousand partitions.
		"log.cleaner.dedupe.buffer.size": "16777216",
		"log.index.size.max.bytes":       "1048576",
	}
	if len(at) == 1 {
		// Who reaches 127.0.0.1 may do everything, but a test can deny something. Not with several:
		// the voters of a quorum are refused each other's votes until they have read that they may
		// vote, unless they are super users, and without SASL everybody would be one then.
		p["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
		p["allow.everyone.if.no.acl.found"] = "true"
	}
	for n, l := range o.Listeners {
		_, port, _ := strings.Cut(at[i].further[n], ":")
		p["listeners"] += "," + l.Name + "://127.0.0.1:" + port
		p["advertised.listeners"] += "," + l.Name + "://" + at[i].further[n]
		p["listener.security.protocol.map"] += "," + l.Name + ":" + l.Protocol
	}
	maps.Copy(p, o.Config)
	return p
}

// at is where the listener is reached on a port.
func (l Listener) at(port int) string {
	if l.Host == "" {
		return loopback(port)
	}
	return fmt.Sprintf("%s:%d", l.Host, port)
}

func (o Options) advertised(client string) string {
	if o.Front == nil {
		return client
	}
	return o.Front(client)
}

// endpoints is where one broker is reached (client, internal, controller) and where it listens, each
// as host:port.
type endpoints struct {
	client, internal, controller                   string
	clientListen, internalListen, controllerListen string
	further                                        []string // of Options.Listeners, as they are reached
}
