package producer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

func as(l *login) func(*producer.Config) { return func(cfg *producer.Config) { cfg.SASL = l } }

// A producer with the right credentials sends as without SASL.
func TestSASL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3),
			brokertest.SASL(brokertest.Plain("alice", "secret")))
		p := start(t, c, as(loginAs("alice", "secret")))
		for i := range 30 {
			if _, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Key: fmt.Append(nil, i), Value: []byte("v")}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Connections authenticate themselves again under full load, for ever: nothing is sent twice, fails or is even sent again, and
// no broker has ever more than it may of one connection.
func TestSessionsEndUnderLoad(t *testing.T) {
	for _, lifetime := range []time.Duration{3 * time.Second, 700 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 6), brokertest.Delay(3*time.Millisecond),
				brokertest.SASL(brokertest.Plain("alice", "secret")), brokertest.SessionLifetime(lifetime))
			p := start(t, c, as(loginAs("alice", "secret")))
			underLoad(t, p, 2*time.Minute)
			if err := p.Flush(t.Context()); err != nil {
				t.Error(err)
			}
			s := p.Stats()
			if s.Failed > 0 || s.Retried > 0 || s.Acknowledged != s.Sent || s.LastError != nil {
				t.Errorf("%+v", s)
			}
			if s.Reauthentications < 40 {
				t.Errorf("%d re-authentications in two minutes", s.Reauthentications)
			}
			if err := c.Verify(nil); err != nil {
				t.Error(err)
			}
			if n := c.MaxUnanswered(); n > 5 {
				t.Errorf("%d requests were unanswered on a connection (I1)", n)
			}
		})
	}
}

// Nor do transactions notice.
func TestSessionsEndInTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 6), brokertest.Delay(3*time.Millisecond),
			brokertest.SASL(brokertest.Plain("alice", "secret")), brokertest.SessionLifetime(3*time.Second))
		p := start(t, c, as(loginAs("alice", "secret")), func(cfg *producer.Config) { cfg.TransactionalID = "tx" })
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(150 * time.Millisecond) {
			if err := p.BeginTransaction(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range int32(6) {
				p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("x")})
			}
			if err := p.CommitTransaction(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if s := p.Stats(); s.Retried > 0 || s.Reauthentications < 60 {
			t.Errorf("%+v", s)
		}
	})
}

// What a Config holds of credentials is not printed, by any verb.
func TestConfigPrintsNoSecret(t *testing.T) {
	cfg := producer.DefaultConfig("kafka:9092")
	cfg.SASL = openly{"PLAIN", "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		for _, v := range []any{cfg, &cfg, struct{ C producer.Config }{cfg}} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, "hunter2") || !strings.Contains(got, "kafka:9092") {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
	if got := fmt.Sprintf("%+v", cfg); !strings.Contains(got, "SASL:PLAIN") || !strings.Contains(got, "Acks:") {
		t.Errorf("%%+v prints %s", got)
	}
}

// openly is a mechanism whose author has not thought of who prints it.
type openly struct{ name, password string }

func (o openly) Name() string { return o.name }

func (o openly) Begin(context.Context, sasl.Target) (sasl.Exchange, error) { panic("not to be used") }
