package epistleprom_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/epistleprom"
	"github.com/epistle-kafka/epistle/producer"
)

// docs/running.md, and docs/metrics.md for its first line, word for word, as a test of package producer sees to.
func serveMetrics(registry *prometheus.Registry, p *producer.Producer) {
	registry.MustRegister(epistleprom.New(p, epistleprom.Options{ConstLabels: prometheus.Labels{"client_id": "orders"}}))
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}

// What the page shows serves metrics.
func TestThePageServesMetrics(t *testing.T) {
	c := brokertest.New(t)
	p, err := producer.New(producer.DefaultConfig(c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	serveMetrics(prometheus.NewRegistry(), p)
	w := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, `kafka_producer_buffer_bytes{client_id="orders"}`) {
		t.Errorf("answered %d:\n%s", w.Code, body)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
