package tlsconf

import (
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/epistle-kafka/epistle/internal/keystore"
)

// What is advised is done as it is printed, in a directory whose name a shell would take apart, and what comes of it is read.
func TestAdviceCanBeFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a shell of POSIX")
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl here")
	}
	secret := keystore.NewPassword("changeit")
	pair := func(certificate, key string) Files {
		return Files{Certificate: certificate, Key: key, KeyPassword: secret}
	}
	trusting := func(path string) Files { return Files{TrustStore: path} }
	for _, c := range []struct {
		name string
		// make prepares dir, and returns files that are refused.
		make func(t *testing.T, dir string) Files
		key  string // the setting that is named
		want string // in what is said
		made string // the file that the command makes
		then func(dir, made string) Files
	}{
		{"a key encrypted with scrypt", func(t *testing.T, dir string) Files {
			return pair(copied(t, dir, "client.pem"), copied(t, dir, "key-scrypt.pem"))
		}, keyCertificate, "encrypted with scrypt", "key.pem", func(dir, made string) Files { return pair(filepath.Join(dir, "client.pem"), made) }},
		{"a key encrypted with DES and MD5", func(t *testing.T, dir string) Files {
			needsLegacy(t)
			return pair(copied(t, dir, "client.pem"), copied(t, dir, "key-v1-md5.pem"))
		}, keyCertificate, "pbeWithMD5AndDES-CBC", "key.pem", func(dir, made string) Files { return pair(filepath.Join(dir, "client.pem"), made) }},
		{"a PKCS12 store encrypted with DES and MD5", func(t *testing.T, dir string) Files {
			needsLegacy(t)
			path := filepath.Join(dir, "old.p12")
			run(t, dir, "openssl pkcs12 -export -legacy -keypbe PBE-MD5-DES -certpbe PBE-MD5-DES -passout pass:changeit -out old.p12 -in "+
				shellWord(copied(t, dir, "client.pem"))+" -inkey "+shellWord(copied(t, dir, "client-key.pem")))
			return Files{KeyStore: path, KeyStorePassword: secret}
		}, keyKeysLocation, "is a PKCS12 store that is encrypted with pbeWithMD5AndDES-CBC", "store.pem",
			func(_, made string) Files { return Files{KeyStore: made, KeyPassword: secret} }},
		{"a certificate in DER", func(t *testing.T, dir string) Files {
			return pair(inDER(t, dir, "client.pem"), copied(t, dir, "client-key.pem"))
		}, keyCertificate, "is a certificate in DER", "cert.pem", func(dir, made string) Files { return pair(made, filepath.Join(dir, "client-key.pem")) }},
		{"a key in DER", func(t *testing.T, dir string) Files {
			return pair(copied(t, dir, "client.pem"), inDER(t, dir, "client-key.pem"))
		}, keyKey, "is a private key in DER", "key.pem", func(dir, made string) Files { return pair(filepath.Join(dir, "client.pem"), made) }},
		{"PKCS7", func(t *testing.T, dir string) Files { return trusting(copied(t, dir, "ca.p7b")) },
			keyTrustLocation, "it is PKCS7", "store.pem", func(_, made string) Files { return trusting(made) }},
		{"a directory", func(t *testing.T, dir string) Files {
			copied(t, dir, "ca.pem")
			copied(t, dir, "other-ca.pem")
			return trusting(dir)
		}, keyTrustLocation, "is a directory, and a file is needed", "ca.pem", func(_, made string) Files { return trusting(made) }},
		{"Base64", func(t *testing.T, dir string) Files {
			return trusting(write(t, dir, "trust.b64", base64.StdEncoding.EncodeToString([]byte(text(t, "trust.jks")))))
		}, keyTrustLocation, "is in Base64", "decoded", func(_, made string) Files { return trusting(made) }},
		{"UTF-16", func(t *testing.T, dir string) Files {
			wide := []byte{0xff, 0xfe}
			for _, unit := range utf16.Encode([]rune(text(t, "ca.pem"))) {
				wide = append(wide, byte(unit), byte(unit>>8))
			}
			return trusting(write(t, dir, "wide.pem", string(wide)))
		}, keyTrustLocation, "UTF-16", "utf8.pem", func(_, made string) Files { return trusting(made) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, work := filepath.Join(t.TempDir(), "it's a $dir"), t.TempDir()
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			_, _, problems := Open(c.make(t, dir))
			if len(problems) != 1 || problems[0].Key != c.key || !strings.Contains(problems[0].Rule, c.want) {
				t.Fatalf("got %v, want %s with %q", problems, c.key, c.want)
			}
			_, command, found := strings.Cut(problems[0].Rule, "`")
			command, _, closed := strings.Cut(command, "`")
			if !found || !closed {
				t.Fatalf("there is no command: %v", problems[0])
			}
			if strings.HasPrefix(command, "openssl pk") && !strings.Contains(command, "pkcs7") && !strings.Contains(command, "-inform DER") {
				command += " -passin pass:changeit -passout pass:changeit" // which openssl asks for otherwise
			}
			run(t, work, command)
			if _, _, problems := Open(c.then(dir, filepath.Join(work, c.made))); len(problems) > 0 {
				t.Errorf("after `%s`: %v", command, problems)
			}
		})
	}
}

// copied puts a file of the stores' into dir.
func copied(t *testing.T, dir, name string) string { return write(t, dir, name, text(t, name)) }

func inDER(t *testing.T, dir, name string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(text(t, name)))
	return write(t, dir, name+".der", string(block.Bytes))
}

func run(t *testing.T, dir, command string) {
	t.Helper()
	sh := exec.Command("sh", "-c", command)
	sh.Dir = dir
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("`%s`: %v\n%s", command, err, out)
	}
}

// needsLegacy skips where openssl has left the old algorithms out.
func needsLegacy(t *testing.T) {
	t.Helper()
	if err := exec.Command("openssl", "list", "-provider", "legacy", "-providers").Run(); err != nil {
		t.Skip("openssl has no legacy provider here")
	}
}

// Of two files that belong together the empty one, or the one of another kind, is named.
func TestOneFileOfTwoIsWrong(t *testing.T) {
	dir := t.TempDir()
	certificate, key, empty := stored("client.pem"), stored("client-key.pem"), write(t, dir, "empty", "")
	for _, c := range []struct {
		files     Files
		key, want string
	}{
		{Files{Certificate: certificate, Key: empty}, keyKey, `must be PEM, and "` + empty + `" is an empty file`},
		{Files{Certificate: empty, Key: key}, keyCertificate, `must be PEM, and "` + empty + `" is an empty file`},
		{Files{Certificate: stored("openssl.p12"), Key: key}, keyCertificate, "is a PKCS#12 store, which has key and certificate in one file"},
		{Files{Certificate: certificate, Key: stored("key.jks")}, keyKey, "is a JKS store"},
		{Files{Certificate: dir, Key: key}, keyCertificate, `"` + dir + `" is a directory, and a file is needed`},
	} {
		_, _, problems := Open(c.files)
		if len(problems) != 1 || problems[0].Key != c.key || !strings.Contains(problems[0].Rule, c.want) {
			t.Errorf("%+v: got %v, want %s with %q", c.files, problems, c.key, c.want)
		}
	}
}

// Where properties say PEM, and the file is DER, it is not taken for a store that has a password.
func TestDERWherePropertiesSayPEM(t *testing.T) {
	for _, c := range []struct{ kind, location, file, want string }{
		{keyTrustType, keyTrustLocation, "ca.der", "must be PEM, and \"" + stored("ca.der") + "\" is a certificate in DER: make PEM of it with `openssl x509 -inform DER -in " + stored("ca.der")},
		{keyKeysType, keyKeysLocation, "ca.der", "is a certificate in DER"},
	} {
		r := resolve(c.kind, "PEM", c.location, stored(c.file))
		if len(r.Problems) != 1 || r.Problems[0].Key != c.location || !strings.Contains(r.Problems[0].Rule, c.want) {
			t.Errorf("%s: got %v, want %q", c.kind, r.Problems, c.want)
		}
	}
}
