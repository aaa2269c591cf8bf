package mskiam

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/epistle-kafka/epistle/sasl"
)

const (
	testKey     = "AKIAIOSFODNN7EXAMPLE"
	testSecret  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	testSession = "IQoJb3JpZ2luX2Vj//+ab c=="
	testBroker  = "b-1.orders.abc123.c2.kafka.eu-west-1.amazonaws.com"
)

// alone keeps a test away from what AWS is on this machine.
func alone(t *testing.T) {
	t.Helper()
	for _, name := range os.Environ() {
		if name, _, _ = strings.Cut(name, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	empty := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", empty)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", empty)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// A provider hands out credentials, and counts how often it was asked.
type provider struct {
	credentials aws.Credentials
	err         error
	asked       int
}

func (p *provider) Retrieve(context.Context) (aws.Credentials, error) {
	p.asked++
	return p.credentials, p.err
}

func keys() *provider {
	return &provider{credentials: aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret, SessionToken: testSession, Source: "TestProvider"}}
}

func newMechanism(t *testing.T, cfg Config) *Mechanism {
	t.Helper()
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A fakeBroker knows one client's keys, and checks signatures as Signature Version 4 is written down, without AWS's code.
type fakeBroker struct {
	host, region string
	clock        time.Time // zero: that of the test
}

// authenticate runs the exchange of AWS_MSK_IAM to its end.
func (b *fakeBroker) authenticate(ctx context.Context, e sasl.Exchange) error {
	message, done, err := e.Next(ctx, nil)
	if err != nil || done {
		return errors.Join(err, errors.New("no payload"))
	}
	var payload map[string]string
	if err := json.Unmarshal(message, &payload); err != nil {
		return err
	}
	if payload["version"] != "2020_10_22" || payload["host"] != b.host || payload["user-agent"] == "" {
		return fmt.Errorf("the payload is of version %q, for %q, of %q", payload["version"], payload["host"], payload["user-agent"])
	}
	query := url.Values{}
	for lower, name := range map[string]string{"action": "Action", "x-amz-algorithm": "X-Amz-Algorithm", "x-amz-credential": "X-Amz-Credential",
		"x-amz-date": "X-Amz-Date", "x-amz-expires": "X-Amz-Expires", "x-amz-security-token": "X-Amz-Security-Token",
		"x-amz-signedheaders": "X-Amz-SignedHeaders", "x-amz-signature": "X-Amz-Signature"} {
		if value, ok := payload[lower]; ok {
			query.Set(name, value)
			delete(payload, lower)
		}
	}
	if len(payload) != 3 {
		return fmt.Errorf("the payload has besides %v", payload)
	}
	if err := b.verify(query); err != nil {
		return err
	}
	if _, done, err = e.Next(ctx, []byte(`{"version":"2020_10_22","request-id":"1"}`)); err == nil && !done {
		err = errors.New("the client is not done")
	}
	return err
}

// token checks a token of OAUTHBEARER.
func (b *fakeBroker) token(token sasl.Secret) error {
	text, err := base64.RawURLEncoding.DecodeString(string(token))
	if err != nil {
		return err
	}
	u, err := url.Parse(string(text))
	if err != nil {
		return err
	}
	if u.Scheme != "https" || u.Host != b.host || u.Path != "/" {
		return fmt.Errorf("signed is %s://%s%s", u.Scheme, u.Host, u.Path)
	}
	query := u.Query()
	if query.Get("User-Agent") == "" {
		return errors.New("nobody says who asks")
	}
	query.Del("User-Agent")
	return b.verify(query)
}

func (b *fakeBroker) verify(query url.Values) error {
	signature := query.Get("X-Amz-Signature")
	query.Del("X-Amz-Signature")
	at, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	now := b.clock
	if now.IsZero() {
		now = time.Now()
	}
	if now.Sub(at) > 15*time.Minute || at.Sub(now) > 5*time.Minute || query.Get("X-Amz-Expires") != "900" {
		return errors.New("Signature expired")
	}
	scope := at.Format("20060102") + "/" + b.region + "/kafka-cluster/aws4_request"
	if query.Get("X-Amz-Credential") != testKey+"/"+scope || query.Get("Action") != "kafka-cluster:Connect" || query.Get("X-Amz-SignedHeaders") != "host" {
		return fmt.Errorf("signed is %v", query)
	}
	var parts []string
	for name, values := range query {
		parts = append(parts, encode(name)+"="+encode(values[0]))
	}
	slices.Sort(parts)
	canonical := strings.Join([]string{"GET", "/", strings.Join(parts, "&"), "host:" + b.host, "", "host", hash("")}, "\n")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", at.Format("20060102T150405Z"), scope, hash(canonical)}, "\n")
	key := []byte("AWS4" + testSecret)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	if hex.EncodeToString(mac(key, text)) != signature {
		return errors.New("the signature is wrong")
	}
	return nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// encode writes all but the unreserved characters of RFC 3986 as %XX.
func encode(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
