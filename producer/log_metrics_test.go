package producer_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

func init() {
	logStories["brokers subscribe to metrics, and no more"] = func(t *testing.T, j *journal) {
		c := wants(t, 10*time.Second)
		p := start(t, c, j.logs)
		send(t, p, record("x"))
		time.Sleep(5 * time.Minute)
		id, err := p.ClientInstanceID(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l := j.one(t, slog.LevelInfo, "metrics are pushed to brokers")
		if l.word("instance") != id.String() || l.word("interval") != "10s" || l.num("prefixes") != 0 {
			t.Errorf("the line is %v", l)
		}
		c.SubscribeMetrics(brokertest.MetricsSubscription{})
		time.Sleep(10 * time.Minute)
		j.one(t, slog.LevelInfo, "metrics are pushed no longer")
	}

	logStories["a broker refuses metrics for good"] = func(t *testing.T, j *journal) {
		c := wants(t, 10*time.Second)
		c.On(brokertest.PushTelemetry).Do(brokertest.Error(protocol.InvalidRequest))
		p := start(t, c, j.logs)
		send(t, p, record("x"))
		time.Sleep(10 * time.Minute)
		j.one(t, slog.LevelWarn, "metrics cannot be pushed")
	}

	// Told once, however often it is so.
	logStories["metrics are left out"] = func(t *testing.T, j *journal) {
		c := wants(t, time.Minute)
		c.SubscribeMetrics(brokertest.MetricsSubscription{Metrics: []string{"*"}, MaxBytes: 20_000, Interval: time.Minute})
		p := start(t, c, j.logs, func(cfg *producer.Config) {
			cfg.ApplicationMetrics = []func() []producer.JavaMetric{func() (all []producer.JavaMetric) {
				for i := range 1000 {
					all = append(all, producer.JavaMetric{Group: "app-metrics", Name: "many", Tags: map[string]string{"n": fmt.Sprint(i)}})
				}
				return append(all, producer.JavaMetric{Group: "producer-metrics", Name: "buffer-total-bytes"})
			}}
		})
		send(t, p, record("x"))
		time.Sleep(3 * time.Hour)
		l := j.one(t, slog.LevelWarn, "metrics are left out of pushes")
		if l.num("omitted") < 300 || l.num("twice") != 1 || l.word("name") != "org.apache.kafka.producer.buffer.total.bytes" {
			t.Errorf("the line is %v", l)
		}
		for _, push := range c.MetricsPushes() {
			if _, ok := push.Value("org.apache.kafka.producer.buffer.total.bytes"); !ok || push.Size > 20_000 {
				t.Errorf("the metrics with one value were left out before those with many, or there are more than 20000 bytes: %d", push.Size)
			}
		}
	}

	logStories["a function for metrics panics"] = func(t *testing.T, j *journal) {
		c := wants(t, time.Second)
		p := start(t, c, j.logs, func(cfg *producer.Config) {
			cfg.ApplicationMetrics = []func() []producer.JavaMetric{func() []producer.JavaMetric { panic("no") }}
		})
		send(t, p, record("x"))
		time.Sleep(10 * time.Minute)
		lines := j.of("a function for application metrics panicked")
		if n := len(lines); n == 0 || n > 20 || lines[0].word("err") != "no" {
			t.Errorf("it was told %d times of some 600: %v", n, lines)
		}
	}
}
