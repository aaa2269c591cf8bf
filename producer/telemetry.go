package producer

import (
	"context"
	"fmt"

	"github.com/epistle-kafka/epistle/internal/telemetry"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
)

var (
	// ErrTelemetryOff: ClientInstanceID was called, and EnableMetricsPush is false.
	ErrTelemetryOff = sender.ErrTelemetryOff
	// ErrNoTelemetry: ClientInstanceID was called, and none of the connected brokers has a receiver of metrics (KIP-714).
	ErrNoTelemetry = sender.ErrNoTelemetry
)

// ClientInstanceID returns the id under which the cluster knows this producer's metrics (KIP-714). The cluster gives it once,
// and it stays the same for as long as the producer lives, whichever brokers it talks to. By this id the metrics of this
// producer are found among those that brokers have received, so log it.
//
// The id is there about a second after the first connection. ClientInstanceID waits for it within ctx and max.block, and
// connects to a broker if none is connected. The error is ErrNoTelemetry, at once, if brokers have no receiver of metrics;
// ErrTelemetryOff without EnableMetricsPush; ErrClosed after Close. ClientInstanceID may be called concurrently.
func (p *Producer) ClientInstanceID(ctx context.Context) (protocol.UUID, error) {
	w := wait{p: p, ctx: ctx, block: true}
	defer w.end()
	id, err := p.sender.ClientInstanceID(w.begin())
	if err != nil {
		return id, fmt.Errorf("client instance id: %w", outward(err))
	}
	return id, nil
}

// pushedMetrics returns all metrics that brokers can subscribe to: the producer's own, then those of the program. It runs on a
// goroutine of its own.
func (p *Producer) pushedMetrics() []telemetry.Metric {
	var metrics []telemetry.Metric
	for _, m := range p.Metrics().Java() {
		if m.Group != "app-info" { // Java's client does not push these
			metrics = append(metrics, telemetry.Metric(m))
		}
	}
	for _, f := range p.cfg.ApplicationMetrics {
		for _, m := range p.applicationMetrics(f) {
			metrics = append(metrics, telemetry.Metric(m))
		}
	}
	return metrics
}

// applicationMetrics calls a function of the program's.
func (p *Producer) applicationMetrics(f func() []JavaMetric) (metrics []JavaMetric) {
	defer func() {
		if r := recover(); r != nil {
			metrics = nil
			p.log.Warn("a function for application metrics panicked", "err", protocol.ShownText(fmt.Sprint(r)))
		}
	}()
	return f()
}
