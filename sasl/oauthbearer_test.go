package sasl

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// jwt is a token with these claims, whose signature nobody here looks at.
func jwt(t testing.TB, algorithm string, claims map[string]any) string {
	t.Helper()
	text, err := unsignedJWT(map[string]any{"alg": algorithm}, claims)
	if err != nil {
		t.Fatal(err)
	}
	return text + ".c2lnbmF0dXJl"
}

func always(token Token) TokenSource {
	return TokenFunc(func(context.Context) (Token, error) { return token, nil })
}

func TestOAuthSendsTokenAndExtensions(t *testing.T) {
	for _, c := range []struct {
		token Token
		want  string
	}{
		{Token{Value: "a.b.c"}, "n,,\x01auth=Bearer a.b.c\x01\x01"},
		{Token{Value: "a.b.c", Extensions: map[string]string{"logicalCluster": "lkc-1"}}, "n,,\x01auth=Bearer a.b.c\x01logicalCluster=lkc-1\x01\x01"},
		{Token{Value: "Az09-._~+/==", Extensions: map[string]string{"b": "two words", "a": "\t\r\n=,"}}, "n,,\x01auth=Bearer Az09-._~+/==\x01a=\t\r\n=,\x01b=two words\x01\x01"},
	} {
		e := begin(t, OAuthBearer(always(c.token)))
		if got, done := next(t, e, ""); got != c.want || done {
			t.Errorf("sent %q, done %v; want %q", got, done, c.want)
		}
		if _, done := next(t, e, ""); !done {
			t.Error("an empty answer lets the client in, and it is not done")
		}
	}
}

// A broker says no in JSON, waits for one byte, and says it again as an error.
func TestOAuthHearsTheRefusalOut(t *testing.T) {
	for answer, status := range map[string]string{
		`{"status":"invalid_token"}`: "invalid_token",
		`{"status":"insufficient_scope","scope":"kafka:write","openid-configuration":"https://idp/"}`: "insufficient_scope",
		"no JSON at all":           "no JSON at all",
		`{"unknown":1}`:            `{"unknown":1}`,
		strings.Repeat("{", 1<<20): strings.Repeat("{", mostOfRefusal),
	} {
		e := begin(t, OAuthBearer(always(Token{Value: "a.b.c"})))
		next(t, e, "")
		if got, done := next(t, e, answer); got != "\x01" || done {
			t.Errorf("sent %q, done %v", got, done)
		}
		_, done, err := e.Next(t.Context(), nil)
		refused, ok := errors.AsType[*RefusedError](err)
		if done || !ok || refused.Words != status || refused.Mechanism != "OAUTHBEARER" {
			t.Errorf("after %.40q: done %v, %v", answer, done, err)
		}
		has(t, e.(Explainer).Explain(answer), "no JWT")
	}
	e := begin(t, OAuthBearer(always(Token{Value: "a.b.c"})))
	next(t, e, "")
	next(t, e, `{"status":"insufficient_scope","scope":"kafka:write"}`)
	has(t, e.(Explainer).Explain(""), `the broker wants the scope "kafka:write"`)
}

// A broker hangs up on a message that is malformed, without a word. So it is refused here.
func TestOAuthRefusesWhatBrokersHangUpOn(t *testing.T) {
	for _, c := range []struct {
		token Token
		says  string
	}{
		{Token{}, "empty"},
		{Token{Value: "="}, "nothing but ="},
		{Token{Value: "abc.d\x01f"}, "position 6"},
		{Token{Value: "abc def"}, "position 4"},
		{Token{Value: "abc\n"}, "position 4"},
		{Token{Value: "a=b"}, "position 2"},
		{Token{Value: "t\u00f6ken"}, "position 2"},
		{Token{Value: "a", Extensions: map[string]string{"": "x"}}, "ASCII letters"},
		{Token{Value: "a", Extensions: map[string]string{"key1": "x"}}, "ASCII letters"},
		{Token{Value: "a", Extensions: map[string]string{"k\u00e4y": "x"}}, "ASCII letters"},
		{Token{Value: "a", Extensions: map[string]string{"auth": "x"}}, "token's own"},
		{Token{Value: "a", Extensions: map[string]string{"key": "x\x01y"}}, "position 2"},
		{Token{Value: "a", Extensions: map[string]string{"key": ""}}, "no value"},
		{Token{Value: "a", Extensions: map[string]string{"key": "\u00e9"}}, "position 1"},
		{Token{Value: Secret(strings.Repeat("a", mostOfToken+1))}, "brokers take"},
	} {
		for _, source := range []TokenSource{always(c.token), atOnce{c.token}} {
			_, err := OAuthBearer(source).Begin(t.Context(), Target{})
			if err == nil {
				t.Errorf("%.20q is taken", string(c.token.Value))
				continue
			}
			has(t, err.Error(), "no token: ", c.says)
		}
	}
	if _, err := OAuthBearer(nil).Begin(t.Context(), Target{}); !IsFinal(err) {
		t.Errorf("no source: %v", err)
	}
}

// atOnce is a source with its token at hand.
type atOnce struct{ token Token }

func (s atOnce) Token(context.Context) (Token, error) { return s.token, nil }
func (atOnce) atHand() bool                           { return true }

// A broker never tells why it refuses a token. So the hint reads the token, and shows nothing of it that is secret.
func TestOAuthExplains(t *testing.T) {
	now := time.Now()
	good := func(change map[string]any) map[string]any {
		claims := map[string]any{"iss": "https://idp.example", "aud": []string{"kafka", "other"}, "sub": "alice", "scope": "kafka:read",
			"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "secret": "hunter2"}
		for name, value := range change {
			claims[name] = value
		}
		return claims
	}
	described := []string{`iss "https://idp.example"`, `aud "kafka other"`, `sub "alice"`}
	for _, c := range []struct {
		name      string
		algorithm string
		claims    map[string]any
		skew      time.Duration
		says      []string
	}{
		{"expired", "RS256", good(map[string]any{"exp": now.Add(-5 * time.Minute).Unix()}), 0, append(described, "the token expired 5m0s ago")},
		{"not valid yet", "RS256", good(map[string]any{"nbf": now.Add(10 * time.Minute).Unix()}), 0, append(described, "becomes valid in 10m0s")},
		{"from the future", "RS256", good(map[string]any{"iat": now.Add(10*time.Minute).Unix() + 0}), 0, append(described, "will be issued in 10m0s")},
		{"unsigned", "none", good(nil), 0, append(described, "not signed")},
		{"without exp", "RS256", good(map[string]any{"exp": nil}), 0, append(described, "no claim exp")},
		{"without sub", "RS256", good(map[string]any{"sub": nil}), 0, []string{"no claim sub"}},
		{"good as far as one sees", "RS256", good(nil), 0, append(described, "the token is valid", "sasl.oauthbearer.expected.issuer", ".expected.audience")},
		{"a clock that is ahead", "RS256", good(nil), 7 * time.Minute, append(described, "clock is 7m0s ahead of that of https://idp.example/token")},
		{"a clock that is behind", "RS256", good(nil), -7 * time.Minute, append(described, "clock is 7m0s behind that of https://idp.example/token")},
	} {
		t.Run(c.name, func(t *testing.T) {
			value := jwt(t, c.algorithm, c.claims)
			e := begin(t, OAuthBearer(atOnce{Token{Value: Secret(value), skew: c.skew, endpoint: "https://idp.example/token"}}))
			next(t, e, "")
			next(t, e, `{"status":"invalid_token"}`)
			hint := e.(Explainer).Explain(`{"status":"invalid_token"}`)
			has(t, hint, c.says...)
			if strings.Contains(hint, "hunter2") || strings.Contains(hint, value[:20]) || c.skew == 0 && strings.Contains(hint, "clock is") && strings.Contains(hint, "that of") {
				t.Errorf("shows too much: %s", hint)
			}
		})
	}
	e := begin(t, OAuthBearer(atOnce{Token{Value: Secret(jwt(t, "RS256", good(nil)))}})).(Explainer)
	has(t, e.Explain("Cannot change principals during re-authentication from User.bob: User.alice"), "session cannot change its user", `"alice"`)
}

func TestExtensionsAreAdded(t *testing.T) {
	given := map[string]string{"a": "1", "b": "2"}
	source := WithExtensions(always(Token{Value: "t", Extensions: map[string]string{"b": "old", "c": "3"}}), given)
	given["a"] = "changed later"
	token, err := source.Token(t.Context())
	if err != nil || len(token.Extensions) != 3 || token.Extensions["a"] != "1" || token.Extensions["b"] != "2" || token.Extensions["c"] != "3" {
		t.Errorf("%v, %v", token.Extensions, err)
	}
	fails := errors.New("no")
	if _, err := WithExtensions(TokenFunc(func(context.Context) (Token, error) { return Token{}, fails }), nil).Token(t.Context()); !errors.Is(err, fails) {
		t.Error(err)
	}
	if !atHand(WithExtensions(TokenFile("x"), nil)) {
		t.Error("what has its tokens at hand has them no more with extensions")
	}
}

// The file is looked at for each connection, so a token that has replaced another is used at once.
func TestTokenFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	m := OAuthBearer(WithExtensions(TokenFile(path), map[string]string{"a": "b"}))
	if _, err := m.Begin(t.Context(), Target{}); !errors.Is(err, os.ErrNotExist) || IsFinal(err) {
		t.Errorf("no file: %v", err)
	}
	for _, value := range []string{"first.to.ken", "second.to.ken"} {
		write(t, path, " \n"+value+"\r\n")
		if got, _ := next(t, begin(t, m), ""); got != "n,,\x01auth=Bearer "+value+"\x01a=b\x01\x01" {
			t.Errorf("sent %q", got)
		}
	}
	for text, says := range map[string]string{"": "holds no token", " \n": "holds no token", "two tokens": "position 4"} {
		write(t, path, text)
		if _, err := m.Begin(t.Context(), Target{}); err == nil || IsFinal(err) {
			t.Errorf("%q: %v", text, err)
		} else {
			has(t, err.Error(), path, says)
		}
	}
}

func TestUnsecuredTokens(t *testing.T) {
	source, err := UnsecuredJWS(map[string]any{"sub": "alice", "scope": []string{"a", "b"}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	token, err := source.Token(t.Context())
	if err != nil || token.check() != nil {
		t.Fatal(err, token.check())
	}
	parts := strings.Split(string(token.Value), ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	if len(parts) != 3 || parts[2] != "" || string(header) != `{"alg":"none"}` {
		t.Errorf("%s", string(token.Value))
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Sub      string
		Scope    []string
		Iat, Exp float64
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Sub != "alice" || len(claims.Scope) != 2 || claims.Exp-claims.Iat != 3600 {
		t.Errorf("%s: %v", payload, err)
	}
	if ago := time.Since(time.UnixMilli(int64(claims.Iat * 1000))); ago < 0 || ago > time.Minute {
		t.Errorf("iat %v", claims.Iat)
	}
	for _, claims := range []map[string]any{{"exp": 1}, {"iat": 1}, {"f": func() {}}} {
		if _, err := UnsecuredJWS(claims, 0); err == nil {
			t.Errorf("%v are taken", claims)
		}
	}
	if _, err := UnsecuredJWS(nil, -1); err == nil {
		t.Error("a negative life is taken")
	}
}

func TestJWTsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "a.b", "a.b.c", "..", "e30.e30", "e30.%.x", "bnVsbA.bnVsbA.x", "W10.W10.x"} {
		if c, ok := decodeJWT(text); ok {
			t.Errorf("%q is %+v", text, c)
		}
	}
	c, ok := decodeJWT(jwt(t, "RS256", map[string]any{"exp": 1e300, "iat": 1700000000.5, "nbf": "tomorrow", "aud": 7, "sub": []int{1}, "iss": nil, "scp": []string{"a", "b"}}))
	if !ok || c.expires.Year() != 9999 || c.issued.UnixMilli() != 1700000000500 || !c.validSince.IsZero() || c.audience != nil || c.subject != "" || c.scope != "a b" {
		t.Errorf("%+v, %v", c, ok)
	}
}

// decodeForTest returns header and claims as they are.
func decodeForTest(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			t.Fatalf("part %d of %s", i, token)
		}
	}
	return header, claims
}
