package demo

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// send sends all events and notes where each was placed.
func (d *demo) send(ctx context.Context) error {
	p, partitions, err := d.settings.Open(ctx, d.env, d.cfg, d.topic)
	if err != nil {
		return err
	}
	var bytes int64
	for _, e := range d.events {
		bytes += int64(len(e.key) + len(e.value))
	}
	d.say("Sending %s of an online shop, %s, keyed by %s, to %s of topic %s.",
		ui.Number(int64(len(d.events)), "event"), ui.Megabytes(float64(bytes)), ui.Number(int64(customers(d.events)), "customer"),
		ui.Number(int64(partitions), "partition"), d.topic)

	began := time.Now()
	watch := cli.NewWatch(d.env, &d.cfg)
	stop := d.env.Screen.Every(100*time.Millisecond, func() {
		stats := p.Stats()
		trouble := watch.Look(time.Now(), stats)
		d.env.Screen.Status(fmt.Sprintf("%s of %s %s%s, %s in flight, %s sent again",
			ui.Count(stats.Acknowledged), ui.Count(int64(len(d.events))), d.verb, trouble, ui.Count(stats.InFlight), ui.Count(stats.Retried)))
	})
	failures := d.sendAll(ctx, p)
	stop()
	took := time.Since(began)
	if context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	if err := failures.err(); err != nil {
		return err
	}
	stats := p.Stats()
	d.say("Every one was %s after %s (%s/s; %s sent again).",
		d.verb, ui.Elapsed(took), ui.PerSecond(int64(len(d.events)), took), ui.Number(stats.Retried, "record"))
	return nil
}

// failures counts the events that were not acknowledged, and keeps the first reason.
type failures struct {
	count atomic.Int64
	first atomic.Pointer[error]
}

func (f *failures) add(err error) {
	f.count.Add(1)
	f.first.CompareAndSwap(nil, &err)
}

func (f *failures) err() error {
	if n := f.count.Load(); n > 0 {
		return fmt.Errorf("%s not delivered, the first because of: %w", ui.Number(n, "event"), *f.first.Load())
	}
	return nil
}

// sendAll returns when every event has its outcome.
func (d *demo) sendAll(ctx context.Context, p *producer.Producer) *failures {
	d.placed = make([]producer.RecordMetadata, len(d.events))
	var failed failures
	for i, e := range d.events {
		p.SendFunc(ctx, producer.Record{Topic: d.topic, Key: e.key, Value: e.value}, func(md producer.RecordMetadata, err error) {
			d.placed[i] = md
			if err != nil {
				failed.add(err)
			}
		})
	}
	if err := cli.Close(ctx, p); err != nil && !errors.Is(err, context.Canceled) {
		failed.add(err)
	}
	return &failed
}
