package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/bench/internal/nap"
	"github.com/epistle-kafka/epistle/producer"
)

// figures are what one run of a case has given.
type figures struct {
	Rate        float64 // records a second
	CPU         float64 // ns a record, of the process
	Share       float64 // CPU, ms a second
	Allocations float64 // a record
	Wire        float64 // bytes a record, of batches as they are written
	PerBatch    float64 // records
	PerRequest  float64 // records
	Requests    float64 // a second
	Memory      float64 // MiB, resident at most, without the values
	P50, P99    float64 // ms, of records
	Commit      float64 // ms, the median
}

// A load is a run of a case.
type load struct {
	p     *producer.Producer
	topic *producer.Topic
	ctx   context.Context
	ring  *driver.Ring

	acked   atomic.Int64
	failed  atomic.Pointer[error]
	latency driver.Histogram
	commits driver.Histogram
}

// run sends, and measures after the warm-up.
func (c *effect) run(bootstrap, values string, warmup, last time.Duration) (figures, error) {
	size := c.size
	if size == 0 {
		size = 100
	}
	ring, _, err := (&driver.Options{Values: values, ValueSize: size}).Rings()
	if err != nil {
		return figures{}, err
	}
	settings := "bootstrap.servers=" + bootstrap + "\n" + strings.ReplaceAll(c.set, " ", "\n")
	cfg, _, err := producer.FromProperties(strings.NewReader(settings), producer.RefuseUnknown())
	if err != nil {
		return figures{}, err
	}
	p, err := producer.New(cfg)
	if err != nil {
		return figures{}, err
	}
	l := &load{p: p, topic: p.Topic("load"), ctx: context.Background(), ring: ring}
	if c.length > 0 {
		if err := p.InitTransactions(l.ctx); err != nil {
			return figures{}, err
		}
	}
	if _, err := l.phase(c, warmup); err != nil {
		return figures{}, fmt.Errorf("warming up: %w", err)
	}
	l.latency.Reset()
	l.commits.Reset()
	before, mark := p.Metrics(), driver.Take()
	sent, err := l.phase(c, last)
	if err != nil {
		return figures{}, err
	}
	var r driver.Result
	r.Fill(mark, driver.Take(), sent)
	f := l.figures(&r, before, p.Metrics(), int64(ring.Len()*size))
	return f, p.Close(l.ctx)
}

// figures are those of the time between two snapshots.
func (l *load) figures(r *driver.Result, before, after producer.Metrics, values int64) figures {
	produced := func(m producer.Metrics) (n int64) {
		for _, api := range m.Requests {
			if api.API == "Produce" {
				n += api.Sent
			}
		}
		return n
	}
	requests := float64(produced(after) - produced(before))
	batches := float64(after.Records.Batches - before.Records.Batches)
	bytes := float64(after.Records.Bytes - before.Records.Bytes)
	records := float64(r.Records)
	return figures{
		Rate: r.PerSecond, CPU: 1e9 * per(r.CPUSeconds, records), Share: 1e3 * per(r.CPUSeconds, r.WallSeconds), Allocations: r.Allocations,
		Wire: per(bytes, records), PerBatch: per(records, batches), PerRequest: per(records, requests), Requests: per(requests, r.WallSeconds),
		Memory: float64(r.PeakRSS-values) / (1 << 20),
		P50:    float64(l.latency.Quantile(0.5)) / 1e3, P99: float64(l.latency.Quantile(0.99)) / 1e3,
		Commit: float64(l.commits.Quantile(0.5)) / 1e3,
	}
}

func per(n, of float64) float64 {
	if of == 0 {
		return 0
	}
	return n / of
}

// phase sends for that long, and returns how many records when all are acknowledged.
func (l *load) phase(c *effect, last time.Duration) (sent int64, err error) {
	before := l.acked.Load()
	end := time.Now().Add(last)
	switch {
	case c.length > 0:
		sent, err = l.transactions(c, end)
	case c.rate > 0:
		sent = l.paced(c.rate, last)
	default:
		sent = l.together(c, end)
	}
	if err == nil {
		err = l.p.Flush(l.ctx)
	}
	if failed := l.failed.Load(); failed != nil {
		err = *failed
	}
	if acked := l.acked.Load() - before; err == nil && acked != sent {
		err = fmt.Errorf("of %d records %d are acknowledged", sent, acked)
	}
	return sent, err
}

// stride is how many records a flood sends between two looks at the clock.
const stride = 64

// together floods from every goroutine.
func (l *load) together(c *effect, end time.Time) int64 {
	var sent atomic.Int64
	var senders sync.WaitGroup
	for range max(1, c.goroutines) {
		senders.Go(func() { sent.Add(l.flood(c.way, end)) })
	}
	senders.Wait()
	return sent.Load()
}

func (l *load) flood(way string, end time.Time) (sent int64) {
	send, rest := l.way(way)
	look := int64(stride)
	if way == "sync" {
		look = 1
	}
	for i := 0; ; i++ {
		if i == l.ring.Len() {
			i = 0
		}
		if sent%look == 0 && !time.Now().Before(end) {
			rest()
			return sent
		}
		send(l.ring.At(i))
		sent++
	}
}

// paced sends on a schedule that waits for nothing.
func (l *load) paced(rate int, last time.Duration) (sent int64) {
	began := time.Now()
	for i := 0; ; i++ {
		if i == l.ring.Len() {
			i = 0
		}
		due := time.Duration(sent) * time.Second / time.Duration(rate)
		if due >= last {
			return sent
		}
		nap.Until(began.Add(due))
		l.timed(l.ring.At(i), began.Add(due))
		sent++
	}
}

// timed sends a record whose latency counts from when it was due.
func (l *load) timed(value []byte, due time.Time) {
	l.topic.SendFunc(l.ctx, nil, value, func(_ producer.RecordMetadata, err error) {
		l.latency.Add(time.Since(due).Microseconds())
		l.done(err)
	})
}

// transactions floods in transactions.
func (l *load) transactions(c *effect, end time.Time) (sent int64, err error) {
	for time.Now().Before(end) {
		if err := l.p.BeginTransaction(l.ctx); err != nil {
			return sent, err
		}
		until := time.Now().Add(c.length)
		if end.Before(until) {
			until = end
		}
		sent += l.flood(c.way, until)
		from := time.Now()
		if err := l.p.CommitTransaction(l.ctx); err != nil {
			return sent, err
		}
		l.commits.Add(time.Since(from).Microseconds())
	}
	return sent, nil
}

func (l *load) done(err error) {
	if err != nil {
		l.fail(err)
		return
	}
	l.acked.Add(1)
}

// fail is apart, since what it keeps is an allocation, which no record is to have that is acknowledged.
func (l *load) fail(err error) { l.failed.CompareAndSwap(nil, &err) }
