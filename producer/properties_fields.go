package producer

import (
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/internal/properties"
	"github.com/epistle-kafka/epistle/partition"
)

// fieldOfKey puts the value of a key into its field of Config. The value has passed the checks of its row in the table of keys.
// security.protocol is not among the keys, since it is resolved with many others.
var fieldOfKey = map[string]func(c *Config, value string){
	"acks":                                     setAcks,
	"allow.auto.create.topics":                 boolean(func(c *Config) *bool { return &c.AllowAutoTopicCreation }),
	"batch.size":                               integer(func(c *Config) *int { return &c.BatchSize }),
	"bootstrap.servers":                        setBootstrap,
	"buffer.memory":                            func(c *Config, v string) { c.BufferMemory = properties.Int(v) },
	"client.id":                                func(c *Config, v string) { c.ClientID = v },
	"client.rack":                              func(c *Config, v string) { c.ClientRack = v },
	"compression.gzip.level":                   integer(func(c *Config) *int { return &c.GzipLevel }),
	"compression.lz4.level":                    integer(func(c *Config) *int { return &c.LZ4Level }),
	"compression.type":                         enum(compressionNames[:], func(c *Config, i int) { c.Compression = Compression(i) }),
	"compression.zstd.level":                   integer(func(c *Config) *int { return &c.ZstdLevel }),
	"connections.max.idle.ms":                  millis(func(c *Config) *time.Duration { return &c.ConnectionsMaxIdle }),
	"delivery.timeout.ms":                      millis(func(c *Config) *time.Duration { return &c.DeliveryTimeout }),
	"enable.idempotence":                       boolean(func(c *Config) *bool { return &c.EnableIdempotence }),
	"enable.metrics.push":                      boolean(func(c *Config) *bool { return &c.EnableMetricsPush }),
	"linger.ms":                                millis(func(c *Config) *time.Duration { return &c.Linger }),
	"max.api.versions":                         setMaxAPIVersions,
	"max.batch.bytes":                          integer(func(c *Config) *int { return &c.MaxBatchBytes }),
	"max.block.ms":                             millis(func(c *Config) *time.Duration { return &c.MaxBlock }),
	"max.in.flight.requests.per.connection":    integer(func(c *Config) *int { return &c.MaxInFlightRequestsPerConnection }),
	"max.request.size":                         integer(func(c *Config) *int { return &c.MaxRequestSize }),
	"metadata.cluster.check.enable":            boolean(func(c *Config) *bool { return &c.MetadataClusterCheck }),
	"metadata.max.age.ms":                      millis(func(c *Config) *time.Duration { return &c.MetadataMaxAge }),
	"metadata.max.idle.ms":                     millis(func(c *Config) *time.Duration { return &c.MetadataMaxIdle }),
	"metadata.recovery.rebootstrap.trigger.ms": millis(func(c *Config) *time.Duration { return &c.MetadataRecoveryRebootstrapTrigger }),
	"metadata.recovery.strategy":               enum(recoveryNames[:], func(c *Config, i int) { c.MetadataRecoveryStrategy = MetadataRecoveryStrategy(i) }),
	"partitioner.adaptive.partitioning.enable": boolean(func(c *Config) *bool { return &c.PartitionerAdaptivePartitioning }),
	"partitioner.availability.timeout.ms":      millis(func(c *Config) *time.Duration { return &c.PartitionerAvailabilityTimeout }),
	"partitioner.class":                        setPartitioner,
	"partitioner.ignore.keys":                  boolean(func(c *Config) *bool { return &c.PartitionerIgnoreKeys }),
	"partitioner.rack.aware":                   boolean(func(c *Config) *bool { return &c.PartitionerRackAware }),
	"receive.buffer.bytes":                     integer(func(c *Config) *int { return &c.ReceiveBuffer }),
	"reconnect.backoff.max.ms":                 millis(func(c *Config) *time.Duration { return &c.ReconnectBackoffMax }),
	"reconnect.backoff.ms":                     millis(func(c *Config) *time.Duration { return &c.ReconnectBackoff }),
	"request.timeout.ms":                       millis(func(c *Config) *time.Duration { return &c.RequestTimeout }),
	"retries":                                  func(c *Config, v string) { c.Retries = int32(properties.Int(v)) },
	"retry.backoff.max.ms":                     millis(func(c *Config) *time.Duration { return &c.RetryBackoffMax }),
	"retry.backoff.ms":                         millis(func(c *Config) *time.Duration { return &c.RetryBackoff }),
	"send.buffer.bytes":                        integer(func(c *Config) *int { return &c.SendBuffer }),
	"socket.connection.setup.timeout.max.ms":   millis(func(c *Config) *time.Duration { return &c.SocketConnectionSetupTimeoutMax }),
	"socket.connection.setup.timeout.ms":       millis(func(c *Config) *time.Duration { return &c.SocketConnectionSetupTimeout }),
	"topic.recreation":                         enum(recreationNames[:], func(c *Config, i int) { c.TopicRecreation = TopicRecreation(i) }),
	"transaction.timeout.ms":                   millis(func(c *Config) *time.Duration { return &c.TransactionTimeout }),
	"transactional.id":                         func(c *Config, v string) { c.TransactionalID = v },
	"unknown.topic.grace.ms":                   millis(func(c *Config) *time.Duration { return &c.UnknownTopicGrace }),
}

func boolean(field func(*Config) *bool) func(*Config, string) {
	return func(c *Config, v string) { *field(c) = properties.Bool(v) }
}

func integer(field func(*Config) *int) func(*Config, string) {
	return func(c *Config, v string) { *field(c) = int(properties.Int(v)) }
}

func millis(field func(*Config) *time.Duration) func(*Config, string) {
	return func(c *Config, v string) { *field(c) = properties.Millis(v) }
}

// enum sets the index of the name, whatever its case. Where case matters, the table's check has refused what differs.
func enum(names []string, set func(*Config, int)) func(*Config, string) {
	return func(c *Config, v string) {
		for i, name := range names {
			if strings.EqualFold(v, name) {
				set(c, i)
			}
		}
	}
}

func setAcks(c *Config, v string) {
	switch v {
	case "0":
		c.Acks = AcksNone
	case "1":
		c.Acks = AcksLeader
	default:
		c.Acks = AcksAll
	}
}

// setBootstrap takes what Java takes: a listener's scheme in front, and IPv6 addresses without brackets.
func setBootstrap(c *Config, v string) {
	c.BootstrapServers = nil
	for _, server := range properties.List(v) {
		if _, address, ok := strings.Cut(server, "://"); ok {
			server = address
		}
		if i := strings.LastIndexByte(server, ':'); i > 0 && strings.Contains(server[:i], ":") && !strings.ContainsAny(server, "[@; \t") {
			server = "[" + server[:i] + "]" + server[i:]
		}
		c.BootstrapServers = append(c.BootstrapServers, server)
	}
}

// setPartitioner takes the one class of Java's that has a counterpart, and librdkafka's names if they are asked for.
func setPartitioner(c *Config, v string) {
	switch v {
	case properties.JavaRoundRobin:
		c.Partitioner = partition.RoundRobin()
	case "random":
		c.Partitioner = partition.IgnoreKeys()
	case "consistent":
		c.Partitioner = partition.Consistent(partition.CRC32)
	case "consistent_random":
		c.Partitioner = partition.Default(partition.CRC32NonEmpty)
	case "murmur2":
		c.Partitioner = partition.Consistent(partition.JavaMurmur2)
	case "fnv1a":
		c.Partitioner = partition.Consistent(partition.FNV1a)
	case "fnv1a_random":
		c.Partitioner = partition.Default(partition.FNV1a)
	}
}
