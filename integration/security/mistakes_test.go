package security

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

var update = flag.Bool("update", false, "write down in docs/mistakes.md what users are told")

// maxBlock bounds each call of the producers with mistakes, which all begin at once: on a busy machine the broker's first handshakes
// take seconds.
const maxBlock = 12 * time.Second

// A mistake is a producer that no broker lets in, or that lets no broker.
type mistake struct {
	what     string // is wrong, as docs/mistakes.md says it
	listener string // "" is the one without SASL and TLS
	change   change
}

func mistakes(s *site) []mistake {
	plain := func(cfg *producer.Config) {}
	tlsOnly := func(cfg *producer.Config) { s.trusting(cfg) }
	with := func(f func(*producer.TLSFiles)) change {
		return func(cfg *producer.Config) {
			s.trusting(cfg)
			f(cfg.TLSFiles)
		}
	}
	showing := func(name string) change {
		return with(func(f *producer.TLSFiles) {
			f.Certificate, f.Key = s.authority.Path(name+".pem"), s.authority.Path(name+"-key.pem")
		})
	}
	all := []mistake{
		{"PLAIN: the password is wrong", onSASL, by(sasl.Plain("alice", "guess"))},
		{"PLAIN: there is no such user", onSASL, by(sasl.Plain("bob", password))},
		{"SCRAM-SHA-256: the password is wrong", onSASL, by(sasl.ScramSHA256("alice", "guess"))},
		{"SCRAM-SHA-512: there is no such user", onSASL, by(sasl.ScramSHA512("bob", password))},
		{"SCRAM-SHA-512: the user's name is not ASCII", onSASL, by(sasl.ScramSHA512("zoë", password))},
		{"SCRAM-SHA-512: the password is wrong, over TLS", onSASLTLS, and(s.trusting, by(sasl.ScramSHA512("alice", "guess")))},
		{"SCRAM-SHA-512: a delegation token that nobody has made", onSASL, by(sasl.ScramSHA512From(sasl.DelegationToken("no-such-id", "aGVsbG8=")))},
		{"the listener has not the mechanism", onShort, by(sasl.ScramSHA256("alice", password))},
		{"SASL to a listener without", "", by(sasl.Plain("alice", password))},
		{"no SASL to a listener with SASL", onSASL, plain},
		{"no SASL to a listener with SASL over TLS", onSASLTLS, tlsOnly},
		{"no TLS to a listener with TLS", onMutual, plain},
		{"SASL without TLS to a listener with TLS", onSASLTLS, by(sasl.Plain("alice", password))},
		{"TLS to a listener without", "", tlsOnly},
		{"TLS to a listener with SASL over plaintext", onSASL, and(s.trusting, by(sasl.Plain("alice", password)))},
		{"the broker's certificate has expired", onExpired, tlsOnly},
		{"the broker's certificate is of another host", onOtherHost, tlsOnly},
		{"the broker's authority is not trusted", onMutual, with(func(f *producer.TLSFiles) { f.TrustStore = s.authority.Path("other-authority.pem") })},
		{"the broker's authority is unknown to the system", onMutual, func(cfg *producer.Config) { cfg.TLS = &tls.Config{} }},
		{"no certificate of the client, where one is demanded", onMutual, tlsOnly},
		{"the client's certificate is of an authority that the broker does not know", onMutual, showing("strange-client")},
		{"the client's certificate has expired", onMutual, showing("expired-client")},
	}
	return append(all, s.tokenMistakes()...)
}

// and makes changes one after the other.
func and(changes ...change) change {
	return func(cfg *producer.Config) {
		for _, f := range changes {
			f(cfg)
		}
	}
}

// outcome makes the mistake, and returns when the user is told, and what.
func (m mistake) outcome(t *testing.T, s *site) (took time.Duration, told error) {
	address := s.Bootstrap()
	if m.listener != "" {
		address = s.Listener(0, m.listener)
	}
	cfg := producer.DefaultConfig(address)
	cfg.MaxBlock = maxBlock
	m.change(&cfg)
	began := time.Now()
	p, err := producer.New(cfg)
	if err != nil {
		return time.Since(began), err
	}
	defer p.Close(context.Background())
	_, err = p.SendSync(soon(t), producer.Record{Topic: "no-topic-is-needed", Value: []byte("x")})
	return time.Since(began), err
}

// Whoever makes a mistake is told which, in time, and in the words that docs/mistakes.md has.
func TestMistakes(t *testing.T) {
	t.Parallel()
	s := broker(t)
	all := mistakes(s)
	told := make([]string, len(all))
	t.Run("each", func(t *testing.T) {
		for i, m := range all {
			t.Run(m.what, func(t *testing.T) {
				t.Parallel()
				took, err := m.outcome(t, s)
				if err == nil {
					t.Fatal("the record was sent")
				}
				told[i] = s.stable(err.Error())
				t.Logf("after %v: %s", took.Round(time.Millisecond), told[i])
				if took > 2*maxBlock { // what is on top is a busy machine's
					t.Errorf("it took %v, max.block is %v", took, maxBlock)
				}
				if strings.Contains(told[i], "still connecting to") { // a machine that is too busy: that would not come the next time
					t.Errorf("the broker has not answered for %v: %s", maxBlock, told[i])
				}
				for _, bare := range []string{"EOF", "deadline exceeded", "timeout"} {
					if strings.HasSuffix(told[i], bare) {
						t.Errorf("that says nothing of why: %s", told[i])
					}
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	sections := []string{mistakesHead}
	for i, m := range all {
		sections = append(sections, fmt.Sprintf("\n## %s\n\n```\n%s\n```\n", strings.ToUpper(m.what[:1])+m.what[1:], told[i]))
	}
	whole := strings.Join(sections, "")
	const name = "../../docs/mistakes.md"
	if *update {
		do(t, os.WriteFile(name, []byte(whole), 0o644))
	}
	file, err := os.ReadFile(name)
	do(t, err)
	written := string(file)
	for _, section := range sections {
		if !strings.Contains(written, section) {
			t.Errorf("docs/mistakes.md has no such section (-update writes it anew):\n%s", section)
		}
	}
	if len(written) != len(whole) && !t.Failed() {
		t.Error("docs/mistakes.md has sections that no mistake is behind (-update writes it anew)")
	}
}

const mistakesHead = `# What is said about mistakes with TLS and SASL

Each mistake was made with Kafka, and this is what Send's error says. ` + "`integration/security`" + ` makes them again: it fails
if another text comes, or if one takes longer than max.block.
`

// stable is a text without what differs from run to run.
func (s *site) stable(text string) string {
	addresses := []string{s.Bootstrap(), "broker:9092", strings.TrimPrefix(s.provider.URL, "http://"), "provider:8080"}
	for i, name := range []string{onSASL, onSASLTLS, onShort, onTokens, onMutual, onExpired, onOtherHost} {
		addresses = append(addresses, s.Listener(0, name), fmt.Sprintf("broker:%d", 9093+i))
	}
	text = strings.NewReplacer(append(addresses, nowhere, "provider:8081", dir, "/etc/kafka")...).Replace(text)
	for _, p := range []struct{ pattern, with string }{
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "2026-12-01T12:00:00Z"},
		{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]* \+0000 UTC( m=\S+)?`, "2026-12-01 12:00:00 +0000 UTC"},
		{`version \d+ of Metadata: a lower one is set by max\.api\.versions=Metadata=\d+`, "version 13 of Metadata: a lower one is set by max.api.versions=Metadata=12"},
		{`\d+ tries in [\d.]+m?s: `, ""}, // the first of them is told, too, while others are made
		{`Metadata has no answer yet from (bootstrap server \S+): last failure: `, "last failure: ${1}: "}, // so does this
		{`still connecting to \S+; `, ""}, // it depends on when max.block passes
		{`the token expired \S+ ago`, "the token expired 1h0m0s ago"},
		{`127\.0\.0\.1:\d{4,5}->`, "client:41234->"},
	} {
		text = regexp.MustCompile(p.pattern).ReplaceAllString(text, p.with)
	}
	return text
}
