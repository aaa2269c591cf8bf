package producertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Metrics is that of producer.Producer, as far as a double has any: Records as Stats counts them, Topics, Failures and Refusals
// from the records of the history, InFlight and OldestAge. All other fields are zero, unless EditMetrics has set them.
func (p *Producer) Metrics() producer.Metrics {
	now := time.Now()
	p.mu.Lock()
	m := producer.Metrics{At: now, Started: p.started, InFlight: p.inFlight()}
	m.Records.Sent, m.Records.Acknowledged = p.stats.Sent, p.stats.Acknowledged
	m.Records.Failed, m.Records.MayBeWritten = p.stats.Failed, p.stats.MayBeWritten
	byTopic := map[string]*producer.TopicMetrics{}
	failures, refusals := map[producer.FailureMetrics]int64{}, map[string]int64{}
	for _, e := range p.history {
		if e.state == StateRefused {
			if _, ok := errors.AsType[*producer.AdmissionError](e.err); ok { // else there never was a record
				refusals[producer.FailureReason(e.err)]++
			}
			continue
		}
		t := byTopic[e.rec.Topic]
		if t == nil {
			t = &producer.TopicMetrics{Topic: e.rec.Topic}
			byTopic[e.rec.Topic] = t
		}
		count(t, e, failures)
	}
	m.OldestAge = p.oldest(now)
	for _, e := range p.pending {
		age := now.Sub(e.taken)
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
	for _, reason := range slices.Sorted(maps.Keys(refusals)) {
		m.Refusals = append(m.Refusals, producer.RefusalMetrics{Reason: reason, Records: refusals[reason]})
	}
	if edit != nil {
		edit(&m)
	}
	return m
}

// oldest is the age of the record that has waited longest; 0 if none waits.
func (p *Producer) oldest(now time.Time) time.Duration {
	if len(p.pending) == 0 {
		return 0
	}
	return now.Sub(p.pending[0].taken)
}

// count adds a record of the history to its topic's counters.
func count(t *producer.TopicMetrics, e *entry, failures map[producer.FailureMetrics]int64) {
	switch e.state {
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
	if e.out {
		t.Sent++
	}
}

// Health is that of producer.Producer. The state is HealthReady while the double is open, unless SetHealth has set another, or a
// record has waited for a quarter of Config.DeliveryTimeout. A transactional double is dead once a call has met what makes it so,
// such as another producer that has taken over.
func (p *Producer) Health() producer.Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, _ := p.examine()
	return h
}

// examine is Health, and also returns why the double is dead, if it is.
func (p *Producer) examine() (_ producer.Health, dead error) {
	now := time.Now()
	h := producer.Health{
		At: now, State: producer.HealthReady, Reachable: true, Authenticated: true, Brokers: 1,
		LastAcknowledged: p.acknowledged, OldestAge: p.oldest(now),
	}
	switch late := p.cfg.DeliveryTimeout / 4; {
	case p.closing:
		dead, h.Reachable, h.Brokers = producer.ErrClosed, false, 0
	case p.tx != nil && p.tx.State().Dead():
		dead = double.Outward(p.tx.Cause())
	case p.health != nil:
		h = *p.health
		h.At = now
	case len(p.pending) > 0 && h.OldestAge >= late:
		h.State = producer.HealthFailing
		h.Reasons = []string{fmt.Sprintf("a record has waited for %v%s", h.OldestAge.Round(time.Millisecond), p.waiting(p.pending))}
	}
	if dead != nil {
		h.State, h.Reasons = producer.HealthDead, []string{dead.Error()}
	}
	return h, dead
}

// Ready is that of producer.Producer. The error is a *producer.NotReadyError if Health says so, if a topic does not exist, or
// if FailCall makes it fail.
func (p *Producer) Ready(ctx context.Context, topics ...string) error {
	p.mu.Lock()
	h, dead := p.examine()
	p.mu.Unlock()
	switch {
	case dead != nil:
		return &producer.NotReadyError{Health: h, Err: dead}
	case h.State == producer.HealthDead || h.State == producer.HealthFailing:
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
