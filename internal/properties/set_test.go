package properties

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What is no file of properties at all is told once, not a million times.
func TestAnotherKindOfFile(t *testing.T) {
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "row.%d;some;more\n", i)
	}
	s := read(b.String(), Options{})
	notices := s.Notices()
	if len(notices) != mostStrangers+1 || !strings.Contains(notices[mostStrangers].Text, "it and 9699 further keys are not settings") {
		t.Errorf("got %d notices, the last of which is %v", len(notices), notices[len(notices)-1])
	}
	if s := read(b.String(), Options{RefuseUnknown: true}); len(s.Problems()) != mostStrangers+1 {
		t.Errorf("got %d problems", len(s.Problems()))
	}
}

// Whatever a file holds, it comes to values, notices and problems, each of a line that is there; and a secret is in none of
// what is said.
func FuzzResolve(f *testing.F) {
	for _, seed := range []string{
		"", "bootstrap.servers=a:1\nacks=1\nretries=0\n", "security.protocol=SASL_SSL\nsasl.mechanism=STUB\n", "config.providers=env,file\nconfig.providers.env.class=EnvVarConfigProvider\nclient.id=${env:X}\n",
		"sasl.username=a\nsasl.mechanisms=PLAIN\nssl.ca.pem=x\ncompression.level=3\n", "session.timeout.ms=1\nPRODUCER_LINGER_MS=3\nlinger.ms=9223372036854775807\n", "ssl.key.password=${x}\n",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	const secret = "hunter2-hunter2"
	f.Fuzz(func(t *testing.T, text string, librdkafka bool) {
		if strings.Contains(text, "FileConfigProvider") || strings.Contains(text, "DirectoryConfigProvider") || strings.Contains(text, ".location") {
			return // which files there are is not for a fuzzer to ask
		}
		if strings.Contains(text, secret) {
			return
		}
		whole := text + "\n\nsasl.password=" + secret + "\nsasl.jaas.config=" + secret + " required a=" + secret + " b;\nssl.keystore.password=" + secret + "\nbasic.auth.user.info=" + secret + "\n"
		props, problems := Parse([]byte(whole))
		s := Resolve(props, problems, Options{Librdkafka: librdkafka, Environment: func(string) (string, bool) { return secret, true }})
		lines := strings.Count(whole, "\n") + strings.Count(whole, "\r") + 1
		for _, n := range s.Notices() {
			presentable(t, secret, n.Key, n.Text)
			if n.Line < 0 || n.Line > lines {
				t.Errorf("%q: of %d lines: %+v", text, lines, n)
			}
		}
		for _, p := range s.Problems() {
			presentable(t, secret, p.Key, p.Value, p.Rule)
			if p.Line < 0 || p.Line > lines || p.Rule == "" {
				t.Errorf("%q: of %d lines: %+v", text, lines, p)
			}
		}
		for key, value := range s.Effective() {
			if rows[key] == nil || rows[key].checkValue(value) != "" {
				t.Errorf("%q: %s = %q is none that %s takes", text, key, value, key)
			}
		}
	})
}

// presentable demands of texts that they are bounded, in one line, for people to read, and without the secret.
func presentable(t *testing.T, secret string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if len(text) > 12_000 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) || strings.Contains(text, secret) {
			t.Errorf("%d bytes: %.500q", len(text), text)
		}
	}
}
