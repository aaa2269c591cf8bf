package producer

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math"
	"net"
	"time"

	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/sasl"
)

// Config holds every setting of a producer. Its fields are Java's settings in Go spelling: the first words of each
// comment are Java's key and default, or the key that FromProperties takes and "ours" where Java has none.
//
// Start from DefaultConfig or a preset, never from Config{}: zero is a legal value of many settings and means
// something else than the default (Acks 0 asks for no acknowledgement, Linger 0 for no waiting). A duration without a unit is
// nanoseconds, so 5 is refused: 5 * time.Millisecond is what Java means by it. Linger and the backoffs may be as short as a
// microsecond, other times as short as a millisecond, save where a comment says otherwise.
//
// A Config is a plain value. New takes a copy, and nothing that is changed afterwards reaches the producer; what
// BootstrapServers, MaxAPIVersions, Interceptors, Hooks, ApplicationMetrics, TLS, SASL and Logger point to is shared and must not be modified while the producer lives.
type Config struct {
	// Reaching the cluster.

	// bootstrap.servers, required. Where to find the cluster first: host:port each, IPv6 in brackets ("[::1]:9092").
	// New looks up no name and opens no connection; names are resolved again on each dial.
	BootstrapServers []string
	// client.id, default "". The name of this application in requests, quotas and broker logs. At most 32767 bytes.
	ClientID string
	// client.rack, default "". Where this producer runs, in the terms of the brokers' broker.rack.
	ClientRack string
	// security.protocol SSL and the ssl.* keys, default nil: plaintext. ServerName, where empty, is the broker's host.
	TLS *tls.Config
	// ssl.truststore.*, ssl.keystore.* and so on, default nil. Files of certificates, which may be replaced while the
	// producer lives. What is in them takes the place of RootCAs and Certificates of TLS; the rest of TLS counts. With
	// TLSFiles alone, TLS is spoken from version 1.2 on.
	TLSFiles *TLSFiles
	// sasl.mechanism, sasl.jaas.config and the other sasl.* keys, default nil: none (security.protocol PLAINTEXT or SSL). How
	// this producer proves who it is, on each connection before all else, and again before the session that the broker has
	// granted ends (KIP-368). Package sasl has mechanisms. Over plaintext some are readable by whoever reads along, which is
	// logged once. It is printed by its name alone.
	SASL sasl.Mechanism
	// ours, default nil: a net.Dialer. Opens the TCP connections, for proxies and tests. Its ctx carries the
	// deadline of SocketConnectionSetupTimeout. A connection that wraps another does best to have NetConn() net.Conn, as
	// tls.Conn has, so that SendBuffer and ReceiveBuffer reach the socket; and Transparent() bool, returning true, if its
	// Read and Write only call the inner ones, which are then called directly. What is lost without is logged, once.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// What counts as delivered.

	// acks, default all. How many replicas have a record when it counts as sent.
	Acks Acks
	// enable.idempotence, default true. Each record is written once and in order for as long as the producer lives,
	// whatever is retried. Needs Acks AcksAll, Retries above 0 and MaxInFlightRequestsPerConnection of at most 5;
	// a Config that contradicts it is refused, it is never switched off silently.
	EnableIdempotence bool
	// retries, default 2147483647. How often a failed batch is sent again. DeliveryTimeout is the better bound.
	Retries int32
	// delivery.timeout.ms, default 2 min. From admission (the end of Send) to the result at the latest. At least
	// Linger + RequestTimeout, at most 2147483647 ms.
	DeliveryTimeout time.Duration
	// request.timeout.ms, default 30 s. How long to wait for an answer, and how long the broker waits for its
	// replicas. Whole milliseconds count; 1 ms to 2147483647 ms.
	RequestTimeout time.Duration
	// max.in.flight.requests.per.connection, default 5. Unanswered requests on one connection. At least 1; at most
	// 5 with idempotence. Without idempotence, more than 1 lets a retry change the order of records.
	MaxInFlightRequestsPerConnection int
	// retry.backoff.ms, default 100 ms. The wait before the first retry; it doubles with each further one, ±20 %.
	RetryBackoff time.Duration
	// retry.backoff.max.ms, default 1 s. The cap of that wait. At least RetryBackoff.
	RetryBackoffMax time.Duration

	// Transactions.

	// transactional.id, default "": none. The stable name of this producer, under which the cluster keeps its
	// transactions: an instance that starts with it fences the one before. It needs EnableIdempotence, and every record
	// is then part of a transaction. At most 32767 bytes.
	TransactionalID string
	exactlyOnce     bool // TransactionalID is obligatory: see ExactlyOnce
	// transaction.timeout.ms, default 1 min. The cluster aborts a transaction that is open for longer. 1 ms to the
	// brokers' transaction.max.timeout.ms, which is 15 min unless it was changed.
	TransactionTimeout time.Duration

	// Batching and memory.

	// batch.size, default 16384 bytes. A batch of this size is sent without waiting for Linger. It is not the size at
	// which a batch is cut (see MaxBatchBytes). 0 sends each record at once.
	BatchSize int
	// max.batch.bytes (ours), default 1 MiB. While a partition cannot be sent to, its open batch goes on growing up
	// to this many uncompressed bytes, or up to MaxRequestSize if that is less. At least BatchSize.
	MaxBatchBytes int
	// linger.ms, default 5 ms. How long a batch that is not full waits for more records, at most. Flush, Close and
	// whoever waits for a result end it early; and so does, by an eighth of it and not more than 1 ms, another batch
	// that goes, whose request it joins. What does not linger, Send hands to its connection itself if that takes it
	// at once.
	Linger time.Duration
	// buffer.memory, default 32 MiB. Bytes for records that wait, are in flight, or whose callbacks have not begun, by
	// whole chunks, with their callbacks. When it is used up, Send waits, up to MaxBlock. What the producer holds in all
	// stays within this plus 6 MiB, and with compression a compressor and a batch for each core. It is allocated as it
	// is needed, first by 64 KiB, then by as much as there is already, and beyond 2 MiB in pieces of 2 MiB, which on
	// Linux are to lie in huge pages, where those are not switched off (transparent_hugepage=never). What a burst needed
	// goes back to the garbage collector after some seconds. At least BatchSize and 4096.
	BufferMemory int64
	// max.block.ms, default 1 min. How long Send waits at most, for the metadata of its topic and for memory together.
	// With 0 no call that it bounds waits: what it began goes on, and the same call, made again, finds it done.
	MaxBlock time.Duration
	// max.request.size, default 1048576 bytes. The largest request, and the largest record before compression.
	MaxRequestSize int

	// Compression.

	// compression.type, default none. The codec of whole batches.
	Compression Compression
	// compression.gzip.level, default -1 (the codec's own, 6). 1 to 9, or -1.
	GzipLevel int
	// compression.lz4.level, default 9. 1 to 17.
	LZ4Level int
	// compression.zstd.level, default 3. -131072 to 22.
	ZstdLevel int

	// Which partition a record goes to. A partition named by the record itself always wins.

	// partitioner.class, default nil: keys by murmur2 as Java hashes them, records without a key uniform sticky.
	Partitioner partition.Partitioner
	// partitioner.ignore.keys, default false. The built-in partitioner treats every record as having no key.
	PartitionerIgnoreKeys bool
	// partitioner.adaptive.partitioning.enable, default true. Records without a key go more to faster brokers. If false, they
	// are as many bytes in each partition that has a leader, whatever the brokers do.
	PartitionerAdaptivePartitioning bool
	// partitioner.availability.timeout.ms, default 0: off. Records without a key avoid a partition whose broker has
	// taken no batch for this long. Works with PartitionerAdaptivePartitioning only.
	PartitionerAvailabilityTimeout time.Duration
	// partitioner.rack.aware, default false. Records without a key go to leaders in ClientRack while there are any.
	PartitionerRackAware bool

	// Metadata.

	// metadata.max.age.ms, default 5 min. Metadata is asked for again at this age, also when nothing went wrong.
	MetadataMaxAge time.Duration
	// metadata.max.idle.ms, default 5 min. A topic nothing was sent to for this long is forgotten. At least 5 s.
	MetadataMaxIdle time.Duration
	// metadata.recovery.strategy, default rebootstrap. What to do when no known broker can be reached.
	MetadataRecoveryStrategy MetadataRecoveryStrategy
	// metadata.recovery.rebootstrap.trigger.ms, default 5 min. Without metadata for this long, start over from
	// BootstrapServers.
	MetadataRecoveryRebootstrapTrigger time.Duration
	// metadata.cluster.check.enable, default true. Tell brokers which cluster and node they are taken for, so that a
	// misrouted connection is refused (KIP-1242). No effect with MetadataRecoveryStrategy RecoveryNone.
	MetadataClusterCheck bool
	// allow.auto.create.topics (ours), default true, as Java always does. Looking up an unknown topic asks the broker
	// to create it, which it does if its own auto.create.topics.enable says so.
	AllowAutoTopicCreation bool
	// unknown.topic.grace.ms (ours), default no limit of its own. A topic never seen is looked up for this long before it
	// counts as unknown, and at most for MaxBlock, or 5 s if that is more: a broker that creates a topic answers "unknown"
	// at first, so that one which is being made and one which never will be are alike. Set it where topics are made
	// beforehand, to be told sooner. No effect without AllowAutoTopicCreation: there two brokers' word settles it.
	UnknownTopicGrace time.Duration
	// topic.recreation (ours), default follow. What happens to records when their topic was deleted and made again.
	TopicRecreation TopicRecreation

	// Connections.

	// connections.max.idle.ms, default 9 min. A connection without traffic is closed after this. Negative: never.
	ConnectionsMaxIdle time.Duration
	// reconnect.backoff.ms, default 50 ms. The wait before connecting to a broker again; it doubles, ±20 %.
	ReconnectBackoff time.Duration
	// reconnect.backoff.max.ms, default 1 s. The cap of that wait. At least ReconnectBackoff.
	ReconnectBackoffMax time.Duration
	// socket.connection.setup.timeout.ms, default 10 s. How long it may take to open the socket; it doubles with each
	// attempt in a row that times out, ±20 %. The TLS handshake, ApiVersions and SASL each have as long, or RequestTimeout.
	SocketConnectionSetupTimeout time.Duration
	// socket.connection.setup.timeout.max.ms, default 30 s. The cap of that. At least SocketConnectionSetupTimeout.
	SocketConnectionSetupTimeoutMax time.Duration
	// send.buffer.bytes, default 131072. SO_SNDBUF; -1 leaves it to the operating system. A request is written in pieces
	// of about this size: with hundreds of MB/s, 524288 saves wake-ups. On Linux net.core.wmem_max bounds it. Set,
	// it bounds what is on its way to a far broker, too: there, leave it to the system.
	SendBuffer int
	// receive.buffer.bytes, default 32768. SO_RCVBUF; -1 leaves it to the operating system.
	ReceiveBuffer int

	// max.api.versions (ours), default none. Caps the version of requests by Kafka's name of each, such as {"Produce": 9,
	// "Metadata": 8}: for a broker, or a proxy in front of it, that hangs up on a version that it said it knows. In
	// properties: max.api.versions=Produce=9,Metadata=8. Nothing is capped by a guess, but for ApiVersions itself.
	MaxAPIVersions map[string]int16

	// Around it.

	// enable.metrics.push, default true. Brokers that have a receiver of metrics (KIP-714), and subscribe to some, are told them.
	// What is pushed, and when, is in docs/telemetry.md. Records never wait for it, and nothing fails because of it.
	EnableMetricsPush bool
	// ours (Java: registerMetricForSubscription, KIP-1076), default none. Metrics of the program, pushed along with the
	// producer's own under names made by the same rule: group "app-metrics" and name "orders-total" are
	// org.apache.kafka.app.orders.total. Each function is called for each push, one call at a time, on a goroutine of its own.
	// One that takes long holds up that push and nothing else; its metrics are left out if it panics. What it returns is the
	// producer's until the next call. A metric that has the name and the tags of one of the producer's own, or of one before
	// it, is left out.
	ApplicationMetrics []func() []JavaMetric
	// interceptor.classes, default none. Called in this order for each record and each result.
	Interceptors []Interceptor
	// ours, default none. Told of what happens to records, batches, connections and transactions. Called in this order; see Hook.
	Hooks []Hook
	// ours, default nil: silent. What it is told of is in docs/log.md: changes of state, never a record. Its handler runs on a
	// goroutine of its own, so a slow one holds nothing up; Close waits a second for it at most.
	Logger *slog.Logger
}

// forEver is what Java's Long.MAX_VALUE milliseconds become: as much as a Duration holds of them.
const forEver = math.MaxInt64 / time.Millisecond * time.Millisecond

// DefaultConfig returns the settings of a Java 4.4 producer that was given nothing but these bootstrap servers:
// acks=all, idempotence on, linger 5 ms, 5 requests in flight, 2 minutes to deliver, 32 MiB of memory.
func DefaultConfig(bootstrap ...string) Config {
	return Config{
		BootstrapServers: bootstrap,

		Acks:                             AcksAll,
		EnableIdempotence:                true,
		Retries:                          2147483647,
		DeliveryTimeout:                  2 * time.Minute,
		RequestTimeout:                   30 * time.Second,
		MaxInFlightRequestsPerConnection: 5,
		RetryBackoff:                     100 * time.Millisecond,
		RetryBackoffMax:                  time.Second,

		TransactionTimeout: time.Minute,

		BatchSize:      16384,
		MaxBatchBytes:  1 << 20,
		Linger:         5 * time.Millisecond,
		BufferMemory:   32 << 20,
		MaxBlock:       time.Minute,
		MaxRequestSize: 1 << 20,

		Compression: NoCompression,
		GzipLevel:   -1,
		LZ4Level:    9,
		ZstdLevel:   3,

		PartitionerAdaptivePartitioning: true,

		EnableMetricsPush: true,

		MetadataMaxAge:                     5 * time.Minute,
		MetadataMaxIdle:                    5 * time.Minute,
		MetadataRecoveryStrategy:           RecoveryRebootstrap,
		MetadataRecoveryRebootstrapTrigger: 5 * time.Minute,
		MetadataClusterCheck:               true,
		AllowAutoTopicCreation:             true,
		UnknownTopicGrace:                  forEver,
		TopicRecreation:                    FollowNewTopic,

		ConnectionsMaxIdle:              9 * time.Minute,
		ReconnectBackoff:                50 * time.Millisecond,
		ReconnectBackoffMax:             time.Second,
		SocketConnectionSetupTimeout:    10 * time.Second,
		SocketConnectionSetupTimeoutMax: 30 * time.Second,
		SendBuffer:                      131072,
		ReceiveBuffer:                   32768,
	}
}
