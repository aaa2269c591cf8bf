package keystore

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

// derOfPEM is the first block of a file, as those have it who were given DER.
func derOfPEM(t *testing.T, name string) []byte {
	t.Helper()
	block, _ := pem.Decode(stored(t, name))
	if block == nil {
		t.Fatal("no PEM in " + name)
	}
	return block.Bytes
}

// A file in DER is known for what is in it, whatever that is encoded as, and short as it may be; a command makes PEM of it.
func TestDERWherePEMIsMeant(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"a certificate", derOfPEM(t, "client.pem"), "is a certificate in DER: make PEM of it with `openssl x509 -inform DER -in FILE -out cert.pem`"},
		{"PKCS8", derOfPEM(t, "client-key.pem"), "is a private key in DER: make PEM of it with `openssl pkey -inform DER -in FILE -out key.pem`"},
		{"PKCS8 that is short", derOfPEM(t, "ed25519-key.pem"), "is a private key in DER"},
		{"PKCS8 that is encrypted", derOfPEM(t, "key-aes256.pem"), "is a private key in DER"},
		{"PKCS1", derOfPEM(t, "key-rsa-pkcs1.pem"), "is a private key in DER"},
		{"SEC1", sec1(t), "is a private key in DER"},
		{"JKS", stored(t, "key.jks"), "is a JKS store, which has key and certificate in one file"},
		{"PKCS12", stored(t, "openssl.p12"), "is a PKCS#12 store, which has key and certificate in one file"},
		{"nothing", nil, "is an empty file"},
		{"text", []byte("hunter2"), "seems to be text"},
	} {
		wrong := NotPEM(c.data)
		if wrong == nil {
			t.Errorf("%s: is taken", c.name)
			continue
		}
		if text := wrong.About("FILE"); !strings.HasPrefix(text, "must be PEM, and FILE ") || !strings.Contains(text, c.want) || strings.Contains(text, "hunter2") {
			t.Errorf("%s: got %q, want %q", c.name, text, c.want)
		}
		_, err := ReadKeys(c.data, none, none)
		if !strings.Contains(c.want, "private key") {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "is a private key alone: make PEM of it with `openssl pkey") {
			t.Errorf("%s as a store: got %v", c.name, err)
		}
	}
	if wrong := NotPEM(stored(t, "client.pem")); wrong != nil {
		t.Errorf("PEM is refused: %v", wrong)
	}
}

// sec1 is the client's key as `openssl ec -outform DER` writes it.
func sec1(t *testing.T) []byte {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(derOfPEM(t, "client-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// partsOf returns the parts of a PKCS12 store: its certificates, and its key.
func partsOf(t *testing.T, name string) []contentInfo {
	t.Helper()
	var (
		file  pfx
		safe  []byte
		parts []contentInfo
	)
	for _, step := range []struct {
		der  func() []byte
		into any
	}{
		{func() []byte { return stored(t, name) }, &file}, {func() []byte { return file.Safe.Content.Bytes }, &safe}, {func() []byte { return safe }, &parts},
	} {
		if err := parseDER(step.der(), step.into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if len(parts) != 2 {
		t.Fatalf("%s has %d parts", name, len(parts))
	}
	return parts
}

// spliced is a PKCS12 store without a MAC, with the certificates of one store and the key of another.
func spliced(t *testing.T, certificates, key string) []byte {
	t.Helper()
	marshal := func(v any, params string) []byte {
		der, err := asn1.MarshalWithParams(v, params)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	bytesOf := func(content []byte) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: marshal(content, "")}
	}
	certs, keys := partsOf(t, certificates)[0], partsOf(t, key)[1]
	for _, part := range []*contentInfo{&certs, &keys} {
		part.Content.FullBytes = nil // else that is written, with the tag missing
		part.Content = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: part.Content.Bytes}
	}
	type info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	safe := marshal([]info{{certs.Type, certs.Content}, {keys.Type, keys.Content}}, "")
	return marshal(struct {
		Version int
		Safe    info
	}{3, info{oidData, bytesOf(safe)}}, "")
}

// The key of a PKCS12 store may have a password that is not the store's: which of the two is wrong is said, and both are used.
func TestAKeyInPKCS12WithAPasswordOfItsOwn(t *testing.T) {
	store := spliced(t, "openssl.p12", "openssl-unicode.p12")
	read := func(password, key Password) error {
		_, err := ReadKeys(store, password, key)
		return err
	}
	keys, err := ReadKeys(store, pw("changeit"), pw("grün"))
	if err != nil || len(keys.Keys) != 1 || keys.names()[0] != epistle {
		t.Fatalf("with both passwords: %v", err)
	}
	refusals(t, []refusal{
		{read(pw("changeit"), none), KeyPassword, `must be set: the private key "client" in FILE has a password of its own, which is not the store's`},
		{read(pw("changeit"), pw("wrong")), KeyPassword, `is not the password of the private key "client"`},
		{read(pw("grün"), none), StorePassword, "is not the password of"},
		{read(pw("wrong"), pw("grün")), StorePassword, "is not the password of"},
	})
	var wrong *Error
	if err := read(none, pw("grün")); !errors.As(err, &wrong) || wrong.Blame != StorePassword {
		t.Errorf("without the store's: %v", err)
	}
}
