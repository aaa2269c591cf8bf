package producer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// Each mechanism of package sasl lets the right one in, again and again, and is refused with a hint what may be wrong; no
// secret is in that, nor in the log.
func TestEachMechanism(t *testing.T) {
	right, err := sasl.UnsecuredJWS(map[string]any{"sub": "alice"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	wrong := sasl.TokenFunc(func(context.Context) (sasl.Token, error) { return sasl.Token{Value: "hunter2"}, nil })
	for name, c := range map[string]struct {
		right, wrong sasl.Mechanism
		brokers      []brokertest.SASLMechanism
		hint, not    string
	}{
		"PLAIN": {sasl.Plain("alice", "secret"), sasl.Plain("alice", "hunter2"), []brokertest.SASLMechanism{brokertest.Plain("alice", "secret")},
			`the password of "alice" is wrong, or the broker has no such user for PLAIN`, "token"},
		"SCRAM-SHA-256": {sasl.ScramSHA256("a=b,c", "p,w=éΩ"), sasl.ScramSHA256("a=b,c", "hunter2"), []brokertest.SASLMechanism{brokertest.SCRAM256("a=b,c", "p,w=éΩ")},
			`no credential for SCRAM-SHA-256: each mechanism has its own`, "token"},
		"SCRAM-SHA-512": {sasl.ScramSHA512("alice", "secret"), sasl.ScramSHA512("alice", "hunter2"), []brokertest.SASLMechanism{brokertest.SCRAM512("alice", "secret")},
			`the password of "alice" may be wrong`, "token"},
		"delegation token": {sasl.ScramSHA512From(sasl.DelegationToken("id", "hmac")), sasl.ScramSHA512("id", "hunter2"),
			[]brokertest.SASLMechanism{brokertest.SCRAM512("alice", "secret"), brokertest.DelegationToken("id", "hmac", "alice", time.Time{})},
			`the password of "id" may be wrong`, "round"},
		"OAUTHBEARER": {sasl.OAuthBearer(right), sasl.OAuthBearer(wrong), []brokertest.SASLMechanism{brokertest.OAuthBearer(func(token string) error {
			if token == "hunter2" {
				return errors.New("not signed by us")
			}
			return nil
		})}, "the token is no JWT", "password"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kafka := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.SASL(c.brokers...), brokertest.SessionLifetime(5*time.Second))
				p := start(t, kafka, func(cfg *producer.Config) { cfg.SASL = c.right })
				underLoad(t, p, 30*time.Second)
				if err := p.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				if s := p.Stats(); s.Failed > 0 || s.Retried > 0 || s.Reauthentications < 5 {
					t.Errorf("%+v", s)
				}
				p = start(t, kafka, func(cfg *producer.Config) { cfg.SASL = c.wrong })
				_, err := p.SendSync(t.Context(), record("x"))
				if !sasl.IsFinal(err) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v, want a refusal without the password", err)
				}
				if !strings.Contains(err.Error(), c.hint) || strings.Contains(err.Error(), c.not) {
					t.Errorf("got %v, want %q and nothing of a %s", err, c.hint, c.not)
				}
			})
		})
	}
}
