package producer_test

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// connecting has each line of Go of the README's section Connecting, as it is there, and the mechanism that comes of it. What
// needs a module of its own is in the tests of that module.
func connecting(apiKey, apiSecret, connectionString, user, secret, id, hmac string, password sasl.Secret) map[string]func(cfg *producer.Config) {
	token := func(context.Context) (sasl.Token, error) {
		return sasl.Token{Value: "to.ke.n", Expires: time.Now().Add(time.Hour)}, nil
	}
	return map[string]func(cfg *producer.Config){
		"no SASL 1": func(cfg *producer.Config) {
			cfg.TLS = &tls.Config{}
		},
		"no SASL 2": func(cfg *producer.Config) {
			cfg.TLSFiles = &producer.TLSFiles{TrustStore: "ca.pem"}
		},
		"no SASL 3": func(cfg *producer.Config) {
			cfg.TLSFiles = &producer.TLSFiles{TrustStore: "ca.crt", Certificate: "tls.crt", Key: "tls.key"}
		},
		"no SASL 4": func(cfg *producer.Config) {
			cfg.TLSFiles = &producer.TLSFiles{TrustStore: "trust.jks", KeyStore: "client.p12", KeyStorePassword: password}
		},
		"PLAIN 1": func(cfg *producer.Config) {
			cfg.TLS, cfg.SASL = &tls.Config{}, sasl.Plain(apiKey, apiSecret)
		},
		"PLAIN 2": func(cfg *producer.Config) {
			cfg.TLS, cfg.SASL = &tls.Config{}, sasl.Plain("$ConnectionString", connectionString)
		},
		"SCRAM-SHA-512 1": func(cfg *producer.Config) {
			cfg.TLSFiles, cfg.SASL = &producer.TLSFiles{TrustStore: "ca.crt"}, sasl.ScramSHA512(user, secret)
		},
		"SCRAM-SHA-512 2": func(cfg *producer.Config) {
			cfg.TLS, cfg.SASL = &tls.Config{}, sasl.ScramSHA512From(sasl.PasswordFile(user, "/run/secrets/kafka"))
		},
		"SCRAM-SHA-256": func(cfg *producer.Config) {
			cfg.TLS, cfg.SASL = &tls.Config{}, sasl.ScramSHA256From(sasl.DelegationToken(id, hmac))
		},
		"OAUTHBEARER 1": func(cfg *producer.Config) {
			cfg.TLS, cfg.SASL = &tls.Config{}, sasl.OAuthBearer(sasl.TokenFunc(token))
		},
		"OAUTHBEARER 2": func(cfg *producer.Config) {
			secret := sasl.Secret(secret)
			source, err := sasl.OIDC(sasl.OIDCConfig{
				TokenURL: "https://login.example.com/oauth2/token", ClientID: "orders", ClientSecret: secret, Scope: "kafka",
			})
			if err != nil {
				log.Fatal(err)
			}
			cfg.TLS, cfg.SASL = &tls.Config{}, sasl.OAuthBearer(source)
		},
	}
}

// fromFile is the README's reader of properties.
func fromFile(file io.Reader) error {
	cfg, notices, err := producer.FromProperties(file, producer.LibrdkafkaNames())
	_, _ = cfg, notices
	return err
}

// Each line of Go in the section is one that this file compiles, and none of it is of a mechanism that is not what it says.
func TestREADMEsConnections(t *testing.T) {
	for name, set := range connecting("k", "s", "Endpoint=sb://ns/;SharedAccessKeyName=n;SharedAccessKey=k", "alice", "s", "id", "aGVsbG8=", "changeit") {
		cfg := producer.DefaultConfig("broker.example.com:9093")
		set(&cfg)
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		mechanism := "no SASL"
		if cfg.SASL != nil {
			mechanism = cfg.SASL.Name()
		}
		if !strings.HasPrefix(name, mechanism) {
			t.Errorf("%s: the mechanism is %s", name, mechanism)
		}
	}
	if err := fromFile(strings.NewReader("bootstrap.servers=b:1\n")); err != nil {
		t.Error(err)
	}

	source := withoutIndent(t, "readme_connecting_test.go")
	of := 0
	for _, line := range goOf(t, "../README.md", "## Connecting\n") {
		if strings.Contains(line, "gssapi.") || strings.Contains(line, "mskiam.") || strings.HasSuffix(line, ", mechanism") {
			continue // tested in their modules
		}
		if of++; !strings.Contains(source, "\n"+line+"\n") {
			t.Errorf("README.md has a line that no test compiles: %s", line)
		}
	}
	if of < 18 {
		t.Errorf("the section has %d lines of Go, which is too few to be all", of)
	}
}

// goOf lists the lines of Go in a section of a page: of its blocks, and of what is in back-quotes in the last column of its tables.
func goOf(t *testing.T, page, title string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), title)
	if !found {
		t.Fatalf("%s has no section %s", page, title)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(section, -1) {
		for line := range strings.Lines(block[1]) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	for _, cell := range regexp.MustCompile("(?m)\\| `([^`]+)` \\|$|`(cfg\\.[^`]+ = [^`]+)`").FindAllStringSubmatch(section, -1) {
		lines = append(lines, strings.TrimSpace(cell[1]+cell[2]))
	}
	return lines
}

// withoutIndent is a file of Go whose lines begin at the margin.
func withoutIndent(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(string(text), "")
}
