package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/internal/testcert"
)

// What is verified is what package tls verifies; without the host name, all but that.
func TestServersAreVerified(t *testing.T) {
	ca, stranger := testcert.Authority("ca"), testcert.Authority("stranger")
	middle := testcert.Issue(&ca, "middle", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	})
	below := testcert.Issue(&middle, "below", testcert.ForHost("kafka.example.com"))
	withChain := below.Pair()
	withChain.Certificate = append(withChain.Certificate, middle.Cert.Raw)
	at := func(ip string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP(ip)} }
	}
	lived := func(from, to time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.DNSNames = []string{"kafka.example.com"}
			c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to)
		}
	}
	s := open(t, Files{TrustStore: write(t, t.TempDir(), "ca.pem", ca.PEM)})
	lax := open(t, Files{TrustStore: write(t, t.TempDir(), "ca.pem", ca.PEM), SkipHostName: true})
	for _, test := range []struct {
		name   string
		server tls.Certificate
		host   string
		want   string // of the error; "" = trusted
		lax    string // the same without the host name
	}{
		{"the right one", testcert.Issue(&ca, "x", testcert.ForHost("kafka.example.com")).Pair(), "kafka.example.com", "", ""},
		{"a wildcard", testcert.Issue(&ca, "x", testcert.ForHost("*.example.com")).Pair(), "kafka.example.com", "", ""},
		{"an address", testcert.Issue(&ca, "x", at("127.0.0.1")).Pair(), "127.0.0.1", "", ""},
		{"another address", testcert.Issue(&ca, "x", at("127.0.0.2")).Pair(), "127.0.0.1", "not 127.0.0.1", ""},
		{"an address for a name", testcert.Issue(&ca, "x", testcert.ForHost("127.0.0.1")).Pair(), "127.0.0.1", "IP SANs", ""},
		{"another name", testcert.Issue(&ca, "x", testcert.ForHost("elsewhere.example.com")).Pair(), "kafka.example.com", "not kafka.example.com", ""},
		{"the name as common name only", testcert.Issue(&ca, "kafka.example.com", nil).Pair(), "kafka.example.com", "legacy Common Name", ""},
		{"expired", testcert.Issue(&ca, "x", lived(-2*time.Hour, -time.Hour)).Pair(), "kafka.example.com", "expired", "expired"},
		{"not yet valid", testcert.Issue(&ca, "x", lived(time.Hour, 2*time.Hour)).Pair(), "kafka.example.com", "not yet valid", "not yet valid"},
		{"another authority", testcert.Issue(&stranger, "x", testcert.ForHost("kafka.example.com")).Pair(), "kafka.example.com", "unknown authority", "unknown authority"},
		{"for clients only", testcert.Issue(&ca, "x", func(c *x509.Certificate) {
			c.DNSNames, c.ExtKeyUsage = []string{"kafka.example.com"}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}).Pair(), "kafka.example.com", "incompatible key usage", "incompatible key usage"},
		{"an intermediate authority", withChain, "kafka.example.com", "", ""},
		{"an intermediate authority that is not sent", below.Pair(), "kafka.example.com", "unknown authority", "unknown authority"},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			server := &tls.Config{Certificates: []tls.Certificate{test.server}, MaxVersion: version}
			for name, try := range map[string]struct {
				source *Source
				want   string
			}{"strict": {s, test.want}, "without the host name": {lax, test.lax}} {
				_, _, err := shake(t, prepared(t, try.source, test.host), server)
				if (err == nil) != (try.want == "") || err != nil && !strings.Contains(err.Error(), try.want) {
					t.Errorf("%s, %s, %s: got %v, want %q", test.name, name, tls.VersionName(version), err, try.want)
				}
			}
		}
	}
}

// A check of the user's own comes on top, whether or not the host name is checked.
func TestOwnChecksStay(t *testing.T) {
	ca := testcert.Authority("ca")
	server := &tls.Config{Certificates: []tls.Certificate{testcert.Issue(&ca, "x", testcert.ForHost("kafka.example.com")).Pair()}}
	for _, skip := range []bool{false, true} {
		s := open(t, Files{TrustStore: write(t, t.TempDir(), "ca.pem", ca.PEM), SkipHostName: skip})
		asked := 0
		own := &tls.Config{ServerName: "kafka.example.com", VerifyConnection: func(tls.ConnectionState) error { asked++; return nil }}
		s.Prepare(t.Context(), own)
		if _, _, err := shake(t, own, server); err != nil || asked != 1 {
			t.Errorf("skip %v: %v, asked %d times", skip, err, asked)
		}
	}
}

// A session of before the authority was replaced is not taken up again.
func TestSessionsAreVerifiedAnew(t *testing.T) {
	for _, skip := range []bool{false, true} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			ca, next := testcert.Authority("ca"), testcert.Authority("next")
			path := write(t, t.TempDir(), "ca.pem", ca.PEM)
			s := open(t, Files{TrustStore: path, SkipHostName: skip})
			server := &tls.Config{Certificates: []tls.Certificate{testcert.Issue(&ca, "x", testcert.ForHost("kafka.example.com")).Pair()}, MaxVersion: version}
			cache := tls.NewLRUClientSessionCache(1)
			connect := func() (bool, error) {
				own := &tls.Config{ServerName: "kafka.example.com", ClientSessionCache: cache}
				s.Prepare(t.Context(), own)
				_, resumed, err := shake(t, own, server)
				return resumed, err
			}
			if _, err := connect(); err != nil {
				t.Fatal(err)
			}
			if resumed, err := connect(); err != nil || !resumed {
				t.Fatalf("%v, resumed %v", err, resumed)
			}
			write(t, "", path, next.PEM)
			s.forget()
			if resumed, err := connect(); err == nil {
				t.Errorf("skip %v, %s: trusted by a session of before (resumed %v)", skip, tls.VersionName(version), resumed)
			}
		}
	}
}

// forget has the next connection look at the files.
func (s *Source) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = time.Time{}
}

// The certificate that is shown is the first that suits the authorities that the server names; none if there is none, so that a
// server that only asks lets us in.
func TestClientCertificateSuitsTheServer(t *testing.T) {
	ca, other, third := testcert.Authority("ca"), testcert.Authority("other"), testcert.Authority("third")
	first, second := testcert.Issue(&ca, "first", nil), testcert.Issue(&other, "second", nil)
	dir := t.TempDir()
	s := open(t, Files{
		TrustStore: write(t, dir, "ca.pem", ca.PEM),
		KeyStore:   write(t, dir, "keys.pem", first.KeyPEM+first.PEM+second.KeyPEM+second.PEM),
	})
	for _, test := range []struct {
		name    string
		accepts []testcert.Issued
		want    string
	}{
		{"both", []testcert.Issued{ca, other}, "first"}, {"the second's", []testcert.Issued{other}, "second"}, {"neither", []testcert.Issued{third}, ""}, {"no names", nil, "first"},
	} {
		server := &tls.Config{Certificates: []tls.Certificate{testcert.Issue(&ca, "x", testcert.ForHost("kafka.example.com")).Pair()}, ClientAuth: tls.RequestClientCert}
		if test.accepts != nil {
			server.ClientCAs = x509.NewCertPool()
			for _, a := range test.accepts {
				server.ClientCAs.AddCert(a.Cert)
			}
		}
		seen, _, err := shake(t, prepared(t, s, "kafka.example.com"), server)
		got := ""
		if len(seen) > 0 {
			got = seen[0].Subject.CommonName
		}
		if err != nil || got != test.want {
			t.Errorf("%s: shown %q, %v; want %q", test.name, got, err, test.want)
		}
	}
}
