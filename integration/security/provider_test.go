package security

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// A provider is an identity provider: it has a page of keys for brokers and an endpoint that issues tokens to clients.
type provider struct {
	*httptest.Server
	key    *rsa.PrivateKey
	issued atomic.Int64 // tokens by the endpoint
}

// The one client of a provider, and what brokers want to see in tokens.
const (
	clientID     = "orders-service"
	clientSecret = "of the orders service"
	audience     = "kafka"
)

func newProvider() (*provider, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	p := &provider{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/jwks", p.keys)
	mux.HandleFunc("/token", p.issue)
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html>Please log in</html>")
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no database", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p.Server = httptest.NewServer(mux)
	return p, nil
}

func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes())}}})
}

// issue answers a request for a token. The query's life is the token's, as a Go duration.
func (p *provider) issue(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if r.Method != http.MethodPost || r.PostFormValue("grant_type") != "client_credentials" {
		answer(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	if id != clientID || secret != clientSecret {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client", "error_description": "client authentication failed"})
		return
	}
	life, err := time.ParseDuration(r.URL.Query().Get("life"))
	if err != nil {
		life = time.Hour
	}
	p.issued.Add(1)
	answer(w, http.StatusOK, map[string]any{"access_token": p.token(p.key, p.claims(life)), "token_type": "Bearer", "expires_in": int(life.Seconds())})
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// claims are those of a token that brokers take.
func (p *provider) claims(life time.Duration) map[string]any {
	now := time.Now()
	return map[string]any{"sub": "alice", "iss": p.URL, "aud": audience, "iat": now.Unix(), "exp": now.Add(life).Unix()}
}

// token is a JWT that a key has signed, or that nobody has if there is none.
func (p *provider) token(key *rsa.PrivateKey, claims map[string]any) string {
	header := map[string]any{"typ": "JWT", "alg": "RS256", "kid": "1"}
	if key == nil {
		header = map[string]any{"typ": "JWT", "alg": "none"}
	}
	text := part(header) + "." + part(claims)
	if key == nil {
		return text + "."
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// part is one of the first two of a JWT.
func part(content map[string]any) string {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
