package producer_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/internal/testcert"
	"github.com/epistle-kafka/epistle/producer"
)

// secured are files of certificates, and a broker that demands what is in them.
type secured struct {
	t      *testing.T
	dir    string
	server atomic.Pointer[tls.Config]
	shown  atomic.Pointer[string] // the common name that the broker has last been shown
}

func newSecured(t *testing.T) *secured {
	s := &secured{t: t, dir: t.TempDir()}
	s.replace("first")
	return s
}

func (s *secured) path(name string) string { return filepath.Join(s.dir, name) }

func (s *secured) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// replace makes a new authority, and new certificates for the client, which is called name, and for the broker.
func (s *secured) replace(name string) {
	ca := testcert.Authority("authority of " + name)
	anywhere := func(c *x509.Certificate) {
		c.IPAddresses, c.DNSNames = []net.IP{net.IPv4(192, 0, 2, 1)}, []string{"localhost"}
	}
	client, broker := testcert.Issue(&ca, name, anywhere), testcert.Issue(&ca, "broker", anywhere)
	s.write("ca.crt", ca.PEM)
	s.write("tls.crt", client.PEM)
	s.write("tls.key", client.KeyPEM)
	s.server.Store(&tls.Config{
		Certificates: []tls.Certificate{broker.Pair()}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
		VerifyConnection: func(state tls.ConnectionState) error {
			s.shown.Store(&state.PeerCertificates[0].Subject.CommonName)
			return nil
		},
	})
}

// cluster is one broker that speaks TLS as s says at the moment.
func (s *secured) cluster(options ...brokertest.Option) *brokertest.Cluster {
	config := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.server.Load(), nil }}
	return brokertest.New(s.t, append(options, brokertest.InMemory(), brokertest.TLS(config), brokertest.Topic("t", 1))...)
}

func (s *secured) files(cfg *producer.Config) {
	cfg.TLSFiles = &producer.TLSFiles{TrustStore: s.path("ca.crt"), Certificate: s.path("tls.crt"), Key: s.path("tls.key")}
}

// Certificates are replaced while the producer lives: connections that exist go on, new ones use the new files, and what
// the broker then demands is met.
func TestCertificatesAreReplaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSecured(t)
		c := s.cluster()
		p := start(t, c, s.files)
		send(t, p, record("with the first"))
		if who := *s.shown.Load(); who != "first" {
			t.Errorf("the broker was shown %s, want first", who)
		}
		before := c.Connections(1)
		s.replace("second")
		time.Sleep(time.Minute)
		send(t, p, record("over the same connection"))
		if n := c.Connections(1); n != before {
			t.Errorf("%d connections, want %d: the files concern new ones only", n, before)
		}
		c.StopBroker(1)
		if err := c.StartBroker(1); err != nil {
			t.Fatal(err)
		}
		send(t, p, record("with the second"))
		if who := *s.shown.Load(); who != "second" {
			t.Errorf("the broker was shown %s, want second", who)
		}
	})
}

// A store by keytool does as well, under a Config that says more about TLS.
func TestStoresOfJavaAreUsed(t *testing.T) {
	const stores = "../internal/keystore/testdata/"
	for _, files := range []producer.TLSFiles{
		{TrustStore: stores + "trust.jks", TrustStorePassword: "changeit", KeyStore: stores + "keypass.jks", KeyStorePassword: "changeit", KeyPassword: "other-secret"},
		{TrustStore: stores + "keytool-trust.p12", TrustStorePassword: "changeit", KeyStore: stores + "openssl.p12", KeyStorePassword: "changeit"},
		{TrustStore: stores + "ca.pem", Certificate: stores + "client.pem", Key: stores + "key-aes256.pem", KeyPassword: "changeit"},
	} {
		cfg := producer.DefaultConfig("localhost:9093")
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
		cfg.TLSFiles = &files
		p, err := producer.New(cfg)
		if err != nil {
			t.Errorf("%v: %v", files, err)
			continue
		}
		p.Close(t.Context())
		if cfg.TLS.RootCAs != nil || cfg.TLS.Certificates != nil {
			t.Error("the user's configuration was changed")
		}
	}
}

// What is wrong with a file is told by New, with the field and the key that it is about, and without a password.
func TestTLSFilesThatCannotBeUsed(t *testing.T) {
	const stores = "../internal/keystore/testdata/"
	for _, test := range []struct {
		files             producer.TLSFiles
		field, key, wrong string
	}{
		{producer.TLSFiles{TrustStore: "/nowhere/ca.pem"}, "TLSFiles.TrustStore", "ssl.truststore.location", `"/nowhere/ca.pem" does not exist`},
		{producer.TLSFiles{TrustStore: stores + "trust.jks", TrustStorePassword: "s3cret"}, "TLSFiles.TrustStorePassword", "ssl.truststore.password", "is not the password of"},
		{producer.TLSFiles{KeyStore: stores + "keypass.jks", KeyStorePassword: "changeit"}, "TLSFiles.KeyPassword", "ssl.key.password", "a password of its own"},
		{producer.TLSFiles{Certificate: stores + "client.pem"}, "TLSFiles.Certificate", "", "needs the file of the private key"},
		{producer.TLSFiles{Certificate: stores + "client.pem", Key: stores + "second-key.pem"}, "TLSFiles.Certificate", "", "does not match"},
	} {
		cfg := producer.DefaultConfig("localhost:9093")
		cfg.TLSFiles = &test.files
		_, err := producer.New(cfg)
		var v producer.ViolationError
		if !errors.As(err, &v) || v.Field != test.field || v.Key != test.key || !strings.Contains(v.Rule, test.wrong) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v, want one of %s (%s) with %q", err, test.field, test.key, test.wrong)
		}
	}
}

func TestTLSFilesHideTheirPasswords(t *testing.T) {
	files := producer.TLSFiles{TrustStore: "ca.p12", TrustStorePassword: "s3cret", KeyStorePassword: "s3cret", KeyPassword: "s3cret"}
	cfg := producer.DefaultConfig("localhost:9093")
	cfg.TLSFiles = &files
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "files", files, "pointer", &files, "config", cfg)
	asJSON, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", files, files, files), fmt.Sprintf("%v %+v", &files, cfg), string(asJSON), log.String()} {
		if strings.Contains(text, "s3cret") {
			t.Errorf("shown as %s", text)
		}
	}
}

func init() {
	logStories["certificates are replaced, well and badly"] = func(t *testing.T, j *journal) {
		s := newSecured(t)
		c := s.cluster()
		p := start(t, c, j.logs, patiently, s.files)
		send(t, p, record("first"))
		again := func() {
			time.Sleep(time.Minute)
			c.StopBroker(1)
			if err := c.StartBroker(1); err != nil {
				t.Fatal(err)
			}
			send(t, p, record("again"))
		}
		s.replace("second")
		again()
		s.write("tls.crt", "-----BEGIN CERTIFICATE-----\naGFsZg==\n-----END CERTIFICATE-----\n")
		again()
		again()
		if n := len(j.of("TLS files have changed")); n != 2 {
			t.Errorf("%d lines of stores that have changed, want 2", n)
		}
		j.one(t, slog.LevelWarn, "TLS files have changed and cannot be used")
	}

	logStories["a certificate has expired"] = func(t *testing.T, j *journal) {
		s := newSecured(t)
		time.Sleep(48 * time.Hour)
		start(t, s.cluster(), j.logs, s.files)
		time.Sleep(time.Second)
		if n := len(j.of("TLS certificates need attention")); n != 2 {
			t.Errorf("%d lines, want one for each store", n)
		}
	}
}
