package producer

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/internal/properties"
)

const (
	plainModule = "org.apache.kafka.common.security.plain.PlainLoginModule required "
	scramModule = "org.apache.kafka.common.security.scram.ScramLoginModule required "
	oauthModule = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
	envProvider = "config.providers=env\nconfig.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n"
)

// kind is a file of a kind that people have, and what becomes of it.
type kind struct {
	name      string
	text      string
	mechanism string   // that logs in
	stores    string   // that are opened
	said      string   // the keys that notices are about
	problems  []string // a part of each; none: the file is taken
	field     func(Config) bool
}

// kindsOfClouds are how services are reached.
var kindsOfClouds = []kind{
	{name: "a cloud's console, with its comments", mechanism: "PLAIN", text: `# Required connection configs for Kafka producer, consumer, and admin
bootstrap.servers=pkc-1.cloud.example:9092
security.protocol=SASL_SSL
sasl.jaas.config=` + plainModule + `username="AKEY" password="letmein";
sasl.mechanism=PLAIN
# Required for correctness in Apache Kafka clients prior to 2.6
client.dns.lookup=use_all_dns_ips
session.timeout.ms=45000
acks=all
schema.registry.url=https://sr.cloud.example
basic.auth.credentials.source=SASL_INHERIT
specific.avro.reader=true
auto.register.schemas=false
use.latest.version=true
`, said: "session.timeout.ms schema.registry.url basic.auth.credentials.source specific.avro.reader auto.register.schemas use.latest.version"},
	{name: "a cloud's template, not filled in", text: "bootstrap.servers={{ BROKER_ENDPOINT }}\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n" +
		"sasl.jaas.config=" + plainModule + "username='{{ CLUSTER_API_KEY }}' password='{{ CLUSTER_API_SECRET }}';\n",
		problems: []string{`line 1: bootstrap.servers = {{ BROKER_ENDPOINT }}: holds "{{ BROKER_ENDPOINT }}", a variable that nobody has filled in`,
			"line 4: sasl.jaas.config: option username still is a placeholder, {{…}}", "line 4: sasl.jaas.config: option password still is a placeholder, {{…}}"}},
	{name: "a cloud by OAuth, as written for Kafka 3", mechanism: "OAUTHBEARER", text: "bootstrap.servers=pkc-1.cloud.example:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\n" +
		"sasl.oauthbearer.token.endpoint.url=https://login.example/token\nsasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler\n" +
		"sasl.jaas.config=" + oauthModule + "\\\n  clientId='id' \\\n  clientSecret='letmein' \\\n  scope='kafka' \\\n  extension_logicalCluster='lkc-1' \\\n  extension_identityPoolId='pool-1';\n"},
	{name: "AWS by tokens, without the module", text: "bootstrap.servers=b-1.msk.example:9098\nsecurity.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=" + oauthModule + ";\n" +
		"sasl.login.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler\nsasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler\n",
		problems: []string{`comes with a module of its own: import _ "github.com/epistle-kafka/epistle/sasl/mskiam"`}},
	{name: "AWS by a role", mechanism: "AWS_MSK_IAM", text: "bootstrap.servers=b-1.msk.example:9098\nsecurity.protocol=SASL_SSL\nsasl.mechanism=AWS_MSK_IAM\n" +
		"sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required awsRoleArn=\"arn:aws:iam::1:role/x\" awsStsRegion=\"eu-west-1\";\nsasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler\n"},
	{name: "Azure by an identity", text: "bootstrap.servers=ns.servicebus.example:9093\nsecurity.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=" + oauthModule + ";\n" +
		"sasl.login.callback.handler.class=com.azure.spring.cloud.service.kafka.KafkaOAuth2AuthenticateCallbackHandler\n", problems: []string{"it gets tokens with an Azure identity"}},
	{name: "Google by its handler", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=" + oauthModule + ";\n" +
		"sasl.login.callback.handler.class=com.google.cloud.hosted.kafka.auth.GcpLoginCallbackHandler\n", problems: []string{"it wraps an access token of Google's"}},
	{name: "PEM of a service", stores: "certs/ca.pem certs/client.pem", text: "bootstrap.servers=kafka-1.example:26379\nsecurity.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=certs/ca.pem\n" +
		"ssl.keystore.type=PEM\nssl.keystore.location=certs/client.pem\nssl.key.password=letmein\n"},
	{name: "an operator's secrets in Kubernetes", text: "bootstrap.servers=c-kafka-bootstrap:9093\nconfig.providers=secrets\nconfig.providers.secrets.class=io.strimzi.kafka.KubernetesSecretConfigProvider\n" +
		"security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.certificate.chain=${secrets:ns/user:user.crt}\nssl.keystore.key=${secrets:ns/user:user.key}\n" +
		"ssl.truststore.type=PEM\nssl.truststore.certificates=${secrets:ns/ca:ca.crt}\n",
		problems: []string{"line 3: config.providers.secrets.class = io.strimzi.kafka.KubernetesSecretConfigProvider: is a Java class, which cannot run here"}},
	{name: "secrets in the environment", mechanism: "SCRAM-SHA-512", text: envProvider + "bootstrap.servers=b:9096\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n" +
		"sasl.jaas.config=" + scramModule + "username=\"shop\" password=\"${env:KAFKA_PASSWORD}\";\n"},
	{name: "SCRAM without quotes", mechanism: "SCRAM-SHA-256", text: "bootstrap.servers=b:9092\nsecurity.protocol=sasl_ssl\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=" + scramModule + "username=shop password=letmein-1;\n"},
	{name: "a ticket of Kerberos", mechanism: "GSSAPI", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_PLAINTEXT\nsasl.kerberos.service.name=kafka\n" +
		"sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true renewTGT=true;\nsasl.kerberos.kinit.cmd=/opt/kinit\n", said: "sasl.kerberos.kinit.cmd"},
	{name: "a section of a file of JAAS", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=KafkaClient { " + plainModule + "username=\"a\" password=\"letmein\"; };\n",
		problems: []string{"it has a section in braces"}},
	{name: "a mechanism in small letters", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=scram-sha-512\nsasl.jaas.config=" + scramModule + "username=\"a\" password=\"letmein\";\n",
		problems: []string{"sasl.mechanism = scram-sha-512: is not the name of a mechanism; did you mean SCRAM-SHA-512?"}},
}

// kindsOfPrograms are files of other programs, or for them.
var kindsOfPrograms = []kind{
	{name: "Spring Boot", text: "spring.application.name=shop\nspring.kafka.bootstrap-servers=b:9092\nspring.kafka.producer.acks=all\nspring.kafka.properties[security.protocol]=SASL_SSL\nlogging.level.root=INFO\n",
		said:     "spring.application.name spring.kafka.bootstrap-servers spring.kafka.producer.acks spring.kafka.properties[security.protocol] logging.level.root",
		problems: []string{"bootstrap.servers = (empty): at least one host:port is required; line 2 has spring.kafka.bootstrap-servers instead"}},
	{name: "a Connect worker", text: "bootstrap.servers=b:9092\ngroup.id=connect\nkey.converter=org.apache.kafka.connect.json.JsonConverter\nkey.converter.schemas.enable=false\noffset.storage.topic=offsets\n" +
		"config.storage.replication.factor=3\nstatus.storage.topic=status\nplugin.path=/opt/plugins\nrest.port=8083\nproducer.compression.type=lz4\nconsumer.max.poll.records=10\nconnector.client.config.override.policy=All\n",
		said:  "group.id key.converter key.converter.schemas.enable offset.storage.topic config.storage.replication.factor status.storage.topic plugin.path rest.port producer.compression.type consumer.max.poll.records connector.client.config.override.policy",
		field: func(c Config) bool { return c.Compression == NoCompression }},
	{name: "Debezium Server", text: "debezium.sink.type=kafka\ndebezium.sink.kafka.producer.bootstrap.servers=b:9092\ndebezium.source.topic.prefix=shop\n",
		said:     "debezium.sink.type debezium.sink.kafka.producer.bootstrap.servers debezium.source.topic.prefix",
		problems: []string{"at least one host:port is required; line 2 has debezium.sink.kafka.producer.bootstrap.servers instead"}},
	{name: "Kafka Streams", text: "application.id=shop\nbootstrap.servers=b:9092\ndefault.key.serde=x\nnum.stream.threads=2\nprocessing.guarantee=exactly_once_v2\nmain.consumer.max.poll.records=5\n",
		said: "application.id default.key.serde num.stream.threads processing.guarantee main.consumer.max.poll.records"},
	{name: "ksqlDB, Schema Registry, NiFi", text: "bootstrap.servers=b:9092\nlisteners=http://0.0.0.0:8088\nksql.service.id=shop\nksql.streams.producer.acks=all\nkafkastore.bootstrap.servers=SASL_SSL://b:9092\nnifi.web.port=1\n",
		said: "listeners ksql.service.id ksql.streams.producer.acks kafkastore.bootstrap.servers nifi.web.port"},
	{name: "Flink, which has Kafka's packages below its own", mechanism: "PLAIN", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\ntransaction.timeout.ms=900000\nflink.partition-discovery.interval-millis=1\n" +
		"sasl.jaas.config=org.apache.flink.kafka.shaded." + plainModule + "username=\"a\" password=\"letmein\";\n", said: "transaction.timeout.ms flink.partition-discovery.interval-millis"},
	{name: "Logstash", text: "bootstrap_servers => \"b:9092\"\ntopic_id => \"x\"\n", said: "bootstrap_servers topic_id", problems: []string{"line 1 has bootstrap_servers instead"}},
	{name: "a broker", text: "broker.id=0\nlisteners=SASL_SSL://:9093\nlog.dirs=/data\nzookeeper.connect=zk:2181\nauto.create.topics.enable=false\n",
		said: "broker.id listeners log.dirs zookeeper.connect auto.create.topics.enable", problems: []string{"bootstrap.servers = (empty)"}},
	{name: "the environment of a container", text: "KAFKA_BOOTSTRAP_SERVERS=b:9092\nSPRING_KAFKA_PRODUCER_ACKS=all\n", said: "KAFKA_BOOTSTRAP_SERVERS SPRING_KAFKA_PRODUCER_ACKS",
		problems: []string{"line 1 has KAFKA_BOOTSTRAP_SERVERS instead"}},
	{name: "JSON", text: "{\n  \"bootstrap.servers\": \"b:9092\",\n  \"acks\": \"all\"\n}\n", said: `[hidden] "bootstrap.servers" "acks" [hidden]`, problems: []string{`line 2 has "bootstrap.servers" instead`}},
	{name: "Kafka 0.8", text: "bootstrap.servers=b:9092\nproducer.type=async\nserializer.class=kafka.serializer.StringEncoder\nrequest.required.acks=1\nblock.on.buffer.full=true\nmetadata.fetch.timeout.ms=1000\n",
		said: "producer.type serializer.class request.required.acks block.on.buffer.full metadata.fetch.timeout.ms", field: func(c Config) bool { return c.Acks == AcksAll && c.MaxBlock == time.Minute }},
	{name: "classes of a program", text: "bootstrap.servers=b:9092\ninterceptor.classes=com.example.Trace\npartitioner.class=com.example.ByCountry\nvalue.serializer=com.example.OrderSerializer\n",
		said: "value.serializer", problems: []string{"interceptor.classes = com.example.Trace: Java classes cannot run here", "partitioner.class = com.example.ByCountry: is a Java class"}},
}

// kindsOfSpelling are what people write otherwise than Java does.
var kindsOfSpelling = []kind{
	{name: "a BOM and line ends of Windows", text: "\ufeff# shop\r\nbootstrap.servers=b1:9092, \\\r\n    b2:9092\r\nlinger.ms=20\r\n",
		field: func(c Config) bool {
			return slices.Equal(c.BootstrapServers, []string{"b1:9092", "b2:9092"}) && c.Linger == 20*time.Millisecond
		}},
	{name: "blanks and tabs", text: "  bootstrap.servers b:9092  \n\tacks\t=\tall \t\nclient.id:shop  \nlinger.ms : 7\n! a comment\n",
		field: func(c Config) bool { return c.ClientID == "shop" && c.Linger == 7*time.Millisecond }},
	{name: "escapes", text: "bootstrap.servers=b\\:9092\nclient.id=\\u00fcbung\\=1\nclient.rack=a\\\\b\n", field: func(c Config) bool { return c.ClientID == "übung=1" && c.ClientRack == `a\b` }},
	{name: "a path of Windows with single backslashes", stores: "C:certs\trust.jks", text: "bootstrap.servers=b:9092\nsecurity.protocol=SSL\nssl.truststore.location=C:\\certs\\trust.jks\n"},
	{name: "comments at the ends of lines", text: "bootstrap.servers=b:9092 # the first\nacks=all # safe\nlinger.ms=5\t# ms\nclient.id=shop # us\n", said: "client.id",
		problems: []string{"bootstrap.servers = b:9092 # the first: must be a list of host:port; what begins with # is a part of the value", "must be one of all, -1, 0, 1; what begins with #", "without a unit; what begins with #"}},
	{name: "quotes", text: "bootstrap.servers=\"b:9092\"\nacks='all'\nlinger.ms=\"5\"\nclient.id=\"shop\"\n", said: "client.id",
		problems: []string{`bootstrap.servers = "b:9092": must be a list of host:port; the quotes around it`, "must be one of all, -1, 0, 1; the quotes around it", "without a unit; the quotes around it"}},
	{name: "a password in quotes", stores: "trust.jks", text: "bootstrap.servers=b:9092\nsecurity.protocol=SSL\nssl.truststore.location=trust.jks\nssl.truststore.password=\"letmein\"\n", said: "ssl.truststore.password"},
	{name: "numbers as people write them", text: "bootstrap.servers=b:9092\nbatch.size=16_384\nbuffer.memory=32MB\nlinger.ms=5ms\nmax.request.size=1e6\nretries=Integer.MAX_VALUE\nrequest.timeout.ms=30000L\ndelivery.timeout.ms=120 000\n",
		problems: []string{"batch.size = 16_384: must be a whole number", "buffer.memory = 32MB: must be", "linger.ms = 5ms: must be", "max.request.size = 1e6: must be", "retries = Integer.MAX_VALUE: must be", "request.timeout.ms = 30000L: must be", "delivery.timeout.ms = 120 000: must be"}},
	{name: "truth as people write it", text: "bootstrap.servers=b:9092\nenable.idempotence=yes\npartitioner.ignore.keys=TRUE\npartitioner.rack.aware=on\n",
		problems: []string{"enable.idempotence = yes: must be true or false", "partitioner.rack.aware = on: must be true or false"}},
	{name: "names in the wrong case", text: "bootstrap.servers=b:9092\ncompression.type=GZIP\nmetadata.recovery.strategy=None\nAcks=all\n", said: "Acks", problems: []string{"compression.type = GZIP: must be one of none, gzip"}},
	{name: "a login over lines, with blanks behind the backslashes", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=" + scramModule + "\\ \n  username=\"a\" \\ \n  password=\"letmein\";\n",
		said: "username password", problems: []string{"with no blank behind it"}},
	{name: "a password that begins with a digit", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=" + plainModule + "username=a password=1letmein;\n",
		problems: []string{"it must have a value that does not begin with a digit"}},
	{name: "keys twice", text: "bootstrap.servers=a:1\nacks=1\nlinger.ms=1\nbootstrap.servers=b:9092\nacks=all\n", said: "bootstrap.servers acks", field: func(c Config) bool { return c.EnableIdempotence && c.BootstrapServers[0] == "b:9092" }},
	{name: "empty values of a template", text: "bootstrap.servers=b:9092\nclient.id=\nsasl.mechanism=\nsasl.jaas.config=\nssl.truststore.location=\nssl.truststore.password=\nssl.endpoint.identification.algorithm=\ninterceptor.classes=\nmetric.reporters=\nkey.serializer=\nsecurity.providers=\n"},
	{name: "a variable of Spring", text: "bootstrap.servers=b:9092\ntransactional.id=orders-${random.uuid}\n", said: "transactional.id", field: func(c Config) bool { return c.TransactionalID == "orders-${random.uuid}" }},
	{name: "a login in quotes", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=\"" + plainModule + "username=\\\"a\\\" password=\\\"letmein\\\";\"\n",
		problems: []string{"the quotes around all of it are a part of it: leave them out"}},
	{name: "text in UTF-16", text: "\xff\xfeb\x00o\x00", problems: []string{"line 1: file: is text in UTF-16: save it in UTF-8", "bootstrap.servers = (empty)"}},
	{name: "a number with a blank that does not break", text: "bootstrap.servers=b:9092\nlinger.ms=5\u00a0\n", problems: []string{`linger.ms = 5\u00a0: must be a whole number`}},
	{name: "servers divided by semicolons", text: "bootstrap.servers=b1:9092;b2:9092\n", problems: []string{`bootstrap.servers = "b1:9092;b2:9092": must be one host:port; several are divided by commas`}},
	{name: "servers divided by blanks", text: "bootstrap.servers=b1:9092 b2:9092\n", problems: []string{`bootstrap.servers = "b1:9092 b2:9092": must be one host:port without spaces or commas; each server is an element of its own, and in properties commas divide them`}},
}

// kindsOfMixtures have several mistakes, or something of another file in them.
var kindsOfMixtures = []kind{
	{name: "all of it in quotes, behind a BOM", text: "\ufeffbootstrap.servers=\"b:9092\"\r\nsecurity.protocol=\"SASL_SSL\"\r\nsasl.mechanism=\"SCRAM-SHA-512\"\r\nsasl.jaas.config=\"" + scramModule + "username=\"a\" password=\"letmein\";\"\r\n",
		problems: []string{"bootstrap.servers = \"b:9092\": must be a list of host:port; the quotes", "security.protocol = \"SASL_SSL\": must be one of SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT; the quotes around it",
			"sasl.mechanism = \"SCRAM-SHA-512\": is not the name of a mechanism: the quotes around it", "the quotes around all of it are a part of it"}},
	{name: "variables for all of a login", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=${MECHANISM}\nssl.truststore.location=${TRUST}\nsasl.jaas.config=" + scramModule + "username=\"${KAFKA_USER}\" password=\"${KAFKA_PASSWORD}\";\n",
		said: "ssl.truststore.location sasl.jaas.config", problems: []string{`sasl.mechanism = ${MECHANISM}: holds "${MECHANISM}", a variable that nobody has filled in`}},
	{name: "a protocol of another program, and no login", text: "bootstrap.servers=b:9092\nsecurity.protocol=PLAINTEXTSASL\nsasl.mechanism=PLAIN\n",
		problems: []string{"did you mean SASL_PLAINTEXT?", "sasl.jaas.config: is not set, and SASL needs it"}},
	{name: "several mechanisms", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512, PLAIN\nsasl.jaas.config=" + scramModule + "username=a password=letmein;\n",
		problems: []string{"sasl.mechanism = SCRAM-SHA-512, PLAIN: must be one mechanism"}},
	{name: "a mechanism with a comment", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN # or SCRAM\nsasl.jaas.config=" + plainModule + "username=a password=letmein;\n",
		problems: []string{"sasl.mechanism = PLAIN # or SCRAM: is not the name of a mechanism: what begins with # is a part of the value"}},
	{name: "a comment behind a login", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=" + plainModule + "username=a password=letmein; # of the shop\n",
		problems: []string{"goes on after the semicolon with a #: a comment stands in a line of its own"}},
	{name: "two logins", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=" + plainModule + "username=a password=letmein; " + scramModule + "username=a password=letmein;\n",
		problems: []string{"goes on after the semicolon: it must have one login module"}},
	{name: "commas between options", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=" + plainModule + "username=\"a\", password=\"letmein\";\n",
		problems: []string{"after the option username, it has a comma: options are divided by blanks"}},
	{name: "quotes of printed text", mechanism: "PLAIN", text: "bootstrap.servers=b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=" + plainModule + "username=“a” password=“letmein”;\n", said: "sasl.jaas.config"},
	{name: "the address of a REST API", mechanism: "PLAIN", text: "bootstrap.servers=https://pkc-1.cloud.example:443\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=" + plainModule + "username=a password=letmein;\n", said: "bootstrap.servers"},
	{name: "YAML", text: "bootstrap.servers: b:9092\nsecurity.protocol: SASL_SSL\nsasl:\n  mechanism: PLAIN\n  jaas:\n    config: \"" + plainModule + "username='a' password='letmein';\"\n",
		said: "sasl mechanism jaas config", problems: []string{"sasl.mechanism: is not set, and Java's default is GSSAPI"}},
	{name: "kafka-python's names below a section", text: "[kafka]\nexport X=1\nbootstrap_servers=b:9092\nsecurity_protocol=SASL_SSL\nsasl_plain_username=a\nsasl_plain_password=letmein\nssl_cafile=ca.pem\n",
		said: "[kafka] export bootstrap_servers security_protocol sasl_plain_username sasl_plain_password ssl_cafile", problems: []string{"line 3 has bootstrap_servers instead"}},
}

// A key of TLS and one of a login that both have no effect are told of the one protocol that uses both.
func TestTheProtocolThatUsesAll(t *testing.T) {
	const login, store = "sasl.mechanism=PLAIN\n", "ssl.truststore.location=trust.jks\n"
	for text, want := range map[string]string{
		login + store: "security.protocol is PLAINTEXT; SASL_SSL would use it", store: "security.protocol is PLAINTEXT; SSL would use it",
		login: "SASL_SSL, or SASL_PLAINTEXT without TLS, would use it", login + "security.protocol=SSL\n": "security.protocol is SSL; SASL_SSL would use it",
	} {
		_, notices, err := FromProperties(strings.NewReader("bootstrap.servers=b:9092\n" + text))
		if err != nil || len(notices) == 0 {
			t.Fatalf("%q: %v, %v", text, notices, err)
		}
		for _, n := range notices {
			if !strings.Contains(n.Text, want) {
				t.Errorf("%q: got %v, want %s", text, n, want)
			}
		}
	}
}

// Files of all kinds that people have are taken where Java takes them, and else refused with what to do; and what has no
// effect is told, and nothing else.
func TestKindsOfFiles(t *testing.T) {
	for _, k := range slices.Concat(kindsOfClouds, kindsOfPrograms, kindsOfSpelling, kindsOfMixtures) {
		opened := stores{}
		props, problems := properties.Parse([]byte(k.text))
		o := properties.Options{Environment: func(string) (string, bool) { return "letmein", true }}
		c, notices, err := configOf(properties.Resolve(props, problems, o), opened.open)
		var said, paths []string
		for _, n := range notices {
			said = append(said, n.Key)
		}
		for _, path := range opened {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		if got := strings.Join(said, " "); got != k.said {
			t.Errorf("%s:\n got notices %q\nwant of %q", k.name, notices, k.said)
		}
		k.refused(t, err)
		if err == nil {
			mechanism := ""
			if c.SASL != nil {
				mechanism = c.SASL.Name()
			}
			if got := strings.Join(paths, " "); mechanism != k.mechanism || got != k.stores {
				t.Errorf("%s: got mechanism %q, stores %q, want %q, %q", k.name, mechanism, got, k.mechanism, k.stores)
			}
			if k.field != nil && !k.field(c) {
				t.Errorf("%s: got %+v", k.name, c)
			}
		}
		for _, text := range told(t, k.text, o, opened.open) {
			if presentable(t, text); strings.Contains(text, "letmein") {
				t.Errorf("%s: shows a secret: %s", k.name, text)
			}
		}
	}
}

// refused demands the problems that the file is to have, in any order, and no others.
func (k kind) refused(t *testing.T, err error) {
	t.Helper()
	var problems []PropertyError
	if invalid, ok := errors.AsType[*PropertiesError](err); ok {
		problems = invalid.Problems
	}
	if len(problems) != len(k.problems) {
		t.Errorf("%s: got %v, want %d problems", k.name, err, len(k.problems))
		return
	}
	for _, want := range k.problems {
		if !slices.ContainsFunc(problems, func(p PropertyError) bool { return strings.Contains(p.Error(), want) }) {
			t.Errorf("%s:\n got %v\nwant %s", k.name, err, want)
		}
	}
}
