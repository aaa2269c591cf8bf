package producer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/epistle-kafka/epistle/internal/properties"
)

// told is all that is said of properties, one text for each notice and each problem.
func told(t testing.TB, text string, o properties.Options, makeTLS func(tlsSource, *Config)) (all []string) {
	t.Helper()
	props, problems := properties.Parse([]byte(text))
	_, notices, err := configOf(properties.Resolve(props, problems, o), makeTLS)
	for _, n := range notices {
		all = append(all, n.String())
	}
	invalid, ok := errors.AsType[*PropertiesError](err)
	if !ok {
		return all
	}
	for _, p := range invalid.Problems {
		all = append(all, p.Error())
	}
	lines := strings.Split(err.Error(), "\n  ")
	if len(lines) > maxListed+2 {
		t.Errorf("the error has %d lines: %.2000s", len(lines), err)
	}
	return append(all, lines...)
}

// presentable demands of a text that it is bounded, in one line, and for people to read.
func presentable(t testing.TB, text string) {
	t.Helper()
	if len(text) > 16_000 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) {
		t.Errorf("%d bytes: %.500q", len(text), text)
	}
}

const wickedSecret = "hunter2-hunter2"

// pemLines is a private key that was put into a file of properties without a \ at the end of each line. Its lines are keys then.
const pemLines = "ssl.keystore.key=-----BEGIN PRIVATE KEY-----\n" +
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n" +
	"OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n" +
	"1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\nq83v\n-----END PRIVATE KEY-----\n"

// What is told of a file shows no secret, whatever went wrong with it, and says what to do in a text that can be read.
func TestWickedProperties(t *testing.T) {
	long := strings.Repeat("x", 30<<10)
	const login = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
	const plain = "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=alice password="
	const oauth = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=a.OAuthBearerLoginModule required;\n"
	const env = "config.providers=env\nconfig.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n"
	for _, test := range []struct{ name, text, want string }{
		{"a key of 30 kB", long + "=" + wickedSecret, "[hidden]: has no effect"},
		{"a key of 30 kB with dots", strings.Repeat("ab.", 10<<10) + "=1", "bytes more)"},
		{"a key that sets a terminal's colour", "a.\x1b[31mred\a=1", `"a.\x1b[31mred\a": has no effect`},
		{"a value of 30 kB", "acks=" + long, "bytes more): must be one of all"},
		{"a value with a line of a log in it", "client.dns.lookup=a\\nlevel=ERROR", `client.dns.lookup = a\nlevel=ERROR: must be one of`},
		{"a server of 30 kB", "bootstrap.servers=" + long, "bytes more): has no port"},
		{"a user in front of a server", "bootstrap.servers=alice:" + wickedSecret + "@b:1", `"…@b:1": must be host:port without a user in front`},
		{"the same with a scheme", "bootstrap.servers=SASL_SSL://alice:" + wickedSecret + "@b:1", `"…@b:1": must be host:port without a user in front`},
		{"a user in a URL", oauth + "sasl.oauthbearer.token.endpoint.url=https://a:" + wickedSecret + "@idp.example/t?k=" + wickedSecret, "sasl.oauthbearer.token.endpoint.url = https://idp.example/t: has a user in it"},
		{"a private key over several lines", "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.certificate.chain=x\n" + pemLines, "may be a piece of a secret: a value that goes on in the next line needs a"},
		{"a login over several lines", login + plain + "\n  \"" + wickedSecret + "\";\n", "[hidden]: has no effect"},
		{"a file that has a password alone", wickedSecret + "\n", "[hidden]: has no effect"},
		{"a password that looks like a reference", env + login + plain + "\"${" + wickedSecret + ":x}\";", `refers to "…": config.providers does not list "…"`},
		{"a password where a path belongs", env + "security.protocol=SSL\nssl.truststore.location=${env:X}", "ssl.truststore.location: [hidden] does not exist"},
		{"a password where a user belongs", env + login + "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"é" + "${env:X}\";", "option password is not set"},
		{"a password where a class belongs", env + oauth + "sasl.login.callback.handler.class=${env:X}", "sasl.login.callback.handler.class: [hidden] is a Java class"},
		{"an option that nobody knows", login + plain + wickedSecret + " \x1b[31m=x;", "it must have the name of an option"},
		{"a cipher that nobody knows", "security.protocol=SSL\nssl.cipher.suites=A\x1b[2J" + long, `"A\x1b[2Jxxx`},
		{"providers without end", "config.providers=p," + long + "\nclient.id=${p:x}", `lists "p", which has no class`},
	} {
		notes := told(t, "client.id=x\n"+test.text, properties.Options{Environment: func(string) (string, bool) { return wickedSecret, true }}, setTLS)
		for _, text := range notes {
			presentable(t, text)
			if strings.Contains(text, wickedSecret) || strings.Contains(text, "MIGHA") || strings.Contains(text, "OF/2Nx") || strings.Contains(text, "1RTwj") || strings.Contains(text, "q83v") {
				t.Errorf("%s: shows a secret: %s", test.name, text)
			}
			if len(text) > 2000 {
				t.Errorf("%s: %d bytes: %.200s", test.name, len(text), text)
			}
		}
		if test.name == "a private key over several lines" && len(notes) > 12 {
			t.Errorf("%d texts for the lines of one key: %q", len(notes), notes)
		}
		if all := strings.Join(notes, "\n"); !strings.Contains(all, test.want) {
			t.Errorf("%s:\n got %.3000s\nwant %s", test.name, all, test.want)
		}
	}
}

// A file of another kind is told of within a bound, however many of its lines have something wrong.
func TestListsAreBounded(t *testing.T) {
	for name, line := range map[string]string{
		"a key again": "linger.ms=5\n", "an escape that is none": "client.id=\\uxyz\n", "a key that nobody knows": "a.%d=x\n",
		"a provider's parameter": "config.providers.p%d.param.x=y\n", "a reference": "client.id=${p:%d}\n",
	} {
		var b strings.Builder
		b.WriteString("bootstrap.servers=b:1\nconfig.providers=q\nconfig.providers.q.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n")
		for i := range 20_000 {
			if strings.Contains(line, "%d") {
				fmt.Fprintf(&b, line, i)
			} else {
				b.WriteString(line)
			}
		}
		for _, strict := range []bool{false, true} {
			if n := len(told(t, b.String(), properties.Options{RefuseUnknown: strict}, setTLS)); n > 2200 {
				t.Errorf("%s, strict %v: %d texts", name, strict, n)
			}
		}
	}
}

// Whatever a file holds, all that is told of it can be shown to anybody.
func FuzzProperties(f *testing.F) {
	for _, seed := range []string{
		"", "bootstrap.servers=\x1b[31m\nacks=\x00\n", pemLines, "sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://idp/\n",
		"sasl.jaas.config=x.ScramLoginModule required username=\"\x1b\" password=\"a\";\nsasl.mechanism=SCRAM-SHA-512\n",
		"sasl.jaas.config=x.OAuthBearerLoginModule required ssl.truststore.type=PEM ssl.truststore.certificates=\"x\" ssl.x\u00a0=a;\nsasl.oauthbearer.token.endpoint.url=https://idp/\n",
		"config.providers=env\nconfig.providers.env.class=EnvVarConfigProvider\nclient.id=${env:X}\nacks=${env:X}\nsasl.mechanism=${env:X}\nssl.cipher.suites=${env:X}\nbootstrap.servers=${env:X}\n",
		"sasl.username=a\nsasl.mechanisms=PLAIN\nssl.ca.pem=x\npartitioner=\u202egnp\n", "\ufeff#\n! x\na\\\n b:c\n=\n\\u00e9\\u202e=\\u0007\n", "ssl.enabled.protocols=\x7f\nssl.endpoint.identification.algorithm=\t\n",
	} {
		f.Add(seed, true, false)
		f.Add(seed, false, true)
	}
	f.Fuzz(func(t *testing.T, text string, librdkafka, strict bool) {
		if strings.Contains(text, "FileConfigProvider") || strings.Contains(text, "DirectoryConfigProvider") || strings.Contains(text, ".location") || strings.Contains(text, ".file") {
			return // which files there are is not for a fuzzer to ask
		}
		if strings.Contains(text, "unter2") {
			return
		}
		whole := "security.protocol=SASL_SSL\nsasl.jaas.config=x.PlainLoginModule required username=alice password=\"" + wickedSecret + "\";\n" + text +
			"\n\nsasl.password=" + wickedSecret + "\nssl.key.password=" + wickedSecret + "\nmy.own.password=" + wickedSecret + "\n \"" + wickedSecret + "\";\n"
		o := properties.Options{Librdkafka: librdkafka, RefuseUnknown: strict, Environment: func(string) (string, bool) { return wickedSecret, true }}
		for _, said := range told(t, whole, o, setTLS) {
			presentable(t, said)
			if strings.Contains(said, wickedSecret) {
				t.Errorf("%q: shows a secret: %s", text, said)
			}
		}
	})
}
