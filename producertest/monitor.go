package producertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Metrics is that of producer.Producer, as far as a double has any: Records as Stats counts them, Topics and Failures from the
// records of the history, InFlight and OldestAge. All other fields are zero, unless EditMetrics has set them.
func (p *Producer) Metrics() producer.Metrics {
	now := time.Now()
	p.mu.Lock()
	m := producer.Metrics{At: now, Started: p.started, InFlight: int64(len(p.pending))}
	m.Records.Sent, m.Records.Acknowledged = p.stats.Sent, p.stats.Acknowledged
	m.Records.Failed, m.Records.MayBeWritten = p.stats.Failed, p.stats.MayBeWritten
	byTopic := map[string]*producer.TopicMetrics{}
	failures := map[producer.FailureMetrics]int64{}
	for _, e := range p.history {
		t := byTopic[e.rec.Topic]
		if t == nil {
			t = &producer.TopicMetrics{Topic: e.rec.Topic}
			byTopic[e.rec.Topic] = t
		}
		count(t, e, failures)
	}
	for _, e := range p.pending {
		age := now.Sub(e.taken)
		m.OldestAge = max(m.OldestAge, age)
		if t := byTopic[e.rec.Topic]; t != nil {
			t.OldestAge = max(t.OldestAge, age)
		}
	}
	edit := p.editMetrics
	p.mu.Unlock()
	for _, t := range byTopic {
		m.Topics = append(m.Topics, *t)
	}
	slices.SortFunc(m.Topics, func(a, b producer.TopicMetrics) int { return cmp.Compare(a.Topic, b.Topic) })
	for f, n := range failures {
		f.Records = n
		m.Failures = append(m.Failures, f)
	}
	slices.SortFunc(m.Failures, func(a, b producer.FailureMetrics) int {
		written := 0
		if a.MayBeWritten != b.MayBeWritten {
			if written = -1; a.MayBeWritten {
				written = 1
			}
		}
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Reason, b.Reason), written)
	})
	if edit != nil {
		edit(&m)
	}
	return m
}

// count adds a record of the history to its topic's counters. What was refused was never the producer's.
func count(t *producer.TopicMetrics, e *entry, failures map[producer.FailureMetrics]int64) {
	switch e.state {
	case StateRefused:
		return
	case StateFailed:
		t.Failed++
		maybe := producer.MayBeWritten(e.err)
		if maybe {
			t.MayBeWritten++
		}
		failures[producer.FailureMetrics{Topic: t.Topic, Reason: producer.FailureReason(e.err), MayBeWritten: maybe}]++
	case StatePending:
	default:
		t.Acknowledged++
	}
	t.Sent++
}

// Health is that of producer.Producer. The state is HealthReady while the double is open, unless SetHealth has set another.
func (p *Producer) Health() producer.Health {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closing:
		return producer.Health{At: now, State: producer.HealthDead, Reasons: []string{"it is closed"}, LastError: producer.ErrClosed}
	case p.fenced:
		return producer.Health{At: now, State: producer.HealthDead, Reasons: []string{"it is fenced"}, LastError: producer.ErrFenced}
	case p.health != nil:
		h := *p.health
		h.At = now
		return h
	}
	return producer.Health{At: now, State: producer.HealthReady, Reachable: true, Authenticated: true, Brokers: 1}
}

// Ready is that of producer.Producer. The error is a *producer.NotReadyError if Health says so, if a topic does not exist, or
// if FailCall makes it fail.
func (p *Producer) Ready(ctx context.Context, topics ...string) error {
	h := p.Health()
	if h.State == producer.HealthDead || h.State == producer.HealthFailing {
		return &producer.NotReadyError{Health: h, Err: h.LastError}
	}
	p.mu.Lock()
	err := p.faults.take(CallReady)
	p.mu.Unlock()
	if err == nil && len(topics) > 0 {
		err = p.LoadTopics(ctx, topics...)
	}
	if err != nil {
		return &producer.NotReadyError{Health: h, Err: err}
	}
	return nil
}

// ClientInstanceID is that of producer.Producer at a cluster that wants no metrics: the error is producer.ErrNoTelemetry, or
// producer.ErrTelemetryOff.
func (p *Producer) ClientInstanceID(context.Context) (protocol.UUID, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := producer.ErrNoTelemetry
	switch {
	case !p.cfg.EnableMetricsPush:
		err = producer.ErrTelemetryOff
	case p.closing:
		err = producer.ErrClosed
	}
	return protocol.UUID{}, fmt.Errorf("client instance id: %w", err)
}

// EditMetrics lets f change what Metrics returns from now on. EditMetrics(nil) ends that.
func (p *Producer) EditMetrics(f func(*producer.Metrics)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.editMetrics = f
}

// SetHealth sets what Health returns while the double is open, and what Ready goes by. It is for tests of probes.
func (p *Producer) SetHealth(h producer.Health) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.health = &h
}
