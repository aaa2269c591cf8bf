package metrics

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/integration/tap"
	"github.com/epistle-kafka/epistle/producer"
)

// The clients' names, which are what they call themselves to brokers.
const (
	java    = "java"
	epistle = "epistle"
)

const (
	brokers    = 3
	partitions = 6 // two of each broker
)

// patience is how long a step may take on a machine that is busy with other things. It is longer than any delivery.timeout.ms
// here, so that a client that does not get its records through says so itself.
const patience = 75 * time.Second

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A site is a cluster, the tap before it, and both clients.
type site struct {
	*kafka.Cluster
	wire     *tap.Wire
	admin    *reader.Admin
	clients  []client
	messages []message
}

func open(t *testing.T) *site {
	t.Helper()
	s := &site{wire: tap.New(), messages: newMessages()}
	file := filepath.Join(t.TempDir(), "messages")
	do(t, write(file, s.messages))
	s.clients = []client{startJava(t, file), &ours{messages: s.messages}}
	s.Cluster = kafka.New(t, kafka.Options{Brokers: brokers, Front: s.wire.Front})
	t.Cleanup(func() { _ = s.wire.Close() }) // before the cluster's end
	var err error
	s.admin, err = reader.NewAdmin(strings.Join(s.wire.Bootstrap(), ","))
	do(t, err)
	t.Cleanup(s.admin.Close)
	return s
}

// topic makes one whose partition i is led by broker i%brokers, and tells the tap of it.
func (s *site) topic(t *testing.T, name string, partitions int, configs map[string]string) {
	t.Helper()
	var replicas [][]int32
	for i := range partitions {
		var of []int32
		for j := range brokers {
			of = append(of, s.NodeID((i+j)%brokers))
		}
		replicas = append(replicas, of)
	}
	configs["min.insync.replicas"] = "2"
	do(t, s.admin.PlaceTopic(t.Context(), name, replicas, configs))
	id, err := s.admin.TopicID(t.Context(), name)
	do(t, err)
	s.wire.Topic(id, name)
	_, err = s.admin.Ends(t.Context(), name) // once each leader knows that it leads: it refuses records before
	do(t, err)
}

// A load is what both clients did.
type load struct {
	*site
	name    string
	ctx     context.Context
	began   time.Time
	took    time.Duration // until the metrics were read
	outcome map[string]*outcome
}

// An outcome is what became of a client's load.
type outcome struct {
	client               string
	acknowledged, failed int64 // that callbacks were told of
	refused              int64 // of those that have failed, records that the client did not take
	expired              int64 // and records that expired while a request with them was under way
	metrics              []producer.JavaMetric
	wire                 *tap.Counts
	ends, found, bytes   int64 // in the log: offsets, records that a reader found, and bytes
	maybe                int64 // records that have failed and may be written; ours alone can say that
}

// start opens both clients with the same settings. Topics are name-client and small-name-client.
func (s *site) start(t *testing.T, name string, settings map[string]string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	l := &load{site: s, name: name, ctx: ctx, outcome: map[string]*outcome{}}
	for _, c := range s.clients {
		s.topic(t, l.topicOf(c), partitions, map[string]string{})
		s.topic(t, l.smallOf(c), 1, map[string]string{"max.message.bytes": fmt.Sprint(smallTopic)})
		l.outcome[c.name()] = &outcome{client: c.name()}
	}
	l.began = time.Now()
	l.both(t, "open", func(ctx context.Context, c client) error {
		all := maps.Clone(settings)
		all["bootstrap.servers"], all["client.id"] = strings.Join(s.wire.Bootstrap(), ","), l.idOf(c)
		return c.open(ctx, all)
	})
	return l
}

func (l *load) topicOf(c client) string { return l.name + "-" + c.name() }
func (l *load) smallOf(c client) string { return "small-" + l.name + "-" + c.name() }
func (l *load) idOf(c client) string    { return l.name + "-" + c.name() }

// both has both clients do something at the same time, within patience.
func (l *load) both(t *testing.T, what string, f func(ctx context.Context, c client) error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(l.ctx, patience, fmt.Errorf("it was not done within %v", patience))
	defer cancel()
	failed := make([]error, len(l.clients))
	var all sync.WaitGroup
	for i, c := range l.clients {
		all.Go(func() { failed[i] = f(ctx, c) })
	}
	all.Wait()
	for i, err := range failed {
		if err != nil {
			t.Errorf("%s: %s: %s: %v", l.name, l.clients[i].name(), what, err)
			defer t.FailNow()
		}
	}
}

// lift ends the silence that a client has met, and returns once the client has closed the connections that were silent.
func (l *load) lift(ctx context.Context, c client) error {
	l.wire.Lift(l.idOf(c))
	for {
		n := l.wire.Ending(l.idOf(c))
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d connections have ended that it has not closed: %w", n, context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// flush waits until every record has its outcome.
func (l *load) flush(ctx context.Context, c client) (err error) {
	o := l.outcome[c.name()]
	o.acknowledged, o.failed, err = c.flush(ctx)
	return err
}

// end reads the metrics of both clients once nothing is under way, closes them, and looks at what the brokers have.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.both(t, "metrics", func(ctx context.Context, c client) (err error) {
		o := l.outcome[c.name()]
		for quiet := false; !quiet; { // until nothing was written while the metrics were read
			before := l.wire.Of(l.idOf(c))
			if o.metrics, err = c.metrics(ctx); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("nothing is under way, and it writes or reads on: %w", context.Cause(ctx))
			case <-time.After(200 * time.Millisecond):
			}
			o.wire = l.wire.Of(l.idOf(c))
			quiet = l.wire.Quiet(l.idOf(c)) && before.Written == o.wire.Written && before.Read == o.wire.Read && before.Open == o.wire.Open
		}
		if p, ok := c.(*ours); ok {
			o.maybe = p.p.Metrics().Records.MayBeWritten
		}
		return nil
	})
	l.took = time.Since(l.began)
	l.both(t, "close", func(ctx context.Context, c client) error { return c.close(ctx) })
	for _, c := range l.clients {
		l.look(t, c)
	}
}

// look finds out what the brokers have of a client, and demands each record once at most.
func (l *load) look(t *testing.T, c client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	o := l.outcome[c.name()]
	for _, topic := range []string{l.topicOf(c), l.smallOf(c)} {
		ends, err := l.admin.Ends(ctx, topic)
		do(t, err)
		for _, of := range ends[topic] {
			o.ends += of.Offset
		}
		bytes, err := l.admin.LogBytes(ctx, topic)
		do(t, err)
		o.bytes += bytes
		seen := map[string]bool{}
		do(t, reader.Stream(ctx, strings.Join(l.wire.Bootstrap(), ","), topic, reader.Options{}, func(r *reader.Record) error {
			number := string(r.Value[:8])
			if seen[number] {
				return fmt.Errorf("%s: partition %d has record %x twice", topic, r.Partition, number)
			}
			seen[number] = true
			o.found++
			return nil
		}))
	}
}
