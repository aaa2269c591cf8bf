package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/internal/testcert"
)

// testTLS is a certificate for kafka.test, signed by itself.
var testTLS = newCertificate()

type certificate struct {
	cert tls.Certificate
	pool *x509.CertPool
}

func newCertificate() certificate {
	i := testcert.Issue(nil, "kafka.test", func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = []string{"kafka.test"}, nil
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageDigitalSignature|x509.KeyUsageCertSign
	})
	return certificate{i.Pair(), i.Pool()}
}

func (c certificate) client() *tls.Config {
	return &tls.Config{RootCAs: c.pool, ServerName: "kafka.test"}
}
func (c certificate) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.cert}}
}

// serve listens on loopback and plays each connection by hand.
func serve(t testing.TB, play func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var playing sync.WaitGroup
	playing.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			playing.Go(func() {
				defer conn.Close()
				play(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		playing.Wait()
	})
	return l.Addr().String()
}

// answerAll is a broker that answers whatever it is asked.
func answerAll(t *testing.T) func(net.Conn) {
	return func(conn net.Conn) {
		b := &broker{t, conn}
		b.shakeHands()
		for {
			h, req, err := b.read()
			if err != nil {
				return
			}
			b.answer(h, req.NewResponse())
		}
	}
}

// Over real sockets, plain and TLS: batches of many chunks and sizes arrive, calls are answered, nothing is left behind.
func TestOverTCP(t *testing.T) {
	for _, c := range []struct {
		name   string
		client *tls.Config
		server *tls.Config
	}{
		{"plain", nil, nil},
		{"TLS 1.3", testTLS.client(), testTLS.server()},
		{"TLS 1.2", testTLS.client(), &tls.Config{Certificates: []tls.Certificate{testTLS.cert}, MaxVersion: tls.VersionTLS12}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			addr := serve(t, func(conn net.Conn) {
				if c.server != nil {
					conn = tls.Server(conn, c.server)
				}
				answerAll(t)(conn)
			})
			cfg := testConfig()
			cfg.TLS = c.client
			cfg.SendBuffer, cfg.ReceiveBuffer = 128<<10, 32<<10
			ended := make(chan error, 1)
			conn, err := Dial(t.Context(), cfg, Peer{Addr: addr, NodeID: 1}, func(_ *Conn, err error) { ended <- err })
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan *Call, 5)
			for size := range 100 {
				send(t, conn, produce(done, strings.Repeat("x", size*1000), "y", strings.Repeat("z", 40)))
				if size >= 4 {
					if call := <-done; call.Err != nil {
						t.Fatalf("call: %v", call.Err)
					}
				}
			}
			for range 4 {
				<-done
			}
			conn.Close(nil)
			<-conn.Closed()
			if err := <-ended; !errors.Is(err, ErrClosed) {
				t.Errorf("ended with %v", err)
			}
			deadline := time.After(5 * time.Second)
			for runtime.NumGoroutine() > before+2 { // the listener's, which the test ends later
				select {
				case <-deadline:
					t.Fatalf("%d goroutines, had %d", runtime.NumGoroutine(), before)
				default:
					runtime.Gosched()
				}
			}
		})
	}
}

// A broker that reads nothing holds up a write for as long as it likes, but not Close.
func TestCloseEndsABlockedWriteOverTCP(t *testing.T) {
	for _, c := range []struct {
		name   string
		client *tls.Config
		server *tls.Config
	}{
		{"plain", nil, nil},
		{"TLS", testTLS.client(), testTLS.server()},
	} {
		t.Run(c.name, func(t *testing.T) {
			begun, over := make(chan bool), make(chan bool)
			addr := serve(t, func(conn net.Conn) {
				if c.server != nil {
					conn = tls.Server(conn, c.server)
				}
				(&broker{t, conn}).shakeHands()
				io.ReadFull(conn, make([]byte, 1))
				close(begun)
				<-over
			})
			cfg := testConfig()
			cfg.TLS = c.client
			conn, err := Dial(t.Context(), cfg, Peer{Addr: addr, NodeID: 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan *Call, 1)
			send(t, conn, produce(done, strings.Repeat("x", 32<<20))) // more than the system buffers
			<-begun
			conn.Close(nil)
			if call := <-done; !errors.Is(call.Err, ErrClosed) || !call.Written {
				t.Errorf("got %v, written %v, want closed, true", call.Err, call.Written)
			}
			<-conn.Closed()
			close(over)
		})
	}
}

// What a user sees who mixed up a port, a name or a certificate: the stage, the cause, and what to do.
func TestDialErrors(t *testing.T) {
	secure := serve(t, func(conn net.Conn) { answerAll(t)(tls.Server(conn, testTLS.server())) })
	wantsCertificate := serve(t, func(conn net.Conn) {
		config := testTLS.server()
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, testTLS.pool
		answerAll(t)(tls.Server(conn, config))
	})
	// As Kafka does with a request that seems to have 369 MB.
	hangsUp := serve(t, func(conn net.Conn) { io.ReadFull(conn, make([]byte, 100)) })
	http := serve(t, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, 10))
		io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
		io.Copy(io.Discard, conn)
	})
	gone := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}()
	otherName := testTLS.client()
	otherName.ServerName = ""
	for _, c := range []struct {
		name  string
		addr  string
		node  int32
		tls   *tls.Config
		stage Stage
		want  string
	}{
		{"no such host", "epistle.invalid:9092", -1, nil, StageResolve, "bootstrap.servers"},
		{"no such host in the metadata", "epistle.invalid:9092", 2, nil, StageResolve, "advertised.listeners"},
		{"nothing listens", gone, -1, nil, StageDial, "check that the broker is up"},
		{"no port", "127.0.0.1", -1, nil, StageDial, "missing port"},
		{"TLS to a plain HTTP port", http, -1, testTLS.client(), StageTLS, "does not speak TLS"},
		{"TLS to a plain Kafka port", hangsUp, -1, testTLS.client(), StageTLS, "the listener may be one without TLS"},
		{"unknown authority", secure, -1, &tls.Config{ServerName: "kafka.test"}, StageTLS, "RootCAs"},
		{"certificate of another name", secure, -1, otherName, StageTLS, "is for kafka.test: connect by"},
		{"no client certificate", wantsCertificate, -1, testTLS.client(), StageApiVersions, "client certificate"},
		{"plain to a TLS port", secure, -1, nil, StageApiVersions, "TLS"},
		{"plain to an HTTP port", http, -1, nil, StageApiVersions, "no Kafka broker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.TLS = c.tls
			conn, err := Dial(t.Context(), cfg, Peer{Addr: c.addr, NodeID: c.node}, nil)
			if err == nil {
				conn.Close(nil)
			}
			var e *Error
			if !errors.As(err, &e) || e.Stage != c.stage || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.addr) {
				t.Errorf("got %v, want an error of stage %v with %q", err, c.stage, c.want)
			}
		})
	}
}

// The server name that is checked is that of the address, unless the user gave one; the user's own config stays as it is.
func TestServerNameComesFromTheAddress(t *testing.T) {
	config := testTLS.client()
	config.ServerName = ""
	nameFor := func(addr string) string {
		return new(secure).prepare(t.Context(), &Config{TLS: config}, addr).ServerName
	}
	if got := nameFor("broker-3.example:9093"); got != "broker-3.example" || config.ServerName != "" {
		t.Errorf("server name %q, and the user's is now %q, want broker-3.example and none", got, config.ServerName)
	}
	if got := nameFor("[::1]:9093"); got != "::1" {
		t.Errorf("server name %q, want ::1", got)
	}
	config.ServerName = "own"
	if got := nameFor("[::1]:9093"); got != "own" {
		t.Errorf("server name %q, want own", got)
	}
}
