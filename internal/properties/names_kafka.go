package properties

import (
	"strings"

	"github.com/epistle-kafka/epistle/internal/shown"
)

// ownerOf says to whom a key belongs that is often found in producers' files and is not the producer's. Keys are in lower case.
var ownerOf = func() map[string]string {
	m := map[string]string{}
	for _, o := range owners {
		for key := range strings.FieldsSeq(o.keys) {
			m[key] = o.text
		}
	}
	return m
}()

var owners = []struct{ text, keys string }{
	{"it belongs to the consumer", `group.id group.instance.id group.protocol group.remote.assignor session.timeout.ms
		heartbeat.interval.ms max.poll.records max.poll.interval.ms fetch.min.bytes fetch.max.bytes fetch.max.wait.ms
		max.partition.fetch.bytes auto.offset.reset enable.auto.commit auto.commit.interval.ms
		partition.assignment.strategy key.deserializer value.deserializer exclude.internal.topics isolation.level
		check.crcs share.acknowledgement.mode share.acquire.mode internal.leave.group.on.close`},
	{"it belongs to the consumer of Kafka 0.8", `consumer.id consumer.timeout.ms auto.commit.enable fetch.message.max.bytes
		fetch.wait.max.ms num.consumer.fetchers queued.max.message.chunks rebalance.max.retries rebalance.backoff.ms
		refresh.leader.backoff.ms offsets.storage offsets.channel.backoff.ms offsets.channel.socket.timeout.ms
		offsets.commit.max.retries dual.commit.enabled`},
	{"it belongs to librdkafka's consumer", `enable.auto.offset.store enable.partition.eof queued.min.messages
		queued.max.messages.kbytes fetch.error.backoff.ms fetch.queue.backoff.ms coordinator.query.interval.ms
		offset.store.method offset.store.path offset.store.sync.interval.ms consume.callback.max.messages
		group.protocol.type`},
	{"it belongs to librdkafka, and nothing here needs it", `builtin.features broker.address.ttl broker.address.family
		socket.max.fails socket.nagle.disable log_level log.queue log.thread.name enable.random.seed
		internal.termination.signal api.version.request.timeout.ms api.version.fallback.ms plugin.library.paths
		queue.buffering.backpressure.threshold queuing.strategy delivery.report.only.error produce.offset.report
		topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.fast.cnt topic.metadata.refresh.sparse
		topic.metadata.propagation.max.ms topic.blacklist max.in.flight.requests socket.blocking.max.ms open_cb
		opaque background_event_cb error_cb throttle_cb stats_cb log_cb dr_cb dr_msg_cb partitioner_cb msg_order_cmp`},
	{"it belongs to brokers", `broker.id node.id process.roles broker.rack listeners advertised.listeners
		listener.security.protocol.map inter.broker.listener.name security.inter.broker.protocol
		inter.broker.protocol.version log.message.format.version num.network.threads num.io.threads
		socket.request.max.bytes num.partitions num.recovery.threads.per.data.dir default.replication.factor
		min.insync.replicas auto.create.topics.enable delete.topic.enable unclean.leader.election.enable
		auto.leader.rebalance.enable log.dirs log.retention.hours log.retention.minutes log.retention.ms
		log.retention.bytes log.retention.check.interval.ms log.segment.bytes log.cleaner.enable log.cleanup.policy
		log.flush.interval.messages log.flush.interval.ms ssl.client.auth ssl.principal.mapping.rules
		ssl.allow.dn.changes ssl.allow.san.changes sasl.enabled.mechanisms sasl.mechanism.inter.broker.protocol
		sasl.mechanism.controller.protocol sasl.kerberos.principal.to.local.rules sasl.server.callback.handler.class
		sasl.server.max.receive.size super.users authorizer.class.name principal.builder.class
		allow.everyone.if.no.acl.found connections.max.reauth.ms connection.failed.authentication.delay.ms
		max.connections max.connections.per.ip controlled.shutdown.enable group.initial.rebalance.delay.ms
		group.max.session.timeout.ms group.min.session.timeout.ms producer.id.expiration.ms bootstrap.controllers`},
	{"it belongs to a topic", `cleanup.policy retention.ms retention.bytes segment.bytes segment.ms max.message.bytes
		message.timestamp.type min.compaction.lag.ms max.compaction.lag.ms replication.factor`},
	{"it belongs to Schema Registry's serializers", `basic.auth.credentials.source basic.auth.user.info
		auto.register.schemas use.latest.version use.latest.with.metadata use.schema.id latest.compatibility.strict
		id.compatibility.strict normalize.schemas key.subject.name.strategy value.subject.name.strategy
		subject.name.strategy specific.avro.reader specific.protobuf.value.type avro.use.logical.type.converters
		avro.reflection.allow.null avro.remove.java.properties max.schemas.per.subject json.value.type
		json.fail.invalid.schema json.oneof.for.nullables schema.reflection latest.cache.size latest.cache.ttl.sec`},
	{"it belongs to Kafka Connect", `connector.class connector.client.config.override.policy tasks.max transforms predicates
		plugin.path plugin.discovery rest.port rest.host.name rest.advertised.host.name rest.advertised.port
		offset.flush.interval.ms offset.flush.timeout.ms task.shutdown.graceful.timeout.ms exactly.once.source.support
		topic.creation.enable scheduled.rebalance.max.delay.ms worker.sync.timeout.ms worker.unsync.backoff.ms
		access.control.allow.methods access.control.allow.origin rest.extension.classes rest.advertised.listener
		errors.tolerance errors.log.enable errors.log.include.messages errors.retry.timeout errors.retry.delay.max.ms
		topics.regex tasks.max.enforce config.action.reload connect.protocol connector.plugin.version offsets.storage.topic
		exactly.once.support transaction.boundary transaction.boundary.interval.ms response.http.headers.config`},
	{"it belongs to Kafka Streams", `application.id application.server processing.guarantee num.stream.threads state.dir
		num.standby.replicas cache.max.bytes.buffering statestore.cache.max.bytes default.key.serde default.value.serde
		default.deserialization.exception.handler default.production.exception.handler commit.interval.ms`},
	{"it belongs to MirrorMaker", `refresh.topics.enabled refresh.groups.enabled sync.topic.configs.enabled
		sync.topic.acls.enabled emit.checkpoints.enabled emit.heartbeats.enabled replication.policy.class
		abort.on.send.failure clusters`},
}

// constants are the names of Java's constants that are not made of their keys.
var constants = map[string]string{
	"key.serializer.class":         "key.serializer",
	"value.serializer.class":       "value.serializer",
	"key.deserializer.class":       "key.deserializer",
	"value.deserializer.class":     "value.deserializer",
	"metric.reporter.classes":      "metric.reporters",
	"metadata.max.age":             "metadata.max.age.ms",
	"metadata.max.idle":            "metadata.max.idle.ms",
	"send.buffer":                  "send.buffer.bytes",
	"receive.buffer":               "receive.buffer.bytes",
	"transaction.two.phase.commit": "transaction.two.phase.commit.enable",
	"sasl.jaas":                    "sasl.jaas.config",
}

// constant recognises the names of constants in Java's ProducerConfig and its like, and the forms that containers make of them:
// LINGER_MS_CONFIG, ProducerConfig.ACKS_CONFIG, KAFKA_LINGER_MS.
func constant(key, _ string) meaning {
	name := key[strings.LastIndexByte(key, '.')+1:]
	if name == "" || !strings.Contains(name, "_") || strings.ToUpper(name) != name {
		return meaning{}
	}
	text := "it is the name of Java's constant for "
	for _, prefix := range []string{"SPRING_KAFKA_PRODUCER_PROPERTIES_", "SPRING_KAFKA_PROPERTIES_", "SPRING_KAFKA_PRODUCER_", "SPRING_KAFKA_",
		"KAFKA_PRODUCER_", "CONNECT_PRODUCER_", "KAFKA_", "CONNECT_"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			name, text = rest, "it is the name of a container's variable for "
			break
		}
	}
	dotted := strings.ReplaceAll(strings.ToLower(name), "_", ".")
	short := strings.TrimSuffix(dotted, ".config")
	for _, candidate := range []string{dotted, short, constants[short]} {
		if rows[candidate] != nil {
			return meaning{key: candidate, text: text + candidate}
		}
		if whose, ok := ownerOf[candidate]; ok {
			return meaning{text: text + candidate + ", and " + whose}
		}
	}
	return meaning{}
}

// prefixes are what other programs put in front of a key. The longest that fits counts.
var prefixes = []struct {
	prefix string
	text   string // what a key with it is
	sure   bool   // whatever follows; else only if a key follows that the producer or the tables know
	ours   bool   // a key of the producer's that follows is the one for this producer
}{
	{"producer.", "it belongs to a Kafka Connect worker, for the producers of its connectors", false, true},
	{"producer.override.", "it belongs to a connector, for its producer in Kafka Connect", true, true},
	{"consumer.", "it belongs to a Kafka Connect worker, for the consumers of its connectors", false, false},
	{"consumer.override.", "it belongs to a connector, for its consumer in Kafka Connect", true, false},
	{"admin.", "it belongs to a Kafka Connect worker, for its admin clients", false, false},
	{"admin.override.", "it belongs to a connector, for its admin client in Kafka Connect", true, false},
	{"key.converter.", "it belongs to Kafka Connect", true, false},
	{"value.converter.", "it belongs to Kafka Connect", true, false},
	{"internal.key.converter", "it belongs to Kafka Connect", true, false},
	{"internal.value.converter", "it belongs to Kafka Connect", true, false},
	{"offset.storage.", "it belongs to Kafka Connect", true, false},
	{"config.storage.", "it belongs to Kafka Connect", true, false},
	{"status.storage.", "it belongs to Kafka Connect", true, false},
	{"errors.deadletterqueue.", "it belongs to Kafka Connect", true, false},
	{"transforms.", "it belongs to Kafka Connect", true, false},
	{"predicates.", "it belongs to Kafka Connect", true, false},
	{"topic.creation.", "it belongs to Kafka Connect", true, false},
	{"topic.tracking.", "it belongs to Kafka Connect", true, false},
	{"source.", "it belongs to MirrorMaker, for the cluster that it reads", false, true},
	{"target.", "it belongs to MirrorMaker, for the cluster that it writes to", false, true},
	{"source.consumer.", "it belongs to MirrorMaker, for the cluster that it reads", true, false},
	{"source.producer.", "it belongs to MirrorMaker, for the cluster that it reads", true, true},
	{"target.producer.", "it belongs to MirrorMaker, for the cluster that it writes to", true, true},
	{"source.cluster.", "it belongs to MirrorMaker, for the cluster that it reads", false, true},
	{"target.cluster.", "it belongs to MirrorMaker, for the cluster that it writes to", false, true},
	{"schema.registry.", "it belongs to Schema Registry's serializers", true, false},
	{"bearer.auth.", "it belongs to Schema Registry's serializers", true, false},
	{"rule.executors", "it belongs to Schema Registry's serializers", true, false},
	{"rule.actions", "it belongs to Schema Registry's serializers", true, false},
	{"apicurio.", "it belongs to Apicurio's serializers", true, false},
	{"confluent.", "it belongs to Confluent's own components", true, false},
	{"producer.confluent.", "it belongs to Confluent's own components", true, false},
	{"debezium.", "it belongs to Debezium", true, false},
	{"debezium.sink.kafka.producer.", "it belongs to Debezium Server, for its producer", true, true},
	{"database.history.", "it belongs to Debezium", true, false},
	{"schema.history.internal.", "it belongs to Debezium", true, false},
	{"spring.", "it belongs to Spring", true, false},
	{"spring.kafka.", "it belongs to Spring", true, true},
	{"spring.kafka.properties.", "it belongs to Spring", true, true},
	{"spring.kafka.producer.", "it belongs to Spring", true, true},
	{"spring.kafka.producer.properties.", "it belongs to Spring", true, true},
	{"logging.level.", "it belongs to Spring, for its log", true, false},
	{"log4j.", "it belongs to Log4j", true, false},
	{"ksql.", "it belongs to ksqlDB", true, false},
	{"ksql.streams.", "it belongs to ksqlDB", true, true},
	{"ksql.streams.producer.", "it belongs to ksqlDB", true, true},
	{"kafkastore.", "it belongs to Schema Registry, for its own store", true, false},
	{"main.consumer.", "it belongs to Kafka Streams", true, false},
	{"restore.consumer.", "it belongs to Kafka Streams", true, false},
	{"global.consumer.", "it belongs to Kafka Streams", true, false},
	{"flink.", "it belongs to Flink", true, false},
	{"camel.", "it belongs to Camel", true, false},
	{"nifi.", "it belongs to NiFi", true, false},
	{"mp.messaging.", "it belongs to MicroProfile Reactive Messaging", true, false},
	{"quarkus.", "it belongs to Quarkus", true, false},
	{"kafka.", "it has the prefix kafka., which something else reads", false, true},
	{"listener.name.", "it belongs to brokers, for one of their listeners", true, false},
	{"controller.quorum.", "it belongs to brokers", true, false},
	{"zookeeper.", "it belongs to brokers and consumers before Kafka 4", true, false},
	{"advertised.", "it belongs to brokers", true, false},
	{"replica.fetch.", "it belongs to brokers", true, false},
	{"offsets.topic.", "it belongs to brokers", true, false},
	{"transaction.state.log.", "it belongs to brokers", true, false},
	{"remote.log.", "it belongs to brokers", true, false},
	{"group.coordinator.", "it belongs to brokers", true, false},
	{"delegation.token.", "it belongs to brokers", true, false},
}

// prefixed recognises prefixes that other programs put in front of keys, and any other prefix in front of a key of the
// producer's.
func prefixed(_, lower string) meaning {
	best := -1
	rest := ""
	for i, p := range prefixes {
		after, ok := strings.CutPrefix(lower, p.prefix)
		after = strings.NewReplacer("-", ".", "_", ".").Replace(after)
		if ok && (p.sure || rows[after] != nil || ownerOf[after] != "") && (best < 0 || len(p.prefix) > len(prefixes[best].prefix)) {
			best, rest = i, after
		}
	}
	if best >= 0 {
		p := prefixes[best]
		if p.ours && rows[rest] != nil {
			return meaning{key: rest, text: p.text + "; for this producer, write " + rest + " without the prefix"}
		}
		return meaning{text: p.text}
	}
	for rest = lower; ; {
		var dotted bool
		if _, rest, dotted = strings.Cut(rest, "."); !dotted {
			return meaning{}
		}
		if strings.Contains(rest, ".") && rows[rest] != nil {
			prefix := lower[:len(lower)-len(rest)]
			return meaning{key: rest, text: "it has the prefix " + shown.Name(prefix) + ", which something else reads; for this producer, write " + rest + " without it"}
		}
	}
}
