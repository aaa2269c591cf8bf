package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/internal/testcert"
)

// signed returns a certificate by another, or by itself.
func signed(t *testing.T, by *tls.Certificate, name string, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	var issuer *testcert.Issued
	if by != nil {
		issuer = &testcert.Issued{Key: by.PrivateKey.(*ecdsa.PrivateKey), Cert: by.Leaf}
	}
	return testcert.Issue(issuer, name, func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = []string{"kafka.test"}, nil
		if change != nil {
			change(c)
		}
	}).Pair()
}

func authorityCalled(t *testing.T, name string) tls.Certificate {
	return signed(t, nil, name, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.DNSNames = true, true, x509.KeyUsageCertSign, nil
	})
}

func poolOf(certs ...tls.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c.Leaf)
	}
	return pool
}

// A failure of TLS is explained by what both sides have shown: who signed what, who is trusted, and which certificate was sent,
// or why none was. It is of a kind that trying again does not mend.
func TestTLSFailuresAreExplained(t *testing.T) {
	ca, other := authorityCalled(t, "Our CA"), authorityCalled(t, "Other CA")
	over := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	}
	many := make([]tls.Certificate, 6)
	for i := range many {
		many[i] = authorityCalled(t, fmt.Sprintf("CA %d", i))
	}
	server := func(change func(*tls.Config)) *tls.Config {
		c := &tls.Config{Certificates: []tls.Certificate{signed(t, &ca, "kafka", nil)}}
		if change != nil {
			change(c)
		}
		return c
	}
	wants := func(accepted ...tls.Certificate) *tls.Config {
		return server(func(c *tls.Config) {
			c.ClientAuth = tls.RequireAndVerifyClientCert
			c.ClientCAs = poolOf(accepted...)
		})
	}
	shows := func(cert tls.Certificate) *tls.Config {
		return server(func(c *tls.Config) { c.Certificates = []tls.Certificate{cert} })
	}
	trusting := func(certs ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: poolOf(ca), ServerName: "kafka.test", Certificates: certs}
	}
	refusing := server(func(c *tls.Config) {
		c.ClientAuth = tls.RequireAnyClientCert
		c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errors.New("no") }
	})
	for _, test := range []tlsFailure{
		{"unknown authority", shows(signed(t, &other, "kafka", nil)), trusting(), `1 certificate of "/etc/trust.jks"`,
			[]string{`leads to "CN=Other CA", which is not trusted`, `trusted: 1 certificate of "/etc/trust.jks"`, "lacks its certificate"}},
		{"signed by itself", shows(signed(t, nil, "kafka", nil)), &tls.Config{ServerName: "kafka.test"}, "", []string{"signed by itself", "the system's authorities", "TLS.RootCAs"}},
		{"expired", shows(signed(t, &ca, "kafka", over)), trusting(), "", []string{`check the certificate of "CN=kafka", which is valid from`, "the clock of this machine"}},
		{"another name", shows(signed(t, &ca, "kafka", func(c *x509.Certificate) { c.DNSNames = []string{"b.test", "c.test"} })), trusting(), "",
			[]string{"valid for b.test, c.test, not kafka.test", "advertised.listeners"}},
		{"no subjectAltName", shows(signed(t, &ca, "kafka.test", func(c *x509.Certificate) { c.DNSNames = nil })), trusting(), "",
			[]string{`its common name ("kafka.test") does not count`}},
		{"no client certificate", wants(ca), trusting(), "", []string{"none was sent: none is configured", `accepts those of "CN=Our CA"`}},
		{"none that suits", wants(ca), trusting(signed(t, &other, "client", nil)), "",
			[]string{"none that is configured is issued by an authority that the broker accepts", `by "CN=Other CA"`, `accepts those of "CN=Our CA"`}},
		{"many accepted", wants(many...), trusting(), "", []string{"and 3 more"}},
		{"a refused client certificate", refusing, trusting(signed(t, &other, "client", nil)), "",
			[]string{`refused the client certificate of "CN=client", issued by "CN=Other CA"`}},
		{"an expired client certificate", wants(ca), trusting(signed(t, &ca, "client", over)), "", []string{"which expired on"}},
		{"no version in common", server(func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }),
			&tls.Config{RootCAs: poolOf(ca), ServerName: "kafka.test", MaxVersion: tls.VersionTLS12}, "", []string{"versions and ciphers"}},
	} {
		test.check(t)
	}
}

// tlsFailure is a pair that cannot come together, and what the error says of it.
type tlsFailure struct {
	name    string
	server  *tls.Config
	client  *tls.Config
	trusted string
	want    []string
}

func (test tlsFailure) check(t *testing.T) {
	t.Helper()
	for _, version := range []uint16{0, tls.VersionTLS12} {
		if version != 0 && test.server.MinVersion > version {
			continue
		}
		config := test.server.Clone()
		config.MaxVersion = version
		addr := serve(t, func(conn net.Conn) { answerAll(t)(tls.Server(conn, config)) })
		cfg := testConfig()
		cfg.TLS = test.client
		cfg.Certificates = func(context.Context, *tls.Config) string { return test.trusted }
		conn, err := Dial(t.Context(), cfg, Peer{Addr: addr, NodeID: 3}, nil)
		if err == nil {
			conn.Close(nil)
			t.Errorf("%s: connected", test.name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s:\n got %v\nwant %q", test.name, tls.VersionName(version), err, want)
			}
		}
		if !Misconfigured(err) {
			t.Errorf("%s: taken for what may pass: %v", test.name, err)
		}
	}
}

// What a broker shows is quoted and cut.
func TestNamesOfCertificatesAreBounded(t *testing.T) {
	ca := authorityCalled(t, "evil\n"+strings.Repeat("x", 5000))
	leaf := signed(t, &ca, strings.Repeat("y\x1b", 3000), nil)
	s := &secure{asked: true, sent: leaf.Leaf, acceptable: [][]byte{ca.Leaf.RawSubject, ca.Leaf.RawSubject, []byte("junk"), nil}}
	for _, text := range []string{
		s.hintAlert(), s.hintAuthority(nil, x509.UnknownAuthorityError{Cert: leaf.Leaf}),
		hintInvalid(x509.CertificateInvalidError{Cert: leaf.Leaf, Reason: x509.Expired}),
	} {
		if len(text) > 1000 || strings.ContainsAny(text, "\n\x1b") {
			t.Errorf("not fit to be shown: %q", text)
		}
	}
}

// A broker that has an internal error may be starting.
func TestInternalErrorMayPass(t *testing.T) {
	alert := func(text string) error {
		return &Error{Stage: StageTLS, Err: &net.OpError{Op: "remote error", Err: errors.New("tls: " + text)}}
	}
	for err, want := range map[error]bool{
		alert("internal error"): false, alert("bad certificate"): true, alert("handshake failure"): true,
		&Error{Stage: StageTLS, Err: io.EOF}:                       false,
		&Error{Stage: StageRequest, Err: alert("bad certificate")}: false,
	} {
		if got := Misconfigured(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}

// The hook has a copy of its own for each connection, with the name already in it, and what it puts there is used.
func TestCertificatesAreAskedForEachConnection(t *testing.T) {
	addr := serve(t, func(conn net.Conn) { answerAll(t)(tls.Server(conn, testTLS.server())) })
	cfg := testConfig()
	cfg.TLS = &tls.Config{}
	asked := 0
	cfg.Certificates = func(_ context.Context, own *tls.Config) string {
		asked++
		if own == cfg.TLS || own.ServerName != "127.0.0.1" {
			t.Errorf("own is the shared one: %v, for %q", own == cfg.TLS, own.ServerName)
		}
		own.ServerName, own.RootCAs = "kafka.test", testTLS.pool
		return ""
	}
	for range 2 {
		conn, err := Dial(t.Context(), cfg, Peer{Addr: addr, NodeID: -1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close(nil)
	}
	if asked != 2 || cfg.TLS.RootCAs != nil {
		t.Errorf("asked %d times, want 2; the user's configuration was changed: %v", asked, cfg.TLS.RootCAs != nil)
	}
}

// An alert that comes before our first request is read though the request cannot be written any more.
func TestAlertBeforeTheFirstRequest(t *testing.T) {
	config := testTLS.server()
	config.ClientAuth = tls.RequireAnyClientCert
	ours, theirs := net.Pipe()
	go func() {
		_ = tls.Server(theirs, config).Handshake()
		theirs.Close()
	}()
	cfg := testConfig()
	cfg.TLS = testTLS.client()
	cfg.DialContext = func(context.Context, string, string) (net.Conn, error) { return &deafConn{Conn: ours}, nil }
	_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka.test:9093", NodeID: -1}, nil)
	if err == nil || !strings.Contains(err.Error(), "none was sent: none is configured") || !Misconfigured(err) {
		t.Errorf("got %v, want the alert", err)
	}
}

// deafConn takes nothing any more after the handshake, which has two flights of ours.
type deafConn struct {
	net.Conn
	writes int
}

func (c *deafConn) Write(p []byte) (int, error) {
	if c.writes++; c.writes > 2 {
		return 0, syscall.ECONNRESET
	}
	return c.Conn.Write(p)
}
