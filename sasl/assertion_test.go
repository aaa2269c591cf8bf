package sasl

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return made(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey  = sync.OnceValue(func() *ecdsa.PrivateKey { return made(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
)

func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(key any) string { return pemOf("PRIVATE KEY", made(x509.MarshalPKCS8PrivateKey(key))) }

// opened verifies an assertion, and returns its header and claims.
func opened(t *testing.T, assertion string, key crypto.PublicKey) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	signature := made(base64.RawURLEncoding.DecodeString(parts[2]))
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	good := false
	switch key := key.(type) {
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		good = len(signature) == 64 && ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	if !good {
		t.Error("the signature is wrong")
	}
	for i, into := range []*map[string]any{&header, &claims} {
		if err := json.Unmarshal(made(base64.RawURLEncoding.DecodeString(parts[i])), into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func is(t *testing.T, got map[string]any, want map[string]any) {
	t.Helper()
	if a, b := string(made(json.Marshal(got))), string(made(json.Marshal(want))); a != b {
		t.Errorf("%s\nwant %s", a, b)
	}
}

func TestAssertionsAreSigned(t *testing.T) {
	for name, c := range map[string]struct {
		key    crypto.Signer
		config AssertionConfig
	}{
		"RS256": {rsaKey(), AssertionConfig{}},
		"ES256": {ecKey(), AssertionConfig{Algorithm: "ES256"}},
	} {
		c.config.KeyFile = writeTemp(t, "key.pem", "a comment\n"+pkcs8(c.key))
		c.config.Issuer, c.config.Subject, c.config.Audience = "me", "me too", "https://idp"
		synctest.Test(t, func(t *testing.T) {
			now := time.Now().Unix()
			for range 20 { // an ECDSA signature is of another length now and then
				assertion, err := made(SignedAssertion(c.config))(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				header, claims := opened(t, string(assertion), c.key.Public())
				is(t, header, map[string]any{"alg": name, "typ": "JWT"})
				is(t, claims, map[string]any{"iss": "me", "sub": "me too", "aud": "https://idp", "iat": now, "exp": now + 300, "nbf": now - 60})
			}
		})
	}
}

// Claims of the template win over fixed ones, and what the time makes wins over all.
func TestAssertionTemplate(t *testing.T) {
	template := writeTemp(t, "template", `{"header":{"kid":"k2","alg":"none","x5t":"x"},"payload":{"sub":"from template","exp":1,"n":12345678901234567890}}`)
	c := AssertionConfig{Key: func(context.Context) (crypto.Signer, error) { return ecKey(), nil }, KeyID: "k1", Issuer: "me", Subject: "fixed",
		Claims: map[string]any{"more": []string{"a"}, "iss": "other"}, Lifetime: time.Hour, NotBefore: -1, WithID: true, TemplateFile: template}
	sign := made(SignedAssertion(c))
	ids := map[any]bool{}
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().Unix()
		for range 2 {
			header, claims := opened(t, string(made(sign(t.Context()))), ecKey().Public())
			is(t, header, map[string]any{"alg": "ES256", "typ": "JWT", "kid": "k2", "x5t": "x"})
			ids[claims["jti"]] = true
			delete(claims, "jti")
			is(t, claims, map[string]any{"iss": "me", "sub": "from template", "iat": now, "exp": now + 3600, "nbf": now, "more": []string{"a"}, "n": 12345678901234567890.0})
		}
	})
	if len(ids) != 2 || ids[nil] {
		t.Errorf("jti: %v", ids)
	}
	write(t, template, `{"payload":{"sub":"changed"}}`)
	if _, claims := opened(t, string(made(sign(t.Context()))), ecKey().Public()); claims["sub"] != "changed" {
		t.Errorf("the template is not read again: %v", claims)
	}
	for _, text := range []string{"", "[]", `{"payload":"hunter2"}`} {
		write(t, template, text)
		if _, err := sign(t.Context()); err == nil {
			t.Errorf("%q is taken", text)
		} else if has(t, err.Error(), template, "JSON"); strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}

func TestPrivateKeysOfAllKinds(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key.pem")
	sign := made(SignedAssertion(AssertionConfig{KeyFile: path}))
	if _, err := sign(t.Context()); !errors.Is(err, os.ErrNotExist) || IsFinal(err) {
		t.Error(err)
	}
	certificate := pemOf("CERTIFICATE", []byte("whatever"))
	for _, text := range []string{
		pkcs8(rsaKey()), certificate + pkcs8(ecKey()),
		pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())),
		pemOf("EC PARAMETERS", []byte("x")) + pemOf("EC PRIVATE KEY", made(x509.MarshalECPrivateKey(ecKey()))),
	} {
		write(t, path, text)
		if _, err := sign(t.Context()); err != nil {
			t.Errorf("%.30q: %v", text, err)
		}
	}
	_, edwards := made2(ed25519.GenerateKey(rand.Reader))
	for text, says := range map[string]string{
		"":                                      "no private key",
		certificate:                             "no private key",
		pemOf("PRIVATE KEY", []byte("hunter2")): "the private key cannot be read",
		pemOf("ENCRYPTED PRIVATE KEY", []byte("hunter2")): "the encrypted private key is damaged",
		pkcs8(edwards): "has to be RSA, or EC",
		pkcs8(made(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))):                              "has to be RSA, or EC",
		"-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES\n\naGk=\n-----END RSA PRIVATE KEY-----\n": "the passphrase must be set: the private key in " + path + " is encrypted",
	} {
		write(t, path, text)
		if _, err := sign(t.Context()); err == nil {
			t.Errorf("%.30q is taken", text)
		} else if has(t, err.Error(), says); strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
	write(t, path, pkcs8(rsaKey()))
	_, err := made(SignedAssertion(AssertionConfig{KeyFile: path, Algorithm: "ES256"}))(t.Context())
	has(t, err.Error(), "one for RS256", "ES256")
}

// keys has private keys that OpenSSL has encrypted, with the passphrase changeit, and the certificates of these keys.
const keys = "../internal/keystore/testdata/"

// A key is encrypted as `openssl pkcs8 -topk8` and `openssl genpkey` do it, or in one of the older ways.
func TestEncryptedPrivateKeys(t *testing.T) {
	for key, certificate := range map[string]string{
		"key-aes256.pem": "client.pem", "key-aes128.pem": "client.pem", "key-prf-sha512.pem": "client.pem", "key-v1-3des.pem": "client.pem",
		"key-ec-traditional.pem": "client.pem", "key-rsa.pem": "second.pem", "key-rsa-traditional.pem": "second.pem",
	} {
		block, _ := pem.Decode(made(os.ReadFile(keys + certificate)))
		public := made(x509.ParseCertificate(block.Bytes)).PublicKey
		c := AssertionConfig{KeyFile: keys + key, Passphrase: "changeit"}
		assertion, err := made(SignedAssertion(c))(t.Context())
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		opened(t, string(assertion), public)
		for passphrase, says := range map[Secret]string{
			"":        "the passphrase must be set: the private key in " + keys + key + " is encrypted",
			"hunter2": "the passphrase is not the password of the private key in " + keys + key,
		} {
			c.Passphrase = passphrase
			if _, err := made(SignedAssertion(c))(t.Context()); err == nil {
				t.Errorf("%s: the passphrase %q is taken", key, string(passphrase))
			} else if has(t, err.Error(), says); strings.Contains(err.Error(), "hunter2") || IsFinal(err) {
				t.Errorf("%s: %v shows the passphrase, or is final, though the file may be replaced", key, err)
			}
		}
	}
	_, err := made(SignedAssertion(AssertionConfig{KeyFile: keys + "key-scrypt.pem", Passphrase: "changeit"}))(t.Context())
	has(t, err.Error(), "encrypted with scrypt, which cannot be read here: write it anew with `openssl pkcs8 -topk8 -in")
}

func made2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

func TestAssertionConfigsThatAreWrong(t *testing.T) {
	key := func(context.Context) (crypto.Signer, error) { return nil, nil }
	for _, c := range []struct {
		config AssertionConfig
		says   string
	}{
		{AssertionConfig{}, "neither KeyFile nor Key"},
		{AssertionConfig{KeyFile: "x", Key: key}, "which is meant"},
		{AssertionConfig{Key: key, Algorithm: "HS256"}, "RS256 or ES256"},
		{AssertionConfig{Key: key, Lifetime: 25 * time.Hour}, "Lifetime"},
		{AssertionConfig{Key: key, Lifetime: -1}, "Lifetime"},
		{AssertionConfig{Key: key, NotBefore: 2 * time.Hour}, "NotBefore"},
		{AssertionConfig{Key: key, Claims: map[string]any{"f": func() {}}}, "Claims"},
	} {
		if _, err := SignedAssertion(c.config); err == nil {
			t.Errorf("%s: is taken", c.says)
		} else {
			has(t, err.Error(), c.says)
		}
	}
	if _, err := made(SignedAssertion(AssertionConfig{Key: key}))(t.Context()); !IsFinal(err) {
		t.Errorf("a nil key: %v", err)
	}
}

func TestAssertionFileIsReadAgain(t *testing.T) {
	path := writeTemp(t, "assertion", "first.a.b\n")
	read := AssertionFile(path)
	if got := made(read(t.Context())); got != "first.a.b" {
		t.Errorf("%q", string(got))
	}
	write(t, path, "second.a.b")
	if got := made(read(t.Context())); got != "second.a.b" {
		t.Errorf("%q", string(got))
	}
	write(t, path, "two words")
	if _, err := read(t.Context()); err == nil || strings.Contains(err.Error(), "words") {
		t.Error(err)
	}
	if _, err := AssertionFile("nowhere")(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
