package security

import (
	"testing"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// by logs in with a mechanism.
func by(m sasl.Mechanism) change { return func(cfg *producer.Config) { cfg.SASL = m } }

// Users log in with their password, over plaintext and over TLS, and their records arrive.
func TestPasswords(t *testing.T) {
	t.Parallel()
	s := broker(t)
	for _, m := range []sasl.Mechanism{sasl.Plain("alice", password), sasl.ScramSHA256("alice", password), sasl.ScramSHA512("alice", password)} {
		t.Run(m.Name(), func(t *testing.T) {
			t.Run("SASL_PLAINTEXT", func(t *testing.T) { s.delivers(t, onSASL, by(m)) })
			t.Run("SASL_SSL", func(t *testing.T) { s.delivers(t, onSASLTLS, by(m), s.trusting) })
		})
	}
}
