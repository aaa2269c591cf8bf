package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

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
	presented := make(chan tls.ConnectionState, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			close(presented)
			return
		}
		conn := tls.Server(raw, server)
		defer conn.Close()
		_ = conn.Handshake()
		presented <- conn.ConnectionState()
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
	state := <-presented
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
