// Recovery measures how soon clients go on after an outage, on a real Kafka behind proxies that fail:
//
//	recovery [-run REGEXP] [-clients epistle,franz-go,java] [-rounds N]
//
// For each shape (see shapes.go) all clients send to three brokers at once, and the network to some of them fails for a
// time. A probe, which is a client made anew for each attempt, tells when an acknowledgement was to be had again. A line
// has, for each client, how long after the probe the slowest of three partitions had its first, and how many records
// failed; with several rounds the median, and the least and the most.
//
// docs/recovery.md says what is waited for in each shape.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "recovery:", err)
		os.Exit(1)
	}
}

func run() error {
	which := flag.String("run", "", "only the shapes whose name matches")
	names := flag.String("clients", "epistle,franz-go,java", "which clients, with commas")
	rounds := flag.Int("rounds", 1, "how often")
	flag.Parse()
	match, err := regexp.Compile(*which)
	if err != nil {
		return err
	}
	b := &bed{}
	ctx := context.Background()
	b.cluster, err = kafka.Open(ctx, kafka.Options{Brokers: 3, Own: true, Front: b.front})
	if err != nil {
		return err
	}
	defer b.cluster.Close()
	for _, c := range clients {
		if slices.Contains(strings.Split(*names, ","), c.name) {
			b.clients = append(b.clients, c)
		}
	}
	for _, s := range shapes {
		if !match.MatchString(s.name) {
			continue
		}
		var all [][]result
		for range *rounds {
			results, err := b.measure(ctx, s)
			for again := 0; errors.Is(err, errNoProbe) && again < 2; again++ {
				fmt.Fprintf(os.Stderr, "%s: %v; once more\n", s.name, err)
				results, err = b.measure(ctx, s)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			all = append(all, results)
		}
		b.print(s, all)
	}
	return nil
}

// A bed is a Kafka whose clients go through proxies.
type bed struct {
	cluster *kafka.Cluster
	proxies []*proxy
	clients []client
	topics  int
}

// front puts a proxy before a broker.
func (b *bed) front(address string) string {
	for _, p := range b.proxies {
		if p.target == address {
			return p.addr
		}
	}
	p, err := newProxy(address)
	if err != nil {
		panic(err)
	}
	b.proxies = append(b.proxies, p)
	return p.addr
}

func (b *bed) bootstrap() (all []string) {
	for _, p := range b.proxies {
		all = append(all, p.addr)
	}
	return all
}

// A result is of one client and shape.
type result struct {
	after  time.Duration // the probe; negative: never
	failed int
}

// errNoProbe says that the outage was not over when it should have been, such as when no other broker came to lead. There is
// nothing to compare the clients with.
var errNoProbe = errors.New("the probe has no acknowledgement of each partition")

// patience is how long a client may take to go on.
const patience = 60 * time.Second

func (b *bed) measure(ctx context.Context, s shape) ([]result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b.topics++
	topic := fmt.Sprintf("recovery-%s-%d", s.name, b.topics)
	admin, err := reader.NewAdmin(strings.Join(b.bootstrap(), ","))
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if err := admin.CreateTopic(ctx, topic, partitions, 3, nil); err != nil {
		return nil, err
	}
	told := make([]*acks, len(b.clients))
	for i, c := range b.clients {
		told[i] = new(acks)
		stop, err := c.start(ctx, b.bootstrap(), topic, s.plain, told[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		defer stop()
	}
	if err := b.await(told, 30*time.Second); err != nil {
		return nil, fmt.Errorf("before the outage: %w", err)
	}
	time.Sleep(2 * time.Second)
	probed, err := b.outage(ctx, s, topic, told)
	if err != nil {
		return nil, err
	}
	waited := b.await(told, patience)
	if waited != nil {
		fmt.Fprintln(os.Stderr, s.name+":", waited)
	}
	time.Sleep(time.Second)
	var results []result
	when, seen, _ := probed.all()
	if !seen {
		return nil, errNoProbe
	}
	for _, a := range told {
		first, ok, failed := a.all()
		r := result{after: -1, failed: failed}
		for i := range first {
			if ok {
				r.after = max(r.after, first[i].Sub(when[i]), 0)
			}
		}
		results = append(results, r)
	}
	return results, nil
}

// outOfStep is what an outage may last longer than its shape says, at random: the short request timeout. Else what a
// client does by the clock would fall on the same moment of the outage's end each time.
const outOfStep = 3 * time.Second

// outage lets the shape happen, and returns when it was over for a probe.
func (b *bed) outage(ctx context.Context, s shape, topic string, told []*acks) (*acks, error) {
	probed := new(acks)
	for range max(s.again, 1) {
		lasts := s.lasts + rand.N(outOfStep)
		for i := range s.of {
			if err := b.begin(s, i); err != nil {
				return nil, err
			}
		}
		if s.stop { // it is over when another leads
			b.from(probed, told)
			limit, cancel := context.WithTimeout(ctx, s.lasts)
			probe(limit, b.bootstrap(), topic, probed)
			cancel()
			time.Sleep(s.lasts / 2)
		} else {
			time.Sleep(lasts)
		}
		for i := range s.of {
			if err := b.end(s, i); err != nil {
				return nil, err
			}
		}
		if !s.stop {
			b.from(probed, told)
			probe(ctx, b.bootstrap(), topic, probed)
		}
	}
	return probed, nil
}

func (b *bed) from(probed *acks, told []*acks) {
	now := time.Now()
	probed.from(now)
	for _, a := range told {
		a.from(now)
	}
}

func (b *bed) begin(s shape, i int) error {
	if s.stop {
		return b.cluster.Pause(i)
	}
	return b.proxies[i].fail(s.how)
}

func (b *bed) end(s shape, i int) error {
	if s.stop {
		return b.cluster.Resume(i)
	}
	return b.proxies[i].fail(passing)
}

// await waits until every client has an acknowledgement from each partition.
func (b *bed) await(told []*acks, patience time.Duration) error {
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		missing := ""
		for i, a := range told {
			if _, ok, _ := a.all(); !ok {
				missing = b.clients[i].name
			}
		}
		if missing == "" {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s does not acknowledge within %v", missing, patience)
		}
	}
}

func (b *bed) print(s shape, rounds [][]result) {
	fmt.Printf("%-24s", s.name)
	for i, c := range b.clients {
		var after []time.Duration
		failed := 0
		for _, r := range rounds {
			after = append(after, r[i].after)
			failed = max(failed, r[i].failed)
		}
		slices.Sort(after)
		fmt.Printf("  %s %.2f s", c.name, after[len(after)/2].Seconds())
		if len(after) > 1 {
			fmt.Printf(" (%.2f to %.2f)", after[0].Seconds(), after[len(after)-1].Seconds())
		}
		fmt.Printf(", %d failed", failed)
	}
	fmt.Println()
}
