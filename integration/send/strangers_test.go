package send_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

// TestStrangers connects to what is no Kafka, or not in the language that was set. The error comes with
// max.block at the latest, names the address, and says what the other end seems to be.
func TestStrangers(t *testing.T) {
	c := kafka.Shared(t)
	web := httptest.NewUnstartedServer(http.NotFoundHandler())
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // what it thinks of us
	web.StartTLS()
	t.Cleanup(web.Close)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()

	tests := []struct {
		name, address string
		tls           bool
		want          string
	}{
		{"HTTP", answering(t, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), false, "HTTP"},
		{"SSH", answering(t, "SSH-2.0-OpenSSH_9.6\r\n"), false, "no Kafka broker"},
		{"silence", answering(t, ""), false, "says nothing"},
		{"TLS", web.Listener.Addr().String(), false, "TLS"},
		{"nobody", nobody.Addr().String(), false, "refused"},
		{"Kafka without TLS, taken for one with", c.Address(0), true, "one without TLS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // each waits for its max.block
			const patience = 2 * time.Second
			p := start(t, c, func(cfg *producer.Config) {
				cfg.BootstrapServers = []string{test.address}
				cfg.MaxBlock = patience
				cfg.SocketConnectionSetupTimeout = patience / 4
				if test.tls {
					cfg.TLS = &tls.Config{InsecureSkipVerify: true}
				}
			})
			began := time.Now()
			_, err := p.SendSync(soon(t), producer.Record{Topic: "orders", Value: []byte("v")})
			if err == nil {
				t.Fatal("the record was acknowledged")
			}
			if took := time.Since(began); took > patience+3*time.Second {
				t.Errorf("it took %v, with a max.block of %v", took, patience)
			}
			if producer.MayBeWritten(err) {
				t.Errorf("the record may be written, says %v", err)
			}
			for _, want := range []string{test.address, test.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			t.Log(err)
		})
	}
}

// answering listens until the test's end, and answers so to the first bytes of each connection; with
// nothing it stays silent. It returns the address.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the other side
				defer conn.Close()
				if _, err := conn.Read(make([]byte, 1)); err != nil {
					return
				}
				_, _ = io.WriteString(conn, answer)
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return l.Addr().String()
}
