package properties

import (
	"strings"
	"testing"
)

// A key that Java's producer only warns of is a notice that says whose it is; only what nobody knows is compared by its letters.
func TestStrangersAreKnownForWhatTheyAre(t *testing.T) {
	for key, want := range map[string]string{
		"group.id":                                "it is the consumer's",
		"session.timeout.ms":                      "it is the consumer's",
		"heartbeat.interval.ms":                   "it is the consumer's",
		"max.poll.records":                        "it is the consumer's",
		"fetch.min.bytes":                         "it is the consumer's",
		"fetch.message.max.bytes":                 "it is the consumer's of Kafka 0.8",
		"partition.assignment.strategy":           "it is the consumer's",
		"default.api.timeout.ms":                  "it is the consumer's and the admin client's",
		"ssl.client.auth":                         "it is the brokers'",
		"listeners":                               "it is the brokers'",
		"sasl.enabled.mechanisms":                 "it is the brokers'",
		"listener.name.x.plain.sasl.jaas.config":  "it is the brokers', for one of their listeners",
		"schema.registry.url":                     "it is Schema Registry's serializers'",
		"schema.registry.ssl.truststore.location": "it is Schema Registry's serializers'",
		"basic.auth.user.info":                    "it is Schema Registry's serializers'",
		"auto.register.schemas":                   "it is Schema Registry's serializers'",
		"producer.linger.ms":                      "it is a Kafka Connect worker's, for the producers of its connectors; for this producer, write linger.ms without the prefix",
		"producer.override.acks":                  "it is a connector's, for its producer in Kafka Connect; for this producer, write acks without the prefix",
		"consumer.session.timeout.ms":             "it is a Kafka Connect worker's, for the consumers of its connectors",
		"producer.confluent.monitoring.interceptor.security.protocol": "it is of Confluent's own components",
		"source.bootstrap.servers":                                    "it is MirrorMaker's, for the cluster that it reads; for this producer, write bootstrap.servers without the prefix",
		"target.security.protocol":                                    "it is MirrorMaker's, for the cluster that it writes to; for this producer, write security.protocol without",
		"key.converter.schemas.enable":                                "it is Kafka Connect's",
		"schema.history.internal.kafka.topic":                         "it is Debezium's",
		"spring.kafka.producer.properties.linger.ms":                  "it is Spring's; for this producer, write linger.ms without the prefix",
		"spring.kafka.producer.client-id":                             "it is Spring's; for this producer, write client.id without the prefix",
		"spring.application.name":                                     "it is Spring's",
		"my.app.bootstrap.servers":                                    "it has the prefix my.app., which something else reads; for this producer, write bootstrap.servers without it",
		"BOOTSTRAP_SERVERS_CONFIG":                                    "it is the name of Java's constant for bootstrap.servers",
		"ProducerConfig.LINGER_MS_CONFIG":                             "it is the name of Java's constant for linger.ms",
		"SASL_JAAS_CONFIG":                                            "it is the name of Java's constant for sasl.jaas.config",
		"KEY_SERIALIZER_CLASS_CONFIG":                                 "it is the name of Java's constant for key.serializer",
		"MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION":                       "it is the name of Java's constant for max.in.flight.requests.per.connection",
		"GROUP_ID_CONFIG":                                             "it is the name of Java's constant for group.id, and it is the consumer's",
		"KAFKA_LINGER_MS":                                             "it is the name of a container's variable for linger.ms",
		"metadata.broker.list":                                        "it is librdkafka's name; here, as in Java, it is bootstrap.servers",
		"serializer.class":                                            "it is Kafka 0.8's name; here, as in Java, it is value.serializer",
		"metadata.fetch.timeout.ms":                                   "it is Kafka 0.8.2's name; here, as in Java, it is max.block.ms",
		"sasl.username":                                               "it is librdkafka's name; here, as in Java, it is sasl.jaas.config",
		"sasl.oauthbearer.client.id":                                  "it is librdkafka's name; here, as in Java, it is sasl.oauthbearer.client.credentials.client.id",
		"sasl.kerberos.keytab":                                        "it is librdkafka's",
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
