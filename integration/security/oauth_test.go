package security

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/identity"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// byTokens logs in with what an endpoint issues.
func (s *site) byTokens(path string, settings ...func(*sasl.OIDCConfig)) change {
	c := sasl.OIDCConfig{TokenURL: s.provider.URL + path, ClientID: identity.ClientID, ClientSecret: identity.ClientSecret, Scope: "kafka write"}
	for _, f := range settings {
		f(&c)
	}
	source, err := sasl.OIDC(c)
	if err != nil {
		panic(err)
	}
	return by(sasl.OAuthBearer(source))
}

// byToken logs in with one token.
func byToken(token string) change {
	return by(sasl.OAuthBearer(sasl.TokenFunc(func(context.Context) (sasl.Token, error) { return sasl.Token{Value: sasl.Secret(token)}, nil })))
}

// Signed tokens of an identity provider let a producer in, from wherever it has them.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := broker(t)
	t.Run("from the endpoint", func(t *testing.T) { s.delivers(t, onTokens, s.byTokens("/token")) })
	t.Run("from a file", func(t *testing.T) {
		name := s.authority.Path("token")
		do(t, os.WriteFile(name, []byte(s.provider.Token(s.provider.Key, s.provider.Claims(time.Hour))+"\n"), 0o600))
		s.delivers(t, onTokens, by(sasl.OAuthBearer(sasl.TokenFile(name))))
	})
	t.Run("with extensions", func(t *testing.T) {
		source := sasl.TokenFunc(func(context.Context) (sasl.Token, error) {
			return sasl.Token{Value: sasl.Secret(s.provider.Token(s.provider.Key, s.provider.Claims(time.Hour)))}, nil
		})
		s.delivers(t, onTokens, by(sasl.OAuthBearer(sasl.WithExtensions(source, map[string]string{"logicalCluster": "lkc-1"}))))
	})
	t.Run("as properties", func(t *testing.T) {
		cfg, _, err := producer.FromMap(map[string]string{
			"bootstrap.servers": s.Listener(0, onTokens), "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER",
			"sasl.login.callback.handler.class":                 "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
			"sasl.jaas.config":                                  "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
			"sasl.oauthbearer.token.endpoint.url":               s.provider.URL + "/token",
			"sasl.oauthbearer.client.credentials.client.id":     identity.ClientID,
			"sasl.oauthbearer.client.credentials.client.secret": identity.ClientSecret,
			"sasl.oauthbearer.scope":                            "kafka write",
		})
		do(t, err)
		s.delivers(t, onTokens, func(c *producer.Config) { *c = cfg })
	})
}
