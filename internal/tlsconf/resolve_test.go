package tlsconf

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/testcert"
)

// resolve takes settings in pairs.
func resolve(settings ...string) *Result {
	set := map[string]string{}
	for i := 0; i+1 < len(settings); i += 2 {
		set[settings[i]] = settings[i+1]
	}
	return Resolve(func(key string) (string, bool) { v, ok := set[key]; return v, ok })
}

func stored(name string) string { return filepath.Join("..", "keystore", "testdata", name) }

func text(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(stored(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const secret = "changeit"

// Stores are taken under every type that a configuration may call them, as in Java.
func TestStoresAsPeopleNameThem(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings []string
		trust    bool
		keys     int
	}{
		{"two JKS stores without a type", []string{keyKeysLocation, stored("key.jks"), keyKeysPassword, secret, keyKeyPassword, secret, keyTrustLocation, stored("trust.jks"), keyTrustPassword, secret}, true, 1},
		{"two PKCS12 stores without a type", []string{keyKeysLocation, stored("keytool.p12"), keyKeysPassword, secret, keyKeyPassword, secret, keyTrustLocation, stored("keytool-trust.p12"), keyTrustPassword, secret}, true, 1},
		{"jks and PKCS12", []string{keyTrustType, "jks", keyTrustLocation, stored("trust.jks"), keyTrustPassword, secret, keyKeysType, "PKCS12", keyKeysLocation, stored("openssl.p12"), keyKeysPassword, secret}, true, 1},
		{"PKCS12 under the name of JKS", []string{keyTrustType, "JKS", keyTrustLocation, stored("keytool-trust.p12"), keyTrustPassword, secret}, true, 0},
		{"JKS under the name of PKCS12", []string{keyTrustType, "PKCS12", keyTrustLocation, stored("trust.jks"), keyTrustPassword, secret}, true, 0},
		{"PEM under the name of JKS", []string{keyTrustType, "JKS", keyTrustLocation, stored("ca.pem")}, true, 0},
		{"PEM", []string{keyTrustType, "pem", keyTrustLocation, stored("ca.pem")}, true, 0},
		{"a key with a password of its own", []string{keyKeysLocation, stored("keypass.jks"), keyKeysPassword, secret, keyKeyPassword, "other-secret"}, false, 1},
		{"two keys", []string{keyKeysLocation, stored("mixed.jks"), keyKeysPassword, secret}, false, 2},
		{"JKS without a password", []string{keyTrustLocation, stored("trust.jks")}, true, 0},
		{"PEM inline", []string{keyTrustType, "PEM", keyTrustInline, text(t, "ca.pem"), keyKeysType, "PEM", keyKeyInline, text(t, "client-key.pem"), keyChainInline, text(t, "client.pem")}, true, 1},
		{"PEM inline, encrypted", []string{keyKeysType, "PEM", keyKeyInline, text(t, "key-aes256.pem"), keyChainInline, text(t, "client.pem"), keyKeyPassword, secret}, false, 1},
		{"PEM inline in one line", []string{keyTrustType, "PEM", keyTrustInline, strings.ReplaceAll(text(t, "ca.pem"), "\n", " ")}, true, 0},
		{"empty settings of a template", []string{keyTrustLocation, "", keyTrustPassword, "", keyKeysLocation, "", keyKeysPassword, "", keyKeyPassword, ""}, false, 0},
		{"nothing", nil, false, 0},
	} {
		r := resolve(test.settings...)
		if len(r.Problems) > 0 || len(r.Notices) > 0 || (r.Config.RootCAs != nil) != test.trust || len(r.Config.Certificates) != test.keys || r.Config.InsecureSkipVerify {
			t.Errorf("%s: problems %v, notices %v, trust %v, %d keys", test.name, r.Problems, r.Notices, r.Config.RootCAs != nil, len(r.Config.Certificates))
		}
		if inFiles := !r.Files.IsZero(); inFiles {
			if s, _, problems := Open(r.Files); s == nil {
				t.Errorf("%s: the files cannot be opened again: %v", test.name, problems)
			}
		}
	}
}

// Each problem is about one setting, names the file, and says what to do; no password is shown.
func TestProblemsNameTheSetting(t *testing.T) {
	dir := t.TempDir()
	empty := write(t, dir, "empty", "")
	html := write(t, dir, "html", "<html>")
	noKey := write(t, dir, "nokey.pem", text(t, "client.pem"))
	strange := write(t, dir, "strange.pem", text(t, "client-key.pem")+text(t, "second.pem"))
	for _, test := range []struct {
		key, want string
		settings  []string
	}{
		{keyTrustPassword, `is not the password of "` + stored("trust.jks") + `" (JKS), or the file is damaged`, []string{keyTrustLocation, stored("trust.jks"), keyTrustPassword, "wrong"}},
		{keyTrustPassword, "must be set", []string{keyTrustLocation, stored("keytool-trust.p12")}},
		{keyKeysPassword, "is not the password of", []string{keyKeysLocation, stored("keytool.p12"), keyKeysPassword, "wrong"}},
		{keyKeysPassword, "must be set", []string{keyKeysLocation, stored("key.jks")}},
		{keyKeyPassword, "a password of its own", []string{keyKeysLocation, stored("keypass.jks"), keyKeysPassword, secret}},
		{keyKeyPassword, `is not the password of the private key "client" in "` + stored("keypass.jks"), []string{keyKeysLocation, stored("keypass.jks"), keyKeysPassword, secret, keyKeyPassword, "wrong"}},
		{keyKeyPassword, "is not the password of the private key in the value", []string{keyKeysType, "PEM", keyKeyInline, text(t, "key-aes256.pem"), keyChainInline, text(t, "client.pem"), keyKeyPassword, "wrong"}},
		{keyKeysLocation, "is it the trust store?", []string{keyKeysLocation, stored("trust.jks"), keyKeysPassword, secret}},
		{keyKeysLocation, "no private key", []string{keyKeysLocation, noKey}},
		{keyKeysLocation, "does not match any certificate", []string{keyKeysLocation, strange}},
		{keyTrustLocation, "JCEKS", []string{keyTrustLocation, stored("store.jceks"), keyTrustPassword, secret}},
		{keyTrustLocation, "is an empty file", []string{keyTrustLocation, empty}},
		{keyTrustLocation, "HTML", []string{keyTrustLocation, html}},
		{keyTrustLocation, `"` + dir + `" is a directory`, []string{keyTrustLocation, dir}},
		{keyTrustLocation, `"/nowhere/trust.jks" does not exist`, []string{keyTrustLocation, "/nowhere/trust.jks"}},
		{keyTrustLocation, `"trust.jks " does not exist: it begins at the working directory`, []string{keyTrustLocation, "trust.jks "}},
		{keyTrustLocation, "each backslash is written twice", []string{keyTrustLocation, "G:kafkassltrust.jks"}},
		{keyTrustLocation, "variables and ~ are not replaced", []string{keyTrustLocation, "${HOME}/trust.jks"}},
		{keyTrustLocation, "which is meant?", []string{keyTrustLocation, stored("ca.pem"), keyTrustType, "PEM", keyTrustInline, text(t, "ca.pem")}},
		{keyTrustType, "is a JKS store: leave the type out, and set " + keyTrustPassword, []string{keyTrustType, "PEM", keyTrustLocation, stored("trust.jks")}},
		{keyKeysType, "keytool.p12\" is a PKCS#12 store: leave the type out", []string{keyKeysType, "PEM", keyKeysLocation, stored("keytool.p12"), keyKeysPassword, secret}},
		{keyTrustInline, "seems to be a path, which goes into " + keyTrustLocation, []string{keyTrustInline, "/etc/kafka/ca.pem"}},
		{keyKeyInline, "`cat tls.key tls.crt >client.pem` makes of two", []string{keyKeysType, "PEM", keyKeyInline, "tls.key", keyChainInline, "tls.crt"}},
		{keyKeysLocation, "(PEM) has 1 certificate and no private key: is it the trust store?", []string{keyKeysLocation, stored("ca.pem")}},
		{keyProtocols, "must have TLSv1.2 or TLSv1.3", []string{keyProtocols, "TLSv1.1", keyCiphers, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
		{keyProtocols, "has TLSv1.4", []string{keyProtocols, "TLSv1.4", keyCiphers, "TLS_AES_128_GCM_SHA256"}},
		{keyKeysType, "is a PKCS#12 store", []string{keyKeysType, "PEM", keyKeysLocation, stored("keytool.p12")}},
		{keyTrustType, "must be PEM, since", []string{keyTrustInline, text(t, "ca.pem")}},
		{keyTrustType, "store of the operating system", []string{keyTrustType, "Windows-ROOT"}},
		{keyTrustPassword, "belongs to JKS and PKCS12", []string{keyTrustType, "PEM", keyTrustLocation, stored("ca.pem"), keyTrustPassword, secret}},
		{keyTrustPassword, "is set, and " + keyTrustLocation + " is not", []string{keyTrustPassword, secret}},
		{keyKeyInline, "needs " + keyChainInline, []string{keyKeysType, "PEM", keyKeyInline, text(t, "client-key.pem")}},
		{keyChainInline, "needs " + keyKeyInline, []string{keyKeysType, "PEM", keyChainInline, text(t, "client.pem")}},
		{keyTrustInline, "has no certificate", []string{keyTrustType, "PEM", keyTrustInline, "-----BEGIN PUBLIC KEY-----\naGVsbG8=\n-----END PUBLIC KEY-----"}},
		{keyHostName, "must be https, or empty", []string{keyHostName, "ldaps"}},
		{keyHostName, "librdkafka's word", []string{keyHostName, "none"}},
		{keyProtocols, "must have TLSv1.2 or TLSv1.3", []string{keyProtocols, "TLSv1.1"}},
		{keyProtocols, "has TLSv2", []string{keyProtocols, "TLSv2,TLSv1.3"}},
		{keyCiphers, "has no cipher suite that Go knows", []string{keyCiphers, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"}},
		{keyCiphers, "suites of TLS 1.2 only", []string{keyCiphers, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", keyProtocols, "TLSv1.3"}},
		{keyCiphers, "suites of TLS 1.3 only", []string{keyCiphers, "TLS_AES_128_GCM_SHA256", keyProtocols, "TLSv1.2"}},
	} {
		r := resolve(test.settings...)
		if len(r.Problems) != 1 || r.Problems[0].Key != test.key || !strings.Contains(r.Problems[0].Rule, test.want) {
			t.Errorf("%.120q:\n got %v\nwant one problem of %s with %q", test.settings, r.Problems, test.key, test.want)
			continue
		}
		if said := r.Problems[0].Error(); strings.Contains(said, secret) || strings.Contains(said, "BEGIN PRIVATE") || strings.ContainsAny(said, "\n{}") && !strings.Contains(said, "${") {
			t.Errorf("shows a secret, or what is not for reading: %q", said)
		}
	}
}

// What is used, but should be known of.
func TestNoticesNameTheSetting(t *testing.T) {
	for _, test := range []struct {
		key, want string
		settings  []string
	}{
		{keyHostName, "host names are not checked", []string{keyHostName, ""}},
		{keyTrustInline, "is empty, and counts as left out: the system's roots are trusted", []string{keyTrustType, "PEM", keyTrustInline, ""}},
		{keyKeysLocation, "is empty, and counts as left out: no client certificate is shown", []string{keyKeysType, "PKCS12", keyKeysLocation, ""}},
		{keyTrustType, "has no effect, as in Java, since neither ssl.truststore.location nor ssl.truststore.certificates is set: the system's roots are trusted", []string{keyTrustType, "PEM"}},
		{keyKeysType, "has no effect, as in Java, since neither ssl.keystore.location nor ssl.keystore.key is set: no client certificate is shown", []string{keyKeysType, "PKCS12", keyTrustType, "jks"}},
		{keyKeyPassword, "has no effect, as in Java, since neither ssl.keystore.location nor ssl.keystore.key is set", []string{keyKeyPassword, secret, keyKeysType, "JKS"}},
		{keyTrustPassword, "has no effect", []string{keyTrustLocation, stored("ca.pem"), keyTrustPassword, secret}},
		{keyKeyPassword, "the key is not encrypted", []string{keyKeysType, "PEM", keyKeyInline, text(t, "client-key.pem"), keyChainInline, text(t, "client.pem"), keyKeyPassword, secret}},
		{keyTrustLocation, "Java takes such a store as empty", []string{keyTrustLocation, stored("openssl-nokeys.p12"), keyTrustPassword, secret}},
		{keyCiphers, "OpenSSL's name", []string{keyCiphers, "ECDHE-RSA-AES128-GCM-SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
		{keyProtocols, "it is broken", []string{keyProtocols, "TLSv1.1,TLSv1.2"}},
	} {
		r := resolve(test.settings...)
		if len(r.Problems) > 0 || len(r.Notices) != 1 || r.Notices[0].Key != test.key || !strings.Contains(r.Notices[0].Text, test.want) {
			t.Errorf("%.80q: got %v, problems %v; want one of %s with %q", test.settings, r.Notices, r.Problems, test.key, test.want)
		}
	}
}

func TestVersionsAndCiphers(t *testing.T) {
	for _, test := range []struct {
		protocols, ciphers string
		min, max           uint16
		suites             int
	}{
		{"TLSv1.2,TLSv1.3", "", tls.VersionTLS12, 0, 0},
		{"TLSv1.3", "", tls.VersionTLS13, 0, 0},
		{"TLSv1.2", "", tls.VersionTLS12, tls.VersionTLS12, 0},
		{"", "", tls.VersionTLS12, 0, 0},
		{"TLSv1.2,TLSv1.3", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", tls.VersionTLS12, tls.VersionTLS12, 1},
		{"TLSv1.2,TLSv1.3", "TLS_AES_256_GCM_SHA384", tls.VersionTLS13, 0, 0},
		{"TLSv1.2,TLSv1.3", "TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", tls.VersionTLS12, 0, 1},
	} {
		c := resolve(keyProtocols, test.protocols, keyCiphers, test.ciphers).Config
		if c.MinVersion != test.min || c.MaxVersion != test.max || len(c.CipherSuites) != test.suites {
			t.Errorf("%q %q: got versions %x to %x, %d suites; want %x to %x, %d", test.protocols, test.ciphers, c.MinVersion, c.MaxVersion, len(c.CipherSuites), test.min, test.max, test.suites)
		}
	}
}

// Java's clients offer no TLS 1.3 if ssl.protocol is TLSv1.2, whatever ssl.enabled.protocols has.
func TestProtocolLeavesOutNewerVersions(t *testing.T) {
	for _, test := range []struct {
		protocol, protocols string
		min, max            uint16
		said                string // a problem or a notice
	}{
		{"TLSv1.2", "", tls.VersionTLS12, tls.VersionTLS12, ""},
		{"tlsv1.2", "TLSv1.2,TLSv1.3", tls.VersionTLS12, tls.VersionTLS12, ""},
		{"TLSv1.3", "", tls.VersionTLS12, 0, ""},
		{"TLS", "TLSv1.3", tls.VersionTLS13, 0, ""},
		{"SSL", "TLSv1.2", tls.VersionTLS12, tls.VersionTLS12, ""},
		{"", "", tls.VersionTLS12, 0, ""},
		{"TLSv1.1", "", tls.VersionTLS12, 0, "ssl.protocol: has no effect: TLSv1.1 is broken"},
		{"TLS1.2", "", tls.VersionTLS12, 0, "ssl.protocol: is TLS1.2, but must be TLSv1.2 or TLSv1.3; did you mean TLSv1.2?"},
		{"TLSv1.2", "TLSv1.3", tls.VersionTLS13, tls.VersionTLS12, "ssl.protocol: leaves out TLS 1.3, while ssl.enabled.protocols asks for TLSv1.3 only"},
	} {
		r := resolve(keyProtocol, test.protocol, keyProtocols, test.protocols)
		var said string
		for _, n := range r.Notices {
			said += n.Key + ": " + n.Text
		}
		for _, p := range r.Problems {
			said += p.Key + ": " + p.Rule
		}
		if c := r.Config; c.MinVersion != test.min || c.MaxVersion != test.max || !strings.HasPrefix(said, test.said) || test.said == "" && said != "" {
			t.Errorf("%q %q: got versions %x to %x and %q; want %x to %x and %q", test.protocol, test.protocols, c.MinVersion, c.MaxVersion, said, test.min, test.max, test.said)
		}
	}
	r := resolve(keyProtocol, "TLSv1.2", keyCiphers, "TLS_AES_128_GCM_SHA256")
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Rule, "while ssl.protocol asks for TLSv1.2 only") {
		t.Errorf("suites of TLS 1.3: got %v, want a problem that names ssl.protocol", r.Problems)
	}
}

// The host name is left out of the check only for who asks Files, or for the whole of it.
func TestHostNameIsSkippedByFiles(t *testing.T) {
	r := resolve(keyHostName, "", keyTrustLocation, stored("ca.pem"))
	if !r.Files.SkipHostName || r.Config.InsecureSkipVerify || r.Config.VerifyConnection != nil {
		t.Errorf("got %+v", r)
	}
	if c := r.Alone(); !c.InsecureSkipVerify || c.VerifyConnection == nil || c.RootCAs == nil {
		t.Errorf("alone: got %+v, want the chain verified, and not the name", c)
	}
	if c := resolve(keyTrustLocation, stored("ca.pem")).Alone(); c.InsecureSkipVerify || c.RootCAs == nil {
		t.Errorf("alone, and nothing skipped: got %+v", c)
	}
}

func TestFilesThatContradictEachOther(t *testing.T) {
	for _, test := range []struct {
		files Files
		want  string
	}{
		{Files{KeyStore: "a", Certificate: "b", Key: "c"}, "which is meant?"},
		{Files{Certificate: "b"}, "needs the file of the private key"},
		{Files{Key: "b"}, "needs the file of the certificate"},
		{Files{Certificate: stored("key.jks"), Key: stored("key.jks")}, "must be PEM"},
	} {
		_, _, problems := Open(test.files)
		if len(problems) != 1 || !strings.Contains(problems[0].Rule, test.want) {
			t.Errorf("%+v: got %v, want %q", test.files, problems, test.want)
		}
	}
}

// Certificates that are over are told of, and used: the clock may be wrong.
func TestExpiredCertificatesAreToldOf(t *testing.T) {
	ca := testcert.Authority("ca")
	old := testcert.Issue(&ca, "client", expired)
	oldCA := testcert.Issue(nil, "old authority", expired)
	dir := t.TempDir()
	s, notices, problems := Open(Files{
		TrustStore: write(t, dir, "ca.pem", ca.PEM+oldCA.PEM), KeyStore: write(t, dir, "client.pem", old.KeyPEM+old.PEM),
	})
	if s == nil || len(notices) != 2 || !strings.Contains(notices[0].Text, `"CN=old authority" expired on`) || !strings.Contains(notices[1].Text, `"CN=client" expired on`) {
		t.Errorf("got %v, problems %v", notices, problems)
	}
}

func TestUnreadableFile(t *testing.T) {
	path := write(t, t.TempDir(), "ca.pem", text(t, "ca.pem"))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(path); err == nil {
		t.Skip("whoever runs this may read everything")
	}
	r := resolve(keyTrustLocation, path)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Rule, "must not be read by this process") {
		t.Errorf("got %v", r.Problems)
	}
}

// A version that is misspelt leads to the one that was meant, if it has its number.
func TestTheVersionThatWasMeant(t *testing.T) {
	for name, want := range map[string]string{
		"TLS1.2": "; did you mean TLSv1.2?", "tlsv1.3": "; did you mean TLSv1.3?", "TLSv12": "; did you mean TLSv1.2?", "TLS_1_3": "; did you mean TLSv1.3?",
		"TLSv1.4": "", "TLS": "", "all": "", "": "",
	} {
		if got := versionMeant(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
