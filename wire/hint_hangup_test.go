package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// A connection that is closed while it is being set up says little. What is told names the likeliest causes in their order:
// that a request is too new is among them only where nothing else is likely.
func TestHangUpsDuringSetUp(t *testing.T) {
	const version = "max.api.versions"
	plain := func(*Config) {}
	overTLS := func(cfg *Config) { cfg.TLS = testTLS.client() }
	withSASL := func(cfg *Config) { cfg.SASL = alice }
	server := func(c net.Conn) *tls.Conn { return tls.Server(c, testTLS.server()) }
	for _, c := range []struct {
		name   string
		client func(*Config)
		plays  func(net.Conn)
		want   []string // in this order
		not    []string
	}{
		{"no TLS where it is wanted, or a proxy", plain, readThenClose, []string{"still starting (try again in some seconds)", "may want TLS", "no Kafka broker", "a proxy"}, []string{version, "SASL listener"}},
		{"TLS where there is none, or a proxy", overTLS, readThenClose, []string{"without a word", "without TLS (security.protocol PLAINTEXT or SASL_PLAINTEXT)", "a proxy", "still starting"},
			[]string{version, "client certificate"}},
		{"in the middle of TLS", overTLS, func(c net.Conn) { server(&cutConn{c}).Handshake() },
			[]string{"in the middle of the TLS handshake", "versions and ciphers"}, []string{version, "without TLS"}},
		{"after TLS", overTLS, func(c net.Conn) { s := server(c); s.Handshake(); readThenClose(s) },
			[]string{"the other end speaks TLS", "no Kafka broker", "a proxy", version}, []string{"SASL", "may want TLS"}},
		{"SASL where there is a plain proxy", withSASL, readThenClose, []string{"may want TLS"}, []string{version}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours, theirs := newMemPair()
			go c.plays(theirs)
			cfg := testConfig()
			c.client(cfg)
			cfg.DialContext = func(context.Context, string, string) (net.Conn, error) { return ours, nil }
			_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka.test:9093", NodeID: -1}, nil)
			if err == nil || !hungUp(err) {
				t.Fatalf("got %v, want a hang-up", err)
			}
			inOrder(t, err.Error(), c.want)
			for _, not := range c.not {
				if strings.Contains(err.Error(), not) {
					t.Errorf("%v\nsays %q", err, not)
				}
			}
		})
	}
}

func readThenClose(c net.Conn) {
	c.Read(make([]byte, 1<<16))
	c.Close()
}

// cutConn takes one write, whose beginning goes through, and is then cut.
type cutConn struct{ net.Conn }

func (c *cutConn) Write(b []byte) (int, error) {
	n, _ := c.Conn.Write(b[:min(3, len(b))])
	c.Conn.Close()
	return n, io.ErrClosedPipe
}

func inOrder(t *testing.T, text string, want []string) {
	t.Helper()
	rest := text
	for _, w := range want {
		_, after, found := strings.Cut(rest, w)
		if !found {
			t.Errorf("%s\nlacks %q, or has it elsewhere", text, w)
			return
		}
		rest = after
	}
}

// A server that has asked for a certificate, and hangs up, may not like the one that it was shown.
func TestAHangUpOnAClientCertificate(t *testing.T) {
	ca := authorityCalled(t, "Our CA")
	for _, certs := range [][]tls.Certificate{nil, {signed(t, &ca, "client", nil)}} {
		ours, theirs := newMemPair()
		config := testTLS.server()
		config.ClientAuth, config.ClientCAs = tls.RequestClientCert, poolOf(ca)
		go func() {
			s := tls.Server(theirs, config)
			s.Handshake()
			readThenClose(s)
		}()
		cfg := testConfig()
		cfg.TLS = testTLS.client()
		cfg.TLS.Certificates = certs
		cfg.DialContext = func(context.Context, string, string) (net.Conn, error) { return ours, nil }
		_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka.test:9093", NodeID: -1}, nil)
		want := "none was sent: none is configured"
		if certs != nil {
			want = `shown the client certificate of "CN=client", issued by "CN=Our CA": it may not accept that one`
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "max.api.versions") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A server that says nothing to a TLS handshake has not hung up.
func TestSilenceInsteadOfTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		inMemory(t, cfg)
		cfg.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		_, err := DialWithin(t.Context(), cfg, Peer{Addr: "kafka:9093", NodeID: -1}, Bounds{Stage: time.Second}, nil)
		if err == nil || !strings.Contains(err.Error(), "does not answer the TLS handshake") {
			t.Errorf("got %v", err)
		}
	})
}

// Who has taken part in the TLS handshake does not want TLS, though it says nothing after that.
func TestSilenceAfterTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newMemPair()
		go io.Copy(io.Discard, tls.Server(theirs, testTLS.server()))
		cfg := testConfig()
		cfg.TLS = testTLS.client()
		cfg.TLS.InsecureSkipVerify = true // fake time is not that of the certificate
		cfg.DialContext = func(context.Context, string, string) (net.Conn, error) { return ours, nil }
		_, err := DialWithin(t.Context(), cfg, Peer{Addr: "kafka.test:9093", NodeID: -1}, Bounds{Stage: time.Second}, nil)
		if err == nil || !strings.Contains(err.Error(), "speaks TLS, and says nothing to the first request") || strings.Contains(err.Error(), "want TLS") {
			t.Errorf("got %v", err)
		}
	})
}

// Whoever has no SASL, and is hung up on with the first request, is sent to look for it alone, with the protocol to set.
// Whoever was let in by SASL is not.
func TestAHangUpOnTheFirstRequest(t *testing.T) {
	for _, admitted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			cfg := testConfig()
			_, b := inMemory(t, cfg)
			if admitted {
				cfg.SASL = alice
			}
			go func() {
				b.shakeHands()
				if admitted {
					b.letIn(0)
				}
				b.read()
				b.conn.Close()
			}()
			c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan *Call, 1)
			send(t, c, initID(done))
			text := (<-done).Err.Error()
			if !admitted && (!strings.Contains(text, "the listener may want SASL (security.protocol SASL_PLAINTEXT, and sasl.mechanism") || strings.Contains(text, "max.api.versions")) {
				t.Errorf("got %s, want SASL and nothing of versions", text)
			}
			if admitted {
				inOrder(t, text, []string{"may not be meant for clients", "max.api.versions=InitProducerId="})
			}
			<-c.Closed()
		})
	}
}

// In which round SCRAM is refused tells whether there is such a user, so an error does not say it; of a broken exchange it
// does.
func TestARefusalHasNoRound(t *testing.T) {
	for _, rounds := range []int{1, 2} {
		for _, refuses := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				_, b := inMemory(t, cfg)
				cfg.SASL = &mechanism{name: "SCRAM-SHA-256", next: func(context.Context, []byte) ([]byte, bool, error) { return []byte("x"), false, nil }}
				go func() {
					b.shakeHands()
					h, _ := b.want()
					b.answer(h, &protocol.SaslHandshakeResponse{Mechanisms: []string{"SCRAM-SHA-256"}})
					for round := 1; ; round++ {
						h, _ := b.want()
						switch {
						case round < rounds:
							b.answer(h, &protocol.SaslAuthenticateResponse{AuthBytes: []byte("go on")})
							continue
						case refuses:
							b.answer(h, &protocol.SaslAuthenticateResponse{ErrorCode: protocol.SaslAuthenticationFailed})
						}
						b.conn.Close()
						return
					}
				}()
				_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
				var e *Error
				if !errors.As(err, &e) || sasl.IsFinal(err) != refuses {
					t.Fatalf("got %v, refused %t", err, refuses)
				}
				if says := strings.Contains(err.Error(), "round"); says == refuses || refuses && e.Round != 0 || !refuses && e.Round != rounds {
					t.Errorf("round %d of %d is told: %v", e.Round, rounds, err)
				}
			})
		}
	}
}
