package sasl

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// hearing begins an exchange, and returns what was told meanwhile, each word with its time.
func hearing(t *testing.T, m Mechanism) (told []string, err error) {
	began := time.Now()
	_, err = m.Begin(t.Context(), Target{Host: "kafka", Trouble: func(err error) {
		word := "over"
		if err != nil {
			word = err.Error()
		}
		told = append(told, time.Since(began).String()+": "+word)
	}})
	return told, err
}

// An endpoint that does not answer as it should is told of with its first failure, while it is asked again: which it is, what it
// has answered, how that begins, and what to do. No secret is in that.
func TestTroubleWithAnEndpointIsToldAtOnce(t *testing.T) {
	fails := func(err error) handlerOrError { return handlerOrError{err: err} }
	answers := func(status int, kind, body string) handlerOrError {
		return handlerOrError{handler: handler(answer(status, kind, body))}
	}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		first handlerOrError
		says  []string
	}{
		"503": {answers(503, "text/plain", "upstream connect error\n or disconnect, secret hunter2"),
			[]string{`503 Service Unavailable: "upstream connect error or disconnect, secret [hidden]"`, "it is down or overloaded"}},
		"503 in HTML": {answers(503, "text/html", "<html><title>Sorry</title>"+strings.Repeat("x", 1000)),
			[]string{`503 Service Unavailable, with a page of HTML that begins with "<html><title>Sorry</title>xxx`, `x…"`}},
		"503 without a word": {answers(503, "", ""), []string{"503 Service Unavailable (it is down"}},
		"429":                {answers(429, "application/json", `{"error":"slow_down"}`), []string{`429 Too Many Requests: "slow_down" (it is asked too often`}},
		"500":                {answers(500, "", "panic"), []string{`500 Internal Server Error: "panic" (its own log`}},
		"closed":             {fails(refused), []string{"connection refused (nobody listens there"}},
		"unknown host":       {fails(&net.DNSError{Err: "no such host", Name: "idp"}), []string{"no such host (check the host in the URL"}},
		"hung up":            {fails(io.EOF), []string{"EOF (it, or what is in between, hangs up"}},
		"http":               {fails(errors.New("http: server gave HTTP response to HTTPS client")), []string{"it speaks http there, and the URL has https"}},
	} {
		inFakeTime(t, name, func(t *testing.T) {
			var up atomic.Bool
			time.AfterFunc(2*time.Second, func() { up.Store(true) })
			config := client("https://idp.example/token?key=hunter2")
			config.HTTP = &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
				if up.Load() {
					return handler(answer(200, "application/json", goodToken)).RoundTrip(r)
				}
				return c.first.RoundTrip(r)
			})}
			told, err := hearing(t, OAuthBearer(source(t, config)))
			if err != nil || len(told) != 2 || !strings.HasPrefix(told[0], "0s: no token: https://idp.example/token: ") || !strings.HasSuffix(told[1], ": over") {
				t.Fatalf("told %q, %v; want the first failure at once, and its end", told, err)
			}
			has(t, told[0], c.says...)
			if strings.Contains(told[0], "hunter2") {
				t.Errorf("has the secret: %s", told[0])
			}
		})
	}
}

func inFakeTime(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// handlerOrError is an endpoint that answers, or cannot be reached.
type handlerOrError struct {
	handler
	err error
}

func (h handlerOrError) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.err != nil {
		return nil, h.err
	}
	return h.handler.RoundTrip(r)
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Who comes while a fetch is in trouble already is told, too; extensions change nothing of that.
func TestTroubleIsToldToLatecomers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := WithExtensions(source(t, within(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })), map[string]string{"a": "b"})
		m := OAuthBearer(s)
		go m.Begin(t.Context(), Target{})
		time.Sleep(time.Second)
		told, err := hearing(t, m)
		if len(told) != 1 || !strings.HasPrefix(told[0], "0s: no token: https://idp.example/token: it has answered 503") || err == nil {
			t.Errorf("told %q, %v", told, err)
		}
	})
}

// A token that could not be replaced is used, and each connection says so, with its end: it is not too late yet.
func TestAnOldTokenIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{life: time.Hour}
		m := middle(d)
		sends(t, m, "token1")
		end := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		d.fail(errors.New("503"))
		time.Sleep(55 * time.Minute)
		told, err := hearing(t, m)
		if want := "0s: no new token, and the old one ends at " + end + ": 503"; err != nil || len(told) != 1 || told[0] != want {
			t.Errorf("told %q, %v; want %q", told, err, want)
		}
		d.fails.Store(nil)
		time.Sleep(time.Minute)
		if told, err := hearing(t, m); err != nil || len(told) != 1 || told[0] != "0s: over" {
			t.Errorf("told %q, %v; want that it is over", told, err)
		}
	})
}

// What the source of a token knows of it is said where a broker refuses it, whether it can be read here or not; the scope that
// the token has, too.
func TestHintsAboutATokenThatIsRefused(t *testing.T) {
	refusal := `{"status":"invalid_token"}`
	for value, wants := range map[string][]string{
		"opaque": {"signed for eu-west-1"},
		jwt(t, "RS256", map[string]any{"sub": "alice", "scope": "kafka read", "exp": time.Now().Add(time.Hour).Unix()}): {
			"issuer, audience, scope or signing key", `scope "kafka read"`, "signed for eu-west-1"},
	} {
		m := OAuthBearer(TokenFunc(func(context.Context) (Token, error) {
			return Token{Value: Secret(value), Hint: "signed for eu-west-1"}, nil
		}))
		text := begin(t, m).(Explainer).Explain(refusal)
		has(t, text, wants...)
		if strings.Contains(text, value) || strings.Contains(text, "only the broker's log") || strings.Contains(text, "password") {
			t.Errorf("%s", text)
		}
	}
}

// A file that is not there may come: whatever it holds, the error says so.
func TestAFileThatIsNotThere(t *testing.T) {
	const path = "/nowhere/file"
	signed, err := SignedAssertion(AssertionConfig{KeyFile: path, Issuer: "me"})
	if err != nil {
		t.Fatal(err)
	}
	withAssertion := func(f AssertionFunc) Mechanism {
		return OAuthBearer(source(t, OIDCConfig{TokenURL: "https://idp.example/token", Assertion: f}))
	}
	for name, m := range map[string]Mechanism{
		"token file": OAuthBearer(TokenFile(path)), "password file": PlainFrom(PasswordFile("alice", path)),
		"credentials file": ScramSHA256From(CredentialsFile(path)), "assertion file": withAssertion(AssertionFile(path)), "key file": withAssertion(signed),
	} {
		_, err := m.Begin(t.Context(), Target{})
		if err == nil || IsFinal(err) {
			t.Errorf("%s: %v, final %t", name, err, IsFinal(err))
			continue
		}
		has(t, err.Error(), "the "+name+" "+path+" cannot be read", "check the path", "it is looked for again each time")
	}
}
