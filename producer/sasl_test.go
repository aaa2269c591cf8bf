package producer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

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
