package producer_test

import (
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// Java counts a connection as an authentication if it has TLS or SASL, and none of those without.
func TestJavasAuthentications(t *testing.T) {
	for _, c := range []struct {
		name   string
		option func(authority) brokertest.Option
		change func(authority, *producer.Config)
		counts bool
	}{
		{"plaintext", func(authority) brokertest.Option { return brokertest.Brokers(1) }, func(authority, *producer.Config) {}, false},
		{"TLS", func(a authority) brokertest.Option { return brokertest.TLS(a.broker(nil)) },
			func(a authority, cfg *producer.Config) { cfg.TLS = a.trusted() }, true},
		{"SASL", func(authority) brokertest.Option { return brokertest.SASL(brokertest.Plain("alice", "secret")) },
			func(_ authority, cfg *producer.Config) { cfg.SASL = sasl.Plain("alice", "secret") }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAuthority() // whose certificates are of this time
				cluster := brokertest.New(t, c.option(a), brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, cluster, func(cfg *producer.Config) { c.change(a, cfg) })
				send(t, p, record("a"))
				m := p.Metrics()
				want := 0.0
				if c.counts {
					want = float64(m.Connections.Created)
				}
				all := javas(m)
				if got := all["producer-metrics successful-authentication-total"]; got != want || m.Connections.Created == 0 {
					t.Errorf("%v of %d connections, want %v", got, m.Connections.Created, want)
				}
				if rate := all["producer-metrics successful-authentication-rate"]; (rate > 0) != c.counts {
					t.Errorf("the rate is %v", rate)
				}
			})
		})
	}
}
