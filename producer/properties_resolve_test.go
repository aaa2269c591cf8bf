package producer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/internal/vectors"
)

// What depends on several settings comes out as in Java, or is refused as in Java.
func TestResolvesAsJava(t *testing.T) {
	// Java takes these and then cannot do what they say.
	deviations := map[string]string{
		"batch.size=2097152":            "Java sends requests above max.request.size; here batch.size is lowered to it",
		"request.timeout.ms=2147483647": "Java's linger.ms + request.timeout.ms overflows into the same; here linger.ms is lowered",
	}
	type row struct {
		Properties, Resolved map[string]string
		Error                string
	}
	for _, row := range vectors.Read[row](t, "testdata/java-resolved.json") {
		var name []string
		for k, v := range row.Properties {
			if k != "bootstrap.servers" || v != "localhost:9092" {
				name = append(name, k+"="+v)
			}
		}
		slices.Sort(name)
		c, _, err := FromMap(row.Properties)
		if (err != nil) != (row.Error != "") {
			t.Errorf("%s: got error %v, Java has %q", name, err, row.Error)
			continue
		}
		if err != nil || deviations[strings.Join(name, ";")] != "" {
			continue
		}
		for key, got := range asProperties(c) {
			want := row.Resolved[key]
			if _, ok := row.Properties["client.id"]; key == "client.id" && !ok {
				want = "" // Java makes up producer-1, producer-2…
			}
			if got != want {
				t.Errorf("%s: %s: got %s, want %s", name, key, got, want)
			}
		}
	}
}

func asProperties(c Config) map[string]string {
	ms := func(d time.Duration) string {
		if d > 290*365*24*time.Hour {
			return "9223372036854775807" // as much as a Duration holds stands for as much as a long holds
		}
		return strconv.FormatInt(d.Milliseconds(), 10)
	}
	acks := map[Acks]string{AcksAll: "-1", AcksLeader: "1", AcksNone: "0"}
	return map[string]string{
		"acks": acks[c.Acks], "batch.size": fmt.Sprint(c.BatchSize), "bootstrap.servers": strings.Join(c.BootstrapServers, ","), "buffer.memory": fmt.Sprint(c.BufferMemory),
		"client.id": c.ClientID, "compression.gzip.level": fmt.Sprint(c.GzipLevel), "compression.lz4.level": fmt.Sprint(c.LZ4Level), "compression.type": c.Compression.String(),
		"compression.zstd.level": fmt.Sprint(c.ZstdLevel), "connections.max.idle.ms": ms(c.ConnectionsMaxIdle), "enable.idempotence": fmt.Sprint(c.EnableIdempotence), "linger.ms": ms(c.Linger),
		"max.block.ms": ms(c.MaxBlock), "max.in.flight.requests.per.connection": fmt.Sprint(c.MaxInFlightRequestsPerConnection), "metadata.max.idle.ms": ms(c.MetadataMaxIdle),
		"receive.buffer.bytes": fmt.Sprint(c.ReceiveBuffer), "reconnect.backoff.max.ms": ms(c.ReconnectBackoffMax), "request.timeout.ms": ms(c.RequestTimeout), "retries": fmt.Sprint(c.Retries),
		"send.buffer.bytes": fmt.Sprint(c.SendBuffer), "metadata.recovery.strategy": c.MetadataRecoveryStrategy.String(), "delivery.timeout.ms": ms(c.DeliveryTimeout),
		"transactional.id": c.TransactionalID, "transaction.timeout.ms": ms(c.TransactionTimeout),
	}
}

// Whatever a setting does to another one is said, with its line.
func TestConsequencesAreNoticed(t *testing.T) {
	for _, test := range []struct{ properties, want string }{
		{"acks=1", "acks: switches enable.idempotence off, as in Java, since it is not all: retries may write records twice or out of order; set"},
		{"retries=0", "retries: switches enable.idempotence off, as in Java, since it is 0: nothing is sent again, so a record fails at the first failure that would pass by itself; set"},
		{"request.timeout.ms=200000", "request.timeout.ms: raises delivery.timeout.ms to linger.ms + request.timeout.ms = 3m20.005s"},
		{"linger.ms=100000", "linger.ms: raises delivery.timeout.ms"},
		{"linger.ms=9223372036854775807\ndelivery.timeout.ms=2147483647", "linger.ms: lowered to"},
		{"reconnect.backoff.ms=200", "reconnect.backoff.ms: does not grow"},
		{"retry.backoff.ms=5000", "retry.backoff.ms: retry.backoff.ms is above retry.backoff.max.ms: it is always 1s"},
		{"retry.backoff.max.ms=50", "retry.backoff.max.ms: retry.backoff.ms is above retry.backoff.max.ms: it is always 50ms"},
		{"socket.connection.setup.timeout.ms=60000", "it is always 30s"},
		{"batch.size=2000000", "batch.size is lowered to max.request.size = 1048576"},
		{"max.request.size=10000", "max.request.size: batch.size is lowered to max.request.size = 10000"},
		{"partitioner.rack.aware=true", "client.rack is not set"},
		{"compression.lz4.level=3", "compression.lz4.level: has no effect, as in Java, since compression.type is not lz4"},
		{"transaction.timeout.ms=5000", "transaction.timeout.ms: has no effect, as in Java, since transactional.id is not set"},
		{"unknown.topic.grace.ms=5000\nallow.auto.create.topics=false", "unknown.topic.grace.ms: has no effect, since allow.auto.create.topics is false"},
		{"sasl.kerberos.service.name=kafka\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=" + plainModule + "username=a password=b;", "has no effect, as in Java, since sasl.mechanism is PLAIN, and not GSSAPI"},
		{"sasl.login.retry.backoff.ms=7\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=" + scramModule + "username=a password=b;", "has no effect, as in Java, since sasl.mechanism is SCRAM-SHA-512, and not OAUTHBEARER"},
		{"security.providers=com.example.Provider", "has no effect"},
		{"sasl.mechanism=PLAIN", "has no effect: security.protocol is PLAINTEXT; SASL_SSL"},
		{"ssl.truststore.location=/nowhere", "security.protocol is PLAINTEXT"},
		{"ssl.keystore.password=secret", "security.protocol is PLAINTEXT"},
		{"ssl.key.password=secret\nsecurity.protocol=SSL", "ssl.key.password: has no effect, as in Java, since neither ssl.keystore.location nor ssl.keystore.key is set: no client certificate is shown"},
		{"ssl.truststore.type=PEM\nsecurity.protocol=SSL", "ssl.truststore.type: has no effect, as in Java, since neither ssl.truststore.location nor ssl.truststore.certificates is set: the system's roots are trusted"},
		{"key.serializer=org.apache.kafka.common.serialization.LongSerializer", "Int64Serializer writes the same"},
		{"value.serializer=kafkashaded.org.apache.kafka.common.serialization.StringSerializer", "StringSerializer writes the same"},
		{"value.serializer=io.confluent.kafka.serializers.KafkaAvroSerializer", "a Serializer of your own"},
		{"linger.ms=1\nlinger.ms=2", "linger.ms: overridden by line 3"},
		{"lingr.ms=5", "lingr.ms: has no effect, as in Java: it is not a known setting; did you mean linger.ms?"},
		{"session.timeout.ms=45000", "session.timeout.ms: has no effect, as in Java: it belongs to the consumer"},
		{"client.id=${HOSTNAME}", "looks like a variable that nobody has filled in; it is taken as it is"},
	} {
		_, notices, err := FromProperties(strings.NewReader("bootstrap.servers=localhost:9092\n" + test.properties))
		if err != nil {
			t.Errorf("%s: %v", test.properties, err)
			continue
		}
		if len(notices) != 1 || !strings.HasPrefix(notices[0].String(), "line 2: ") || !strings.Contains(notices[0].String(), test.want) {
			t.Errorf("%s: got notices %q, want one of line 2 with %q", test.properties, notices, test.want)
		}
	}
}

// Whoever relies on what is not there must hear it before the first record, not find out afterwards.
func TestRefusals(t *testing.T) {
	for properties, want := range map[string]string{
		"transactional.id=":                                                            "transactional.id = (empty): must not be empty",
		"transactional.id=x\nenable.idempotence=false":                                 "line 2: transactional.id = x: needs EnableIdempotence (enable.idempotence)",
		"acks=1\ntransactional.id=x":                                                   "line 2: acks = 1: must be AcksAll (all) with TransactionalID (transactional.id)",
		"retries=0\ntransactional.id=x":                                                "line 2: retries = 0: must be above 0 with TransactionalID (transactional.id)",
		"max.in.flight.requests.per.connection=6\ntransactional.id=x":                  "must be at most 5 with TransactionalID (transactional.id)",
		"transaction.timeout.ms=0\ntransactional.id=x":                                 "line 2: transaction.timeout.ms = 0s: must be 1ms to",
		"transaction.two.phase.commit.enable=true":                                     "two-phase commit is not available",
		"interceptor.classes=com.example.Trace":                                        "set Config.Interceptors",
		"partitioner.class=com.example.ByCountry":                                      "set Config.Partitioner",
		"client.dns.lookup=resolve_canonical_bootstrap_servers_only":                   "reverse look-ups are not made",
		"client.dns.lookup=default":                                                    "of an older Kafka: leave the key out",
		"security.protocol=MTLS":                                                       "did you mean SSL?",
		"linger.ms=${LINGER}":                                                          `holds "${LINGER}", a variable that nobody has filled in`,
		"bootstrap.servers=$BROKERS":                                                   `holds "$BROKERS", a variable that nobody has filled in`,
		"security.protocol=SSL\nssl.engine.factory.class=com.example.Ssl":              "set Config.TLS",
		"acks=1\nenable.idempotence=true":                                              "line 2: acks = 1: must be AcksAll (all) with EnableIdempotence",
		"request.timeout.ms=0":                                                         "must be 1ms",
		"buffer.memory=100":                                                            "must be at least 4096",
		"connections.max.idle.ms=0":                                                    "must be above 0",
		"partitioner.class=org.apache.kafka.clients.producer.UniformStickyPartitioner": "partitioner.ignore.keys=true",
		"client.id=\\u12":                                                              `has \u without four hexadecimal digits`,
		"bootstrap.servers=localhost":                                                  "has no port: host:port, e.g. localhost:9092",
	} {
		_, _, err := FromProperties(strings.NewReader("bootstrap.servers=localhost:9092\n" + properties))
		var invalid *PropertiesError
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant one problem with %q", properties, err, want)
			continue
		}
		if invalid.Problems[0].Line < 2 {
			t.Errorf("%s: got line %d, want that of the property", properties, invalid.Problems[0].Line)
		}
	}
}

// Nobody fixes a file one error at a time: whatever is wrong with it is said at once, stores and login included.
func TestAllProblemsAtOnce(t *testing.T) {
	_, _, err := FromProperties(strings.NewReader(`# three slips, one range, one rule, one secret, one login, one store
lingr.ms=5
queue.buffering.max.ms=5
acks=2
max.in.flight.requests.per.connection=6
bootstrap.server=localhost:9092
sasl.passwrd=hunter2
security.protocol=SASL_SSL
sasl.mechanism=NOT-THERE
sasl.jaas.config=com.example.Login required password=hunter2 2;
ssl.truststore.type=PEM
ssl.truststore.location=/nowhere/ca.pem
`), RefuseUnknown())
	var invalid *PropertiesError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want a *PropertiesError", err)
	}
	want := []struct {
		line       int
		suggestion string
		unknown    bool
	}{{2, "linger.ms", true}, {3, "linger.ms", true}, {4, "", false}, {5, "", false}, {6, "bootstrap.servers", true}, {7, "", true},
		{9, "", false}, {10, "", false}, {12, "", false}}
	if len(invalid.Problems) != len(want) {
		t.Fatalf("got %d problems, want %d:\n%v", len(invalid.Problems), len(want), err)
	}
	for i, p := range invalid.Problems {
		if p.Line != want[i].line || p.Suggestion != want[i].suggestion || p.Unknown != want[i].unknown {
			t.Errorf("problem %d: got line %d, suggestion %q, unknown %v, want %+v (%v)", i, p.Line, p.Suggestion, p.Unknown, want[i], p)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("shows what may be a secret: %v", err)
	}
	var first PropertyError
	if !errors.As(err, &first) || first.Key != "lingr.ms" {
		t.Errorf("errors.As: got %+v, want the first problem", first)
	}
}

// A store whose password is not there is not opened with the words that should have led to it.
func TestStoresOfReferencesThatLeadNowhere(t *testing.T) {
	_, _, err := FromProperties(strings.NewReader("bootstrap.servers=b:1\nconfig.providers=env\nconfig.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n" +
		"security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=${env:EPISTLE_TEST_NOT_THERE}\n"))
	var invalid *PropertiesError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Line != 6 {
		t.Errorf("got %v, want one problem, in line 6", err)
	}
}

// What is given besides a file wins over it, and has to be right to the letter, which the file has not.
func TestOverridesWinAndAreStrict(t *testing.T) {
	file := "bootstrap.servers=localhost:9092\nlinger.ms=1\nsession.timeout.ms=1"
	c, notices, err := FromProperties(strings.NewReader(file), Override(map[string]string{"linger.ms": "9"}))
	if err != nil || c.Linger != 9*time.Millisecond || len(notices) != 1 || notices[0].Key != "session.timeout.ms" {
		t.Errorf("got linger %v, notices %v, %v, want 9ms, and a notice of session.timeout.ms alone", c.Linger, notices, err)
	}
	_, _, err = FromProperties(strings.NewReader(file), Override(map[string]string{"heartbeat.interval.ms": "9", "acks": "7"}))
	var invalid *PropertiesError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 2 || invalid.Problems[0].Line != 0 {
		t.Errorf("got %v, want both overrides refused, and no line", err)
	}
}

func TestReadingFails(t *testing.T) {
	broken := errors.New("disk on fire")
	if _, _, err := FromProperties(readerFunc(func([]byte) (int, error) { return 0, broken })); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	endless := readerFunc(func(p []byte) (int, error) { return len(p), nil })
	if _, _, err := FromProperties(endless); err == nil {
		t.Error("an endless file: got no error")
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
