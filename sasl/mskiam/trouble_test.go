package mskiam

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

// While AWS is asked again for credentials, why it is has been told.
func TestTroubleWithAWSIsToldMeanwhile(t *testing.T) {
	alone(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", server.URL)
	m := newMechanism(t, Config{
		RoleARN: "arn:aws:iam::123456789012:role/orders", RoleAccessKeyID: testKey, RoleSecretAccessKey: testSecret, STSRegion: "eu-west-1",
		MaxRetries: 2, MaxBackoff: time.Millisecond,
	})
	var told []string
	_, err := m.Begin(t.Context(), sasl.Target{Host: testBroker, Trouble: func(err error) { told = append(told, err.Error()) }})
	if err == nil || len(told) != 2 || !strings.Contains(told[0], "no credentials of AWS: ") || !strings.Contains(told[0], "503") {
		t.Errorf("told %q, and then %v; want it told for each time that it was asked again", told, err)
	}
}

// A token is in a form that nobody reads here, so it has the words about a refusal with it.
func TestATokenHasItsHint(t *testing.T) {
	alone(t)
	tokens, err := Tokens(Config{Credentials: keys(), Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"eu-west-1", "TestProvider", "kafka-cluster:Connect", "clock"} {
		if !strings.Contains(token.Hint, word) {
			t.Errorf("%q is not in %q", word, token.Hint)
		}
	}
	if strings.Contains(token.Hint, testSecret) || strings.Contains(token.Hint, string(token.Value)) {
		t.Errorf("the hint has a secret: %s", token.Hint)
	}
}
