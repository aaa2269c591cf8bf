package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// issued is a key and its certificate.
type issued struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  string // the certificate
	priv string // the key, in PKCS#8
}

func (i issued) pair() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}
}

// authority returns one that has signed itself.
func authority(t testing.TB, name string) issued {
	return issue(t, nil, name, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	})
}

// issue makes a certificate that is valid for an hour, for servers and clients.
func issue(t testing.TB, by *issued, name string, change func(*x509.Certificate)) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return issued{key, cert, block("CERTIFICATE", der), block("PRIVATE KEY", pkcs8)}
}

// forHost gives a certificate a DNS name.
func forHost(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = []string{name} }
}

// write puts text into a file of dir, and returns its path.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open returns the Source of files that are good.
func open(t testing.TB, files Files) *Source {
	t.Helper()
	s, _, problems := Open(files)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

// shake connects client and server over loopback, and returns what the client says and what the server has been shown.
func shake(t testing.TB, client, server *tls.Config) (seen []*x509.Certificate, resumed bool, err error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	shown := make(chan tls.ConnectionState, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			close(shown)
			return
		}
		conn := tls.Server(raw, server)
		defer conn.Close()
		_ = conn.Handshake()
		shown <- conn.ConnectionState()
		_, _ = conn.Write([]byte("x")) // behind it comes the session's ticket
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	conn := tls.Client(raw, client)
	if err = conn.Handshake(); err == nil {
		var n int
		if n, err = conn.Read(make([]byte, 1)); n == 1 {
			err = nil
		}
	}
	resumed = conn.ConnectionState().DidResume
	raw.Close()
	state := <-shown
	return state.PeerCertificates, resumed, err
}

// prepared is the configuration of one connection to a host.
func prepared(t testing.TB, s *Source, host string) *tls.Config {
	own := &tls.Config{ServerName: host}
	s.Prepare(t.Context(), own)
	return own
}

func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
}
