package producer

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/properties"
	"github.com/epistle-kafka/epistle/sasl"
)

// standIn is a mechanism for those that this program has not, and one of its own, STAND-IN.
type standIn struct{ settings *sasl.Settings }

func (m standIn) Name() string { return m.settings.Mechanism }

func (standIn) Begin(context.Context, sasl.Target) (sasl.Exchange, error) {
	return nil, errors.New("a stand-in")
}

func init() {
	for _, name := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI", "AWS_MSK_IAM", "STAND-IN"} {
		if sasl.Lookup(name) == nil {
			sasl.Register(name, func(s *sasl.Settings) (sasl.Mechanism, error) { return standIn{s}, nil })
		}
	}
}

// stores stands for reading stores that are not there: it takes whatever is named, and keeps the names.
type stores map[string]string

func (s stores) open(source tlsSource, cfg *Config) {
	for _, key := range []string{"ssl.truststore.location", "ssl.keystore.location"} {
		if v, isSet := source.Value(key); isSet {
			s[key] = v
		}
	}
	cfg.TLS = &tls.Config{}
}

func fileOf(t *testing.T, name string, o properties.Options) (Config, stores, []Notice, error) {
	t.Helper()
	data, err := os.ReadFile("testdata/properties/" + name + ".properties")
	if err != nil {
		t.Fatal(err)
	}
	props, problems := properties.Parse(data)
	opened := stores{}
	c, notices, err := configOf(properties.Resolve(props, problems, o), opened.open)
	return c, opened, notices, err
}

// Files as people have them are taken where Java takes them. What Java only warns of is a notice, with the key's owner.
func TestFilesThatJavaTakes(t *testing.T) {
	brokers := properties.Options{Over: map[string]string{"bootstrap.servers": "localhost:9092"}}
	for _, test := range []struct {
		name      string
		mechanism string
		stores    string // where they are
		notices   string // the keys that are spoken of
		options   properties.Options
	}{
		{"cloud-jks-and-p12", "", "/run/secrets/kafka/client.p12 /run/secrets/kafka/trust.jks", "", properties.Options{}},
		{"keys-of-the-program", "", "", "topic.name num.producer.threads polling.interval.ms message.format key.serializer value.serializer app.log.dir jvm.heap.xms jvm.gc.opts", properties.Options{}},
		{"avro", "", "", "schema.registry.url retries key.serializer value.serializer", properties.Options{}},
		{"scram-over-lines", "SCRAM-SHA-256", "/opt/billing/trust.jks", "", properties.Options{}},
		{"colons-and-a-key-twice", "", "/Users/me/client.jks /Users/me/trust.jks", "security.protocol turbine.topic dead.letter.topic", properties.Options{}},
		{"cloud-template", "PLAIN", "", "session.timeout.ms schema.registry.url basic.auth.credentials.source basic.auth.user.info", properties.Options{}},
		{"escaped-equals", "PLAIN", "", "", properties.Options{}},
		{"escaped-colon", "", "", "retries", properties.Options{}},
		{"connection-string", "PLAIN", "", "", properties.Options{}},
		{"kerberos-of-a-connect-worker", "GSSAPI", "", "kerberos.domain.name producer.sasl.mechanism producer.security.protocol producer.confluent.monitoring.interceptor.security.protocol", properties.Options{}},
		{"librdkafka", "PLAIN", "", "sasl.username sasl.password schema.registry.url basic.auth.user.info", properties.Options{Librdkafka: true}},
		{"msk-iam", "AWS_MSK_IAM", "/usr/lib/jvm/default/lib/security/cacerts", "", properties.Options{}},
		{"relative-paths-and-blanks", "", "certs/client.jks certs/trust.jks", "", properties.Options{}},
		{"no-brokers", "", "", "", brokers},
		{"oauth-token-file", "OAUTHBEARER", "/opt/shop/trust.p12", "", properties.Options{}},
		{"scram-and-jks", "SCRAM-SHA-512", "/home/me/trust.jks", "", properties.Options{}},
		{"jks-of-both-sides", "", "/certs/client.jks /certs/trust.jks", "", properties.Options{}},
		{"drive-letters-and-a-key-twice", "", "D:/kafka/client.jks D:/kafka/trust.jks", "bootstrap.servers", properties.Options{}},
		{"key-with-a-password-of-its-own", "", "/opt/client.jks /opt/trust.jks", "", properties.Options{}},
		{"p12-without-types", "", "/opt/shop/trust.p12 /opt/shop/user.p12", "bootstrap-server ssl.client.auth", brokers},
		{"topic-in-the-file", "", "", "topic", properties.Options{}},
		{"transactional", "", "", "", properties.Options{}},
		{"secrets-elsewhere", "PLAIN", "", "", properties.Options{Environment: func(string) (string, bool) { return "node9:9092", true }}},
	} {
		c, opened, notices, err := fileOf(t, test.name, test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		mechanism := ""
		if c.SASL != nil {
			mechanism = c.SASL.Name()
		}
		var paths, said []string
		for _, path := range opened {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		for _, n := range notices {
			said = append(said, n.Key)
			if strings.Contains(n.Text, "letmein") || strings.Contains(n.Text, "let me in") {
				t.Errorf("%s: shows a secret: %v", test.name, n)
			}
		}
		if mechanism != test.mechanism || strings.Join(paths, " ") != test.stores || strings.Join(said, " ") != test.notices {
			t.Errorf("%s:\n got mechanism %q, stores %q, notices %q\nwant %q, %q, %q", test.name, mechanism, paths, notices, test.mechanism, test.stores, test.notices)
		}
	}
}

// What Java refuses, or takes and then cannot log in with, is refused with what to do about it.
func TestFilesThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		want []string // one of each problem
	}{
		{"written-for-2.x", []string{"line 3: partitioner.class = org.apache.kafka.clients.producer.internals.DefaultPartitioner: was removed in Kafka 4.0: leave it out",
			"line 5: client.dns.lookup = default: is a value of an older Kafka: leave the key out"}},
		{"distribution-with-its-own-protocol", []string{"line 4: security.protocol = PLAINTEXTSASL: must be one of SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT; did you mean SASL_PLAINTEXT?",
			"line 4: sasl.mechanism: is not set, and Java's default is GSSAPI: set it, such as PLAIN or SCRAM-SHA-512. sasl.jaas.config is not set, and SASL needs it. A file that -Djava.security.auth.login.config names is not read here"}},
		{"names-of-constants", []string{"bootstrap.servers = (empty): at least one host:port is required; line 1 has BOOTSTRAP_SERVERS_CONFIG instead"}},
		{"kerberos-without-login", []string{"line 2: sasl.jaas.config: is not set, and SASL needs it. A file that -Djava.security.auth.login.config names is not read here: what its section KafkaClient holds goes into sasl.jaas.config. For GSSAPI it looks like this: sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required"}},
		{"librdkafka", []string{"line 2: sasl.jaas.config: is not set, and SASL needs it; line 4 has sasl.username instead"}},
		{"variable-not-filled-in", []string{`line 1: bootstrap.servers = $TARGET_BROKERS: holds "$TARGET_BROKERS", a variable that nobody has filled in`}},
		{"no-brokers", []string{"bootstrap.servers = (empty): at least one host:port is required"}},
		{"oauth-callback-of-the-program", []string{"bootstrap.servers = (empty): at least one host:port is required",
			`line 1: sasl.login.callback.handler.class = com.example.login.TokenHandler: "com.example.login.TokenHandler" is a Java class, and cannot run here: give sasl.OAuthBearer a Go function that returns tokens`}},
		{"p12-without-types", []string{"bootstrap.servers = (empty): at least one host:port is required; line 1 has bootstrap-server instead"}},
	} {
		_, _, _, err := fileOf(t, test.name, properties.Options{})
		invalid, ok := errors.AsType[*PropertiesError](err)
		if !ok || len(invalid.Problems) != len(test.want) {
			t.Errorf("%s: got %v, want %d problems", test.name, err, len(test.want))
			continue
		}
		for i, want := range test.want {
			if got := invalid.Problems[i].Error(); !strings.HasPrefix(got, want) {
				t.Errorf("%s:\n got %s\nwant %s", test.name, got, want)
			}
		}
		if strings.Contains(err.Error(), "letmein") {
			t.Errorf("%s: shows a secret: %v", test.name, err)
		}
	}
}

// What a file means reaches the Config, and the login the mechanism, however it is escaped, quoted or broken into lines.
func TestFilesMeanWhatTheySay(t *testing.T) {
	login := func(name string, o properties.Options) map[string]sasl.Secret {
		o.Over = map[string]string{"sasl.mechanism": "STAND-IN"} // which shows what it is given
		c, _, _, err := fileOf(t, name, o)
		if err != nil {
			t.Fatal(err)
		}
		return c.SASL.(standIn).settings.Login.Options
	}
	for name, want := range map[string]string{
		"scram-over-lines": "billing letmein", "cloud-template": "AKEY letmein", "escaped-equals": "AKEY letmein",
		"connection-string": "$ConnectionString Endpoint=sb://space.bus.example/;SharedAccessKeyName=sender;SharedAccessKey=bGV0bWVpbg==",
	} {
		options := login(name, properties.Options{})
		if got := string(options["username"]) + " " + string(options["password"]); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	options := login("secrets-elsewhere", properties.Options{Environment: func(string) (string, bool) { return "node9:9092", true }})
	if got := string(options["username"]) + " " + string(options["password"]); got != "shop let me in;" {
		t.Errorf("secrets-elsewhere: got %q", got)
	}
	if options := login("librdkafka", properties.Options{Librdkafka: true}); options["password"] != "letmein" {
		t.Errorf("librdkafka: got %q", options)
	}
}

func TestFilesSetFields(t *testing.T) {
	c, _, _, err := fileOf(t, "escaped-colon", properties.Options{})
	if err != nil || !slices.Equal(c.BootstrapServers, []string{"127.0.0.1:9092"}) || c.EnableIdempotence {
		t.Errorf("escaped-colon: got %q, idempotence %v, %v", c.BootstrapServers, c.EnableIdempotence, err)
	}
	c, _, _, err = fileOf(t, "colons-and-a-key-twice", properties.Options{})
	if err != nil || c.TransactionalID != "turbine" || c.TLS == nil {
		t.Errorf("colons-and-a-key-twice: got transactional id %q, TLS %v, %v", c.TransactionalID, c.TLS, err)
	}
	c, _, _, err = fileOf(t, "secrets-elsewhere", properties.Options{Environment: func(string) (string, bool) { return "node9:9092", true }})
	if err != nil || !slices.Equal(c.BootstrapServers, []string{"node9:9092"}) {
		t.Errorf("secrets-elsewhere: got %q, %v", c.BootstrapServers, err)
	}
}
