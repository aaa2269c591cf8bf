package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

// The settings that are not plain.
const (
	requestTimeout  = 3 * time.Second
	deliveryTimeout = 8 * time.Second
	sendEvery       = 20 * time.Millisecond // a record to each partition
	partitions      = 3
)

// acks is what a client has been told, by partition.
type acks struct {
	mu     sync.Mutex
	since  time.Time
	first  [partitions]time.Time // after since
	failed int
}

func (a *acks) note(partition int32, at time.Time, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !ok:
		a.failed++
	case !at.Before(a.since) && a.first[partition].IsZero():
		a.first[partition] = at
	}
}

// from begins to note first acknowledgements anew.
func (a *acks) from(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since, a.first = at, [partitions]time.Time{}
}

func (a *acks) all() (first [partitions]time.Time, ok bool, failed int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ok = true
	for _, t := range a.first {
		ok = ok && !t.IsZero()
	}
	return a.first, ok, a.failed
}

// A client sends without pause until stop is called.
type client struct {
	name  string
	start func(ctx context.Context, bootstrap []string, topic string, plain bool, a *acks) (stop func(), err error)
}

var clients = []client{{"epistle", startEpistle}, {"franz-go", startFranz}, {"java", startJava}}

// every calls send for each partition, on a goroutine of its own, until it is stopped.
func every(ctx context.Context, send func(partition int32)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(sendEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for i := range int32(partitions) {
				send(i)
			}
		}
	}()
	return cancel
}

func startEpistle(ctx context.Context, bootstrap []string, topic string, plain bool, a *acks) (func(), error) {
	cfg := producer.DefaultConfig(bootstrap...)
	if !plain {
		cfg.RequestTimeout, cfg.DeliveryTimeout = requestTimeout, deliveryTimeout
	}
	p, err := producer.New(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := p.Partitions(ctx, topic); err != nil {
		return nil, err
	}
	stop := every(ctx, func(i int32) {
		rec := producer.Record{Topic: topic, Partition: producer.OnPartition(i), Value: []byte("epistle")}
		p.TrySend(rec, func(_ producer.RecordMetadata, err error) { a.note(i, time.Now(), err == nil) })
	})
	return func() {
		stop()
		closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		p.Close(closing)
	}, nil
}

func startFranz(ctx context.Context, bootstrap []string, topic string, plain bool, a *acks) (func(), error) {
	options := []kgo.Opt{kgo.SeedBrokers(bootstrap...), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	if !plain {
		// What the broker may take, and what comes on top: together as long as the others wait for an answer.
		options = append(options, kgo.ProduceRequestTimeout(time.Second), kgo.RequestTimeoutOverhead(requestTimeout-time.Second),
			kgo.RecordDeliveryTimeout(deliveryTimeout))
	}
	c, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	stop := every(ctx, func(i int32) {
		c.TryProduce(ctx, &kgo.Record{Topic: topic, Partition: i, Value: []byte("franz")}, func(r *kgo.Record, err error) {
			a.note(i, time.Now(), err == nil)
		})
	})
	return func() { stop(); c.Close() }, nil
}

//go:embed Sender.java
var senderJava []byte

// startJava runs Java's own client in a process, which tells each outcome in a line.
func startJava(ctx context.Context, bootstrap []string, topic string, plain bool, a *acks) (func(), error) {
	java, classpath, err := kafka.JavaClient(ctx, "")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "recovery")
	if err != nil {
		return nil, err
	}
	source := filepath.Join(dir, "Sender.java")
	if err := os.WriteFile(source, senderJava, 0o644); err != nil {
		return nil, err
	}
	args := []string{"-Xmx256m", "-cp", classpath, source, strings.Join(bootstrap, ","), topic, fmt.Sprint(sendEvery.Milliseconds())}
	if !plain {
		args = append(args, fmt.Sprint("request.timeout.ms=", requestTimeout.Milliseconds()),
			fmt.Sprint("delivery.timeout.ms=", deliveryTimeout.Milliseconds()))
	}
	cmd := exec.CommandContext(ctx, java, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var ok bool
			var partition int32
			var ms int64
			if n, _ := fmt.Sscan(lines.Text(), &ok, &partition, &ms); n == 3 {
				a.note(partition, time.UnixMilli(ms), ok)
			}
		}
	}()
	return func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	}, nil
}

// probe notes when a client that is made for the purpose first gets an acknowledgement of each partition.
func probe(ctx context.Context, bootstrap []string, topic string, a *acks) {
	var all sync.WaitGroup
	for i := range int32(partitions) {
		all.Go(func() {
			for ctx.Err() == nil && !probeOnce(ctx, bootstrap, topic, i) {
				time.Sleep(50 * time.Millisecond)
			}
			if ctx.Err() == nil {
				a.note(i, time.Now(), true)
			}
		})
	}
	all.Wait()
}

func probeOnce(ctx context.Context, bootstrap []string, topic string, partition int32) bool {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		return false
	}
	defer c.Close()
	return c.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: partition, Value: []byte("probe")}).FirstErr() == nil
}
