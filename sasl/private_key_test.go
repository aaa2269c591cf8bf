package sasl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// encryptedKey copies one of the keys that are stored for tests, whose passphrase is changeit.
func encryptedKey(t *testing.T, name string) (path string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "internal", "keystore", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "it's a key.pem")
	write(t, path, string(text))
	return path
}

// An assertion is signed with an encrypted key, whatever has encrypted it, as long as that is any good; else it is said how the
// key becomes one.
func TestEncryptedPrivateKeys(t *testing.T) {
	for _, c := range []struct {
		name       string
		passphrase Secret
		says       string // "" is for a key that can be read
	}{
		{"key-aes256.pem", "changeit", ""},
		{"key-prf-sha512.pem", "changeit", ""},
		{"key-v1-3des.pem", "changeit", ""},
		{"key-rsa.pem", "changeit", ""},
		{"key-aes256.pem", "hunter2", "is encrypted with another passphrase than the one that is set"},
		{"key-v1-3des.pem", "hunter2", "is encrypted with another passphrase"},
		{"key-aes256.pem", "", "is encrypted, and there is no passphrase for it"},
		{"key-scrypt.pem", "changeit", "is encrypted with scrypt, which cannot be read here: write it anew with `openssl pkcs8 -topk8 -in '"},
		{"key-v1-md5.pem", "changeit", "write it anew with `openssl pkcs8 -topk8 -provider legacy -provider default -in '"},
		{"key-rsa-traditional.pem", "changeit", "in OpenSSL's old way"},
		{"key-ed25519.pem", "changeit", "has to be RSA, or EC"},
	} {
		path := encryptedKey(t, c.name)
		sign := made(SignedAssertion(AssertionConfig{KeyFile: path, Passphrase: c.passphrase}))
		_, err := sign(t.Context())
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s is taken with %s", c.name, string(c.passphrase))
			continue
		}
		has(t, err.Error(), c.says)
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "changeit") {
			t.Errorf("has the passphrase: %v", err)
		}
		if _, command, found := strings.Cut(err.Error(), "`"); found && !strings.Contains(command, `/it'\''s a key.pem' -out new.pem`) {
			t.Errorf("the command is none for a shell: %s", command)
		}
	}
}
