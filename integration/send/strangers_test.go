package send_test

import (
	"crypto/tls"
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
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	plain := httptest.NewServer(refuse)
	defer plain.Close()
	secure := httptest.NewTLSServer(refuse)
	defer secure.Close()
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
		{"HTTP", plain.Listener.Addr().String(), false, "HTTP"},
		{"TLS", secure.Listener.Addr().String(), false, "TLS"},
		{"HTTP over TLS", secure.Listener.Addr().String(), true, "HTTP"},
		{"nobody", nobody.Addr().String(), false, "refused"},
		{"Kafka without TLS, taken for one with", c.Address(0), true, "plaintext"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			const patience = 2 * time.Second
			p := start(t, c, func(cfg *producer.Config) {
				cfg.BootstrapServers = []string{test.address}
				cfg.MaxBlock = patience
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
		})
	}
}
