package security

import (
	"crypto/rand"
	"crypto/rsa"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

// nowhere is where nobody listens.
const nowhere = "127.0.0.1:1"

// tokenMistakes are those with tokens and with the endpoint that issues them.
func (s *site) tokenMistakes() []mistake {
	p := s.provider
	claiming := func(name string, value any) change {
		claims := p.Claims(time.Hour)
		claims[name] = value
		return byToken(p.Token(p.Key, claims))
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	soonGivenUp := func(c *sasl.OIDCConfig) {
		c.ConnectTimeout, c.ReadTimeout, c.RetryBudget = time.Second, time.Second, time.Second
	}
	return []mistake{
		{"OAUTHBEARER: the token has expired", onTokens, byToken(p.Token(p.Key, p.Claims(-time.Hour)))},
		{"OAUTHBEARER: the token is of another issuer", onTokens, claiming("iss", "https://login.example.test")},
		{"OAUTHBEARER: the token is for another audience", onTokens, claiming("aud", "billing")},
		{"OAUTHBEARER: the token is signed by a key that the issuer does not know", onTokens, byToken(p.Token(stranger, p.Claims(time.Hour)))},
		{"OAUTHBEARER: the token is not signed", onTokens, byToken(p.Token(nil, p.Claims(time.Hour)))},
		{"OAUTHBEARER: the token is no JWT", onTokens, byToken("opaque")},
		{"OAUTHBEARER: the endpoint does not know the secret", onTokens, s.byTokens("/token", func(c *sasl.OIDCConfig) { c.ClientSecret = "guess" })},
		{"OAUTHBEARER: the endpoint's address is one of its pages", onTokens, s.byTokens("/login")},
		{"OAUTHBEARER: the endpoint's address has nothing behind it", onTokens, s.byTokens("/tokens")},
		{"OAUTHBEARER: the endpoint is out of order", onTokens, s.byTokens("/broken", soonGivenUp)},
		{"OAUTHBEARER: the endpoint does not answer", onTokens, s.byTokens("/slow", soonGivenUp)},
		{"OAUTHBEARER: nobody listens where the endpoint should be", onTokens,
			s.byTokens("/token", soonGivenUp, func(c *sasl.OIDCConfig) { c.TokenURL = "http://" + nowhere + "/token" })},
		{"PLAIN, where tokens are wanted", onTokens, by(sasl.Plain("alice", password))},
	}
}
