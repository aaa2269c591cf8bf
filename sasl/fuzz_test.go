package sasl

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// FuzzScram takes any two answers of a broker. The client never goes on as if it was let in, unless the broker has proved
// itself, never works for longer than its bound, and never has to be stopped.
func FuzzScram(f *testing.F) {
	f.Add(rfcServer, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
	f.Add(strings.Replace(rfcServer, "4096", "1", 1), "v=")
	f.Add(rfcServer+",x=y", "e=invalid-proof")
	f.Add("m=ext,"+rfcServer, "v=AAAA,x=y")
	f.Add("r="+rfcNonce+",s=AA==,i=4096", "")
	f.Add("e=unknown-user", "")
	f.Add("", "")
	m := ScramSHA256("user", "pencil").(*scram)
	m.nonce = func() string { return rfcNonce }
	const good = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G"
	f.Fuzz(func(t *testing.T, first, last string) {
		if parts := strings.Split(first, ",i="); len(parts) > 1 && len(strings.TrimLeft(strings.Split(parts[1], ",")[0], "+0")) > 4 {
			return // a million rounds are allowed, and take too long for a fuzzer
		}
		e, err := m.Begin(context.Background(), Target{})
		if err != nil {
			t.Fatal(err)
		}
		e.Next(context.Background(), nil)
		proof, done, err := e.Next(context.Background(), []byte(first))
		if done || err == nil && !strings.HasPrefix(string(proof), "c=biws,r="+rfcNonce) {
			t.Fatalf("%q is answered by %q, done %v", first, proof, done)
		}
		if err != nil {
			checkError(t, err)
			return
		}
		_, done, err = e.Next(context.Background(), []byte(last))
		if first == rfcServer && last == "v="+good+"4=" && !done {
			t.Fatalf("the broker has proved itself, and is not believed: %v", err)
		}
		if done && !(first == rfcServer && strings.HasPrefix(last, "v="+good)) {
			t.Fatalf("%q and %q let the client in", first, last)
		} else if err != nil {
			checkError(t, err)
		}
	})
}

// checkError demands that an error can be shown.
func checkError(t *testing.T, err error) {
	t.Helper()
	checkText(t, err.Error())
}

// checkText demands that a text is one line of bounded length, which commands no terminal and shows no secret.
func checkText(t *testing.T, text string) {
	t.Helper()
	if len(text) > 8000 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, "pencil") {
		t.Fatalf("%d bytes: %q", len(text), text)
	}
}

// FuzzBrokerRefusal takes any answer to a token.
func FuzzBrokerRefusal(f *testing.F) {
	for _, seed := range []string{`{"status":"invalid_token"}`, `{"status":"insufficient_scope","scope":"a","openid-configuration":"https://idp/"}`,
		`{"status":1}`, `[]`, "null", "", "\x1b[31m", `{"status":"\u0000"}`} {
		f.Add([]byte(seed), seed)
	}
	value := Secret(jwt(f, "RS256", map[string]any{"exp": 1, "sub": "alice\x1b", "iss": strings.Repeat("x", 1000), "password": "pencil"}))
	f.Fuzz(func(t *testing.T, answer []byte, words string) {
		e, err := OAuthBearer(atOnce{Token{Value: value}}).Begin(context.Background(), Target{})
		if err != nil {
			t.Fatal(err)
		}
		e.Next(context.Background(), nil)
		response, done, err := e.Next(context.Background(), answer)
		if err != nil || done != (len(answer) == 0) || !done && string(response) != "\x01" {
			t.Fatalf("%q is answered by %q, done %v, %v", answer, response, done, err)
		}
		if !strings.Contains(string(answer)+words, "pencil") { // a broker may know it, too
			checkText(t, e.(Explainer).Explain(words))
		}
		if !done {
			if _, _, err = e.Next(context.Background(), nil); err == nil {
				t.Fatalf("%q, and then nothing, lets the client in", answer)
			} else if !strings.Contains(string(answer)+words, "pencil") {
				checkError(t, err)
			}
		}
	})
}

// FuzzTokenAnswer takes any answer of a token endpoint. What comes of it is an error, or a token that can be sent.
func FuzzTokenAnswer(f *testing.F) {
	for _, seed := range []string{goodToken, `{"access_token":"` + jwt(f, "RS256", map[string]any{"exp": 2e9}) + `"}`, `{"id_token":"a.b.c","expires_in":"1e400"}`,
		`{"error":"invalid_client","error_description":"pencil"}`, `{"access_token":1}`, `[]`, `null`, `<html>`, "", `{"access_token":"a b"}`} {
		for _, status := range []int{200, 201, 302, 401, 503} {
			f.Add(status, "application/json", "Mon, 01 Jan 2024 00:00:00 GMT", "/elsewhere?pencil", seed)
		}
	}
	f.Add(200, "text/html", "", "", "x")
	f.Add(460, "0", "", "", `{"description":"`+"penc\x8b\x8bil"+strings.Repeat("x", 100)+`"}`)
	f.Fuzz(func(t *testing.T, status int, kind, date, location, body string) {
		config := OIDCConfig{TokenURL: "https://idp.example/token", ClientID: "id", ClientSecret: "pencil", RetryBudget: 1}
		config.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			header := http.Header{"Content-Type": {kind}, "Date": {date}, "Location": {location}, "Retry-After": {date}}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})}
		source, err := OIDC(config)
		if err != nil {
			t.Fatal(err)
		}
		s := source.(*oidc)
		p, _ := s.prove(context.Background())
		response, _ := config.HTTP.Transport.RoundTrip(&http.Request{URL: nil})
		a := &oidcAnswer{source: s, response: response, body: []byte(body), proof: p, sent: time.Now(), skew: skew(response, time.Now())}
		token, failure := a.token()
		if failure != nil {
			checkError(t, failure.err)
		} else if err := token.check(); err != nil {
			t.Fatal(err)
		}
		if token, err := source.Token(context.Background()); err != nil { // with all that an HTTP client does to an answer
			checkError(t, err)
		} else if err := token.check(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzFiles takes any file for one with a token, or with credentials.
func FuzzFiles(f *testing.F) {
	for _, seed := range []string{"a.b.c", " \ufeffa.b.c\r\n", "a b", "", "username=alice\npassword=pencil", "username=alice\npencil", "#\n\n=", "password=pencil\x00\nusername=\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if token, err := TokenFile(path).Token(context.Background()); err != nil {
			checkError(t, err)
		} else if err := token.check(); err != nil {
			t.Fatal(err)
		} else {
			decodeJWT(string(token.Value))
		}
		c, err := CredentialsFile(path)(context.Background())
		if err != nil {
			checkError(t, err)
		} else if c.User == "" || c.Password == "" || strings.Contains(c.User+string(c.Password), "\n") {
			t.Fatalf("%q: %q and %q", text, c.User, string(c.Password))
		}
		password := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(string(text), "\ufeff"), "\n"), "\r")
		if c, err := PasswordFile("alice", path)(context.Background()); err != nil {
			checkError(t, err)
		} else if c.Password == "" || string(c.Password) != password {
			t.Fatalf("%q: the password is %q, want %q", text, string(c.Password), password)
		}
	})
}

// FuzzJWT takes any text for a token. Its claims come out bounded, or not at all.
func FuzzJWT(f *testing.F) {
	for _, claims := range []map[string]any{{"exp": 2e9, "aud": []string{"a"}}, {"exp": 1e300, "iat": -1e300, "nbf": "x"}, {"aud": 1, "sub": nil}, {"exp": json.Number("1e310"), "iat": json.Number("-1e310")}} {
		text, _ := json.Marshal(claims)
		f.Add(jwt(f, "none", claims), string(text))
	}
	f.Fuzz(func(t *testing.T, token, claims string) {
		c, is := decodeJWT(token)
		if is != (strings.Count(token, ".") == 2 && jsonPart(token, 0) && jsonPart(token, 1)) {
			t.Fatalf("%q: a JWT: %v", token, is)
		}
		for _, at := range []time.Time{c.expires, c.issued, c.validSince, claimTime(json.RawMessage(claims))} {
			if !at.IsZero() && (at.Year() < 1970 || at.Year() > 10000) { // of 9999, in another time zone
				t.Fatalf("%q and %q: a time is %v", token, claims, at)
			}
		}
	})
}

// jsonPart reports whether a part of a JWT is a JSON object. Its numbers may be of any size.
func jsonPart(token string, part int) bool {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.Split(token, ".")[part], "="))
	var object map[string]json.RawMessage
	return err == nil && json.Unmarshal(text, &object) == nil && object != nil
}

// FuzzSettings takes any settings. They come to a mechanism, or to errors of which each is about a key, and none shows a secret.
func FuzzSettings(f *testing.F) {
	const handlers = "org.apache.kafka.common.security.oauthbearer."
	for _, seed := range [][6]string{
		{"PLAIN", plainModule, "username", "alice", "sasl.login.class", "x"}, {"SCRAM-SHA-512", scramModule, "username", "\x1b", "sasl.client.callback.handler.class", "a.B"},
		{"OAUTHBEARER", oauthModule, "scope", "kafka", "sasl.oauthbearer.token.endpoint.url", "https://idp/"}, {"OAUTHBEARER", oauthModule, "unsecuredLoginStringClaim_sub", "a", "sasl.login.refresh.buffer.seconds", "9"},
		{"OAUTHBEARER", oauthModule, "extension_\x1b", "a", "sasl.oauthbearer.token.endpoint.url", "file:///run/token"}, {"OAUTHBEARER", oauthModule, "unsecuredLoginNumberClaim_\n", "x", "sasl.login.callback.handler.class", handlers + "OAuthBearerUnsecuredLoginCallbackHandler"},
		{"OAUTHBEARER", oauthModule, "ssl.x", "a", "sasl.oauthbearer.token.endpoint.url", "https://a:b@idp/?c"}, {"OAUTHBEARER", "x.\x1b", "", "", "sasl.oauthbearer.jwt.retriever.class", handlers + "JwtBearerJwtRetriever"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5])
	}
	f.Fuzz(func(t *testing.T, mechanism, module, option, value, key, setting string) {
		builder := Lookup(mechanism)
		if builder == nil || strings.Contains(option+value+setting+module, "pencil") {
			return
		}
		m, err := builder(&Settings{Mechanism: mechanism,
			Login: Login{Module: module, Options: map[string]Secret{"password": "pencil", "clientSecret": "pencil", "unsecuredLoginStringClaim_x": "pencil", option: Secret(value)}},
			Keys:  map[string]string{"sasl.oauthbearer.client.credentials.client.secret": "pencil", "sasl.oauthbearer.assertion.private.key.passphrase": "pencil", key: setting}})
		if (m == nil) == (err == nil) {
			t.Fatalf("%v and %v", m, err)
		}
		if err == nil {
			return
		}
		for _, one := range each(err) {
			if _, ok := one.(*SettingError); !ok {
				t.Errorf("%T: %v", one, one)
			}
			checkError(t, one)
		}
	})
}
