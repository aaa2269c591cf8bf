package producer

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/internal/testcert"
)

// leaf returns the key and the certificate of a host, in PEM.
func leaf(by *testcert.Issued, host string) (key, cert string) {
	i := testcert.Issue(by, host, testcert.ForHost(host))
	return i.KeyPEM, i.PEM
}

// shake connects a broker that has this key and certificate with a client that was configured by properties, which
// thinks that the broker is called kafka.example.com. It returns what the client says and who the broker saw.
func shake(t *testing.T, brokerKey, brokerCert string, ca *testcert.Issued, properties ...string) ([]*x509.Certificate, error) {
	t.Helper()
	c, _ := fromMap(t, with(append([]string{"security.protocol", "SSL"}, properties...)...))
	pair, err := tls.X509KeyPair([]byte(brokerCert), []byte(brokerKey))
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := loopback(t)
	broker := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: ca.Pool()})
	done := make(chan struct{})
	go func() { defer close(done); _ = broker.Handshake() }()
	cfg := c.TLS.Clone()
	cfg.ServerName = "kafka.example.com"
	if files, _, err := c.openTLS(); err != nil {
		t.Fatal(err)
	} else if files != nil {
		files.Prepare(t.Context(), cfg)
	}
	err = tls.Client(ours, cfg).Handshake()
	ours.Close()
	<-done
	return broker.ConnectionState().PeerCertificates, err
}

// loopback returns both ends of a TCP connection: net.Pipe has no buffer, so that an alert meets a blocked writer.
func loopback(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []net.Conn{client, server} {
		_ = end.SetDeadline(time.Now().Add(10 * time.Second))
		t.Cleanup(func() { end.Close() })
	}
	return client, server
}

func TestTLSFromPEM(t *testing.T) {
	ca, stranger := testcert.Authority("ca"), testcert.Authority("stranger")
	key, cert := leaf(&ca, "kafka.example.com")
	otherKey, otherCert := leaf(&ca, "elsewhere.example.com")
	clientKey, clientCert := leaf(&ca, "orders")
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	trusting := []string{"ssl.truststore.type", "PEM", "ssl.truststore.certificates", ca.PEM}

	if who, err := shake(t, key, cert, &ca, trusting...); err != nil || len(who) != 0 {
		t.Errorf("inline truststore: %v, client %v", err, who)
	}
	if _, err := shake(t, key, cert, &ca, "ssl.truststore.type", "pem", "ssl.truststore.location", file("ca.pem", "a comment\n"+ca.PEM)); err != nil {
		t.Errorf("truststore file: %v", err)
	}
	if _, err := shake(t, key, cert, &ca, "ssl.truststore.type", "PEM", "ssl.truststore.certificates", stranger.PEM); err == nil {
		t.Error("a broker of another authority was trusted")
	}
	if _, err := shake(t, otherKey, otherCert, &ca, trusting...); err == nil {
		t.Error("a broker of another name was trusted")
	}
	for where, store := range map[string][]string{
		"inline": {"ssl.keystore.type", "PEM", "ssl.keystore.key", clientKey, "ssl.keystore.certificate.chain", clientCert},
		"file":   {"ssl.keystore.type", "PEM", "ssl.keystore.location", file("client.pem", clientKey+clientCert)},
	} {
		if who, err := shake(t, key, cert, &ca, append(store, trusting...)...); err != nil || len(who) != 1 || who[0].Subject.CommonName != "orders" {
			t.Errorf("keystore %s: got %v, client %v, want orders", where, err, who)
		}
	}
}

// Without the check of the host name, everything else is still checked.
func TestNoHostNameIsNotNoCheck(t *testing.T) {
	ca, stranger := testcert.Authority("ca"), testcert.Authority("stranger")
	elsewhere := []string{"ssl.endpoint.identification.algorithm", "", "ssl.truststore.type", "PEM", "ssl.truststore.certificates", ca.PEM}
	key, cert := leaf(&ca, "elsewhere.example.com")
	if _, err := shake(t, key, cert, &ca, elsewhere...); err != nil {
		t.Errorf("another name of the right authority: %v", err)
	}
	key, cert = leaf(&stranger, "kafka.example.com")
	if _, err := shake(t, key, cert, &ca, elsewhere...); err == nil {
		t.Error("the right name of a strange authority was trusted")
	}
}

func TestTLSVersionsAndCiphers(t *testing.T) {
	for _, test := range []struct {
		protocols, ciphers string
		min, max           uint16
		suites, notices    int
	}{
		{"TLSv1.2,TLSv1.3", "", tls.VersionTLS12, 0, 0, 0},
		{"TLSv1.3", "", tls.VersionTLS13, 0, 0, 0},
		{"TLSv1.2", "", tls.VersionTLS12, tls.VersionTLS12, 0, 0},
		{"TLSv1.1,TLSv1.2", "", tls.VersionTLS12, tls.VersionTLS12, 0, 1},
		{"", "", tls.VersionTLS12, 0, 0, 0},
		{"TLSv1.2,TLSv1.3", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", tls.VersionTLS12, tls.VersionTLS12, 1, 0},
		{"TLSv1.2,TLSv1.3", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", tls.VersionTLS12, tls.VersionTLS12, 1, 1},
		{"TLSv1.2,TLSv1.3", "TLS_AES_256_GCM_SHA384", tls.VersionTLS13, 0, 0, 1},
		{"TLSv1.2,TLSv1.3", "TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", tls.VersionTLS12, 0, 1, 1},
	} {
		c, notices := fromMap(t, with("security.protocol", "SSL", "ssl.enabled.protocols", test.protocols, "ssl.cipher.suites", test.ciphers))
		if c.TLS.MinVersion != test.min || c.TLS.MaxVersion != test.max || len(c.TLS.CipherSuites) != test.suites || len(notices) != test.notices {
			t.Errorf("%q %q: got versions %x to %x, %d suites, notices %q; want %x to %x, %d, %d of them", test.protocols, test.ciphers,
				c.TLS.MinVersion, c.TLS.MaxVersion, len(c.TLS.CipherSuites), notices, test.min, test.max, test.suites, test.notices)
		}
	}
}

func TestTLSRefusals(t *testing.T) {
	ca := testcert.Authority("ca")
	key, cert := leaf(&ca, "orders")
	otherKey, _ := leaf(&ca, "orders")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		want       string
		properties []string
	}{
		{"must be PEM, since the certificates are in the properties", []string{"ssl.truststore.certificates", ca.PEM}},
		{"does not exist", []string{"ssl.truststore.type", "PEM", "ssl.truststore.location", "/nowhere/ca.pem"}},
		{"is an empty file", []string{"ssl.truststore.type", "PEM", "ssl.truststore.location", empty}},
		{"neither JKS nor PKCS12 nor PEM", []string{"ssl.truststore.type", "PEM", "ssl.truststore.certificates", "hello"}},
		{"certificate number 2", []string{"ssl.truststore.type", "PEM", "ssl.truststore.certificates", ca.PEM + "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"}},
		{"leave it out with PEM", []string{"ssl.truststore.type", "PEM", "ssl.truststore.certificates", ca.PEM, "ssl.truststore.password", "changeit"}},
		{"which is meant?", []string{"ssl.truststore.type", "PEM", "ssl.truststore.certificates", ca.PEM, "ssl.truststore.location", "/etc/ca.pem"}},
		{"needs ssl.keystore.certificate.chain", []string{"ssl.keystore.type", "PEM", "ssl.keystore.key", key}},
		{"needs ssl.keystore.key", []string{"ssl.keystore.type", "PEM", "ssl.keystore.certificate.chain", cert}},
		{"private key does not match", []string{"ssl.keystore.type", "PEM", "ssl.keystore.key", otherKey, "ssl.keystore.certificate.chain", cert}},
		{"the encrypted private key is damaged", []string{"ssl.keystore.type", "PEM", "ssl.keystore.key", strings.ReplaceAll(key, "PRIVATE", "ENCRYPTED PRIVATE"), "ssl.keystore.certificate.chain", cert, "ssl.key.password", "x"}},
		{"holds the PEM itself, and the value seems to be a path, which goes into ssl.truststore.location", []string{"ssl.truststore.certificates", "/etc/kafka/ca.pem"}},
		{"holds the PEM itself, and the value seems to be a path, which goes into ssl.truststore.location", []string{"ssl.truststore.type", "PEM", "ssl.truststore.certificates", "certs\\ca.crt"}},
		{"goes into ssl.keystore.location: one file with key and certificates", []string{"ssl.keystore.type", "PEM", "ssl.keystore.key", "tls.key", "ssl.keystore.certificate.chain", "tls.crt"}},
		{"begins a block and ends none: it is cut short", []string{"ssl.truststore.type", "PEM", "ssl.truststore.certificates", "-----BEGIN CERTIFICATE-----"}},
		{"must be https, or empty", []string{"ssl.endpoint.identification.algorithm", "ldaps"}},
		{"must have TLSv1.2 or TLSv1.3", []string{"ssl.enabled.protocols", "TLSv1.1"}},
		{"must have TLSv1.2 or TLSv1.3", []string{"ssl.enabled.protocols", "TLSv1.1", "ssl.cipher.suites", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
		{"has TLSv2", []string{"ssl.enabled.protocols", "TLSv2,TLSv1.3"}},
		{"has no cipher suite that Go knows", []string{"ssl.cipher.suites", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"}},
		{"suites of TLS 1.2 only", []string{"ssl.cipher.suites", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ssl.enabled.protocols", "TLSv1.3"}},
		{"suites of TLS 1.3 only", []string{"ssl.cipher.suites", "TLS_AES_128_GCM_SHA256", "ssl.enabled.protocols", "TLSv1.2"}},
	} {
		_, _, err := FromMap(with(append([]string{"security.protocol", "SSL"}, test.properties...)...))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") { // which several would have
			t.Errorf("%.80q:\n got %v\nwant one problem with %q", test.properties, err, test.want)
			continue
		}
		if strings.Contains(err.Error(), "BEGIN PRIVATE") || strings.Contains(err.Error(), "changeit") {
			t.Errorf("shows a secret: %v", err)
		}
	}
}
