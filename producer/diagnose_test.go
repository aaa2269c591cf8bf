package producer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// Where nothing is wrong there is no alarm, not even a notice, whatever the way to the cluster.
func TestDiagnoseFindsNothingWrongWithAHealthyCluster(t *testing.T) {
	for name, c := range map[string]struct {
		options func(a authority) []brokertest.Option
		client  func(a authority, cfg *producer.Config)
	}{
		"plaintext": {},
		"TLS": {
			func(a authority) []brokertest.Option { return []brokertest.Option{brokertest.TLS(a.broker(nil))} },
			func(a authority, cfg *producer.Config) { cfg.TLS = a.trusted() },
		},
		"SCRAM": {
			func(authority) []brokertest.Option {
				return []brokertest.Option{brokertest.SASL(brokertest.SCRAM512("alice", "secret")), brokertest.SessionLifetime(time.Hour)}
			},
			func(_ authority, cfg *producer.Config) { cfg.SASL = sasl.ScramSHA512("alice", "secret") },
		},
		"PLAIN over TLS": {
			func(a authority) []brokertest.Option {
				return []brokertest.Option{brokertest.TLS(a.broker(nil)), brokertest.SASL(brokertest.Plain("alice", "secret"))}
			},
			func(a authority, cfg *producer.Config) {
				cfg.TLS, cfg.SASL = a.trusted(), sasl.Plain("alice", "secret")
			},
		},
		"three brokers": {func(authority) []brokertest.Option { return []brokertest.Option{brokertest.Brokers(3)} }, nil},
		"Kafka 3.9": {func(authority) []brokertest.Option {
			return []brokertest.Option{brokertest.Brokers(3), brokertest.Kafka3_9()}
		}, nil},
		"a transactional id": {nil, func(_ authority, cfg *producer.Config) { cfg.TransactionalID = "billing-1" }},
		"at most once": {nil, func(_ authority, cfg *producer.Config) {
			cfg.Acks, cfg.EnableIdempotence = producer.AcksNone, false
		}},
		"one that tells no settings of its own": {func(authority) []brokertest.Option {
			return []brokertest.Option{brokertest.Without(brokertest.DescribeConfigs), brokertest.Without(brokertest.DescribeCluster)}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAuthority()
				var options []brokertest.Option
				if c.options != nil {
					options = c.options(a)
				}
				p := newPatient(t, options...)
				p.kafka.SetMinISR("t", min(2, len(p.kafka.Bootstrap())))
				if c.client != nil {
					c.client(a, &p.cfg)
				}
				d := p.diagnose(producer.DiagnoseSend())
				if text := wrong(d); text != "" || !d.Healthy() {
					t.Errorf("a healthy cluster has something wrong with it:\n%s\nin all:\n%s", text, all(d))
				}
				if d.ClusterID != p.kafka.ClusterID() || len(d.Brokers) != len(p.kafka.Bootstrap()) || !d.Brokers[0].Reached {
					t.Errorf("cluster %q, brokers %+v", d.ClusterID, d.Brokers)
				}
				if d.Record == nil || d.Record.Topic != "t" || p.cfg.Acks != producer.AcksNone && d.Record.Offset != 0 {
					t.Errorf("the test record is at %+v", d.Record)
				}
			})
		})
	}
}

// What is found is there to be looked at, not only to be read.
func TestDiagnoseReportsWhatItFinds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAuthority()
		p := newPatient(t, brokertest.Brokers(3), brokertest.TLS(a.broker(nil)), brokertest.Delay(10*time.Millisecond),
			brokertest.SASL(brokertest.SCRAM256("alice", "secret")), brokertest.SessionLifetime(time.Hour))
		p.cfg.TLS, p.cfg.SASL = a.trusted(), sasl.ScramSHA256("alice", "secret")
		var told []producer.Check
		d := p.diagnose(producer.DiagnoseTold(func(c producer.Check) { told = append(told, c) }))
		if fmt.Sprint(told) != fmt.Sprint(d.Checks) {
			t.Errorf("told\n%v\nand reported\n%v", told, d.Checks)
		}
		b := d.Brokers[1]
		if b.ID != 2 || b.Addr != "192.0.2.2:9092" || b.Software != "Apache Kafka 4.4 or newer" || len(b.RoundTrips) != 5 ||
			b.Median != 10*time.Millisecond || b.Session != time.Hour || b.Features["transaction.version"] != 2 {
			t.Errorf("broker 2 is %+v", b)
		}
		if b.TLS == nil || b.TLS.Version != "TLS 1.3" || !b.TLS.Verified || b.TLS.Certificates[0].Subject != "CN=a broker" || b.TLS.Certificates[0].Issuer != "CN=the authority" {
			t.Errorf("TLS of broker 2 is %+v", b.TLS)
		}
		topic := d.Topics[0]
		if !topic.Exists || topic.MayWrite == nil || !*topic.MayWrite || topic.Settings["max.message.bytes"] != "1048588" || len(topic.Partitions) != 2 ||
			topic.Partitions[1] != (producer.DiagnosedPartition{Partition: 1, Leader: 2, Replicas: 3, InSync: 3, EndOffset: 0}) {
			t.Errorf("the topic is %+v", topic)
		}
		if d.Controller != 1 || d.Record != nil || d.Servers[0].ID != -1 || d.Servers[0].Remote != "192.0.2.1:9092" {
			t.Errorf("the report is %+v", d)
		}
		for _, c := range d.Checks {
			if c.Stage == producer.CheckSASL && !strings.Contains(c.Text, "the session lasts 1h0m0s") {
				t.Error(c)
			}
		}
	})
}

// Nothing is changed in the cluster that a start of a producer would not change; a producer that has the transactional id, with a
// transaction open, goes on.
func TestDiagnoseChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPatient(t, brokertest.AutoCreate(true))
		p.cfg.TransactionalID = "billing-1"
		other := start(t, p.kafka, func(cfg *producer.Config) { cfg.TransactionalID = "billing-1" })
		ctx := t.Context()
		if err := errors.Join(other.InitTransactions(ctx), other.BeginTransaction(ctx)); err != nil {
			t.Fatal(err)
		}
		send(t, other, record("in the transaction"))
		p.kafka.ForgetRequests()
		if d := p.diagnose(producer.DiagnoseTopics("unheard-of")); d.FirstFailure() != nil {
			t.Error(all(d))
		}
		for _, r := range p.kafka.Requests() {
			switch r.APIKey {
			case brokertest.InitProducerID, brokertest.Produce, brokertest.CreateTopics, brokertest.AddPartitionsToTxn:
				t.Errorf("request %d was sent: %+v", r.APIKey, r.Message)
			}
		}
		if n := p.kafka.Partitions("unheard-of"); n != 0 {
			t.Errorf("a topic was created, with %d partitions", n)
		}
		if err := other.CommitTransaction(ctx); err != nil {
			t.Errorf("the producer that has the id cannot commit any more: %v", err)
		}
	})
}

// With a test record, the id's owner goes on as well, and the record is the only one.
func TestDiagnoseSendsOneRecordOutsideOfTransactions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPatient(t)
		p.cfg.TransactionalID = "billing-1"
		d := p.diagnose(producer.DiagnoseSend())
		records := append(p.kafka.Records("t", 0), p.kafka.Records("t", 1)...)
		if len(records) != 1 || string(records[0].Key) != "epistle-doctor" || !strings.Contains(string(records[0].Value), "test record") {
			t.Errorf("the log has %v", records)
		}
		if d.Record == nil || d.Record.Offset != 0 || d.Record.Timestamp.IsZero() {
			t.Errorf("it is at %+v", d.Record)
		}
	})
}

// The broker's clock shows in the time that it gives to a record.
func TestDiagnoseComparesClocks(t *testing.T) {
	for name, c := range map[string]struct {
		ahead   time.Duration // of the broker
		verdict producer.Verdict
		says    string
	}{
		"the same":         {0, producer.VerdictOK, "agrees"},
		"ten minutes less": {-10 * time.Minute, producer.VerdictNotice, "this machine's clock is 10m0s ahead"},
		"ten minutes more": {10 * time.Minute, producer.VerdictNotice, "this machine's clock is 10m0s behind"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPatient(t, brokertest.Now(func() time.Time { return time.Now().Add(c.ahead) }))
				p.kafka.SetLogAppendTime("t", true)
				d := p.diagnose(producer.DiagnoseSend())
				last := d.Checks[len(d.Checks)-1]
				if last.Stage != producer.CheckClock || last.Verdict != c.verdict || !strings.Contains(last.Text, c.says) {
					t.Errorf("%v, want %s and %q", last, c.verdict, c.says)
				}
			})
		})
	}
}

// It ends when it is to end, and says what it knows by then.
func TestDiagnoseEnds(t *testing.T) {
	t.Run("when the caller has had enough", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPatient(t)
			p.kafka.On(brokertest.InitProducerID).Always().Do(brokertest.Swallow())
			why := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(3*time.Second, func() { cancel(why) })
			began := time.Now()
			d, err := producer.Diagnose(ctx, p.cfg, producer.DiagnoseTopics("t"))
			if err != nil || time.Since(began) != 3*time.Second {
				t.Errorf("%v after %v", err, time.Since(began))
			}
			if !errors.Is(d.Interrupted, why) || d.Healthy() || d.FirstFailure() != nil || d.ClusterID == "" {
				t.Errorf("interrupted: %v\n%s", d.Interrupted, all(d))
			}
			if text := all(d); !strings.Contains(text, "idempotence: skipped: interrupted") || !strings.Contains(text, "settings of topic \"t\": ok") {
				t.Error(text)
			}
		})
	})
	t.Run("when all has its time", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPatient(t)
			p.kafka.On(brokertest.InitProducerID).Always().Do(brokertest.Swallow())
			began := time.Now()
			d := p.diagnose(producer.DiagnoseWithin(3 * time.Second))
			first := d.FirstFailure()
			if time.Since(began) != 3*time.Second || first == nil || first.Stage != producer.CheckIdempotence ||
				!strings.Contains(first.Text, "InitProducerId") || !strings.Contains(first.Text, "the time for all stages together has passed (3s)") {
				t.Errorf("after %v:\n%s", time.Since(began), all(d))
			}
		})
	})
	t.Run("when nobody answers", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPatient(t)
			for i := range 40 {
				addr := fmt.Sprintf("192.0.2.%d:9092", 50+i)
				p.cfg.BootstrapServers, p.at[addr] = append(p.cfg.BootstrapServers, addr), noAnswer
			}
			p.at[p.cfg.BootstrapServers[0]] = noAnswer
			began := time.Now()
			d := p.diagnose()
			if first := d.FirstFailure(); time.Since(began) != 30*time.Second || first == nil || first.Stage != producer.CheckDial {
				t.Errorf("after %v:\n%s", time.Since(began), all(d))
			}
		})
	})
}

// What is wrong with the settings is told before anything is tried.
func TestDiagnoseRefusesWhatNewRefuses(t *testing.T) {
	cfg := producer.DefaultConfig("kafka:9092")
	cfg.Retries = 0
	if _, err := producer.Diagnose(t.Context(), cfg); !errors.As(err, new(*producer.ConfigError)) {
		t.Errorf("got %v, want a *ConfigError", err)
	}
	cfg = producer.DefaultConfig("kafka:9092")
	cfg.TLSFiles = &producer.TLSFiles{TrustStore: "/nowhere/ca.pem"}
	if _, err := producer.Diagnose(t.Context(), cfg); !errors.As(err, new(*producer.ConfigError)) {
		t.Errorf("got %v, want a *ConfigError", err)
	}
	if _, err := producer.Diagnose(t.Context(), producer.DefaultConfig("kafka:9092"), producer.DiagnoseTopics("a b")); !errors.As(err, new(*producer.InvalidTopicError)) {
		t.Errorf("got %v, want an *InvalidTopicError", err)
	}
}

// What a stage has shown is kept where a later one fails: the certificates of a broker that then refuses the password, say.
func TestDiagnoseKeepsWhatEarlierStagesHaveShown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAuthority()
		p := newPatient(t, brokertest.TLS(a.broker(nil)), brokertest.SASL(brokertest.Plain("alice", "secret")))
		p.cfg.TLS, p.cfg.SASL = a.trusted(), sasl.Plain("alice", "wrong-password")
		d := p.diagnose()
		s := d.Servers[0]
		if s.Remote != "192.0.2.1:9092" || s.TLS == nil || len(s.TLS.Certificates) != 1 || s.Software != "Apache Kafka 4.4 or newer" || s.Reached {
			t.Errorf("the server is %+v", s)
		}
		var verdicts []string
		for _, c := range d.Checks[:5] {
			verdicts = append(verdicts, string(c.Stage)+" "+string(c.Verdict))
		}
		if got, want := strings.Join(verdicts, ", "), "resolve skipped, dial ok, tls ok, versions ok, sasl failed"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// An error of a check is one of this package, and no secret is anywhere.
func TestDiagnoseTellsErrorsAndNoSecrets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const secret = "hunter2-is-no-password"
		p := newPatient(t, brokertest.SASL(brokertest.Plain("alice", "another")))
		p.cfg.SASL = sasl.Plain("alice", secret)
		d := p.diagnose()
		broker, ok := errors.AsType[*producer.BrokerError](d.FirstFailure().Err)
		if !ok || broker.Stage != producer.StageSASL || !errors.Is(d.FirstFailure().Err, protocol.SaslAuthenticationFailed) {
			t.Errorf("the error is %v", d.FirstFailure().Err)
		}
		text, err := json.Marshal(d)
		if err != nil {
			t.Error(err)
		}
		if shown := string(text) + fmt.Sprintf("%+v %#v", d, d) + all(d); strings.Contains(shown, secret) {
			t.Error("the password is in what it returns")
		}
	})
}
