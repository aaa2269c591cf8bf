package security

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/identity"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// epistleCommand is the command of this repository, built once.
var epistleCommand = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(dir, "epistle")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", binary, "./cmd/epistle").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

// A report is what `epistle doctor --json` prints, as far as it is looked at here.
type report struct {
	Healthy      bool     `json:"healthy"`
	FirstFailure *finding `json:"first_failure"`
	Checks       []finding
	Record       *struct{ Partition, Offset int64 }

	status int    // the command's
	text   string // all that it has printed
}

type finding struct{ Stage, Of, Verdict, Text, Advice string }

func (r *report) of(stage producer.CheckStage) (verdicts []string) {
	for _, c := range r.Checks {
		if c.Stage == string(stage) {
			verdicts = append(verdicts, c.Verdict)
		}
	}
	return verdicts
}

// doctor runs `epistle doctor` with a file of properties, as a user does.
func doctor(t *testing.T, properties map[string]string, args ...string) *report {
	t.Helper()
	binary, err := epistleCommand()
	do(t, err)
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		fmt.Fprintf(&text, "%s=%s\n", key, properties[key])
	}
	file := filepath.Join(t.TempDir(), "producer.properties")
	do(t, os.WriteFile(file, []byte(text.String()), 0o600))
	cmd := exec.CommandContext(soon(t), binary, append([]string{"doctor", "--config", file, "--json", "--timeout", patience.String()}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	r := &report{}
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		r.status = exit.ExitCode()
	}
	r.text = out.String() + errs.String()
	if err := json.Unmarshal(out.Bytes(), r); err != nil {
		t.Fatalf("exit status %d, %v:\n%s", r.status, err, r.text)
	}
	for _, secret := range []string{password, identity.ClientSecret} {
		if strings.Contains(r.text, secret) {
			t.Errorf("it prints the secret %q:\n%s", secret, r.text)
		}
	}
	return r
}

// A way is one to prove who one is, as a file of properties says it.
type way struct {
	name, listener string
	properties     map[string]string
	notices        []producer.CheckStage // what deserves a look
}

// ways are all that Kafka has, but for GSSAPI.
func (s *site) ways() []way {
	overTLS := map[string]string{"ssl.truststore.type": "PEM", "ssl.truststore.location": s.authority.Path("authority.pem")}
	mutual := map[string]string{"ssl.keystore.type": "PEM", "ssl.keystore.location": s.authority.Path("client-store.pem")}
	const security = "org.apache.kafka.common.security."
	plain := map[string]string{"sasl.mechanism": "PLAIN", "sasl.jaas.config": security + `plain.PlainLoginModule required username="alice" password="` + password + `";`}
	scram := func(mechanism string) map[string]string {
		return map[string]string{"sasl.mechanism": mechanism, "sasl.jaas.config": security + `scram.ScramLoginModule required username="alice" password="` + password + `";`}
	}
	tokens := map[string]string{
		"sasl.mechanism":                                    "OAUTHBEARER",
		"sasl.login.callback.handler.class":                 security + "oauthbearer.OAuthBearerLoginCallbackHandler",
		"sasl.jaas.config":                                  security + "oauthbearer.OAuthBearerLoginModule required;",
		"sasl.oauthbearer.token.endpoint.url":               s.provider.URL + "/token",
		"sasl.oauthbearer.client.credentials.client.id":     identity.ClientID,
		"sasl.oauthbearer.client.credentials.client.secret": identity.ClientSecret,
	}
	inTheClear := []producer.CheckStage{producer.CheckSASL}
	all := []way{
		{"PLAINTEXT", "", together("PLAINTEXT"), nil},
		{"SSL", onMutual, together("SSL", overTLS, mutual), nil},
	}
	for _, m := range []map[string]string{plain, scram("SCRAM-SHA-256"), scram("SCRAM-SHA-512")} {
		over := way{"SASL_PLAINTEXT, " + m["sasl.mechanism"], onSASL, together("SASL_PLAINTEXT", m), nil}
		if m["sasl.mechanism"] == "PLAIN" {
			over.notices = inTheClear
		}
		all = append(all, over, way{"SASL_SSL, " + m["sasl.mechanism"], onSASLTLS, together("SASL_SSL", m, overTLS), nil})
	}
	return append(all, way{"SASL_PLAINTEXT, OAUTHBEARER", onTokens, together("SASL_PLAINTEXT", tokens), inTheClear},
		way{"SASL_SSL, OAUTHBEARER", onTokensTLS, together("SASL_SSL", tokens, overTLS), nil})
}

func together(protocol string, parts ...map[string]string) map[string]string {
	all := map[string]string{"security.protocol": protocol}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// at is the listener's address.
func (s *site) at(listener string) string {
	if listener == "" {
		return s.Bootstrap()
	}
	return s.Listener(0, listener)
}

// A broker that is well gives no alarm by any protocol and mechanism, and takes the record.
func TestDoctorFindsNothing(t *testing.T) {
	t.Parallel()
	s := broker(t)
	for _, w := range s.ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			topic := s.topic(t)
			properties := maps.Clone(w.properties)
			properties["bootstrap.servers"] = s.at(w.listener)
			r := doctor(t, properties, "-t", topic, "--transactional-id", topic, "--send")
			if r.status != 0 || !r.Healthy || r.FirstFailure != nil {
				t.Fatalf("exit status %d:\n%s", r.status, r.text)
			}
			var notices []producer.CheckStage
			for _, c := range r.Checks {
				if stage := producer.CheckStage(c.Stage); c.Verdict == "notice" && stage != producer.CheckRoundTrip { // a machine that is busy
					notices = append(notices, stage)
				}
			}
			if !slices.Equal(notices, w.notices) {
				t.Errorf("notices of %q, want %q:\n%s", notices, w.notices, r.text)
			}
			for stage, used := range map[producer.CheckStage]bool{
				producer.CheckTLS: strings.Contains(w.name, "SSL"), producer.CheckSASL: strings.Contains(w.name, "SASL"), producer.CheckTransactions: true,
			} {
				if got := r.of(stage); len(got) != 1 || (got[0] == "skipped") == used {
					t.Errorf("%s is %q:\n%s", stage, got, r.text)
				}
			}
			s.hasDoctorsRecord(t, topic, r)
		})
	}
}

// well demands a diagnosis without anything that deserves a look.
func (s *site) well(t *testing.T, listener string, changes ...change) {
	t.Helper()
	topic := s.topic(t)
	cfg := producer.DefaultConfig(s.Listener(0, listener))
	and(changes...)(&cfg)
	d, err := producer.Diagnose(soon(t), cfg, producer.DiagnoseWithin(patience), producer.DiagnoseTopics(topic), producer.DiagnoseSend())
	do(t, err)
	for _, c := range d.Checks {
		if c.Verdict == producer.VerdictFailed || c.Verdict == producer.VerdictNotice && c.Stage != producer.CheckRoundTrip {
			t.Errorf("a healthy broker has something wrong with it: %s", c)
		}
	}
	if !d.Healthy() || d.Record == nil {
		t.Errorf("what was found is %+v", d)
	}
}

// hasDoctorsRecord demands the one that --send has written.
func (s *site) hasDoctorsRecord(t *testing.T, topic string, r *report) {
	t.Helper()
	found := 0
	do(t, reader.Stream(soon(t), s.Bootstrap(), topic, reader.Options{}, func(got *reader.Record) error {
		found++
		if string(got.Key) != "epistle-doctor" || r.Record == nil || got.Offset != r.Record.Offset {
			t.Errorf("the record is %s at %d, and the report has %+v", got.Key, got.Offset, r.Record)
		}
		return nil
	}))
	if found != 1 {
		t.Errorf("the topic has %d records, want the doctor's", found)
	}
}

// stages says where the doctor finds each mistake of docs/mistakes.md.
var stages = map[string]producer.CheckStage{
	"no SASL to a listener with SASL":                                           producer.CheckMetadata,
	"no SASL to a listener with SASL over TLS":                                  producer.CheckMetadata,
	"no TLS to a listener with TLS":                                             producer.CheckVersions,
	"SASL without TLS to a listener with TLS":                                   producer.CheckVersions,
	"TLS to a listener without":                                                 producer.CheckTLS,
	"TLS to a listener with SASL over plaintext":                                producer.CheckTLS,
	"the broker's certificate has expired":                                      producer.CheckTLS,
	"the broker's certificate is of another host":                               producer.CheckTLS,
	"the broker's authority is not trusted":                                     producer.CheckTLS,
	"the broker's authority is unknown to the system":                           producer.CheckTLS,
	"no certificate of the client, where one is demanded":                       producer.CheckTLS,
	"the client's certificate is of an authority that the broker does not know": producer.CheckTLS,
	"the client's certificate has expired":                                      producer.CheckTLS,
	"SASL to a listener without":                                                producer.CheckSASL,
	"the listener has not the mechanism":                                        producer.CheckSASL,
	"PLAIN, where tokens are wanted":                                            producer.CheckSASL,
}

// stageOf is where the mistake is found: those with a password or a token are the login's.
func stageOf(what string) producer.CheckStage {
	if stage, ok := stages[what]; ok {
		return stage
	}
	for _, mechanism := range []string{"PLAIN: ", "SCRAM-SHA-256: ", "SCRAM-SHA-512: ", "OAUTHBEARER: "} {
		if strings.HasPrefix(what, mechanism) {
			return producer.CheckSASL
		}
	}
	return "a stage that this test has to name"
}

// Each mistake of docs/mistakes.md is named by the first stage that fails, with what to do.
func TestDoctorNamesMistakes(t *testing.T) {
	t.Parallel()
	s := broker(t)
	for _, m := range mistakes(s) {
		t.Run(m.what, func(t *testing.T) {
			t.Parallel()
			cfg := producer.DefaultConfig(s.at(m.listener))
			m.change(&cfg)
			expect(t, cfg, stageOf(m.what))
		})
	}
}

// expect demands that a diagnosis fails first at a stage, and says what to do.
func expect(t *testing.T, cfg producer.Config, stage producer.CheckStage, options ...producer.DiagnoseOption) {
	t.Helper()
	if first, all := finds(t, cfg, stage, options...); first == nil {
		t.Fatalf("the first failure is not %s, with what to do:\n%s", stage, all)
	}
}

// expectSoon is expect for rules, which brokers heed a moment after they have taken them.
func expectSoon(t *testing.T, cfg producer.Config, stage producer.CheckStage, options ...producer.DiagnoseOption) {
	t.Helper()
	for ctx := soon(t); ; {
		first, all := finds(t, cfg, stage, options...)
		if first != nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the first failure is not %s, with what to do:\n%s", stage, all)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// finds is the first failure of a diagnosis if it is of the stage and has advice, and else all that was said.
func finds(t *testing.T, cfg producer.Config, stage producer.CheckStage, options ...producer.DiagnoseOption) (found *producer.Check, all string) {
	t.Helper()
	d, err := producer.Diagnose(soon(t), cfg, append([]producer.DiagnoseOption{producer.DiagnoseWithin(patience)}, options...)...)
	do(t, err)
	for _, c := range d.Checks {
		all += c.String() + "\n"
	}
	first := d.FirstFailure()
	if first == nil || first.Stage != stage || first.Advice == "" || d.Healthy() {
		return nil, all
	}
	t.Log(first)
	return first, all
}

// What is wrong with the cluster, or with what alice may do there, is named likewise.
func TestDoctorNamesFaultsOfTheCluster(t *testing.T) {
	t.Parallel()
	s := broker(t)
	alice := and(s.trusting, by(sasl.ScramSHA512("alice", password)))
	settings := func(address string, changes ...change) producer.Config {
		cfg := producer.DefaultConfig(address)
		and(changes...)(&cfg)
		return cfg
	}
	t.Run("nobody listens", func(t *testing.T) { expect(t, settings(nowhere, alice), producer.CheckDial) })
	t.Run("the address that the broker advertises leads nowhere", func(t *testing.T) {
		_, port, _ := strings.Cut(s.Listener(0, onAstray), ":")
		expect(t, settings("127.0.0.1:"+port), producer.CheckBrokers)
	})
	t.Run("there is no such topic", func(t *testing.T) {
		expect(t, settings(s.Listener(0, onSASLTLS), alice, func(cfg *producer.Config) { cfg.AllowAutoTopicCreation = false }), producer.CheckTopic,
			producer.DiagnoseTopics("no-such-topic"))
	})
	t.Run("alice may not write to the topic", func(t *testing.T) {
		topic := s.topic(t)
		// With a first rule for a topic, what no rule allows is forbidden.
		seen := kadm.NewACLs().ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpDescribe).Allow("User:alice").AllowHosts("*").Topics(topic)
		s.rule(t, func(ctx context.Context, a *reader.Admin) error {
			_, err := a.Client().CreateACLs(ctx, seen)
			return errors.Join(err, a.Deny(ctx, topic, "User:alice"))
		}, func(ctx context.Context, a *reader.Admin) error {
			_, err := a.Client().DeleteACLs(ctx, seen)
			return errors.Join(err, a.Allow(ctx, topic, "User:alice"))
		})
		expectSoon(t, settings(s.Listener(0, onSASLTLS), alice), producer.CheckRights, producer.DiagnoseTopics(topic))
	})
	t.Run("alice may not use the transactional id", func(t *testing.T) {
		id := fmt.Sprintf("doctor-%d", time.Now().UnixNano())
		s.rule(t, func(ctx context.Context, a *reader.Admin) error { return a.DenyTransactionalID(ctx, id, "User:alice") },
			func(ctx context.Context, a *reader.Admin) error { return a.AllowTransactionalID(ctx, id, "User:alice") })
		expectSoon(t, settings(s.Listener(0, onSASLTLS), alice, func(cfg *producer.Config) { cfg.TransactionalID = id }), producer.CheckTransactions)
	})
	t.Run("the command says it, too", func(t *testing.T) {
		w := s.ways()[3] // SASL_SSL, PLAIN
		properties := maps.Clone(w.properties)
		properties["bootstrap.servers"] = s.at(w.listener)
		properties["sasl.jaas.config"] = strings.Replace(properties["sasl.jaas.config"], password, "guess", 1)
		r := doctor(t, properties)
		if r.status != 1 || r.Healthy || r.FirstFailure == nil || r.FirstFailure.Stage != string(producer.CheckSASL) || r.FirstFailure.Advice == "" {
			t.Errorf("exit status %d:\n%s", r.status, r.text)
		}
	})
}

// rule makes a rule, and removes it with the test.
func (s *site) rule(t *testing.T, add, remove func(context.Context, *reader.Admin) error) {
	t.Helper()
	admin, err := reader.NewAdmin(s.Bootstrap())
	do(t, err)
	t.Cleanup(admin.Close)
	do(t, add(soon(t), admin))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := remove(ctx, admin); err != nil {
			t.Error(err)
		}
	})
}
