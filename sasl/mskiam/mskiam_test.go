package mskiam

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"github.com/epistle-kafka/epistle/sasl"
)

// A broker finds that the payload is signed for it, with the client's keys, now.
func TestABrokerTakesThePayload(t *testing.T) {
	alone(t)
	for _, session := range []string{"", testSession} {
		synctest.Test(t, func(t *testing.T) {
			p := keys()
			p.credentials.SessionToken = session
			m := newMechanism(t, Config{Credentials: p})
			b := &fakeBroker{host: testBroker, region: "eu-west-1"}
			e, err := m.Begin(t.Context(), sasl.Target{Host: testBroker, Port: 9098})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.authenticate(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
}

// Each connection is signed for anew, with the credentials that are there: these are fetched again shortly before they end.
func TestCredentialsAreKept(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		p := keys()
		p.credentials.CanExpire, p.credentials.Expires = true, time.Now().Add(time.Hour)
		m := newMechanism(t, Config{Credentials: p, Region: "eu-west-1"})
		b := &fakeBroker{host: "b-2.example.test", region: "eu-west-1"}
		for minute := range 59 {
			e, err := m.Begin(t.Context(), sasl.Target{Host: "b-2.example.test."})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.authenticate(t.Context(), e); err != nil {
				t.Fatalf("minute %d: %v", minute, err)
			}
			time.Sleep(time.Minute)
		}
		if p.asked != 1 {
			t.Errorf("credentials were asked for %d times", p.asked)
		}
		time.Sleep(time.Minute - expiryWindow)
		p.credentials.Expires = time.Now().Add(time.Hour)
		if _, err := m.Begin(t.Context(), sasl.Target{Host: "b-2.example.test"}); err != nil || p.asked != 2 {
			t.Errorf("at their end credentials were asked for %d times, %v", p.asked, err)
		}
	})
}

// The tokens of AWS's own signer are made here from the same keys at the same time; who asks is not signed.
func TestTokensAreThoseOfAWS(t *testing.T) {
	alone(t)
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Region, AccessKeyID, SecretAccessKey, SessionToken string
		Token                                              string
		ExpiresMs                                          int64
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) < 3 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	plain := func(token string) string {
		text, _ := base64.RawURLEncoding.DecodeString(token)
		u, err := url.Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		query.Set("User-Agent", "somebody")
		u.RawQuery = query.Encode()
		return u.String()
	}
	for _, v := range vectors {
		t.Run(v.Region, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.UnixMilli(v.ExpiresMs).Add(-lifetime)))
				tokens, err := Tokens(Config{Region: v.Region, Credentials: credentials.NewStaticCredentialsProvider(v.AccessKeyID, v.SecretAccessKey, v.SessionToken)})
				if err != nil {
					t.Fatal(err)
				}
				got, err := tokens.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got.Expires.UnixMilli() != v.ExpiresMs {
					t.Errorf("it expires at %v", got.Expires)
				}
				if got, want := plain(string(got.Value)), plain(v.Token); got != want {
					t.Errorf("got\n%s\nand AWS\n%s", got, want)
				}
			})
		})
	}
}

// A token is good for 15 minutes, or as long as the credentials are.
func TestATokenEndsWithItsCredentials(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		p := keys()
		p.credentials.CanExpire, p.credentials.Expires = true, time.Now().Add(10*time.Minute)
		tokens, err := Tokens(Config{Credentials: p, Region: "cn-north-1"})
		if err != nil {
			t.Fatal(err)
		}
		token, err := tokens.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// The cache has its window off the end: nobody is to meet credentials that are over.
		if left := time.Until(token.Expires); left > 10*time.Minute || left < 9*time.Minute {
			t.Errorf("it expires in %v", left)
		}
		b := &fakeBroker{host: "kafka.cn-north-1.amazonaws.com", region: "cn-north-1"}
		if err := b.token(token.Value); err != nil {
			t.Error(err)
		}
	})
}

func TestWhereTheRegionIsFrom(t *testing.T) {
	alone(t)
	t.Setenv("AWS_REGION", "ap-south-1")
	for _, c := range []struct{ set, host, want string }{
		{"", testBroker, "eu-west-1"},
		{"", "boot-abc123.c1.kafka-serverless.us-east-1.amazonaws.com", "us-east-1"},
		{"", "b-1-public.x.y.c2.kafka.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
		{"", "b-1.x.y.c2.kafka.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
		{"", "b-1.x.y.c2.kafka.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
		{"", "kafka.example.test", "ap-south-1"},
		{"", "10.0.0.1", "ap-south-1"},
		{"", "", "ap-south-1"},
		{"us-west-2", testBroker, "us-west-2"},
	} {
		m := newMechanism(t, Config{Credentials: keys(), Region: c.set})
		if got, err := m.signer.regionOf(t.Context(), c.host); err != nil || got != c.want {
			t.Errorf("%q, %s: %q, %v", c.set, c.host, got, err)
		}
	}
	t.Setenv("AWS_REGION", "")
	m := newMechanism(t, Config{Credentials: keys()})
	if _, err := m.Begin(t.Context(), sasl.Target{Host: "10.0.0.1"}); !sasl.IsFinal(err) || !strings.Contains(err.Error(), `and "10.0.0.1" has not: set AWS_REGION in the environment`) {
		t.Errorf("no region: %v", err)
	}
}

// A machine that does not answer may do so later. It is asked once for what it has answered, and one that has no region is not
// asked for another.
func TestTheRegionOfTheMachine(t *testing.T) {
	alone(t)
	m := newMechanism(t, Config{Credentials: keys()})
	var asked int
	var region string
	var failed error
	m.signer.machine = func(context.Context) (string, error) {
		asked++
		return region, failed
	}
	target := sasl.Target{Host: "10.0.0.1"}
	failed = errors.New("no route to host")
	if _, err := m.Begin(t.Context(), target); sasl.IsFinal(err) || !errors.Is(err, failed) || !strings.Contains(err.Error(), "set AWS_REGION") {
		t.Errorf("a machine that does not answer: %v, final %v", err, sasl.IsFinal(err))
	}
	failed = nil
	if _, err := m.Begin(t.Context(), target); !sasl.IsFinal(err) || !strings.Contains(err.Error(), "this machine has none, either") {
		t.Errorf("a machine without a region: %v, final %v", err, sasl.IsFinal(err))
	}
	region, asked = "eu-west-1", 0
	for range 3 {
		e, err := m.Begin(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		if err := (&fakeBroker{host: "10.0.0.1", region: "eu-west-1"}).authenticate(t.Context(), e); err != nil {
			t.Error(err)
		}
	}
	if asked != 1 {
		t.Errorf("the machine was asked %d times for the region that it has", asked)
	}
}

// What AWS refuses is final if nothing mends it, and says what to do.
func TestWhatAWSRefuses(t *testing.T) {
	alone(t)
	for _, c := range []struct {
		err   error
		final bool
		words string
	}{
		{&smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform sts:AssumeRole"}, true, "sts:AssumeRole"},
		{&smithy.GenericAPIError{Code: "SignatureDoesNotMatch", Message: "Signature expired: 20000101T000000Z is now earlier than 20000101T010000Z"}, false, "the clock of this machine says"},
		{&smithy.GenericAPIError{Code: "Throttling"}, false, "Throttling"},
		{errors.New("connection refused"), false, "connection refused (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile"},
	} {
		m := newMechanism(t, Config{Credentials: &provider{err: c.err}})
		_, err := m.Begin(t.Context(), sasl.Target{Host: testBroker})
		if err == nil || sasl.IsFinal(err) != c.final || !strings.Contains(err.Error(), c.words) || !errors.Is(err, c.err) {
			t.Errorf("%v, final %v", err, sasl.IsFinal(err))
		}
	}
	for _, half := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Run(half, func(t *testing.T) {
			t.Setenv(half, "hunter2")
			_, err := newMechanism(t, Config{}).Begin(t.Context(), sasl.Target{Host: testBroker})
			if err == nil || sasl.IsFinal(err) || !strings.Contains(err.Error(), "("+half+" is set, and ") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("one of the two variables alone: %v", err)
			}
		})
	}
	if _, err := newMechanism(t, Config{Credentials: &provider{}}).Begin(t.Context(), sasl.Target{Host: testBroker}); err == nil {
		t.Error("credentials without keys sign")
	}
}

// A broker's answer is looked at: nothing is no success. Its refusal is explained, a clock that is off first of all.
func TestWhatBrokersAnswer(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		m := newMechanism(t, Config{Credentials: keys()})
		for answer, words := range map[string]string{"": "answers nothing", "{}": "not that of AWS_MSK_IAM", "<html>": `"<html>"`} {
			e, err := m.Begin(t.Context(), sasl.Target{Host: testBroker})
			if err != nil {
				t.Fatal(err)
			}
			e.Next(t.Context(), nil)
			if _, done, err := e.Next(t.Context(), []byte(answer)); done || err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%q: %v, %v", answer, done, err)
			}
			explain := e.(sasl.Explainer).Explain
			for _, word := range []string{"2000-01-01T00:00:00Z", "eu-west-1", "TestProvider", "kafka-cluster:Connect"} {
				if got := explain("[1] Access denied"); !strings.Contains(got, word) {
					t.Errorf("%q is not in: %s", word, got)
				}
			}
			if got := explain("Signature expired: it is now earlier than"); !strings.Contains(got, "the clock of this machine says 2000-01-01T00:00:00Z") {
				t.Error(got)
			}
		}
	})
}

func TestConfigsThatAreWrong(t *testing.T) {
	alone(t)
	for _, c := range []struct {
		cfg   Config
		words string
	}{
		{Config{RoleExternalID: "x"}, "RoleExternalID is set, and RoleARN is not"},
		{Config{RoleARN: "orders"}, "arn:"},
		{Config{RoleARN: "arn:x", RoleAccessKeyID: "x"}, "both are needed"},
		{Config{RoleARN: "arn:x", RoleSessionToken: "hunter2"}, "RoleAccessKeyID is not"},
		{Config{RoleARN: "arn:x", RoleAccessKeyID: "x", RoleSecretAccessKey: "hunter2", Profile: "p"}, "beside Credentials or Profile"},
		{Config{Profile: "p", Credentials: keys()}, "Credentials and Profile"},
		{Config{MaxBackoff: -1}, "MaxBackoff"},
		{Config{Profile: "nobody"}, "nobody (`aws configure list-profiles` lists the profiles that there are)"},
	} {
		_, err := New(c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("for %q: %v", c.words, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
	m := newMechanism(t, Config{RoleARN: "arn:aws:iam::1:role/orders", RoleAccessKeyID: testKey, RoleSecretAccessKey: testSecret, MaxRetries: -1, MaxBackoff: time.Second, FIPS: true})
	if _, ok := m.signer.credentials.(*aws.CredentialsCache); !ok {
		t.Error("a role's credentials are not kept")
	}
}

// Neither a configuration nor what is made of it shows a key, a signature or a token, however it is printed.
func TestSecretsAreNeverShown(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider(testKey, testSecret, testSession)}
		role := Config{RoleARN: "arn:x", RoleAccessKeyID: testKey, RoleSecretAccessKey: testSecret, RoleSessionToken: testSession}
		m := newMechanism(t, cfg)
		e, err := m.Begin(t.Context(), sasl.Target{Host: testBroker})
		if err != nil {
			t.Fatal(err)
		}
		signature := e.(*exchange).signed.url.Query().Get("X-Amz-Signature")
		tokens, _ := Tokens(cfg)
		token, _ := tokens.Token(t.Context())
		for _, value := range []any{cfg, &cfg, role, []Config{cfg}, m, *m, struct{ M *Mechanism }{m}, e, e.(*exchange).signed, tokens, token} {
			var all strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&all, verb+"\n", value)
			}
			encoded, _ := json.Marshal(value)
			all.Write(encoded)
			slog.New(slog.NewTextHandler(&all, nil)).Info("a", "b", value)
			slog.New(slog.NewJSONHandler(&all, nil)).Info("a", "b", value)
			for _, word := range []string{testSecret, testSession, signature, string(token.Value), fmt.Sprintf("%x", testSecret), fmt.Sprintf("%x", testSession), fmt.Sprintf("%x", signature)} {
				if strings.Contains(all.String(), word) {
					t.Errorf("%T shows %q", value, word)
				}
			}
		}
	})
}
