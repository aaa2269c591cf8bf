package gssapi_test

import (
	"crypto/tls"
	"os"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/sasl"
	"github.com/epistle-kafka/epistle/sasl/gssapi"
)

// config stands for the producer's Config: this module depends on package sasl alone.
type config struct {
	TLS  *tls.Config
	SASL sasl.Mechanism
}

// connect is what README.md of the root module has for this module.
func connect(cfg *config) error {
	mechanism, err := gssapi.New(gssapi.Config{ServiceName: "kafka", Principal: "orders@EXAMPLE.COM", Keytab: "/etc/security/orders.keytab"})
	if err != nil {
		return err
	}
	cfg.TLS, cfg.SASL = &tls.Config{}, mechanism
	return nil
}

// What README.md says is what this file compiles.
func TestREADMEsConnection(t *testing.T) {
	var cfg config
	if err := connect(&cfg); err == nil || !strings.Contains(err.Error(), "/etc/") {
		t.Errorf("connect: %v; want that a file of this machine is missing", err)
	}
	for _, file := range []string{"readme_test.go", "../../README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{
			`mechanism, err := gssapi.New(gssapi.Config{ServiceName: "kafka", Principal: "orders@EXAMPLE.COM", Keytab: "/etc/security/orders.keytab"})`,
			"cfg.TLS, cfg.SASL = &tls.Config{}, mechanism",
		} {
			if !strings.Contains(string(text), line) {
				t.Errorf("%s lacks %s", file, line)
			}
		}
	}
}
