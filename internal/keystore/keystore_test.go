package keystore

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var none Password

func pw(s string) Password { return NewPassword(s) }

// stored returns stores of testdata, one after the other.
func stored(t testing.TB, names ...string) []byte {
	t.Helper()
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

// names are the common names of the certificates of each key, "client<Epistle intermediate<…".
func (k *Keys) names() []string {
	var out []string
	for _, key := range k.Keys {
		chain, err := parseAll(key.Pair.Certificate)
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, strings.Join(chain, "<"))
	}
	return out
}

const (
	epistle = "client<Epistle intermediate<Epistle test authority"
	another = "second<Another test authority"
)

// Every tool's stores are read, whatever is in them beside the key.
func TestKeysOfEveryTool(t *testing.T) {
	for _, test := range []struct {
		file          string
		password, key Password
		kind          Kind
		want          []string
		notices       int
	}{
		{"key.jks", pw("changeit"), none, JKS, []string{epistle}, 0},
		{"key.jks", pw("changeit"), pw("changeit"), JKS, []string{epistle}, 0},
		{"key.jks", none, pw("changeit"), JKS, []string{epistle}, 0}, // integrity unchecked
		{"keypass.jks", pw("changeit"), pw("other-secret"), JKS, []string{epistle}, 0},
		{"mixed.jks", pw("changeit"), none, JKS, []string{epistle, another}, 0},
		{"keytool.p12", pw("changeit"), none, PKCS12, []string{epistle}, 0},
		{"keytool.p12", pw("changeit"), pw("changeit"), PKCS12, []string{epistle}, 0},
		{"keytool-new.p12", pw("changeit"), none, PKCS12, []string{epistle}, 0},
		{"keytool-legacy.p12", pw("changeit"), none, PKCS12, []string{epistle}, 0},
		{"bouncycastle.p12", pw("changeit"), none, PKCS12, []string{epistle}, 0},
		{"keytool-mixed.p12", pw("changeit"), none, PKCS12, []string{epistle, another}, 0},
		{"openssl.p12", pw("changeit"), none, PKCS12, []string{epistle}, 0},
		{"openssl-legacy.p12", pw("changeit"), none, PKCS12, []string{epistle}, 0},
		{"openssl-sha512.p12", pw("changeit"), none, PKCS12, []string{epistle}, 0},
		{"openssl-empty.p12", pw(""), none, PKCS12, []string{epistle}, 0},
		{"openssl-empty.p12", none, none, PKCS12, []string{epistle}, 0},
		{"openssl-nomac.p12", pw("changeit"), none, PKCS12, []string{epistle}, 0},
		{"openssl-plain.p12", none, none, PKCS12, []string{epistle}, 0},
		{"openssl-plain.p12", pw("whatever"), none, PKCS12, []string{epistle}, 0},
		{"openssl-unicode.p12", pw("grün"), none, PKCS12, []string{epistle}, 0},
		{"openssl-unicode-legacy.p12", pw("grün"), none, PKCS12, []string{epistle}, 0},
	} {
		keys, err := ReadKeys(stored(t, test.file), test.password, test.key)
		if err != nil {
			t.Errorf("%s: %v", test.file, err)
			continue
		}
		same := len(keys.Keys) == len(test.want)
		for _, want := range test.want { // keytool writes the entries of JKS in the order of a hash table
			same = same && strings.Contains(strings.Join(keys.names(), "|"), want)
		}
		if !same || keys.Kind != test.kind || len(keys.Notices) != test.notices {
			t.Errorf("%s: got %s with %q, notices %q; want %s with %q, %d notices", test.file, keys.Kind, keys.names(), keys.Notices, test.kind, test.want, test.notices)
		}
	}
}

// Keys in PEM, with every encryption that Java 17 or 25 or OpenSSL writes and reads.
func TestKeysInPEM(t *testing.T) {
	client := []string{"client.pem", "chain.pem"}
	for _, test := range []struct {
		key      string
		certs    []string
		password Password
		want     string
	}{
		{"client-key.pem", client, none, epistle},
		{"client-key.pem", client, pw("not needed"), epistle},
		{"client-key.pem", []string{"chain.pem", "client.pem"}, none, epistle}, // in any order
		{"client-key.pem", []string{"ca.pem", "client.pem", "other-ca.pem", "middle.pem"}, none, epistle},
		{"client-key.pem", []string{"client.pem"}, none, "client"},
		{"key-aes256.pem", client, pw("changeit"), epistle},
		{"key-aes192.pem", client, pw("changeit"), epistle},
		{"key-aes128.pem", client, pw("changeit"), epistle},
		{"key-des3.pem", client, pw("changeit"), epistle},
		{"key-prf-sha1.pem", client, pw("changeit"), epistle},
		{"key-prf-sha384.pem", client, pw("changeit"), epistle},
		{"key-prf-sha512.pem", client, pw("changeit"), epistle},
		{"key-v1-3des.pem", client, pw("changeit"), epistle},
		{"key-ec-plain.pem", client, none, epistle},
		{"key-ec-traditional.pem", client, pw("changeit"), epistle},
		{"key-rsa.pem", []string{"second.pem"}, pw("changeit"), "second"},
		{"key-rsa-pkcs1.pem", []string{"second.pem"}, none, "second"},
		{"key-rsa-traditional.pem", []string{"second.pem"}, pw("changeit"), "second"},
		{"key-ed25519.pem", []string{"ed25519.pem"}, pw("changeit"), "ed25519"},
	} {
		for _, data := range [][]byte{stored(t, append([]string{test.key}, test.certs...)...), stored(t, append(test.certs, test.key)...)} {
			keys, err := ReadKeys(data, none, test.password)
			if err != nil {
				t.Errorf("%s, %v: %v", test.key, test.certs, err)
				continue
			}
			if len(keys.Keys) != 1 || keys.names()[0] != test.want || keys.Kind != PEM {
				t.Errorf("%s, %v: got %s with %q, want %q", test.key, test.certs, keys.Kind, keys.names(), test.want)
			}
		}
	}
}

// Whom a store trusts is what Java says; where Java would trust nobody without a word, there is an error or a notice.
func TestTrustOfEveryTool(t *testing.T) {
	const one, two = "Epistle test authority", "Epistle test authority, Another test authority"
	for _, test := range []struct {
		files    []string
		password Password
		want     string
		notices  string
	}{
		{[]string{"trust.jks"}, pw("changeit"), two, ""},
		{[]string{"trust.jks"}, none, two, ""}, // integrity unchecked, as in Java
		{[]string{"keytool-trust.p12"}, pw("changeit"), two, ""},
		{[]string{"bouncycastle-trust.p12"}, pw("changeit"), two, ""},
		{[]string{"ca.pem"}, none, one, ""},
		{[]string{"ca.pem", "ca.pem", "other-ca.pem"}, none, two, ""}, // twice is once
		{[]string{"client-key.pem", "ca.pem"}, none, one, ""},
		{[]string{"key-scrypt.pem", "ca.pem"}, none, one, ""}, // a key that nobody asks for need not be readable
		{[]string{"trusted.pem"}, none, one, ""},
		{[]string{"ca.der"}, none, one, ""},
		{[]string{"openssl-nokeys.p12"}, pw("changeit"), two, "Java takes such a store as empty"},
		// The certificate of a key is trusted, those above it are not.
		{[]string{"key.jks"}, pw("changeit"), "client", ""},
		{[]string{"openssl.p12"}, pw("changeit"), "client", "2 certificates that are left out"},
		{[]string{"mixed.jks"}, none, "client, second, Another test authority", ""},
		{[]string{"keytool-mixed.p12"}, pw("changeit"), "client, second, Another test authority", "2 certificates that are left out"},
	} {
		trust, err := ReadTrust(stored(t, test.files...), test.password)
		if err != nil {
			t.Errorf("%v: %v", test.files, err)
			continue
		}
		same := len(trust.Certificates) == strings.Count(test.want, ",")+1
		for _, cert := range trust.Certificates {
			same = same && strings.Contains(test.want, cert.Subject.CommonName)
		}
		notices := strings.Join(trust.Notices, "; ")
		if !same || (notices == "") != (test.notices == "") || !strings.Contains(notices, test.notices) {
			t.Errorf("%v: got %d certificates, the first of %v, notices %q; want %q and %q", test.files, len(trust.Certificates), trust.Certificates[0].Subject, notices, test.want, test.notices)
		}
	}
}

// refusal is an error that is expected.
type refusal struct {
	err   error
	blame Blame
	want  string
}

// refusals checks that each error says what is wrong and what is to blame, and shows no password.
func refusals(t *testing.T, all []refusal) {
	t.Helper()
	for i, test := range all {
		var err *Error
		if !errors.As(test.err, &err) {
			t.Errorf("%d: got %v, want an *Error with %q", i, test.err, test.want)
			continue
		}
		if text := err.About("FILE"); err.Blame != test.blame || !strings.Contains(text, test.want) || strings.ContainsAny(text, "{}\n") {
			t.Errorf("%d: got %q that blames %d, want %q, %d", i, text, err.Blame, test.want, test.blame)
		}
		if strings.Contains(err.Error(), "changeit") || strings.Contains(err.Error(), "wrong\"") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d: %v shows a password", i, err)
		}
	}
}

func trustOf(t *testing.T, password Password, files ...string) error {
	_, err := ReadTrust(stored(t, files...), password)
	return err
}

func keysOf(t *testing.T, password, key Password, files ...string) error {
	_, err := ReadKeys(stored(t, files...), password, key)
	return err
}

// An error about a password says which of the two it is.
func TestWrongPasswords(t *testing.T) {
	refusals(t, []refusal{
		{trustOf(t, pw("wrong"), "trust.jks"), StorePassword, "is not the password of"},
		{trustOf(t, pw(""), "trust.jks"), StorePassword, "is not the password of"},
		{trustOf(t, pw("wrong"), "keytool-trust.p12"), StorePassword, "is not the password of"},
		{trustOf(t, none, "keytool-trust.p12"), StorePassword, "must be set"},
		{trustOf(t, none, "openssl-nokeys.p12"), StorePassword, "Java would take such a store as empty"},
		{keysOf(t, pw("wrong"), none, "keytool-legacy.p12"), StorePassword, "is not the password of"},
		{keysOf(t, pw("wrong"), none, "openssl-nomac.p12"), StorePassword, "is not the password of"},
		{keysOf(t, none, none, "openssl-nomac.p12"), StorePassword, "must be set"},
		{keysOf(t, pw("wrong"), pw("changeit"), "key.jks"), StorePassword, "is not the password of"},
		{keysOf(t, pw("changeit"), none, "keypass.jks"), KeyPassword, "has a password of its own"},
		{keysOf(t, pw("changeit"), pw("wrong"), "keypass.jks"), KeyPassword, "is not the password of the private key \"client\""},
		{keysOf(t, pw("changeit"), pw("wrong"), "key.jks"), KeyPassword, "the store's password is: leave this one out"},
		{keysOf(t, pw("changeit"), pw("wrong"), "openssl.p12"), KeyPassword, "the store's password is: leave this one out"},
		{keysOf(t, none, none, "key.jks"), StorePassword, "must be set"},
		{keysOf(t, none, none, "key-aes256.pem", "client.pem"), KeyPassword, "must be set"},
		{keysOf(t, none, pw("wrong"), "key-aes256.pem", "client.pem"), KeyPassword, "is not the password of"},
		{keysOf(t, none, pw("wrong"), "key-v1-3des.pem", "client.pem"), KeyPassword, "is not the password of"},
		{keysOf(t, none, pw("wrong"), "key-rsa-traditional.pem", "second.pem"), KeyPassword, "is not the password of"},
		{keysOf(t, none, pw("changeit"), "key-scrypt.pem", "client.pem"), Content, "scrypt, which cannot be read here: write it anew with `openssl pkcs8 -topk8 -in FILE"},
		{keysOf(t, none, pw("changeit"), "key-v1-md5.pem", "client.pem"), Content, "pbeWithMD5AndDES-CBC, which cannot be read here: write it anew with `openssl pkcs8 -topk8 -provider legacy"},
	})
}

// An error about a store says what the store has instead, and what to do.
func TestStoresOfTheWrongKind(t *testing.T) {
	refusals(t, []refusal{
		{keysOf(t, pw("changeit"), none, "trust.jks"), Content, "2 certificates and no private key"},
		{keysOf(t, pw("changeit"), none, "keytool-trust.p12"), Content, "is it the trust store?"},
		{keysOf(t, none, none, "ca.pem"), Content, "no private key"},
		{keysOf(t, pw("changeit"), none, "secret.p12"), Content, "only entries of other kinds"},
		{keysOf(t, none, none, "client-key.pem"), Content, "no certificate for it"},
		{keysOf(t, none, none, "client-key.pem", "second.pem"), Content, "does not match any certificate"},
		{keysOf(t, none, none, "ca.der"), Content, "no private key"},
		{trustOf(t, none, "client-key.pem"), Content, "has no certificate"},
		{trustOf(t, pw("changeit"), "secret.p12"), Content, "nobody would be trusted"},
		{trustOf(t, pw("changeit"), "store.jceks"), Content, "-srcstoretype JCEKS"},
		{trustOf(t, none, "ca.p7b"), Content, "openssl pkcs7 -inform DER -in FILE"},
	})
}

// An error about a file says what the file seems to be.
func TestFilesThatAreNoStores(t *testing.T) {
	raw := func(data string) error {
		_, err := ReadTrust([]byte(data), pw("changeit"))
		return err
	}
	trustless := func(data string) error { // without a password, so that nothing hides what is wrong
		_, err := ReadTrust([]byte(data), none)
		return err
	}
	cut := func(name string, n int) error {
		data := stored(t, name)
		_, err := ReadTrust(data[:len(data)-n], pw("changeit"))
		return err
	}
	refusals(t, []refusal{
		{raw(""), Content, "is an empty file"},
		{raw(" \n\n"), Content, "nothing but blanks"},
		{raw("hunter2"), Content, "but seems to be text"},
		{raw("\x00\x01\x02\x03\x04"), Content, "begins with the bytes 00 01 02 03"},
		{raw("<!DOCTYPE html>"), Content, "HTML"},
		{raw("MIIKBgIBAzCCCc"), Content, "base64 -d"},
		{raw("/u3+7QAAAAIAAAAC"), Content, "base64 -d"},
		{raw("\xff\xfe-\x00-\x00"), Content, "UTF-16"},
		{raw("\xfe\xed\xfe\xed\x00\x00\x00\x03"), Content, "version 3"},
		{trustless("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x00" + strings.Repeat("x", 20)), Content, "has no certificate in it: nobody would be trusted"},
		{trustless("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x00" + strings.Repeat("x", 21)), Content, "1 bytes behind its end"},
		{trustless("\xfe\xed\xfe\xed\x00\x00\x00\x02\xff\xff\xff\xff"), Content, "ends too soon"},
		{trustless("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x07\x00\x00" + strings.Repeat("x", 99)), Content, "entry of kind 7"},
		{raw("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"), Content, "certificate number 1 in FILE (PEM) is damaged"},
		{raw("-----BEGIN CERTIFICATE-----\naGVsbG8=\n"), Content, "begins a block and ends none: it is cut short"},
		{raw("-----BEGIN CERTIFICATE-----\na?=\n-----END CERTIFICATE-----\n"), Content, "1 blocks that begin, of which 0 can be read: the others have no proper end"},
		{raw("-----BEGIN PKCS7-----\naGVsbG8=\n-----END PKCS7-----\n"), Content, "openssl pkcs7 -in FILE"},
		{raw("-----BEGIN CERTIFICATE REQUEST-----\naGVsbG8=\n-----END CERTIFICATE REQUEST-----\n"), Content, "a request for a certificate"},
		{raw("\x00\x00\x00\x02BKS"), Content, "-srcstoretype BKS"},
		{raw("-----BEGIN OPENSSH PRIVATE KEY-----\naGVsbG8=\n-----END OPENSSH PRIVATE KEY-----\n"), Content, "ssh-keygen"},
		{raw("-----BEGIN DSA PRIVATE KEY-----\naGVsbG8=\n-----END DSA PRIVATE KEY-----\n"), Content, "RSA, EC and Ed25519"},
		{cut("trust.jks", 100), Content, "ends too soon"},
		{cut("keytool-trust.p12", 100), Content, "truncated"},
		{cut("ca.pem", 100), Content, "begins a block and ends none"},
		{raw("0\x80\x02\x01\x03\x30\x80"), Content, "truncated"},
	})
}

// One bit anywhere in a store that is protected by a password is noticed, and no message shows what the password is.
func TestDamageIsNoticed(t *testing.T) {
	for _, name := range []string{"trust.jks", "keytool-trust.p12", "openssl-nokeys.p12"} {
		data := stored(t, name)
		want, err := ReadTrust(data, pw("changeit"))
		if err != nil {
			t.Fatal(err)
		}
		step := 1
		if name != "trust.jks" {
			step = 13 // a password is checked slowly, by design
		}
		for at := 0; at < len(data); at += step {
			data[at] ^= 1
			got, err := ReadTrust(data, pw("changeit"))
			if err == nil && !sameCertificates(got, want) {
				t.Errorf("%s: with byte %d changed, others are trusted", name, at)
			}
			if err != nil && strings.Contains(err.Error(), "changeit") {
				t.Errorf("%s, byte %d: %v shows the password", name, at, err)
			}
			data[at] ^= 1
		}
	}
}

func sameCertificates(a, b *Trust) bool {
	if len(a.Certificates) != len(b.Certificates) {
		return false
	}
	for i := range a.Certificates {
		if !a.Certificates[i].Equal(b.Certificates[i]) {
			return false
		}
	}
	return true
}

// A property in one line has blanks where a file has line breaks; Java takes it.
func TestPEMInOneLine(t *testing.T) {
	text := stored(t, "client-key.pem", "client.pem", "chain.pem")
	oneLine := bytes.ReplaceAll(text, []byte("\n"), []byte(" "))
	for name, data := range map[string][]byte{
		"blanks": oneLine, "no final blank": bytes.TrimSpace(oneLine), "CRLF": bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
		"no blank between": bytes.ReplaceAll(oneLine, []byte("----- -----BEGIN"), []byte("----------BEGIN")),
		"comments":         append([]byte("0 s:CN = client\n   i:CN = x\n"), text...),
	} {
		keys, err := ReadKeys(data, none, none)
		if err != nil || keys.names()[0] != epistle {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A certificate that Go does not take, but Java does, is left out, and the others are used: a bundle has many.
func TestCertificatesThatGoDoesNotTake(t *testing.T) {
	block, _ := pem.Decode(stored(t, "middle.pem"))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	serial := cert.SerialNumber.Bytes()
	at := bytes.Index(block.Bytes, serial)
	if serial[0] >= 0x80 {
		at-- // a zero stands before it
	}
	block.Bytes[at] |= 0x80 // negative
	odd := pem.EncodeToMemory(block)
	trust, err := ReadTrust(append(odd, stored(t, "ca.pem")...), none)
	if err != nil || len(trust.Certificates) != 1 || len(trust.Notices) != 1 || !strings.Contains(trust.Notices[0], "negative serial number") {
		t.Errorf("beside another: got %+v, %v", trust, err)
	}
	if _, err := ReadTrust(odd, none); err == nil || !strings.Contains(err.Error(), "negative serial number") {
		t.Errorf("alone: got %v", err)
	}
}

// Not even a field that is not exported, whose methods package fmt does not call, shows a password.
func TestPasswordIsNotShown(t *testing.T) {
	for _, value := range []any{pw("s3cret"), struct{ P Password }{pw("s3cret")}, &struct{ p Password }{pw("s3cret")}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, "s3cret") || strings.Contains(text, "733363726574") {
				t.Errorf("shown as %q", text)
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	_, err := ReadTrust(append(stored(t, "trust.jks"), make([]byte, MaxSize)...), none)
	if err == nil || !strings.Contains(err.Error(), "no key store") {
		t.Errorf("got %v", err)
	}
}
