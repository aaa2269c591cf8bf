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
	sasl.RegisterTokenSource("com.example.tokens.LoginHandler", func(*sasl.Settings) (sasl.TokenSource, error) {
		return sasl.TokenFunc(func(context.Context) (sasl.Token, error) { return sasl.Token{Value: "from.go"}, nil }), nil
	})
}

// A Java class that makes tokens has the Go function that is registered for it in its place, whatever the file says beside it.
func TestRegisteredTokenSourcesAreFound(t *testing.T) {
	s := read("security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required own=x;\n"+
		"sasl.login.callback.handler.class=com.example.tokens.LoginHandler\nsasl.client.callback.handler.class=com.example.tokens.LoginHandler\n", Options{})
	if notices, problems := said(s); notices+problems != "" || s.Mechanism() == nil || s.Mechanism().Name() != "OAUTHBEARER" {
		t.Errorf("got %s%s and %v, want OAUTHBEARER", notices, problems, s.Mechanism())
	}
}

// The classes that Java takes where none is set say nothing.
func TestDefaultHandlersPass(t *testing.T) {
	const classes = "sasl.login.class=org.apache.kafka.common.security.authenticator.DefaultLogin\nsasl.client.callback.handler.class=org.apache.kafka.common.security.authenticator.SaslClientCallbackHandler\n" +
		"sasl.login.callback.handler.class=org.apache.kafka.common.security.authenticator.AbstractLogin$DefaultLoginCallbackHandler\n"
	for mechanism, module := range map[string]string{"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-512": "scram.ScramLoginModule"} {
		s := read("security.protocol=SASL_SSL\nsasl.mechanism="+mechanism+"\nsasl.jaas.config=org.apache.kafka.common.security."+module+" required username=a password=b;\n"+classes, Options{})
		if notices, problems := said(s); notices+problems != "" || s.Mechanism() == nil {
			t.Errorf("%s: got %s%s", mechanism, notices, problems)
		}
	}
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
		{"security.protocol=SASL_SSL\n", 1, "sasl.mechanism = [hidden]: is not set, and Java's default is GSSAPI: set it, such as PLAIN or SCRAM-SHA-512. sasl.jaas.config is not set, and SASL needs it"},
		{"security.protocol=SASL_SSL\nsasl.mechanisms=PLAIN\n", 1, "set it, such as PLAIN or SCRAM-SHA-512; line 2 has sasl.mechanisms instead. sasl.jaas.config is not set"},
		{"security.protocol=SASL_SSL\nsasl.kerberos.service.name=kafka\n", 1, "sasl.jaas.config = [hidden]: is not set, and SASL needs it"},
		{sslStub + "sasl.username=a\n", 1, "; line 3 has sasl.username instead. A file that -Djava.security.auth.login.config names is not read here"},
		{sslStub + "sasl.jaas.config=com.example.Login required password=1hunter2;\n", 3, "sasl.jaas.config = [hidden]: at character 37, after the option password"},
		{sslStub + "sasl.jaas.config=com.example.Login required refuse=yes;\n", 3, "sasl.login.retry.backoff.ms must be less"},
		{sslStub + "sasl.jaas.config=com.example.Login required refuse=yes;\nsasl.login.retry.backoff.ms=9\n", 4, "sasl.login.retry.backoff.ms = 9: sasl.login.retry.backoff.ms must be less"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=NTLM\n" + jaas, 2, "sasl.mechanism = NTLM: is not in this program, whose mechanisms are "},
		{"security.protocol=SASL_SSL\nsasl.mechanism=scram_sha_512\n" + jaas, 2, "did you mean SCRAM-SHA-512?"},
		{"security.protocol=SASL_SSL\n" + jaas, 2, "has PlainLoginModule, which does not go with GSSAPI, Java's default of sasl.mechanism: set sasl.mechanism=PLAIN"},
		{"security.protocol=SASL_SSL\nsasl.mechansim=PLAIN\n" + jaas, 3, "Java's default of sasl.mechanism: set sasl.mechanism=PLAIN; line 2 has sasl.mechansim instead"},
		{"security.protocol=SASL_SSL\nsasl.mechanisms=SCRAM-SHA-512\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;\n", 1, "is what Java takes if sasl.mechanism is not set; line 2 has sasl.mechanisms instead"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\n" + jaas, 2, "does not go with PlainLoginModule, the login module in sasl.jaas.config: set sasl.mechanism=PLAIN"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=a.OAuthBearerLoginModule required;\nsasl.login.callback.handler.class=com.example.Tokens\n", 4,
			"is a Java class, and cannot run here: give sasl.OAuthBearer a Go function that returns tokens (sasl.TokenFunc), or register one for the class with sasl.RegisterTokenSource"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;\nsasl.login.class=com.example.Login\n", 4,
			"is a Java class, which cannot run here: leave it out, and set Config.SASL"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user=a \\\n password=\"<hunter2>\";\n", 3,
			"sasl.jaas.config = [hidden]: option user is no option of PlainLoginModule, which has username, password; did you mean username?"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=a.OAuthBearerLoginModule required;\n", 3, "sasl.oauthbearer.token.endpoint.url = [hidden]: is not set, so there is nowhere to get tokens from"},
		{"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=a.OAuthBearerLoginModule required;\nsasl.login.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler\n", 4,
			`comes with a module of its own: import _ "github.com/epistle-kafka/epistle/sasl/mskiam"`},
		{"security.protocol=SASL_SSL\nsasl.mechanism=AWS_MSK_IAM\nsasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;\n", 2, `import _ "github.com/epistle-kafka/epistle/sasl/mskiam"`},
		{"security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;\n", 2, `import _ "github.com/epistle-kafka/epistle/sasl/gssapi"`},
		{"security.protocol=SASL_PLAINTEXT\nsasl.kerberos.service.name=kafka\n", 1, "sasl.mechanism = GSSAPI: is what Java takes if sasl.mechanism is not set, and is not in this program"},
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

// A login of which nothing is said is one mistake: that GSSAPI, Java's default, is not in the program says nothing more.
func TestALoginOfWhichNothingIsSaidIsOneProblem(t *testing.T) {
	if found := read("security.protocol=sasl_ssl\n", Options{}).Problems(); len(found) != 1 || found[0].Key != "sasl.mechanism" {
		t.Errorf("got %v, want one problem, of sasl.mechanism", found)
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

// Java takes no notice of an option that a login module does not have. One that is near an option of the module's is a slip, and
// refused. So is one that stands beside an option that is missing.
func TestAnOptionThatALoginModuleDoesNotHaveIsANotice(t *testing.T) {
	const oauth = "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://idp.example/token\nsasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler\nsasl.jaas.config=a.OAuthBearerLoginModule required clientId=a clientSecret=hunter2 "
	const plain = "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=a password=hunter2 "
	const scram = "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=a password=hunter2 "
	for _, test := range []struct{ text, notice string }{
		{plain + "serviceName=\"kafka\";\n", "option serviceName has no effect, as in Java: PlainLoginModule has username, password"},
		{plain + "debug=true;\n", "option debug has no effect, as in Java: PlainLoginModule has username, password"},
		{scram + "serviceName=kafka;\n", "option serviceName has no effect, as in Java: ScramLoginModule has username, password, tokenauth"},
		{oauth + "logicalCluster=lkc-1;\n", "option logicalCluster has no effect, as in Java: OAuthBearerLoginModule has clientId, clientSecret, scope, extension_…, ssl.…"},
	} {
		s := read(test.text, Options{})
		if notices, problems := said(s); !strings.Contains(notices, test.notice) || problems != "" || s.Mechanism() == nil {
			t.Errorf("%s:\n got %s%s, want the notice %s", test.text, notices, problems, test.notice)
		}
	}
	for _, text := range []string{plain + "Password=hunter2;\n", plain + "user=a;\n", oauth + "clientid=a;\n", oauth + "scopes=a;\n", scram + "tokenAuth=true;\n", scram + "tokenauht=true;\n"} {
		if s := read(text, Options{}); s.Mechanism() != nil || len(s.Problems()) != 1 {
			t.Errorf("%s:\n got %v, want one problem", text, s.Problems())
		}
	}
	lacks := strings.Replace(plain, "password=hunter2", "pwd=hunter2", 1) + ";\n"
	if _, text := said(read(lacks, Options{})); !strings.Contains(text, "option pwd is no option of PlainLoginModule") || !strings.Contains(text, "option password is not set") {
		t.Errorf("got %s, want that pwd is unknown and that password is missing", text)
	}
}
