package properties

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/sasl"
)

// stub is a mechanism that keeps what it was made of.
type stub struct{ *sasl.Settings }

func (s stub) Name() string { return s.Mechanism }

func (stub) Begin(context.Context, sasl.Target) (sasl.Exchange, error) {
	return nil, errors.New("a stub")
}

func init() {
	sasl.Register("STUB", func(s *sasl.Settings) (sasl.Mechanism, error) {
		if s.Login.Options["refuse"] != "" {
			return nil, errors.New("sasl: sasl.login.retry.backoff.ms must be less than that")
		}
		return stub{s}, nil
	})
}

const sslStub = "security.protocol=sasl_ssl\nsasl.mechanism=STUB\n"

func TestLoginReachesTheMechanism(t *testing.T) {
	s := read(sslStub+`sasl.jaas.config=com.example.Login required username="$ConnectionString" \
   password='Endpoint\=sb://x/;Key=a\\\\b=';
sasl.kerberos.service.name = kafka
sasl.login.retry.backoff.ms=7
`, Options{})
	if notices, problems := said(s); notices+problems != "" {
		t.Fatal(notices, problems)
	}
	got := s.Mechanism().(stub)
	if want := map[string]string{"username": "$ConnectionString", "password": `Endpoint=sb://x/;Key=a\b=`}; got.Login.Module != "com.example.Login" || !maps.Equal(texts(got.Login.Options), want) {
		t.Errorf("got login %s %q, want %q", got.Login.Module, texts(got.Login.Options), want)
	}
	if got.Keys["sasl.kerberos.service.name"] != "kafka" || got.Keys["sasl.login.retry.backoff.ms"] != "7" || got.Keys["sasl.mechanism"] != "STUB" || len(got.Keys) != 4 {
		t.Errorf("got keys %q, want all that are set, and no others", got.Keys)
	}
	if !s.TLS() || !s.SASL() {
		t.Error("SASL_SSL: want TLS and a login")
	}
}

// Whatever keeps a producer from logging in is said, where it is, and with what to write instead.
func TestLoginsThatCannotBe(t *testing.T) {
	const jaas = "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"a\" password=\"hunter2\";\n"
	for _, test := range []struct {
		text string
		line int
		want string
	}{
		{sslStub, 1, "sasl.jaas.config = [hidden]: is not set, and SASL needs it"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\n", 1, "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true"},
		{sslStub + "sasl.username=a\n", 1, "; line 3 has sasl.username instead. A file that -Djava.security.auth.login.config names is not read here"},
		{sslStub + "sasl.jaas.config=com.example.Login required password=1hunter2;\n", 3, "sasl.jaas.config = [hidden]: at character 37, after the option password"},
		{sslStub + "sasl.jaas.config=com.example.Login required refuse=yes;\n", 3, "sasl.login.retry.backoff.ms must be less"},
		{sslStub + "sasl.jaas.config=com.example.Login required refuse=yes;\nsasl.login.retry.backoff.ms=9\n", 4, "sasl.login.retry.backoff.ms = 9: sasl.login.retry.backoff.ms must be less"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=NTLM\n" + jaas, 2, "sasl.mechanism = NTLM: is not in this program, whose mechanisms are "},
		{"security.protocol=SASL_SSL\nsasl.mechanism=scram_sha_512\n" + jaas, 2, "did you mean SCRAM-SHA-512?"},
		{"security.protocol=SASL_SSL\n" + jaas, 2, "has PlainLoginModule, which does not go with GSSAPI, Java's default of sasl.mechanism: set sasl.mechanism=PLAIN"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\n" + jaas, 2, "does not go with PlainLoginModule, the login module in sasl.jaas.config: set sasl.mechanism=PLAIN"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=a.OAuthBearerLoginModule required;\nsasl.login.callback.handler.class=com.example.Tokens\n", 4,
			"is a Java class, which cannot run here: leave it out, and set Config.SASL"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=a.OAuthBearerLoginModule required;\nsasl.login.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler\n", 4,
			`. It comes with a module of its own: import _ "github.com/epistle-kafka/epistle/sasl/mskiam"`},
		{"security.protocol=SASL_SSL\nsasl.mechanism=AWS_MSK_IAM\nsasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;\n", 2, `import _ "github.com/epistle-kafka/epistle/sasl/mskiam"`},
		{"security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;\n", 2, `import _ "github.com/epistle-kafka/epistle/sasl/gssapi"`},
		{"security.protocol=SASL_PLAINTEXT\n", 1, "sasl.mechanism = GSSAPI: is what Java takes if sasl.mechanism is not set, and is not in this program"},
	} {
		s := read(test.text, Options{})
		_, problems := said(s)
		found := false
		for _, p := range s.Problems() {
			found = found || p.Line == test.line && strings.Contains(p.Key+" = "+p.Value+": "+p.Rule, test.want)
		}
		if !found || s.Mechanism() != nil || strings.Contains(problems, "hunter2") {
			t.Errorf("%s:\n got %swant, in line %d, %s", test.text, problems, test.line, test.want)
		}
	}
}

// What looks like a template that nobody has filled in is said, by the option's name alone: it may be a password after all.
func TestVariablesInLogins(t *testing.T) {
	notices, problems := said(read(sslStub+"sasl.jaas.config=com.example.Login required username=\"$ConnectionString\" password=\"${hunter2}\";\n", Options{}))
	if want := "holds what looks like variables that nobody has filled in; they are taken as they are: password\n"; !strings.HasSuffix(notices, want) || problems != "" {
		t.Errorf("got %s and %s, want %s", notices, problems, want)
	}
}

// Whoever writes down how to log in, and not that it is to be done, is told.
func TestLoginWithoutSASL(t *testing.T) {
	for protocol, want := range map[string]string{"PLAINTEXT": "SASL_SSL, or SASL_PLAINTEXT without TLS, would use it", "SSL": "security.protocol is SSL; SASL_SSL would use it"} {
		s := read("security.protocol="+protocol+"\nsasl.mechanism=PLAIN\nsasl.jaas.config=x\n", Options{})
		notices, problems := said(s)
		if strings.Count(notices, want) != 2 || problems != "" || s.Mechanism() != nil {
			t.Errorf("%s: got %s and %s, want a notice of each key with %q", protocol, notices, problems, want)
		}
	}
}
