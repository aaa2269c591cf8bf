package identity

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"sync/atomic"
	"time"
)

// A Provider is an identity provider (OIDC). It answers HTTP requests: GET /jwks has its keys, for brokers, and POST /token
// issues tokens to its one client. Its methods may be called concurrently.
type Provider struct {
	// Issuer is who its tokens say has issued them. It is set before the first.
	Issuer string
	// Key signs them.
	Key *rsa.PrivateKey

	issued atomic.Int64
}

// The one client of a provider, and what brokers want to see in tokens.
const (
	ClientID     = "orders-service"
	ClientSecret = "of the orders service"
	Audience     = "kafka"
)

// NewProvider makes a provider with a key of its own.
func NewProvider() (*Provider, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &Provider{Key: key}, nil
}

// Issued is how many tokens the endpoint has issued.
func (p *Provider) Issued() int64 { return p.issued.Load() }

// ServeHTTP answers /jwks and /token. The query of the latter may have a life, the token's, as a Go duration; it is an hour
// otherwise.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/jwks":
		p.keys(w)
	case "/token":
		p.issue(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (p *Provider) keys(w http.ResponseWriter) {
	answer(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(p.Key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.Key.E)).Bytes())}}})
}

// issue answers a request for a token.
func (p *Provider) issue(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if r.Method != http.MethodPost || r.PostFormValue("grant_type") != "client_credentials" {
		answer(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	if id != ClientID || secret != ClientSecret {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client", "error_description": "client authentication failed"})
		return
	}
	life, err := time.ParseDuration(r.URL.Query().Get("life"))
	if err != nil {
		life = time.Hour
	}
	p.issued.Add(1)
	answer(w, http.StatusOK, map[string]any{"access_token": p.Token(p.Key, p.Claims(life)), "token_type": "Bearer", "expires_in": int(life.Seconds())})
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// Claims are those of a token that brokers take.
func (p *Provider) Claims(life time.Duration) map[string]any {
	now := time.Now()
	return map[string]any{"sub": "alice", "iss": p.Issuer, "aud": Audience, "iat": now.Unix(), "exp": now.Add(life).Unix()}
}

// Token is a JWT that a key has signed, or that nobody has if there is none.
func (p *Provider) Token(key *rsa.PrivateKey, claims map[string]any) string {
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
