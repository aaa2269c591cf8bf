package producertest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
)

// What a program shows of its producer can be tested with a double: what it has counted, what failed and why, and how old
// what waits is.
func TestMetricsOfADouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := producertest.New(t, producertest.Topic("orders", 1), producertest.Topic("audit", 1), producertest.Manual())
		send := func(topic string) { p.Send(t.Context(), producer.Record{Topic: topic, Value: []byte("v")}) }
		send("orders")
		send("orders")
		send("audit")
		p.CompleteNext()
		p.FailNext(producertest.MayBeWritten(errors.New("the disk is full")))
		time.Sleep(5 * time.Second)
		m := p.Metrics()
		if r := m.Records; r.Acknowledged != 1 || r.Failed != 1 || r.MayBeWritten != 1 || m.InFlight != 1 || m.OldestAge != 5*time.Second {
			t.Errorf("counted %+v, %d in flight, the oldest %v", r, m.InFlight, m.OldestAge)
		}
		if len(m.Topics) != 2 || m.Topics[0].Topic != "audit" || m.Topics[0].OldestAge != 5*time.Second || m.Topics[1].Failed != 1 || m.Topics[1].Acknowledged != 1 {
			t.Errorf("by topic %+v", m.Topics)
		}
		if len(m.Failures) != 1 || m.Failures[0].Topic != "orders" || !m.Failures[0].MayBeWritten || m.Failures[0].Records != 1 || m.Failures[0].Reason == "" {
			t.Errorf("failures %+v", m.Failures)
		}
		p.EditMetrics(func(m *producer.Metrics) { m.Throttles = 7 })
		if got := p.Metrics().Throttles; got != 7 {
			t.Errorf("%d throttles, want what was set", got)
		}
		p.CompleteAll()
	})
}

// A readiness probe sees what the test wants it to see.
func TestHealthOfADouble(t *testing.T) {
	p := producertest.New(t, producertest.Topic("orders", 1))
	if err := p.Ready(t.Context(), "orders"); err != nil || !p.Health().Alive() {
		t.Errorf("an open double is not ready: %v", err)
	}
	p.SetHealth(producer.Health{State: producer.HealthFailing, Reasons: []string{"no broker is reachable"}})
	if notReady, ok := errors.AsType[*producer.NotReadyError](p.Ready(t.Context())); !ok || notReady.Health.Reasons[0] != "no broker is reachable" {
		t.Errorf("ready, though its health says that it is failing")
	}
	p.SetHealth(producer.Health{State: producer.HealthReady})
	p.FailCall(producertest.CallReady, errors.New("not yet"))
	if _, ok := errors.AsType[*producer.NotReadyError](p.Ready(t.Context())); !ok {
		t.Error("ready, though that was to fail")
	}
	if _, err := p.ClientInstanceID(t.Context()); !errors.Is(err, producer.ErrNoTelemetry) {
		t.Errorf("client instance id: %v, want that there is none", err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h := p.Health(); h.Alive() || p.Ready(t.Context()) == nil {
		t.Errorf("closed, and alive: %+v", h)
	}
	if _, err := p.ClientInstanceID(t.Context()); !errors.Is(err, producer.ErrClosed) {
		t.Errorf("client instance id: %v, want that it is closed", err)
	}
}
