package sasl

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// An AssertionFunc returns a signed JWT that proves to a token endpoint who the client is (RFC 7523). It is called before each
// request, and never concurrently for one [OIDC].
type AssertionFunc func(ctx context.Context) (Secret, error)

// AssertionFile reads the JWT from a file before each request, so it may be replaced at any time
// (sasl.oauthbearer.assertion.file).
func AssertionFile(path string) AssertionFunc {
	return func(context.Context) (Secret, error) {
		file := file{"assertion file", path}
		text, err := file.read()
		if err != nil {
			return "", err
		}
		value := strings.TrimSpace(string(text))
		if err := checkValue(value); err != nil {
			return "", fmt.Errorf("%v: %w", file, err)
		}
		return Secret(value), nil
	}
}

// AssertionConfig is what an assertion says and how it is signed. A claim or a header may be set in several places. Then the
// last one of these counts: Claims; Issuer, Subject, Audience and KeyID; the template; and what is made anew for each assertion
// (alg, typ, iat, exp, nbf and jti). Keys in brackets are Java's, below sasl.oauthbearer.assertion. AssertionConfig may get
// further fields.
type AssertionConfig struct {
	// KeyFile holds the private key in PEM, RSA or EC (private.key.file). It is PKCS#8, or PKCS#1 or SEC 1, which Java does not
	// read. It is read for each assertion, so it may be replaced at any time.
	KeyFile string
	// Passphrase decrypts the key in KeyFile, if OpenSSL or Java has encrypted it (private.key.passphrase).
	Passphrase Secret

	// Key returns the key in place of KeyFile, such as one in a hardware module.
	Key func(ctx context.Context) (crypto.Signer, error) `json:"-"`

	Algorithm string // RS256, or ES256 with the curve P-256 (algorithm); "": the one that suits the key
	KeyID     string // the header kid; "": none. In Java it is in the template.

	Issuer   string         // iss (claim.iss)
	Subject  string         // sub (claim.sub)
	Audience string         // aud (claim.aud)
	Claims   map[string]any // further claims

	// Lifetime is how long the assertion is valid. Range 1 s to 24 h; 0 stands for the default, 5 minutes (claim.exp.seconds).
	Lifetime time.Duration

	// NotBefore is how long ago the assertion began to be valid, so that clocks may differ. Range up to 1 h; 0 stands for the
	// default, 1 minute, and a negative time for 0 (claim.nbf.seconds).
	NotBefore time.Duration

	WithID bool // a random jti, for endpoints that take each assertion once (claim.jti.include)

	// TemplateFile has more claims and headers in JSON: {"header": {…}, "payload": {…}} (template.file). It is read for each
	// assertion.
	TemplateFile string
}

// SignedAssertion returns a function that makes and signs assertions in the process. The error names what is missing or out of
// range in c. The files are read when an assertion is made, not before.
func SignedAssertion(c AssertionConfig) (AssertionFunc, error) {
	if wrong := c.check(); wrong != nil {
		return nil, fmt.Errorf("AssertionConfig: %s", strings.Join(wrong, "; "))
	}
	if c.Lifetime == 0 {
		c.Lifetime = 5 * time.Minute
	}
	if c.NotBefore == 0 {
		c.NotBefore = time.Minute
	}
	c.Claims = maps.Clone(c.Claims)
	return c.sign, nil
}

func (c *AssertionConfig) check() (wrong []string) {
	say := func(is bool, what string) {
		if is {
			wrong = append(wrong, what)
		}
	}
	say(c.KeyFile == "" && c.Key == nil, "neither KeyFile nor Key is set")
	say(c.KeyFile != "" && c.Key != nil, "KeyFile and Key are set: which is meant?")
	say(c.Algorithm != "" && !slices.Contains(algorithms, c.Algorithm), "Algorithm has to be RS256 or ES256")
	say(c.Lifetime < 0 || c.Lifetime > 24*time.Hour, "Lifetime has to be from 1s to 24h")
	say(c.NotBefore > time.Hour, "NotBefore has to be at most 1h")
	if _, err := json.Marshal(c.Claims); err != nil {
		wrong = append(wrong, "Claims cannot be made JSON")
	}
	return wrong
}

func (c *AssertionConfig) sign(ctx context.Context) (Secret, error) {
	key, err := c.key(ctx)
	if err != nil {
		return "", err
	}
	algorithm := c.Algorithm
	if algorithm == "" {
		algorithm = algorithmOf(key)
	}
	header, payload := map[string]any{}, maps.Clone(c.Claims)
	if payload == nil {
		payload = map[string]any{}
	}
	set := func(fields map[string]any, name, value string) {
		if value != "" {
			fields[name] = value
		}
	}
	set(payload, "iss", c.Issuer)
	set(payload, "sub", c.Subject)
	set(payload, "aud", c.Audience)
	set(header, "kid", c.KeyID)
	if err := c.addTemplate(header, payload); err != nil {
		return "", err
	}
	header["alg"], header["typ"] = algorithm, "JWT"
	now := time.Now()
	payload["iat"] = now.Unix()
	payload["exp"] = now.Unix() + int64(c.Lifetime/time.Second)
	payload["nbf"] = now.Add(-max(c.NotBefore, 0)).Unix()
	if c.WithID {
		payload["jti"] = rand.Text()
	}
	assertion, err := signJWT(header, payload, key)
	if err != nil {
		return "", fmt.Errorf("the assertion cannot be signed: %w", err)
	}
	return Secret(assertion), nil
}

func (c *AssertionConfig) key(ctx context.Context) (crypto.Signer, error) {
	if c.Key != nil {
		key, err := c.Key(ctx)
		if err == nil && key == nil {
			err = Final(errors.New("AssertionConfig.Key has returned nil"))
		}
		return key, err
	}
	return readPrivateKey(file{"key file", c.KeyFile}, c.Passphrase)
}

// addTemplate lets the template win over what is in header and payload.
func (c *AssertionConfig) addTemplate(header, payload map[string]any) error {
	if c.TemplateFile == "" {
		return nil
	}
	file := file{"assertion template", c.TemplateFile}
	text, err := file.read()
	if err != nil {
		return err
	}
	var template struct {
		Header  map[string]json.RawMessage `json:"header"`
		Payload map[string]json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(text, &template); err != nil {
		return fmt.Errorf("%v has to be JSON such as {\"header\": {}, \"payload\": {}}: %s", file, jsonFault(err))
	}
	for name, value := range template.Header {
		header[name] = value
	}
	for name, value := range template.Payload {
		payload[name] = value
	}
	return nil
}
