package producer_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// A fault is one thing that is wrong with a cluster that is well otherwise, or with the settings.
type fault struct {
	name    string
	options []brokertest.Option
	plant   func(p *patient)
	stage   producer.CheckStage
	notice  bool     // it is no failure, and nothing fails
	says    []string // in what was found, or in what to do
}

// Each fault is named by the stage that fails first, in words that say what to do. None keeps Diagnose from ending.
func TestDiagnoseNamesTheFault(t *testing.T) {
	for _, faults := range [][]fault{onTheWay(), withTLS(), withSASL(), withListeners(), withTopics(), withRights(), withSettings()} {
		for _, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					p := newPatient(t, f.options...)
					f.plant(p)
					began := time.Now()
					f.check(t, p.diagnose(), time.Since(began))
				})
			})
		}
	}
}

func (f *fault) check(t *testing.T, d *producer.Diagnosis, took time.Duration) {
	t.Helper()
	if took > 31*time.Second {
		t.Errorf("it took %v, more than the 30 s that it may", took)
	}
	first := d.FirstFailure()
	if f.notice {
		if first != nil || !d.Healthy() {
			t.Fatalf("a notice makes it fail:\n%s", all(d))
		}
		for i := range d.Checks {
			if d.Checks[i].Verdict == producer.VerdictNotice {
				first = &d.Checks[i]
				break
			}
		}
	}
	if first == nil || first.Stage != f.stage {
		t.Fatalf("the first is not %s:\n%s", f.stage, all(d))
	}
	if first.Advice == "" {
		t.Errorf("nothing is said that can be done:\n%s", first)
	}
	for _, text := range f.says {
		if !strings.Contains(first.Text+"\n"+first.Advice, text) {
			t.Errorf("it does not say %q:\n%s", text, first)
		}
	}
	if !f.notice && d.Healthy() {
		t.Error("it is called healthy")
	}
	last := producer.CheckClock
	if got := d.Checks[len(d.Checks)-1].Stage; got != last {
		t.Errorf("the last stage is %s, want %s: those that cannot run say so\n%s", got, last, all(d))
	}
}

func onTheWay() []fault {
	return []fault{
		{"the name does not resolve", nil, func(p *patient) {
			p.cfg.BootstrapServers, p.at["kafka.example.com:9092"] = []string{"kafka.example.com:9092"}, noSuchHost("kafka.example.com")
		}, producer.CheckResolve, false, []string{"no such host", "check the host name in bootstrap.servers"}},
		{"nobody listens", nil, func(p *patient) { p.kafka.StopBroker(1) },
			producer.CheckDial, false, []string{"connection refused", "check that the broker is up and that this is its port"}},
		{"nothing comes back", nil, func(p *patient) { p.at[p.cfg.BootstrapServers[0]] = noAnswer },
			producer.CheckDial, false, []string{"no success within 10s (socket.connection.setup.timeout.ms)", "firewalls"}},
		{"it takes the connection and says nothing", nil, func(p *patient) { p.kafka.Pause(1) },
			producer.CheckVersions, false, []string{"no success within 10s", "says nothing", "overloaded"}},
		{"a web server", nil, func(p *patient) { p.at[p.cfg.BootstrapServers[0]] = web },
			producer.CheckVersions, false, []string{"HTTP", "no Kafka broker: check the port"}},
		{"a web server that waits for the end of a line", nil, func(p *patient) { p.at[p.cfg.BootstrapServers[0]] = patientWeb(nil) },
			producer.CheckVersions, false, []string{"no success within 10s", "a web server and no Kafka broker: check the port"}},
		{"such a web server over TLS", nil, func(p *patient) {
			a := newAuthority()
			p.cfg.TLS = a.trusted()
			p.at[p.cfg.BootstrapServers[0]] = patientWeb(a.broker(nil))
		}, producer.CheckVersions, false, []string{"no success within 10s", "a web server and no Kafka broker: check the port"}},
		{"such a web server without TLS", nil, func(p *patient) {
			p.cfg.TLS = newAuthority().trusted()
			p.at[p.cfg.BootstrapServers[0]] = patientWeb(nil)
		}, producer.CheckTLS, false, []string{"no success within 10s", "a web server and no Kafka broker: check the port"}},
		{"an old broker", []brokertest.Option{brokertest.Without(brokertest.InitProducerID)}, func(*patient) {},
			producer.CheckVersions, false, []string{"it does not know InitProducerId", "enable.idempotence=false"}},
		{"an old broker, and zstd", []brokertest.Option{brokertest.Versions(brokertest.Produce, 3, 6)}, func(p *patient) { p.cfg.Compression = producer.Zstd },
			producer.CheckVersions, false, []string{"zstd needs Produce from version 7 on", "compression.type", "2.1"}},
		{"a cap below what the broker has", []brokertest.Option{brokertest.Versions(brokertest.Metadata, 12, 13)},
			func(p *patient) { p.cfg.MaxAPIVersions = map[string]int16{"Metadata": 5} },
			producer.CheckVersions, false, []string{"no version of Metadata in common: it has 12 to 13, want 0 to 5", "max.api.versions"}},
		{"it closes after ApiVersions", nil, func(p *patient) { p.kafka.On(brokertest.Metadata).Always().Do(brokertest.Drop()) },
			producer.CheckMetadata, false, []string{"EOF", "may want SASL", "may not be meant for clients"}},
		{"it does not answer Metadata", nil, func(p *patient) { p.kafka.On(brokertest.Metadata).Always().Do(brokertest.Swallow()) },
			producer.CheckMetadata, false, []string{"Metadata", "timed out"}},
		{"servers of two clusters", nil, func(p *patient) {
			other := brokertest.New(p.t, brokertest.InMemory(), brokertest.Seed(2))
			p.at["other.example.com:9092"] = func(ctx context.Context) (net.Conn, error) {
				return other.DialContext(ctx, "tcp", other.Bootstrap()[0])
			}
			p.cfg.BootstrapServers = append(p.cfg.BootstrapServers, "other.example.com:9092")
		}, producer.CheckMetadata, false, []string{"another cluster", "bootstrap.servers must be those of one cluster"}},
		{"one of two servers is down", nil, func(p *patient) {
			p.cfg.BootstrapServers = append(p.cfg.BootstrapServers, "192.0.2.9:9092")
			p.at["192.0.2.9:9092"] = closedPort
		}, producer.CheckDial, true, []string{"connection refused", "another one of bootstrap.servers answers"}},
		{"far away", []brokertest.Option{brokertest.Delay(600 * time.Millisecond)}, func(*patient) {},
			producer.CheckRoundTrip, true, []string{"slow: broker 1", "600 ms", "distance"}},
	}
}

func withTLS() []fault {
	// Certificates are issued when the cluster is there: time is not the same before the bubble.
	speaks := func(config func(a authority) *tls.Config, client func(a authority, cfg *producer.Config)) func(p *patient) {
		return func(p *patient) {
			a := newAuthority()
			kafka := brokertest.New(p.t, brokertest.InMemory(), brokertest.Topic("t", 2), brokertest.TLS(config(a)))
			p.kafka = kafka
			client(a, &p.cfg)
		}
	}
	trusting := func(a authority, cfg *producer.Config) { cfg.TLS = a.trusted() }
	return []fault{
		{"TLS is wanted", nil, speaks(func(a authority) *tls.Config { return a.broker(nil) }, func(authority, *producer.Config) {}),
			producer.CheckVersions, false, []string{"TLS", "security.protocol"}},
		{"TLS is not wanted", nil, func(p *patient) { p.cfg.TLS = newAuthority().trusted() },
			producer.CheckTLS, false, []string{"it answers without TLS: set security.protocol to PLAINTEXT"}},
		{"the certificate has expired", nil, speaks(func(a authority) *tls.Config {
			return a.broker(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
		}, trusting), producer.CheckTLS, false, []string{"expired", "the clock of this machine"}},
		{"the authority is not known", nil, speaks(func(a authority) *tls.Config { return a.broker(nil) },
			func(_ authority, cfg *producer.Config) { cfg.TLS = newAuthority().trusted() }), producer.CheckTLS, false, []string{"which is not trusted"}},
		{"the certificate is of another host", nil, speaks(func(a authority) *tls.Config {
			return a.broker(func(c *x509.Certificate) {
				c.IPAddresses, c.DNSNames = nil, []string{"kafka.example.com"}
			})
		}, trusting), producer.CheckTLS, false, []string{"the broker's certificate is for kafka.example.com", "TLS.ServerName"}},
		{"no certificate of the client", nil, speaks(func(a authority) *tls.Config {
			config := a.broker(nil)
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, a.ca.Pool()
			return config
		}, trusting), producer.CheckTLS, false, []string{"none was sent: none is configured (ssl.keystore.location)"}},
		{"the certificate is about to expire", nil, speaks(func(a authority) *tls.Config {
			return a.broker(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-90*24*time.Hour), time.Now().Add(5*24*time.Hour+time.Hour)
			})
		}, trusting), producer.CheckTLS, true, []string{"expires in 5 days", "renew the certificate"}},
		{"the certificate is not verified", nil, speaks(func(a authority) *tls.Config { return a.broker(nil) },
			func(_ authority, cfg *producer.Config) { cfg.TLS = &tls.Config{InsecureSkipVerify: true} }),
			producer.CheckTLS, true, []string{"it was not verified", "can pose as the broker"}},
	}
}

func withSASL() []fault {
	plain := []brokertest.Option{brokertest.SASL(brokertest.Plain("alice", "secret"))}
	return []fault{
		{"the password is wrong", plain, func(p *patient) { p.cfg.SASL = sasl.Plain("alice", "wrong-password") },
			producer.CheckSASL, false, []string{"refused PLAIN", `the password of "alice" is wrong`}},
		{"the password can be read on the way", plain, func(p *patient) { p.cfg.SASL = sasl.Plain("alice", "secret") },
			producer.CheckSASL, true, []string{"the credentials go over the network as they are", "SASL_SSL"}},
		{"there is no such user", []brokertest.Option{brokertest.SASL(brokertest.SCRAM512("alice", "secret"))},
			func(p *patient) { p.cfg.SASL = sasl.ScramSHA512("bob", "secret") },
			producer.CheckSASL, false, []string{"refused SCRAM-SHA-512", "kafka-configs.sh --bootstrap-server HOST:PORT --describe"}},
		{"the mechanism is not enabled", plain, func(p *patient) { p.cfg.SASL = sasl.ScramSHA256("alice", "secret") },
			producer.CheckSASL, false, []string{"UNSUPPORTED_SASL_MECHANISM", "offered", "PLAIN"}},
		{"the listener has no SASL", nil, func(p *patient) { p.cfg.SASL = sasl.ScramSHA256("alice", "secret") },
			producer.CheckSASL, false, []string{"is not a SASL listener"}},
		{"the listener wants SASL", plain, func(*patient) {},
			producer.CheckMetadata, false, []string{"EOF", "may want SASL (security.protocol SASL_PLAINTEXT"}},
	}
}
