package producer

import "time"

// setting is one row of the table that drives FromProperties and the README: what Java says of a key, and what becomes
// of it here.
type setting struct {
	key   string
	kind  string // Java's type: BOOLEAN, INT, LONG, SHORT, DOUBLE, STRING, LIST, CLASS or PASSWORD
	def   string // Java's default as a property; notSet or required where there is none
	valid string // what Java takes, in the notation of its own documentation; "" is anything
	how   handling
	field string // the field of Config that it sets, if any
	ours  string // our default where it is not Java's
	why   string // for the user: what it does here, or why it does nothing, or what to do instead
	set   func(c *Config, value string)
}

const (
	notSet   = "null"
	required = "(required)"
)

// handling is what becomes of a key.
type handling uint8

const (
	refused       handling = iota // ignoring it would change what the producer does: any value but Java's default is an error
	honoured                      // sets a field of Config and means what it means in Java
	mapped                        // means the same, by other means
	withoutEffect                 // concerns what is not here; accepted, with a notice unless it is Java's default
)

func (h handling) String() string {
	return enumName([]string{"refused", "honoured", "mapped", "without effect"}, int(h))
}

// keyOfField names the key of each field of Config that has one.
var keyOfField = func() map[string]string {
	m := make(map[string]string)
	for _, s := range allSettings {
		if s.field != "" && m[s.field] == "" {
			m[s.field] = s.key
		}
	}
	m["TLS"] = "security.protocol"
	m["SASL"] = "sasl.mechanism"
	return m
}()

var settingOfKey = func() map[string]*setting {
	m := make(map[string]*setting)
	for i := range allSettings {
		m[allSettings[i].key] = &allSettings[i]
	}
	return m
}()

// allSettings is every key that FromProperties takes: Java's, then those that only we have.
var allSettings = func() []setting {
	var all []setting
	for _, rows := range [][]setting{producerSettings, clientSettings, sslSettings, saslSettings, ownSettings} {
		all = append(all, rows...)
	}
	return all
}()

// producerSettings are the keys about records, batches, delivery and partitions.
var producerSettings = []setting{
	{key: "acks", kind: "STRING", def: "all", valid: "[all, -1, 0, 1]", how: honoured, field: "Acks", why: "0 and 1 switch idempotence off unless `enable.idempotence` is set, as in Java, with a notice", set: setAcks},
	{key: "batch.size", kind: "INT", def: "16384", valid: "[0,...]", how: honoured, field: "BatchSize", why: "the size at which a batch is sent at once; while it cannot be sent it grows on, up to `max.batch.bytes`", set: integer(func(c *Config) *int { return &c.BatchSize })},
	{key: "buffer.memory", kind: "LONG", def: "33554432", valid: "[0,...]", how: honoured, field: "BufferMemory", why: "at least `batch.size` and 4096", set: setBufferMemory},
	{key: "buffer.memory.allocation.strategy", kind: "STRING", def: "full", valid: "(case insensitive) [FULL, INCREMENTAL]", how: withoutEffect, why: "memory always follows the data, as with `incremental`"},
	{key: "compression.gzip.level", kind: "INT", def: "-1", valid: "[1,...,9] or -1", how: honoured, field: "GzipLevel", set: integer(func(c *Config) *int { return &c.GzipLevel })},
	{key: "compression.lz4.level", kind: "INT", def: "9", valid: "[1,...,17]", how: honoured, field: "LZ4Level", set: integer(func(c *Config) *int { return &c.LZ4Level })},
	{key: "compression.type", kind: "STRING", def: "none", valid: "[none, gzip, snappy, lz4, zstd]", how: honoured, field: "Compression", why: "a batch that compression would make larger goes out as it is", set: enum(compressionNames[:], func(c *Config, i int) { c.Compression = Compression(i) })},
	{key: "compression.zstd.level", kind: "INT", def: "3", valid: "[-131072,...,22]", how: honoured, field: "ZstdLevel", set: integer(func(c *Config) *int { return &c.ZstdLevel })},
	{key: "delivery.timeout.ms", kind: "INT", def: "120000", valid: "[0,...]", how: honoured, field: "DeliveryTimeout", why: "raised to `linger.ms` + `request.timeout.ms` if it is not set, as in Java, with a notice", set: millis(func(c *Config) *time.Duration { return &c.DeliveryTimeout })},
	{key: "enable.idempotence", kind: "BOOLEAN", def: "true", how: honoured, field: "EnableIdempotence", why: "if it is set, whatever contradicts it is an error", set: boolean(func(c *Config) *bool { return &c.EnableIdempotence })},
	{key: "interceptor.classes", kind: "LIST", def: "", how: refused, field: "Interceptors", why: "Java classes cannot run here, and one may change records: implement Interceptor and set Config.Interceptors"},
	{key: "key.serializer", kind: "CLASS", def: required, how: mapped, ours: "none", why: "records are bytes; a notice names the Serializer for NewTyped that writes the same bytes"},
	{key: "linger.ms", kind: "LONG", def: "5", valid: "[0,...]", how: honoured, field: "Linger", why: "Flush, Close and waiting for a result end it early", set: millis(func(c *Config) *time.Duration { return &c.Linger })},
	{key: "max.block.ms", kind: "LONG", def: "60000", valid: "[0,...]", how: honoured, field: "MaxBlock", set: millis(func(c *Config) *time.Duration { return &c.MaxBlock })},
	{key: "max.in.flight.requests.per.connection", kind: "INT", def: "5", valid: "[1,...]", how: honoured, field: "MaxInFlightRequestsPerConnection", why: "at most 5 with idempotence", set: integer(func(c *Config) *int { return &c.MaxInFlightRequestsPerConnection })},
	{key: "max.request.size", kind: "INT", def: "1048576", valid: "[0,...]", how: honoured, field: "MaxRequestSize", why: "0, with which nothing could be sent, is an error", set: integer(func(c *Config) *int { return &c.MaxRequestSize })},
	{key: "partitioner.adaptive.partitioning.enable", kind: "BOOLEAN", def: "true", how: honoured, field: "PartitionerAdaptivePartitioning", set: boolean(func(c *Config) *bool { return &c.PartitionerAdaptivePartitioning })},
	{key: "partitioner.availability.timeout.ms", kind: "LONG", def: "0", valid: "[0,...]", how: honoured, field: "PartitionerAvailabilityTimeout", set: millis(func(c *Config) *time.Duration { return &c.PartitionerAvailabilityTimeout })},
	{key: "partitioner.class", kind: "CLASS", def: notSet, how: mapped, field: "Partitioner", why: "Java's RoundRobinPartitioner; any other class is an error: set Config.Partitioner"},
	{key: "partitioner.ignore.keys", kind: "BOOLEAN", def: "false", how: honoured, field: "PartitionerIgnoreKeys", set: boolean(func(c *Config) *bool { return &c.PartitionerIgnoreKeys })},
	{key: "partitioner.rack.aware", kind: "BOOLEAN", def: "false", how: honoured, field: "PartitionerRackAware", why: "without `client.rack` it has no effect, as in Java, with a notice", set: boolean(func(c *Config) *bool { return &c.PartitionerRackAware })},
	{key: "request.timeout.ms", kind: "INT", def: "30000", valid: "[0,...]", how: honoured, field: "RequestTimeout", why: "0, with which every request would fail, is an error", set: millis(func(c *Config) *time.Duration { return &c.RequestTimeout })},
	{key: "retries", kind: "INT", def: "2147483647", valid: "[0,...,2147483647]", how: honoured, field: "Retries", why: "0 switches idempotence off unless `enable.idempotence` is set, as in Java, with a notice", set: setRetries},
	{key: "retry.backoff.max.ms", kind: "LONG", def: "1000", valid: "[0,...]", how: honoured, field: "RetryBackoffMax", set: millis(func(c *Config) *time.Duration { return &c.RetryBackoffMax })},
	{key: "retry.backoff.ms", kind: "LONG", def: "100", valid: "[0,...]", how: honoured, field: "RetryBackoff", why: "above `retry.backoff.max.ms` it is lowered to that, as in Java, with a notice", set: millis(func(c *Config) *time.Duration { return &c.RetryBackoff })},
	{key: "transaction.timeout.ms", kind: "INT", def: "60000", how: honoured, field: "TransactionTimeout", why: "of no effect without `transactional.id`; with it at least 1, and brokers have a limit of their own (`transaction.max.timeout.ms`, 15 min)", set: millis(func(c *Config) *time.Duration { return &c.TransactionTimeout })},
	{key: "transaction.two.phase.commit.enable", kind: "BOOLEAN", def: "false", how: refused, why: "two-phase commit is not available"},
	{key: "transactional.id", kind: "STRING", def: notSet, valid: "non-empty string", how: honoured, field: "TransactionalID", why: "every record is then part of a transaction; `acks`, `retries` or `enable.idempotence` that forbid it are errors, as in Java", set: func(c *Config, v string) { c.TransactionalID = v }},
	{key: "value.serializer", kind: "CLASS", def: required, how: mapped, ours: "none", why: "as `key.serializer`"},
}

// clientSettings are the keys about the cluster, connections and metrics.
var clientSettings = []setting{
	{key: "bootstrap.resolve.timeout.ms", kind: "LONG", def: "0", valid: "[0,...]", how: withoutEffect, why: "New looks up no name; names are resolved on each dial, within max.block and the delivery timeout"},
	{key: "bootstrap.servers", kind: "LIST", def: required, how: honoured, field: "BootstrapServers", why: "`PLAINTEXT://host:port` and bare IPv6 addresses are taken as Java takes them", set: setBootstrap},
	{key: "client.dns.lookup", kind: "STRING", def: "use_all_dns_ips", valid: "[use_all_dns_ips, resolve_canonical_bootstrap_servers_only]", how: refused, why: "every dial tries all addresses of a name; reverse look-ups are not made: list the brokers' own names in bootstrap.servers"},
	{key: "client.id", kind: "STRING", def: "", how: honoured, field: "ClientID", why: "where Java would make up producer-1, it stays empty", set: func(c *Config, v string) { c.ClientID = v }},
	{key: "client.rack", kind: "STRING", def: "", how: honoured, field: "ClientRack", set: func(c *Config, v string) { c.ClientRack = v }},
	{key: "config.providers", kind: "LIST", def: "", how: refused, why: "`${provider:…}` in values is not replaced: fill in the values before"},
	{key: "connections.max.idle.ms", kind: "LONG", def: "540000", how: honoured, field: "ConnectionsMaxIdle", why: "negative: never; 0 is an error", set: millis(func(c *Config) *time.Duration { return &c.ConnectionsMaxIdle })},
	{key: "enable.metrics.push", kind: "BOOLEAN", def: "true", how: withoutEffect, why: "metrics are not pushed to brokers"},
	{key: "metadata.cluster.check.enable", kind: "BOOLEAN", def: "true", how: honoured, field: "MetadataClusterCheck", set: boolean(func(c *Config) *bool { return &c.MetadataClusterCheck })},
	{key: "metadata.max.age.ms", kind: "LONG", def: "300000", valid: "[0,...]", how: honoured, field: "MetadataMaxAge", set: millis(func(c *Config) *time.Duration { return &c.MetadataMaxAge })},
	{key: "metadata.max.idle.ms", kind: "LONG", def: "300000", valid: "[5000,...]", how: honoured, field: "MetadataMaxIdle", set: millis(func(c *Config) *time.Duration { return &c.MetadataMaxIdle })},
	{key: "metadata.recovery.rebootstrap.trigger.ms", kind: "LONG", def: "300000", valid: "[0,...]", how: honoured, field: "MetadataRecoveryRebootstrapTrigger", set: millis(func(c *Config) *time.Duration { return &c.MetadataRecoveryRebootstrapTrigger })},
	{key: "metadata.recovery.strategy", kind: "STRING", def: "rebootstrap", valid: "(case insensitive) [REBOOTSTRAP, NONE]", how: honoured, field: "MetadataRecoveryStrategy", set: enum(recoveryNames[:], func(c *Config, i int) { c.MetadataRecoveryStrategy = MetadataRecoveryStrategy(i) })},
	{key: "metric.reporters", kind: "LIST", def: "org.apache.kafka.common.metrics.JmxReporter", how: withoutEffect, why: "there is no JMX; see Stats"},
	{key: "metrics.num.samples", kind: "INT", def: "2", valid: "[1,...]", how: withoutEffect, why: "Stats counts from the start and keeps no samples"},
	{key: "metrics.recording.level", kind: "STRING", def: "INFO", valid: "[INFO, DEBUG, TRACE]", how: withoutEffect, why: "Stats is always complete"},
	{key: "metrics.sample.window.ms", kind: "LONG", def: "30000", valid: "[0,...]", how: withoutEffect, why: "Stats counts from the start and keeps no samples"},
	{key: "receive.buffer.bytes", kind: "INT", def: "32768", valid: "[-1,...]", how: honoured, field: "ReceiveBuffer", set: integer(func(c *Config) *int { return &c.ReceiveBuffer })},
	{key: "reconnect.backoff.max.ms", kind: "LONG", def: "1000", valid: "[0,...]", how: honoured, field: "ReconnectBackoffMax", why: "if only `reconnect.backoff.ms` is set, it is that, as in Java, with a notice", set: millis(func(c *Config) *time.Duration { return &c.ReconnectBackoffMax })},
	{key: "reconnect.backoff.ms", kind: "LONG", def: "50", valid: "[0,...]", how: honoured, field: "ReconnectBackoff", set: millis(func(c *Config) *time.Duration { return &c.ReconnectBackoff })},
	{key: "security.protocol", kind: "STRING", def: "PLAINTEXT", valid: "(case insensitive) [SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT]", how: mapped, field: "TLS", why: "SSL makes Config.TLS from the `ssl.*` keys; SASL_SSL and SASL_PLAINTEXT are errors: SASL is not available yet"},
	{key: "security.providers", kind: "STRING", def: notSet, how: withoutEffect, why: "concerns the JVM"},
	{key: "send.buffer.bytes", kind: "INT", def: "131072", valid: "[-1,...]", how: honoured, field: "SendBuffer", set: integer(func(c *Config) *int { return &c.SendBuffer })},
	{key: "socket.connection.setup.timeout.max.ms", kind: "LONG", def: "30000", how: honoured, field: "SocketConnectionSetupTimeoutMax", set: millis(func(c *Config) *time.Duration { return &c.SocketConnectionSetupTimeoutMax })},
	{key: "socket.connection.setup.timeout.ms", kind: "LONG", def: "10000", how: honoured, field: "SocketConnectionSetupTimeout", why: "above `socket.connection.setup.timeout.max.ms` it is lowered to that, as in Java, with a notice; 0 is an error", set: millis(func(c *Config) *time.Duration { return &c.SocketConnectionSetupTimeout })},
}

// ownSettings have no counterpart in Java.
var ownSettings = []setting{
	{key: "allow.auto.create.topics", kind: "BOOLEAN", def: "true", how: honoured, field: "AllowAutoTopicCreation", why: "Java always asks for it; whether a topic is made is the broker's `auto.create.topics.enable`", set: boolean(func(c *Config) *bool { return &c.AllowAutoTopicCreation })},
	{key: "max.api.versions", kind: "LIST", def: "", how: honoured, field: "MaxAPIVersions", why: "caps the version of requests, such as `Produce=9,Metadata=8`: for what hangs up on a version that it said it knows; nothing is guessed but an older ApiVersions, after repeated hang-ups", set: setMaxAPIVersions},
	{key: "max.batch.bytes", kind: "INT", def: "1048576", valid: "[1,...]", how: honoured, field: "MaxBatchBytes", why: "how large a batch grows while it cannot be sent; raised to `batch.size` if it is not set", set: integer(func(c *Config) *int { return &c.MaxBatchBytes })},
	{key: "topic.recreation", kind: "STRING", def: "follow", valid: "[follow, fail]", how: honoured, field: "TopicRecreation", why: "whether waiting records go to a topic that was deleted and made again", set: enum(recreationNames[:], func(c *Config, i int) { c.TopicRecreation = TopicRecreation(i) })},
	{key: "unknown.topic.grace.ms", kind: "LONG", def: "9223372036854775807", valid: "[0,...]", how: honoured, field: "UnknownTopicGrace", why: "how long a topic never seen may take to appear: at most max.block.ms, or 5 s if that is more", set: millis(func(c *Config) *time.Duration { return &c.UnknownTopicGrace })},
}
