package producer_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// hunter is the secret that nothing may show.
const hunter = "hunter2-hunter2"

// ownMechanism is one as a user may write it: nothing hides its password but who prints the Config.
type ownMechanism struct{ Password, hidden string }

func (ownMechanism) Name() string { return "OWN" }
func (ownMechanism) Begin(context.Context, sasl.Target) (sasl.Exchange, error) {
	return nil, errors.New("no")
}

// secretMechanisms are all kinds of mechanisms that this module has, each with the secret.
func secretMechanisms(t *testing.T) []sasl.Mechanism {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(hunter), 0o600); err != nil {
		t.Fatal(err)
	}
	bearer := sasl.TokenFunc(func(context.Context) (sasl.Token, error) {
		return sasl.Token{Value: hunter, Expires: time.Now().Add(time.Hour)}, nil
	})
	oidc, err := sasl.OIDC(sasl.OIDCConfig{TokenURL: "https://login.example.com/", ClientID: "id", ClientSecret: hunter, Scope: "kafka"})
	if err != nil {
		t.Fatal(err)
	}
	return []sasl.Mechanism{
		sasl.Plain("alice", hunter), sasl.PlainFrom(sasl.PasswordFile("alice", file)), sasl.ScramSHA256("alice", hunter), sasl.ScramSHA512("alice", hunter),
		sasl.ScramSHA512From(sasl.DelegationToken("id", hunter)), sasl.OAuthBearer(bearer), sasl.OAuthBearer(oidc), sasl.OAuthBearer(sasl.TokenFile(file)),
		ownMechanism{hunter, hunter}, &ownMechanism{hunter, hunter},
	}
}

const (
	plainLogin = "org.apache.kafka.common.security.plain.PlainLoginModule required username=alice password=\"" + hunter + "\";"
	scramLogin = "org.apache.kafka.common.security.scram.ScramLoginModule required username=alice password=\"" + hunter + "\";"
	oauthLogin = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=id clientSecret=\"" + hunter + "\";"
)

// secretProperties are settings with the secret in them, that are right, or that have consequences, or that are wrong.
func secretProperties() []map[string]string {
	with := func(pairs ...string) map[string]string {
		m := map[string]string{"bootstrap.servers": "b:1", "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	const jks, p12 = "../internal/keystore/testdata/key.jks", "../internal/keystore/testdata/keytool.p12"
	all := []map[string]string{
		with("sasl.jaas.config", plainLogin), with("sasl.jaas.config", scramLogin, "sasl.mechanism", "SCRAM-SHA-512"),
		with("sasl.jaas.config", oauthLogin, "sasl.mechanism", "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url", "https://login.example.com/",
			"sasl.login.callback.handler.class", "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"),
		with("sasl.username", "alice", "sasl.password", hunter), with("sasl.username", "alice", "sasl.password", hunter, "sasl.jaas.config", plainLogin),
		with("sasl.password", hunter), with("sasl.jaas.config", scramLogin), with("sasl.jaas.config", plainLogin, "security.protocol", "PLAINTEXT"),
		with("sasl.jaas.config", plainLogin, "security.protocol", "SSL"), with("sasl.jaas.config", plainLogin, "sasl.mechanism", "GSSAPI"),
		with("sasl.jaas.config", plainLogin, "sasl.mechanism", "NONE"), with("sasl.jaas.config", strings.TrimSuffix(plainLogin, ";")),
		with("sasl.jaas.config", strings.Replace(plainLogin, "\"", "", 1)), with("sasl.jaas.config", strings.Replace(plainLogin, "password", "passwort", 1)),
		with("sasl.jaas.config", strings.ReplaceAll(plainLogin, "\"", "@")), with("sasl.jaas.config", hunter), with("sasl.jaas.config", "x.Y required a=1 "+hunter+";"),
		with("sasl.jaas.confg", plainLogin), with("sasl.pasword", hunter), with("my.password", hunter), with("schema.registry.basic.auth.user.info", "a:"+hunter),
		with("sasl.oauthbearer.client.credentials.client.secret", hunter), with("sasl.oauthbearer.client.secret", hunter, "sasl.oauthbearer.method", "oidc"),
		with("sasl.oauthbearer.assertion.private.key.passphrase", hunter), with("sasl.oauthbearer.assertion.private.key.pem", hunter), with("sasl.oauthbearer.config", "principal=a "+hunter),
		with("sasl.jaas.config", "${env:HOME}"+plainLogin), with("sasl.jaas.config", plainLogin, "config.providers", "nobody"),
		with("sasl.jaas.config", plainLogin, "acks", "9", "linger.ms", "-1"),
	}
	for _, protocol := range []string{"SSL", "PLAINTEXT"} {
		all = append(all,
			with("security.protocol", protocol, "ssl.truststore.location", jks, "ssl.truststore.password", hunter),
			with("security.protocol", protocol, "ssl.keystore.location", p12, "ssl.keystore.password", hunter, "ssl.key.password", hunter),
			with("security.protocol", protocol, "ssl.keystore.type", "PEM", "ssl.keystore.key", hunter, "ssl.keystore.certificate.chain", hunter),
			with("security.protocol", protocol, "ssl.truststore.type", "PEM", "ssl.truststore.certificates", hunter),
			with("security.protocol", protocol, "ssl.key.pem", hunter, "ssl.certificate.pem", hunter, "ssl.key.password", hunter), with("security.protocol", protocol, "ssl.key.pem", hunter))
	}
	return all
}

// sample is a value, and where it is from.
type sample struct {
	from string
	v    any
}

// samplesOfSettings are what properties come to: configurations, notices and errors.
func samplesOfSettings() (all []sample, kinds map[string]int) {
	kinds = map[string]int{}
	for i, m := range secretProperties() {
		var text strings.Builder
		for _, key := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(&text, "%s=%s\n", key, strings.ReplaceAll(m[key], "\n", "\\n"))
		}
		for name, options := range map[string][]producer.PropertiesOption{
			"Java's": nil, "strict": {producer.RefuseUnknown()}, "librdkafka's": {producer.LibrdkafkaNames()}, "over": {producer.LibrdkafkaNames(), producer.Override(m)},
		} {
			from := fmt.Sprintf("properties %d, %s", i, name)
			for _, read := range []func() (producer.Config, []producer.Notice, error){
				func() (producer.Config, []producer.Notice, error) { return producer.FromMap(m, options...) },
				func() (producer.Config, []producer.Notice, error) {
					return producer.FromProperties(strings.NewReader(text.String()), options...)
				},
			} {
				cfg, notices, err := read()
				all = append(all, sample{from, notices}, sample{from, options})
				kinds["notice"] += len(notices)
				if err == nil {
					kinds["config"]++
					all = append(all, sample{from, cfg}, sample{from, cfg.Validate()})
				} else {
					kinds["error"]++
					all = append(all, samplesOfError(from, err)...)
				}
			}
		}
	}
	return all, kinds
}

// samplesOfError are an error, and all that it wraps.
func samplesOfError(from string, err error) (all []sample) {
	if err == nil {
		return nil
	}
	all = append(all, sample{from, err}, sample{from, err.Error()})
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		all = append(all, samplesOfError(from, err.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, e := range err.Unwrap() {
			all = append(all, samplesOfError(from, e)...)
		}
	}
	return all
}

// shows lists the ways in which a value shows the secret.
func shows(v any) (how []string) {
	if v == nil {
		return nil
	}
	texts := map[string]string{}
	for i, w := range []any{v, &v, []any{v}, map[string]any{"k": v}, struct{ V any }{v}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			texts[fmt.Sprint(verb, i)] = fmt.Sprintf(verb, w)
		}
		if text, err := json.Marshal(w); err != nil {
			texts[fmt.Sprint("json", i)] = err.Error()
		} else {
			texts[fmt.Sprint("json", i)] = string(text)
		}
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "k", w)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", w)
		texts[fmt.Sprint("slog", i)] = out.String()
	}
	forms := []string{hunter, fmt.Sprintf("%x", hunter), fmt.Sprintf("%X", hunter), strings.Trim(fmt.Sprint([]byte(hunter)), "[]"), base64.StdEncoding.EncodeToString([]byte(hunter))}
	for _, way := range slices.Sorted(maps.Keys(texts)) {
		for _, form := range forms {
			if strings.Contains(texts[way], form) {
				how = append(how, way+": "+texts[way])
			}
		}
	}
	return how
}

// hidesAll fails for each sample that shows the secret.
func hidesAll(t *testing.T, all []sample) {
	t.Helper()
	for _, s := range all {
		if how := shows(s.v); how != nil {
			t.Errorf("%s: a %T shows the secret by %d ways, such as %.600s", s.from, s.v, len(how), how[0])
		}
	}
}

// What a Config has for a login and for its stores is in no print of it, and neither is it in one of the producer.
func TestNoConfigPrintsASecret(t *testing.T) {
	var all []sample
	for _, mechanism := range secretMechanisms(t) {
		cfg := producer.DefaultConfig("localhost:1")
		cfg.SASL, cfg.TLS, cfg.MaxBlock = mechanism, &tls.Config{}, 0
		all = append(all, sample{"Config with " + mechanism.Name(), cfg}, sample{"*Config with " + mechanism.Name(), &cfg})
		p, err := producer.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close(t.Context())
		all = append(all, sample{"Producer with " + mechanism.Name(), p}, sample{"Stats", p.Stats()},
			sample{"Topic", p.Topic("orders")}, sample{"Typed", producer.NewTyped(p, producer.StringSerializer{}, producer.StringSerializer{})},
			sample{"TypedTopic", producer.NewTyped(p, producer.StringSerializer{}, producer.StringSerializer{}).Topic("orders")},
			sample{"Future", p.Send(t.Context(), producer.Record{Topic: "orders"})})
	}
	files := producer.TLSFiles{TrustStore: "../internal/keystore/testdata/key.jks", TrustStorePassword: hunter, KeyStorePassword: hunter, KeyPassword: hunter}
	cfg := producer.DefaultConfig("localhost:1")
	cfg.TLSFiles = &files
	_, err := producer.New(cfg)
	if err == nil {
		t.Error("a wrong password opens a store")
	}
	all = append(all, sample{"TLSFiles", files}, sample{"Config with TLSFiles", cfg})
	hidesAll(t, append(all, samplesOfError("New", err)...))
}

func TestNoPropertiesPrintASecret(t *testing.T) {
	all, kinds := samplesOfSettings()
	for kind, least := range map[string]int{"config": 20, "notice": 50, "error": 50} {
		if kinds[kind] < least {
			t.Errorf("%d samples are of a %s: the settings of this test are no longer what they were", kinds[kind], kind)
		}
	}
	hidesAll(t, all)
}

// What a refused login leaves in errors, in the log, in Stats and in Brokers, and in the brokers themselves, has no secret.
func TestNoRefusalPrintsASecret(t *testing.T) {
	refuse := brokertest.OAuthBearer(func(string) error { return errors.New("no") })
	for _, mechanism := range secretMechanisms(t) {
		kafka := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("orders", 1),
			brokertest.SASL(brokertest.Plain("alice", "x"), brokertest.SCRAM256("alice", "x"), brokertest.SCRAM512("alice", "x"), refuse))
		var log bytes.Buffer
		cfg := producer.DefaultConfig(kafka.Bootstrap()...)
		cfg.DialContext, cfg.SASL, cfg.MaxBlock = kafka.DialContext, mechanism, 100*time.Millisecond
		cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		p, err := producer.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.SendSync(t.Context(), producer.Record{Topic: "orders", Value: []byte("v")})
		if err == nil {
			t.Errorf("%s: a wrong password lets in", mechanism.Name())
		}
		all := append(samplesOfError(mechanism.Name(), err), sample{"Stats", p.Stats()}, sample{"Brokers", p.Brokers()}, sample{"Producer", p})
		all = append(all, samplesOfError("Stats", p.Stats().LastError)...)
		d, err := producer.Diagnose(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, sample{"Diagnosis", d}, sample{"DiagnosedBroker", d.Servers[0]})
		all = append(all, samplesOfError("Diagnose", d.FirstFailure().Err)...)
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		hidesAll(t, append(all, sample{"log of " + mechanism.Name(), log.String()}, sample{"the brokers' requests", kafka.Requests()}))
	}
}

// Brokers of tests have passwords, too, and people who give them real ones.
func TestNoBrokerPrintsASecret(t *testing.T) {
	token := brokertest.DelegationToken("id", hunter, "alice", time.Now().Add(time.Hour))
	mechanisms := []brokertest.SASLMechanism{brokertest.Plain("alice", hunter), brokertest.SCRAM256("alice", hunter), brokertest.SCRAM512("alice", hunter), token, brokertest.MSKIAM("eu-west-1", "key", hunter)}
	kafka := brokertest.New(t, brokertest.InMemory(), brokertest.SASL(mechanisms...))
	all := []sample{{"Cluster", kafka}, {"Option", brokertest.SASL(mechanisms...)}}
	for _, m := range mechanisms {
		all = append(all, sample{"SASLMechanism", m})
	}
	hidesAll(t, all)
}

// holdsSecrets has the exported types through which a secret may be reached. The tests above have samples of them.
var holdsSecrets = map[string]bool{
	"producer.Config": true, "producer.TLSFiles": true, "producer.Producer": true, "producer.PropertiesOption": true,
	"producer.DiagnosedBroker": true,
	"brokertest.Cluster":       true, "brokertest.SASLMechanism": true, "brokertest.Option": true,
}

// A type with a field that is, or leads to, what may hold a secret is one that the tests above know.
func TestTypesThatMayHoldSecretsAreKnown(t *testing.T) {
	for _, dir := range []string{".", "../brokertest"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, entry.Name()), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
					if name := tree.Name.Name + "." + spec.Name.Name; leadsToSecrets(spec.Type) && !holdsSecrets[name] {
						t.Errorf("%s may hold secrets: have a sample of it in this file, and name it in holdsSecrets", name)
					}
				}
				return true
			})
		}
	}
}

// leadsToSecrets says that a type mentions package sasl, a configuration, or something by the name of a secret.
func leadsToSecrets(typ ast.Expr) (leads bool) {
	if _, isStruct := typ.(*ast.StructType); !isStruct {
		return false
	}
	ast.Inspect(typ, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			name := strings.ToLower(id.Name)
			leads = leads || name == "sasl" || name == "config" || name == "tlsfiles" || name == "tls" ||
				strings.Contains(name, "password") || strings.Contains(name, "secret") || strings.Contains(name, "credential")
		}
		return true
	})
	return leads
}

// What these tests are worth: what does show a secret is found.
func TestShowsFindsASecret(t *testing.T) {
	for _, v := range []any{hunter, struct{ s string }{hunter}, errors.New(hunter), []byte(hunter), ownMechanism{hunter, ""}, map[string]string{"k": hunter}} {
		if shows(v) == nil {
			t.Errorf("%T is not found to show the secret", v)
		}
	}
}
