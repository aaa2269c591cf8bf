package properties

// clientSettings are the keys about the cluster, connections and metrics.
var clientSettings = []Setting{
	{Key: "bootstrap.resolve.timeout.ms", Kind: "LONG", Default: "0", Valid: "[0,...]", How: WithoutEffect, Why: "New looks up no name; names are resolved on each dial, within max.block and the delivery timeout"},
	{Key: "bootstrap.servers", Kind: "LIST", Default: Required, How: Honoured, Field: "BootstrapServers", Why: "in properties, `PLAINTEXT://host:port` and bare IPv6 addresses are taken as Java takes them"},
	{Key: "client.dns.lookup", Kind: "STRING", Default: "use_all_dns_ips", Valid: "[use_all_dns_ips, resolve_canonical_bootstrap_servers_only]", How: Refused, Why: "every dial tries all addresses of a name; reverse look-ups are not made: list the brokers' own names in bootstrap.servers"},
	{Key: "client.id", Kind: "STRING", Default: "", How: Honoured, Field: "ClientID", Why: "where Java would make up producer-1, it stays empty"},
	{Key: "client.rack", Kind: "STRING", Default: "", How: Honoured, Field: "ClientRack"},
	{Key: "config.providers", Kind: "LIST", Default: "", How: Mapped, Why: "FileConfigProvider, DirectoryConfigProvider and EnvVarConfigProvider fill in `${provider:…}` in values, once, when the properties are read; a reference that leads nowhere is an error"},
	{Key: "connections.max.idle.ms", Kind: "LONG", Default: "540000", How: Honoured, Field: "ConnectionsMaxIdle", Why: "negative: never; 0 is an error"},
	{Key: "enable.metrics.push", Kind: "BOOLEAN", Default: "true", How: Honoured, Field: "EnableMetricsPush", Why: "brokers that have a receiver of metrics, and subscribe to some, are told them"},
	{Key: "metadata.cluster.check.enable", Kind: "BOOLEAN", Default: "true", How: Honoured, Field: "MetadataClusterCheck", Why: "of no effect, with a notice, with `metadata.recovery.strategy=none`"},
	{Key: "metadata.max.age.ms", Kind: "LONG", Default: "300000", Valid: "[0,...]", How: Honoured, Field: "MetadataMaxAge"},
	{Key: "metadata.max.idle.ms", Kind: "LONG", Default: "300000", Valid: "[5000,...]", How: Honoured, Field: "MetadataMaxIdle"},
	{Key: "metadata.recovery.rebootstrap.trigger.ms", Kind: "LONG", Default: "300000", Valid: "[0,...]", How: Honoured, Field: "MetadataRecoveryRebootstrapTrigger", Why: "of no effect, with a notice, with `metadata.recovery.strategy=none`"},
	{Key: "metadata.recovery.strategy", Kind: "STRING", Default: "rebootstrap", Valid: "(case insensitive) [REBOOTSTRAP, NONE]", How: Honoured, Field: "MetadataRecoveryStrategy"},
	{Key: "metric.reporters", Kind: "LIST", Default: "org.apache.kafka.common.metrics.JmxReporter", How: WithoutEffect, Why: "there is no JMX; Producer.Metrics has the numbers, and Metrics.Java has them under Java's names"},
	{Key: "metrics.num.samples", Kind: "INT", Default: "2", Valid: "[1,...]", How: WithoutEffect, Why: "Stats counts from the start and keeps no samples"},
	{Key: "metrics.recording.level", Kind: "STRING", Default: "INFO", Valid: "[INFO, DEBUG, TRACE]", How: WithoutEffect, Why: "Stats is always complete"},
	{Key: "metrics.sample.window.ms", Kind: "LONG", Default: "30000", Valid: "[0,...]", How: WithoutEffect, Why: "Stats counts from the start and keeps no samples"},
	{Key: "receive.buffer.bytes", Kind: "INT", Default: "32768", Valid: "[-1,...]", How: Honoured, Field: "ReceiveBuffer"},
	{Key: "reconnect.backoff.max.ms", Kind: "LONG", Default: "1000", Valid: "[0,...]", How: Honoured, Field: "ReconnectBackoffMax", Why: "if only `reconnect.backoff.ms` is set, it is that, as in Java, with a notice"},
	{Key: "reconnect.backoff.ms", Kind: "LONG", Default: "50", Valid: "[0,...]", How: Honoured, Field: "ReconnectBackoff"},
	{Key: "security.protocol", Kind: "STRING", Default: "PLAINTEXT", Valid: "(case insensitive) [SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT]", How: Mapped, Field: "TLS", Why: "with SSL and SASL_SSL, Config.TLS is made from the `ssl.*` keys; with SASL_SSL and SASL_PLAINTEXT, Config.SASL from the `sasl.*` keys"},
	{Key: "security.providers", Kind: "STRING", Default: NotSet, How: WithoutEffect, Why: "concerns the JVM"},
	{Key: "send.buffer.bytes", Kind: "INT", Default: "131072", Valid: "[-1,...]", How: Honoured, Field: "SendBuffer"},
	{Key: "socket.connection.setup.timeout.max.ms", Kind: "LONG", Default: "30000", How: Honoured, Field: "SocketConnectionSetupTimeoutMax"},
	{Key: "socket.connection.setup.timeout.ms", Kind: "LONG", Default: "10000", How: Honoured, Field: "SocketConnectionSetupTimeout", Why: "above `socket.connection.setup.timeout.max.ms` it is lowered to that, as in Java, with a notice; 0 is an error"},
}

// ownSettings have no counterpart in Java.
var ownSettings = []Setting{
	{Key: "allow.auto.create.topics", Kind: "BOOLEAN", Default: "true", How: Honoured, Field: "AllowAutoTopicCreation", Why: "Java always asks for it; whether a topic is made is the broker's `auto.create.topics.enable`"},
	{Key: "max.api.versions", Kind: "LIST", Default: "", How: Honoured, Field: "MaxAPIVersions", Why: "caps the version of requests, such as `Produce=9,Metadata=8`: for what hangs up on a version that it said it knows; nothing is guessed but an older ApiVersions, after repeated hang-ups"},
	{Key: "max.batch.bytes", Kind: "INT", Default: "1048576", Valid: "[1,...]", How: Honoured, Field: "MaxBatchBytes", Why: "how large a batch grows while it cannot be sent; raised to `batch.size` if it is not set"},
	{Key: "topic.recreation", Kind: "STRING", Default: "follow", Valid: "[follow, fail]", How: Honoured, Field: "TopicRecreation", Why: "whether waiting records go to a topic that was deleted and made again"},
	{Key: "unknown.topic.grace.ms", Kind: "LONG", Default: "9223372036854775807", Valid: "[0,...]", How: Honoured, Field: "UnknownTopicGrace", Why: "how long a topic never seen may take to appear: at most max.block.ms, or 5 s if that is more; of no effect, with a notice, with `allow.auto.create.topics=false`"},
}
