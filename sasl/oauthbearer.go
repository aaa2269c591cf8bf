package sasl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const oauthName = "OAUTHBEARER"

// OAuthBearer logs in with tokens (OAUTHBEARER, RFC 7628, KIP-255). Without TLS, anybody on the way can read the token.
//
// The newest token serves all connections. If a connection has used it, the next one is fetched in the background, when
// [DefaultRefresh] says. A connection waits only while there is no valid token. One token is fetched at a time. If a fetch
// fails, the old token is used while it is valid, and another one is asked for every 10 seconds. Nothing has to be closed:
// there is a goroutine only while a token is fetched. The tokens of [TokenFile] and [UnsecuredJWS] are read or made for each
// connection instead.
//
// Sources of tokens are [OIDC], [TokenFile], [UnsecuredJWS], and any function as a [TokenFunc].
func OAuthBearer(source TokenSource) Mechanism { return newOAuth(source, DefaultRefresh()) }

// OAuthBearerWith is [OAuthBearer] with other times of refresh. The error names what is out of range.
func OAuthBearerWith(source TokenSource, refresh Refresh) (Mechanism, error) {
	if err := refresh.check(); err != nil {
		return nil, err
	}
	return newOAuth(source, refresh), nil
}

func newOAuth(source TokenSource, refresh Refresh) *oauth {
	m := &oauth{source: source}
	if !atHand(source) {
		m.cache = newTokenCache(source, refresh)
	}
	return m
}

type oauth struct {
	source TokenSource
	cache  *tokenCache // nil if the source has its tokens at hand
}

func (*oauth) Name() string { return oauthName }

func (m *oauth) Begin(ctx context.Context, target Target) (Exchange, error) {
	token, err := m.token(ctx, target.tell)
	if err != nil {
		return nil, fmt.Errorf("no token: %w", err)
	}
	return &oauthExchange{token: func() Token { return token }}, nil
}

func (m *oauth) token(ctx context.Context, tell func(error)) (Token, error) {
	switch {
	case m.source == nil:
		return Token{}, Final(errors.New("there is no source of tokens"))
	case m.cache != nil:
		return m.cache.get(ctx, tell)
	}
	token, err := m.source.Token(ctx)
	if err != nil {
		return Token{}, err
	}
	return token, token.check()
}

type oauthExchange struct {
	token   func() Token // a function, so that package fmt cannot print what it holds
	step    int
	refusal oauthRefusal
}

// An oauthRefusal is the JSON in which a broker says no (RFC 7628, section 3.2.2).
type oauthRefusal struct {
	Status        string `json:"status"`
	Scope         string `json:"scope"`
	Configuration string `json:"openid-configuration"`
}

// mostOfRefusal bounds what is looked at of a broker's refusal, in bytes.
const mostOfRefusal = 16 << 10

func (e *oauthExchange) Next(_ context.Context, challenge []byte) ([]byte, bool, error) {
	e.step++
	switch {
	case e.step == 1:
		return firstOfOAuth(e.token()), false, nil
	case e.step == 2 && len(challenge) == 0:
		return nil, true, nil
	case e.step == 2:
		e.refusal = parseRefusal(challenge)
		return []byte{1}, false, nil // the broker waits for it before it says that it refuses
	}
	words := e.refusal.Status
	return nil, false, &RefusedError{Mechanism: oauthName, Words: words, Hint: e.Explain(words)}
}

// firstOfOAuth is the only message that has a content (RFC 7628, section 3.1; KIP-342).
func firstOfOAuth(token Token) []byte {
	var b strings.Builder
	b.WriteString("n,,\x01auth=Bearer ")
	b.WriteString(string(token.Value))
	b.WriteByte(1)
	for _, key := range slices.Sorted(maps.Keys(token.Extensions)) {
		b.WriteString(key + "=" + token.Extensions[key] + "\x01")
	}
	b.WriteByte(1)
	return []byte(b.String())
}

// parseRefusal takes a text that is not JSON for the status itself.
func parseRefusal(challenge []byte) oauthRefusal {
	challenge = challenge[:min(len(challenge), mostOfRefusal)]
	var r oauthRefusal
	if json.Unmarshal(challenge, &r) != nil || r == (oauthRefusal{}) {
		return oauthRefusal{Status: string(challenge)}
	}
	return r
}
