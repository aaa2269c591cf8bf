package brokertest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A request that AWS's own signer has signed (aws-msk-iam-sasl-signer-go 1.0.4), with what it was signed by.
const (
	iamRegion  = "us-east-1"
	iamKey     = "AKIAIOSFODNN7EXAMPLE"
	iamSecret  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	iamRequest = "aHR0cHM6Ly9rYWZrYS51cy1lYXN0LTEuYW1hem9uYXdzLmNvbS8_QWN0aW9uPWthZmthLWNsdXN0ZXIlM0FDb25uZWN0JlVzZXItQWdlbnQ9YXdzLW1zay1pYW0tc2FzbC1zaWduZXItZ28lMkYxLjAuNCUyRmdvMS4yNi44JlgtQW16LUFsZ29yaXRobT1BV1M0LUhNQUMtU0hBMjU2JlgtQW16LUNyZWRlbnRpYWw9QUtJQUlPU0ZPRE5ON0VYQU1QTEUlMkYyMDI2MTIwMSUyRnVzLWVhc3QtMSUyRmthZmthLWNsdXN0ZXIlMkZhd3M0X3JlcXVlc3QmWC1BbXotRGF0ZT0yMDI2MTIwMVQxMDM4NDNaJlgtQW16LUV4cGlyZXM9OTAwJlgtQW16LVNpZ25hdHVyZT04M2NkN2M0NDZiYjc0MjMzYTQzNTZlNWJhNGM0MDliOTYxOTUxOTgyNDZjYTY5ZjVmOGY5NTU1OGU4YmViYTk3JlgtQW16LVNpZ25lZEhlYWRlcnM9aG9zdA"
)

var iamSigned = time.Date(2026, 12, 1, 10, 38, 43, 0, time.UTC)

// iamPayload is that request as a client of AWS_MSK_IAM presents it.
func iamPayload(t *testing.T) map[string]string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(iamRequest)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	payload := map[string]string{"version": "2020_10_22", "host": u.Host}
	for name, values := range u.Query() {
		payload[strings.ToLower(name)] = values[0]
	}
	return payload
}

// A broker takes what AWS's signer has signed, as long as that holds. Whatever is changed, it takes it no more, and says no more
// than that.
func TestMSKIAM(t *testing.T) {
	signedFor := func(host string) func(map[string]string) {
		return func(payload map[string]string) {
			query := url.Values{"Action": {"kafka-cluster:Connect"}, "X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {payload["x-amz-credential"]},
				"X-Amz-Date": {payload["x-amz-date"]}, "X-Amz-Expires": {"900"}, "X-Amz-SignedHeaders": {"host"}}
			payload["host"], payload["x-amz-signature"] = host, signature(query, host, "20261201/us-east-1/kafka-cluster/aws4_request", iamSecret)
		}
	}
	set := func(name, value string) func(map[string]string) {
		return func(payload map[string]string) { payload[name] = value }
	}
	for name, c := range map[string]struct {
		change func(map[string]string)
		after  time.Duration // it was signed
		in     bool
	}{
		"as it is":             {in: true},
		"at its end":           {after: 15 * time.Minute, in: true},
		"after its end":        {after: 15*time.Minute + time.Second},
		"by a clock ahead":     {after: -5 * time.Minute, in: true},
		"by a clock far ahead": {after: -5*time.Minute - time.Second},
		"another client":       {change: set("user-agent", "somebody"), in: true},
		"no client":            {change: set("user-agent", "")},
		"another version":      {change: set("version", "2021_10_22")},
		"another host":         {change: set("host", "kafka.us-east-2.amazonaws.com")},
		"its own address":      {change: signedFor("192.0.2.1"), in: true},
		"another's address":    {change: signedFor("192.0.2.200")},
		"a host with a port":   {change: signedFor("kafka.us-east-1.amazonaws.com:9098")},
		"a host with a dot":    {change: signedFor("kafka.us-east-1.amazonaws.com.")},
		"no host":              {change: signedFor("")},
		"another action":       {change: set("action", "kafka-cluster:DeleteTopic")},
		"another date":         {change: set("x-amz-date", "20261201T103844Z")},
		"no date":              {change: set("x-amz-date", "")},
		"a longer life":        {change: set("x-amz-expires", "86400")},
		"another key":          {change: set("x-amz-credential", "AKIAOTHER/20261201/us-east-1/kafka-cluster/aws4_request")},
		"another region":       {change: set("x-amz-credential", iamKey+"/20261201/eu-west-1/kafka-cluster/aws4_request")},
		"a session":            {change: set("x-amz-security-token", "x")},
		"something else":       {change: set("x-amz-other", "x")},
		"another signature":    {change: set("x-amz-signature", strings.Repeat("0", 64))},
		"no signature":         {change: func(payload map[string]string) { delete(payload, "x-amz-signature") }},
	} {
		inBubble(t, name, func(t *testing.T) {
			time.Sleep(time.Until(iamSigned.Add(c.after)))
			kafka := New(t, InMemory(), SASL(MSKIAM("eu-west-1", "AKIAELSE", "else"), MSKIAM(iamRegion, iamKey, iamSecret)))
			k := dial(t, kafka, 1)
			payload := iamPayload(t)
			if c.change != nil {
				c.change(payload)
			}
			k.presentsIAM(payload, c.in)
		})
	}
	t.Run("no payload", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := dial(t, New(t, InMemory(), SASL(MSKIAM(iamRegion, iamKey, iamSecret))), 1)
			k.shake("AWS_MSK_IAM")
			k.isRefusedIAM(k.present("hello"))
		})
	})
}

var (
	iamAnswer = regexp.MustCompile(`^\{"request-id":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}","version":"2020_10_22"\}$`)
	iamDenied = regexp.MustCompile(`^\[[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\]: Access denied$`)
)

// presentsIAM goes through the exchange, and demands its outcome.
func (k *client) presentsIAM(payload map[string]string, in bool) {
	k.t.Helper()
	message, err := json.Marshal(payload)
	if err != nil {
		k.t.Fatal(err)
	}
	k.shake("AWS_MSK_IAM")
	resp := k.present(string(message))
	if !in {
		k.isRefusedIAM(resp)
		return
	}
	if resp.ErrorCode != protocol.NoError || !iamAnswer.Match(resp.AuthBytes) {
		k.t.Fatalf("got %v %v %q", resp.ErrorCode, resp.ErrorMessage, resp.AuthBytes)
	}
	k.alive()
}

func (k *client) isRefusedIAM(resp *protocol.SaslAuthenticateResponse) {
	k.t.Helper()
	if resp.ErrorCode != protocol.SaslAuthenticationFailed || resp.ErrorMessage == nil || !iamDenied.MatchString(*resp.ErrorMessage) {
		k.t.Fatalf("got %v %v %q, want Access denied", resp.ErrorCode, text(resp.ErrorMessage), resp.AuthBytes)
	}
	k.isCut()
}
