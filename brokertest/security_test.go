package brokertest

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/testcert"
	"github.com/epistle-kafka/epistle/protocol"
)

func token(user, password string) []byte { return []byte("\x00" + user + "\x00" + password) }

// Without authentication nothing works but what leads to it; with the right password everything does.
func TestSASL(t *testing.T) {
	c := New(t, InMemory(), SASL(Plain("alice", "secret")), Topic("t", 1))

	k := dial(t, c, 1)
	k.send(13, &protocol.MetadataRequest{})
	k.isCut()

	k = dial(t, c, 1)
	ask(k, 5, &protocol.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1", NodeID: -1}, &protocol.ApiVersionsResponse{})
	other := ask(k, 1, &protocol.SaslHandshakeRequest{Mechanism: "SCRAM-SHA-256"}, &protocol.SaslHandshakeResponse{})
	if other.ErrorCode != protocol.UnsupportedSaslMechanism || len(other.Mechanisms) != 1 || other.Mechanisms[0] != "PLAIN" {
		t.Errorf("another mechanism was answered %+v, want a refusal that names PLAIN", other)
	}
	k.isCut()

	k = dial(t, c, 1)
	ask(k, 1, &protocol.SaslHandshakeRequest{Mechanism: "PLAIN"}, &protocol.SaslHandshakeResponse{})
	wrong := ask(k, 2, &protocol.SaslAuthenticateRequest{AuthBytes: token("alice", "guess")}, &protocol.SaslAuthenticateResponse{})
	if wrong.ErrorCode != protocol.SaslAuthenticationFailed {
		t.Errorf("a wrong password was answered %v, want SASL_AUTHENTICATION_FAILED", wrong.ErrorCode)
	}
	k.isCut()

	k = dial(t, c, 1)
	ask(k, 1, &protocol.SaslHandshakeRequest{Mechanism: "PLAIN"}, &protocol.SaslHandshakeResponse{})
	right := ask(k, 2, &protocol.SaslAuthenticateRequest{AuthBytes: token("alice", "secret")}, &protocol.SaslAuthenticateResponse{})
	if right.ErrorCode != protocol.NoError {
		t.Errorf("the right password was answered %v", right.ErrorCode)
	}
	wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)
}

// The older way: after a handshake of version 0, tokens come without Kafka's header.
func TestSASLWithRawTokens(t *testing.T) {
	c := New(t, InMemory(), SASL(Plain("alice", "secret")), Topic("t", 1))
	for _, password := range []string{"guess", "secret"} {
		k := dial(t, c, 1)
		ask(k, 0, &protocol.SaslHandshakeRequest{Mechanism: "PLAIN"}, &protocol.SaslHandshakeResponse{})
		raw := token("alice", password)
		k.conn.Write(append([]byte{0, 0, 0, byte(len(raw))}, raw...))
		if password == "guess" {
			k.isCut()
			continue
		}
		if answer, err := k.frame(); err != nil || len(answer) != 0 {
			t.Fatalf("the right password was answered %q and %v, want an empty token", answer, err)
		}
		wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)
	}
}

// selfSigned returns a certificate for 127.0.0.1, and a pool that trusts it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	i := testcert.Issue(nil, "broker", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	return i.Pair(), i.Pool()
}

func TestTLS(t *testing.T) {
	server, roots := selfSigned(t)
	c := New(t, Topic("t", 1), TLS(&tls.Config{Certificates: []tls.Certificate{server}}))
	k := dial(t, c, 1)
	k.conn = tls.Client(k.conn, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
	wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)
}

// Mutual TLS: who shows no certificate is cut off, and told why by an alert.
func TestMutualTLS(t *testing.T) {
	server, roots := selfSigned(t)
	client, clients := selfSigned(t)
	c := New(t, Topic("t", 1), TLS(&tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	}))
	k := dial(t, c, 1)
	k.conn = tls.Client(k.conn, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", Certificates: []tls.Certificate{client}})
	wantOffset(t, k.produce(c, "t", plainBatch("a")), 0)

	k = dial(t, c, 1)
	k.conn = tls.Client(k.conn, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
	k.send(13, &protocol.MetadataRequest{})
	if _, err := k.frame(); err == nil || !strings.Contains(err.Error(), "certificate required") {
		t.Errorf("got %v, want the alert that a certificate is required", err)
	}
}
