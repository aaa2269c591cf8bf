package properties

import (
	"strings"
	"testing"
)

// A key that Java's producer only warns of is a notice that says whose it is; only what nobody knows is compared by its
// letters.
func TestStrangersAreKnownForWhatTheyAre(t *testing.T) {
	for key, want := range map[string]string{
		"group.id":                                "it belongs to the consumer",
		"session.timeout.ms":                      "it belongs to the consumer",
		"heartbeat.interval.ms":                   "it belongs to the consumer",
		"max.poll.records":                        "it belongs to the consumer",
		"fetch.min.bytes":                         "it belongs to the consumer",
		"fetch.message.max.bytes":                 "it belongs to the consumer of Kafka 0.8",
		"partition.assignment.strategy":           "it belongs to the consumer",
		"default.api.timeout.ms":                  "it belongs to the consumer and the admin client",
		"ssl.client.auth":                         "it belongs to brokers",
		"listeners":                               "it belongs to brokers",
		"sasl.enabled.mechanisms":                 "it belongs to brokers",
		"listener.name.x.plain.sasl.jaas.config":  "it belongs to brokers, for one of their listeners",
		"schema.registry.url":                     "it belongs to Schema Registry's serializers",
		"schema.registry.ssl.truststore.location": "it belongs to Schema Registry's serializers",
		"basic.auth.user.info":                    "it belongs to Schema Registry's serializers",
		"auto.register.schemas":                   "it belongs to Schema Registry's serializers",
		"producer.linger.ms":                      "it belongs to a Kafka Connect worker, for the producers of its connectors; for this producer, write linger.ms without the prefix",
		"producer.override.acks":                  "it belongs to a connector, for its producer in Kafka Connect; for this producer, write acks without the prefix",
		"consumer.session.timeout.ms":             "it belongs to a Kafka Connect worker, for the consumers of its connectors",
		"producer.confluent.monitoring.interceptor.security.protocol": "it belongs to Confluent's own components",
		"source.bootstrap.servers":                                    "it belongs to MirrorMaker, for the cluster that it reads; for this producer, write bootstrap.servers without the prefix",
		"target.security.protocol":                                    "it belongs to MirrorMaker, for the cluster that it writes to; for this producer, write security.protocol without",
		"key.converter.schemas.enable":                                "it belongs to Kafka Connect",
		"errors.tolerance":                                            "it belongs to Kafka Connect",
		"topics.regex":                                                "it belongs to Kafka Connect",
		"transforms.route.type":                                       "it belongs to Kafka Connect",
		"topic.creation.default.partitions":                           "it belongs to Kafka Connect",
		"camel.component.kafka.brokers":                               "it belongs to Camel",
		"kafka.acks":                                                  "it has the prefix kafka., which something else reads; for this producer, write acks without the prefix",
		"schema.history.internal.kafka.topic":                         "it belongs to Debezium",
		"spring.kafka.producer.properties.linger.ms":                  "it belongs to Spring; for this producer, write linger.ms without the prefix",
		"spring.kafka.producer.client-id":                             "it belongs to Spring; for this producer, write client.id without the prefix",
		"spring.application.name":                                     "it belongs to Spring",
		"my.app.bootstrap.servers":                                    "it has the prefix my.app., which something else reads; for this producer, write bootstrap.servers without it",
		"BOOTSTRAP_SERVERS_CONFIG":                                    "it is the name of Java's constant for bootstrap.servers",
		"ProducerConfig.LINGER_MS_CONFIG":                             "it is the name of Java's constant for linger.ms",
		"SASL_JAAS_CONFIG":                                            "it is the name of Java's constant for sasl.jaas.config",
		"KEY_SERIALIZER_CLASS_CONFIG":                                 "it is the name of Java's constant for key.serializer",
		"MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION":                       "it is the name of Java's constant for max.in.flight.requests.per.connection",
		"GROUP_ID_CONFIG":                                             "it is the name of Java's constant for group.id, and it belongs to the consumer",
		"KAFKA_LINGER_MS":                                             "it is the name of a container's variable for linger.ms",
		"metadata.broker.list":                                        "it is librdkafka's name for bootstrap.servers; producer.LibrdkafkaNames() reads it",
		"serializer.class":                                            "it is Kafka 0.8's name for value.serializer",
		"metadata.fetch.timeout.ms":                                   "it is Kafka 0.8.2's name for max.block.ms",
		"sasl.username":                                               "it is librdkafka's name for sasl.jaas.config (which holds user name and password); producer.LibrdkafkaNames() reads it",
		"sasl.oauthbearer.client.id":                                  "it is librdkafka's name for sasl.oauthbearer.client.credentials.client.id",
		"sasl.kerberos.keytab":                                        "it belongs to librdkafka",
		"queue.buffering.max.ms":                                      "it is librdkafka's name for linger.ms; producer.LibrdkafkaNames() reads it",
		"Linger.Ms":                                                   "it is another spelling of linger.ms",
		"topic":                                                       "it is not the producer's: each record names its topic",
		"java.security.auth.login.config":                             "it is a system property of the JVM; the file that it names is not read",
		"lingr.ms":                                                    "it is not a known setting; did you mean linger.ms?",
		"favourite.colour":                                            "it is not a setting of Kafka's producer",
	} {
		notices, problems := said(read(strings.NewReplacer(":", `\:`, "=", `\=`).Replace(key)+"=hunter2\n", Options{}))
		if !strings.Contains(notices, key+": has no effect, as in Java: "+want) || problems != "" || strings.Contains(notices, "hunter2") {
			t.Errorf("%s: got notices %s and problems %s, want a notice with %q", key, notices, problems, want)
		}
	}
}

// Keys of the program itself often stand beside Kafka's. Nothing is guessed about them.
func TestAppKeysAreLeftAlone(t *testing.T) {
	for _, key := range []string{"topic.name", "num.producer.threads", "polling.interval.ms", "message.format", "app.log.dir", "jvm.heap.xms", "jvm.gc.opts",
		"error.topic", "input.topic", "source.topic", "producer.threads", "database.url", "port", "log.level", "batch.time", "client.name", "retry.count", "timeout", "kerberos.domain.name", "server.port"} {
		if m := meaningOf(key); m.key != "" || m.text != "" {
			t.Errorf("%s: got %+v, want nothing", key, m)
		}
	}
}

// A table has each key once, and none that the producer knows.
func TestTablesOfStrangersAreConsistent(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range owners {
		for key := range strings.FieldsSeq(o.keys) {
			if seen[key] || rows[key] != nil || foreignKeys[key] != (foreignKey{}) {
				t.Errorf("%s stands in another table too", key)
			}
			seen[key] = true
		}
	}
	for name, key := range constants {
		if rows[key] == nil && ownerOf[key] == "" {
			t.Errorf("the constant %s leads to %s, which nobody knows", name, key)
		}
	}
	for name, rule := range librdkafka {
		if rule.key != "" && rows[rule.key] == nil {
			t.Errorf("%s leads to %s, which is no key", name, rule.key)
		}
		if rule.key == "" && rule.why == "" && rule.no == nil {
			t.Errorf("%s: nothing is said of it", name)
		}
	}
}
