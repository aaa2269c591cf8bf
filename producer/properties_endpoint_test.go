package producer

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/sasl"
)

// A token endpoint whose certificate is of an authority of its own is trusted by the options ssl.… of the login module. The
// keys ssl.… of the file are for brokers, as in Java.
func TestTokenEndpointOfItsOwnAuthority(t *testing.T) {
	idp := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"opaque","expires_in":300}`)
	}))
	idp.Config.ErrorLog = log.New(io.Discard, "", 0)
	idp.StartTLS()
	t.Cleanup(idp.Close)
	path := filepath.Join(t.TempDir(), "idp.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: idp.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	path = filepath.ToSlash(path)
	const module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
	for name, test := range map[string]struct {
		trusted bool
		extra   []string
		options []PropertiesOption
	}{
		"nobody":                {false, []string{"sasl.jaas.config", module + ";"}, nil},
		"the brokers' own keys": {false, []string{"sasl.jaas.config", module + ";", "security.protocol", "SASL_SSL", "ssl.truststore.type", "PEM", "ssl.truststore.location", path}, nil},
		"options":               {true, []string{"sasl.jaas.config", module + ` ssl.truststore.type=PEM ssl.truststore.location="` + path + `";`}, nil},
		"librdkafka's name":     {true, []string{"sasl.oauthbearer.method", "oidc", "https.ca.location", path}, []PropertiesOption{LibrdkafkaNames()}},
	} {
		pairs := append([]string{"security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url", idp.URL,
			"sasl.oauthbearer.client.credentials.client.id", "id", "sasl.oauthbearer.client.credentials.client.secret", "letmein",
			"sasl.login.retry.backoff.max.ms", "0"}, test.extra...)
		cfg, _, err := FromMap(with(pairs...), test.options...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var first []byte
		exchange, err := cfg.SASL.Begin(t.Context(), sasl.Target{Host: "b"})
		if err == nil {
			first, _, err = exchange.Next(t.Context(), nil)
		}
		if got := strings.Contains(string(first), "auth=Bearer opaque"); got != test.trusted {
			t.Errorf("%s: got %q, %v, want the token: %v", name, first, err, test.trusted)
		} else if !got && (err == nil || !strings.Contains(err.Error(), "certificate")) {
			t.Errorf("%s: got %v, want an error of the certificate", name, err)
		}
	}
	_, _, err := FromMap(with("security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url", idp.URL,
		"sasl.oauthbearer.client.credentials.client.id", "id", "sasl.oauthbearer.client.credentials.client.secret", "letmein",
		"sasl.jaas.config", module+` ssl.truststore.location="/nowhere/idp.pem";`))
	if want := `sasl.jaas.config: TLS of the token endpoint: option ssl.truststore.location "/nowhere/idp.pem" does not exist`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
