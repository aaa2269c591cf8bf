package sasl

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// A request is what a token endpoint has got.
type request struct {
	header http.Header
	body   string
	form   url.Values
}

// endpoint is a token endpoint on this machine, which answers as told and keeps the requests.
func endpoint(t *testing.T, answer http.HandlerFunc) (address string, got func() []request) {
	t.Helper()
	var mu sync.Mutex
	var requests []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		if err != nil || r.Method != http.MethodPost {
			t.Errorf("%s with %q", r.Method, body)
		}
		mu.Lock()
		requests = append(requests, request{r.Header, string(body), form})
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/oauth2/token", func() []request {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

func answer(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// source has to be a valid config.
func source(t *testing.T, c OIDCConfig) TokenSource {
	t.Helper()
	s, err := OIDC(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// client is the usual one.
func client(address string) OIDCConfig {
	return OIDCConfig{TokenURL: address, ClientID: "client", ClientSecret: "hunter2"}
}

// What is sent is what Java sends, but that the form is always encoded.
func TestOIDCRequests(t *testing.T) {
	signed := func() AssertionFunc { return AssertionFile(writeTemp(t, "assertion", " he.ad.er \n")) }
	for _, c := range []struct {
		name   string
		config OIDCConfig
		basic  string
		body   string
	}{
		{"secret", OIDCConfig{ClientID: "id+1", ClientSecret: "s/ %3"}, "id+1:s/ %3", "grant_type=client_credentials"},
		{"encoded secret", OIDCConfig{ClientID: "id+1", ClientSecret: "s/ %3", EncodeHeader: true, Scope: "kafka read"}, "id%2B1:s%2F+%253",
			"grant_type=client_credentials&scope=kafka+read"},
		{"a colon, encoded", OIDCConfig{ClientID: "a:b", ClientSecret: "c:d", EncodeHeader: true}, "a%3Ab:c%3Ad", "grant_type=client_credentials"},
		{"secret in the body", OIDCConfig{ClientID: "a:b", ClientSecret: "s/ %3", SecretInBody: true, Params: map[string]string{"audience": "kafka&x"}}, "",
			"audience=kafka%26x&client_id=a%3Ab&client_secret=s%2F+%253&grant_type=client_credentials"},
		{"a function's secret", OIDCConfig{Credentials: PasswordFile("id", writeTemp(t, "secret", "s\n"))}, "id:s", "grant_type=client_credentials"},
		{"assertion", OIDCConfig{Assertion: signed(), ClientID: "id", Scope: "s"}, "",
			"client_assertion=he.ad.er&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_id=id&grant_type=client_credentials&scope=s"},
		{"jwt-bearer", OIDCConfig{Assertion: signed(), JWTBearer: true, ClientID: "id", Scope: "s"}, "",
			"assertion=he.ad.er&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&scope=s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, got := endpoint(t, answer(200, "application/json", `{"access_token":"opaque","expires_in":60}`))
			c.config.TokenURL = address + "?query=kept"
			if _, err := source(t, c.config).Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := got()[0]
			if r.body != c.body {
				t.Errorf("body %s\nwant %s", r.body, c.body)
			}
			id, secret, isBasic := (&http.Request{Header: r.header}).BasicAuth()
			if want := c.basic; isBasic != (want != "") || isBasic && id+":"+secret != want {
				t.Errorf("Authorization %q, want %q", id+":"+secret, want)
			}
			for name, want := range map[string]string{"Accept": "application/json", "Cache-Control": "no-cache", "Content-Type": "application/x-www-form-urlencoded"} {
				if r.header.Get(name) != want {
					t.Errorf("%s: %q", name, r.header.Get(name))
				}
			}
		})
	}
}

func TestOIDCAnswers(t *testing.T) {
	exp := time.Now().Add(time.Hour).Truncate(time.Second)
	signed := jwt(t, "RS256", map[string]any{"exp": exp.Unix()})
	for _, c := range []struct {
		name, body string
		status     int
		value      string
		lives      time.Duration // about; 0 for not known
	}{
		{"a JWT", `{"access_token":"` + signed + `","expires_in":5}`, 200, signed, time.Hour},
		{"an opaque token", `{"access_token":"opaque","expires_in":300,"token_type":"Bearer"}`, 201, "opaque", 5 * time.Minute},
		{"a number in quotes", `{"access_token":"opaque","expires_in":"300"}`, 200, "opaque", 5 * time.Minute},
		{"an id token", `{"id_token":"` + signed + `"}`, 200, signed, time.Hour},
		{"both", `{"id_token":"other","access_token":"opaque"}`, 200, "opaque", 0},
		{"no end", `{"access_token":"opaque"}`, 200, "opaque", 0},
		{"an end that is none", `{"access_token":"opaque","expires_in":-1}`, 200, "opaque", 0},
		{"an end beyond all time", `{"access_token":"opaque","expires_in":1e300}`, 200, "opaque", 1e9 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, _ := endpoint(t, answer(c.status, "application/json;charset=UTF-8", c.body))
			token, err := source(t, client(address)).Token(t.Context())
			if err != nil || string(token.Value) != c.value {
				t.Fatalf("%q, %v", string(token.Value), err)
			}
			if c.lives == 0 && !token.Expires.IsZero() || c.lives != 0 && (time.Until(token.Expires)-c.lives).Abs() > time.Minute {
				t.Errorf("expires %v", token.Expires)
			}
		})
	}
}

// What brings no token says which endpoint, what it has answered, why, and what to do. It is tried again by whoever needs a
// token next, unless the endpoint has said no.
func TestOIDCRefusals(t *testing.T) {
	const kind = "application/json"
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		final  bool
		says   []string
	}{
		{"wrong secret", answer(401, kind, `{"error":"invalid_client","error_description":"no client hunter2, hunter2!"}`), true,
			[]string{`401 Unauthorized: "invalid_client": "no client [hidden], [hidden]!"`, "id or secret of the client is wrong"}},
		{"wrong scope", answer(400, kind, `{"error":"invalid_scope"}`), true, []string{`400 Bad Request: "invalid_scope"`, `scope asked for is "kafka"`}},
		{"not allowed", answer(400, kind, `{"error":"unauthorized_client"}`), true, []string{`allowed the grant "client_credentials"`}},
		{"other names", answer(403, kind, `{"errorCode":"E1","errorSummary":"no"}`), true, []string{`403 Forbidden: "E1": "no"`}},
		{"refused with 200", answer(200, kind, `{"error":"invalid_client"}`), true, []string{"it has refused: 200 OK"}},
		{"wrong path", answer(404, "text/html", "<html>not found"), true, []string{"404 Not Found, with a page of HTML", "is the path of the URL right?"}},
		{"never implemented", answer(501, kind, ""), true, []string{"501"}},
		{"redirect", redirect, true, []string{"307 Temporary Redirect with a redirect to", "/elsewhere", "not followed"}},
		{"redirect to what is no URL", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/a\x7fhunter2"+strings.Repeat("b", 1000))
			w.WriteHeader(302)
		}, false, []string{`\x7f[hidden]bbb`, "…"}},
		{"login page", answer(200, "text/html; charset=utf-8", "<!DOCTYPE html><title>Log in</title>"), false, []string{"200 OK with a page of HTML", "login page, or a proxy"}},
		{"login page without a type", answer(200, "", "\n <HTML>"), false, []string{"page of HTML"}},
		{"no JSON", answer(200, kind, "hunter2"), false, []string{"the body is not the JSON of a token: wrong syntax at byte 1"}},
		{"another JSON", answer(200, kind, `["hunter2"]`), false, []string{"it is no object"}},
		{"a wrong type", answer(200, kind, `{"access_token":{"a":"hunter2"}}`), false, []string{`the field "access_token" has the wrong type`}},
		{"no token", answer(200, kind, `{"hunter2":1}`), false, []string{"neither access_token nor id_token"}},
		{"no token that one can send", answer(200, kind, `{"access_token":"hunter2 x"}`), false, []string{"position 8"}},
		{"huge", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"access_token":"`)
			io.WriteString(w, strings.Repeat("a", mostOfAnswer))
			io.WriteString(w, `"}`)
		}, false, []string{"more than 1048576 bytes"}},
		{"nothing", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, []string{"EOF"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, got := endpoint(t, c.answer)
			config := client(address + "?key=hunter2")
			config.Scope, config.RetryBudget = "kafka", 1
			_, err := source(t, config).Token(t.Context())
			if err == nil || IsFinal(err) != c.final {
				t.Fatalf("%v, final %v", err, IsFinal(err))
			}
			has(t, err.Error(), append(c.says, address+": ")...)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("shows a secret: %v", err)
			}
			if n := len(got()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// redirect leads elsewhere, and elsewhere gives a token.
func redirect(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/elsewhere") {
		io.WriteString(w, `{"access_token":"stolen"}`)
		return
	}
	http.Redirect(w, r, "/elsewhere?key=hunter2", http.StatusTemporaryRedirect)
}

// A client of the user's follows no redirect either, though it would, and is not changed.
func TestOIDCWithAClientOfTheUser(t *testing.T) {
	address, _ := endpoint(t, redirect)
	own := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	config := client(address)
	config.HTTP = own
	if _, err := source(t, config).Token(t.Context()); err == nil {
		t.Error("the secret went elsewhere")
	}
	if own.CheckRedirect != nil {
		t.Error("the user's client was changed")
	}
}

func TestOIDCOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(answer(200, "application/json", `{"access_token":"opaque"}`))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	_, err := source(t, client(server.URL)).Token(t.Context())
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok || IsFinal(err) {
		t.Errorf("an unknown authority: %v", err)
	} else {
		has(t, err.Error(), "certificate is not trusted", "OIDCConfig.TLS", server.URL)
	}
	config := client(server.URL)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	config.TLS = &tls.Config{RootCAs: roots}
	if token, err := source(t, config).Token(t.Context()); err != nil || token.Value != "opaque" {
		t.Errorf("%v", err)
	}
}

func TestOIDCConfigsThatAreWrong(t *testing.T) {
	assertion := AssertionFile("x")
	for _, c := range []struct {
		config OIDCConfig
		says   []string
	}{
		{OIDCConfig{}, []string{"TokenURL is not set", "nothing else proves"}},
		{client("ftp://host/hunter2"), []string{"https://"}},
		{client("https:///hunter2"), []string{"names no host"}},
		{client("https://alice:hunter2@host/"), []string{"a user in it"}},
		{client("https://host\x7f/hunter2"), []string{"not a URL"}},
		{OIDCConfig{TokenURL: "https://h", ClientSecret: "hunter2"}, []string{"ClientID is not"}},
		{OIDCConfig{TokenURL: "https://h", ClientSecret: "hunter2", ClientID: "a:b"}, []string{"colon", "EncodeHeader"}},
		{OIDCConfig{TokenURL: "https://h", ClientSecret: "hunter2", ClientID: "a", Assertion: assertion}, []string{"one alone"}},
		{OIDCConfig{TokenURL: "https://h", ClientSecret: "hunter2", ClientID: "a", Credentials: PasswordFile("a", "b")}, []string{"which is meant"}},
		{OIDCConfig{TokenURL: "https://h", ClientSecret: "hunter2", ClientID: "a", JWTBearer: true}, []string{"JWTBearer needs"}},
		{OIDCConfig{TokenURL: "https://h", Assertion: assertion, HTTP: http.DefaultClient, TLS: &tls.Config{}}, []string{"HTTP and TLS"}},
		{OIDCConfig{TokenURL: "https://h", Assertion: assertion, ReadTimeout: -1}, []string{"negative"}},
		{OIDCConfig{TokenURL: "https://h", Assertion: assertion, Params: map[string]string{"scope": "x"}}, []string{`"scope"`}},
	} {
		if _, err := OIDC(c.config); err == nil {
			t.Errorf("%s: is taken", c.says)
		} else if has(t, err.Error(), c.says...); strings.Contains(err.Error(), "hunter2") {
			t.Errorf("shows a secret: %v", err)
		}
	}
	late := OIDCConfig{TokenURL: "https://h.invalid", Credentials: fixed(Credentials{User: "a:b", Password: "hunter2"})}
	if _, err := source(t, late).Token(t.Context()); !IsFinal(err) {
		t.Errorf("a colon that a function has returned: %v", err)
	}
	late.Credentials = fixed(Credentials{User: "a"})
	if _, err := source(t, late).Token(t.Context()); err == nil || IsFinal(err) {
		t.Errorf("no secret of a function: %v", err)
	}
}

func writeTemp(t *testing.T, name, text string) string {
	t.Helper()
	path := fmt.Sprint(t.TempDir(), "/", name)
	write(t, path, text)
	return path
}
