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

// Config holds every setting of a producer. Its fields are Java's settings in Go's spelling. The comment of each begins with
// Java's key and the default. "ours" means that Java has no such setting; where a key stands before it, FromProperties takes
// that key.
//
// Start from DefaultConfig or a preset, never from Config{}: zero is a legal value of many settings, and means something else
// than the default. Acks 0 asks for no acknowledgement, and Linger 0 for no waiting. A duration without a unit is nanoseconds,
// so 5 is refused: 5 * time.Millisecond is what Java means by it. Linger and the backoffs may be as short as a microsecond, and
// other times as short as a millisecond, unless a comment says otherwise.
//
// A Config is a plain value. New takes a copy, so what is changed afterwards does not reach the producer. But BootstrapServers,
// MaxAPIVersions, Interceptors, Hooks, ApplicationMetrics, TLS, SASL and Logger point to what is shared. That must not be
// modified while the producer lives.
type Config struct {
	// Reaching the cluster.

	// bootstrap.servers, required. Where to find the cluster at first: host:port each, with IPv6 in brackets ("[::1]:9092").
	// New opens no connection and looks up no name. Names are resolved again for each connection.
	BootstrapServers []string
	// client.id, default "". The name of this application in requests, quotas and broker logs. At most 32767 bytes.
	ClientID string
	// client.rack, default "". Where this producer runs: a name as brokers have it in broker.rack. PartitionerRackAware uses
	// it.
	ClientRack string
	// security.protocol SSL and the ssl.* keys, default nil: plaintext. &tls.Config{} trusts what the system trusts. If
	// ServerName is empty, the certificate is checked for the broker's host.
	TLS *tls.Config
	// ssl.truststore.*, ssl.keystore.* and so on, default nil. Files of certificates, which may be replaced while the producer
	// lives. Their content takes the place of RootCAs and Certificates of TLS; the rest of TLS counts. If TLS is nil and
	// TLSFiles is not, TLS is spoken from version 1.2 on.
	TLSFiles *TLSFiles
	// sasl.mechanism, sasl.jaas.config and the other sasl.* keys, default nil: none (security.protocol PLAINTEXT or SSL). How
	// this producer proves who it is. It logs in on each connection when that is made, and again before the session that the
	// broker has granted ends (KIP-368). Package sasl has mechanisms. Without TLS, anybody on the way can read the secrets of
	// some mechanisms, which is logged once. A Config that is printed shows the name of the mechanism alone.
	SASL sasl.Mechanism
	// ours, default nil: a net.Dialer. Opens the TCP connections, for proxies and tests. It may be called concurrently. The
	// deadline of its ctx is SocketConnectionSetupTimeout. A connection that wraps another should have two methods: NetConn()
	// net.Conn, as tls.Conn has it, so that SendBuffer and ReceiveBuffer reach the socket; and Transparent() bool, returning
	// true, if its Read and Write only call the inner ones, which are then called directly. What is lost without these is
	// logged once.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// What counts as delivered.

	// acks, default all. How many replicas must have a record before it counts as written. Less than all needs
	// EnableIdempotence false.
	Acks Acks
	// enable.idempotence, default true. Each record is written once and in order for as long as the producer lives, whatever is
	// retried. It needs Acks AcksAll, Retries above 0 and MaxInFlightRequestsPerConnection of at most 5. New refuses a Config
	// that contradicts it. Idempotence is never switched off silently, except that FromProperties does what Java does, with a
	// Notice.
	EnableIdempotence bool
	// retries, default 2147483647. How often a failed batch is sent again. DeliveryTimeout is the better bound.
	Retries int32
	// delivery.timeout.ms, default 2 min. The longest time from the end of Send to the record's outcome. At least Linger +
	// RequestTimeout, at most 2147483647 ms.
	DeliveryTimeout time.Duration
	// request.timeout.ms, default 30 s. How long the producer waits for an answer, and the broker for its replicas. Whole
	// milliseconds count. 1 ms to 2147483647 ms.
	RequestTimeout time.Duration
	// max.in.flight.requests.per.connection, default 5. The number of unanswered requests on one connection. At least 1, at
	// most 5 with idempotence. Without idempotence, a retry can change the order of records if this is more than 1.
	MaxInFlightRequestsPerConnection int
	// retry.backoff.ms, default 100 ms. The wait before the first retry. It doubles with each further one, ±20 %.
	RetryBackoff time.Duration
	// retry.backoff.max.ms, default 1 s. The longest wait between retries. At least RetryBackoff.
	RetryBackoffMax time.Duration

	// Transactions.

	// transactional.id, default "": none. The stable name of this instance, under which the cluster keeps its transactions. An
	// instance that starts with the same id fences the one before. It needs EnableIdempotence. Every record is then part of a
	// transaction. At most 32767 bytes.
	TransactionalID string
	exactlyOnce     bool // TransactionalID is obligatory: see ExactlyOnce
	// transaction.timeout.ms, default 1 min. The cluster aborts a transaction that is open for longer. 1 ms to the brokers'
	// transaction.max.timeout.ms, which is 15 min by default.
	TransactionTimeout time.Duration

	// Batching and memory.

	// batch.size, default 16384 bytes. A batch of this size is sent without waiting for Linger. It may grow further while it
	// cannot be sent: MaxBatchBytes bounds it. 0 sends each record at once.
	BatchSize int
	// max.batch.bytes (ours), default 1 MiB. While a partition cannot be sent to, its open batch goes on growing up to this
	// many uncompressed bytes, or up to MaxRequestSize if that is less. At least BatchSize.
	MaxBatchBytes int
	// linger.ms, default 5 ms. How long a batch that is smaller than BatchSize waits for more records, at most. Flush, Close,
	// SendSync and Future.Wait end it. A batch that is due within an eighth of Linger, and within 1 ms, joins a request that
	// goes to its broker. If a record need not linger, Send itself hands it to the connection, if that takes it at once.
	Linger time.Duration
	// buffer.memory, default 32 MiB. Bytes for records that wait, are in flight, or have callbacks that have not begun. Records
	// and their callbacks are counted by whole chunks. When it is used up, Send waits, up to MaxBlock. At least BatchSize and
	// 4096.
	//
	// All that the producer holds stays within BufferMemory plus 6 MiB; with compression a compressor and a batch for each core
	// come on top. The memory is allocated as it is needed: at first 64 KiB, then as much again as there is, and beyond 2 MiB
	// in pieces of 2 MiB. On Linux these lie in huge pages, unless transparent_hugepage=never. Memory that a burst needed goes
	// back to the garbage collector after some seconds.
	BufferMemory int64
	// max.block.ms, default 1 min. How long Send waits at most, for the metadata of its topic and for memory together. It also
	// bounds LoadTopics, Partitions, Ping, Ready and the transaction methods. With 0 none of these waits: what a call began
	// goes on, and the same call, made again, finds it done.
	MaxBlock time.Duration
	// max.request.size, default 1048576 bytes. The size of the largest request, and of the largest record before compression.
	MaxRequestSize int

	// Compression.

	// compression.type, default none. The codec of whole batches.
	Compression Compression
	// compression.gzip.level, default -1 (the codec's own, 6). 1 to 9, or -1. Higher is smaller and slower.
	GzipLevel int
	// compression.lz4.level, default 9. 1 to 17.
	LZ4Level int
	// compression.zstd.level, default 3. -131072 to 22.
	ZstdLevel int

	// Which partition a record goes to. A partition named by the record itself always wins.

	// partitioner.class, default nil: the built-in partitioner, which is Java's. It hashes keys by murmur2, and gives records
	// without a key to a sticky partitioner. Package partition has others. A record that names its partition does not reach a
	// partitioner.
	Partitioner partition.Partitioner
	// partitioner.ignore.keys, default false. The built-in partitioner treats every record as having no key.
	PartitionerIgnoreKeys bool
	// partitioner.adaptive.partitioning.enable, default true. Faster brokers get more of the records without a key. If false,
	// each partition that has a leader gets as many bytes of them, whatever the brokers do.
	PartitionerAdaptivePartitioning bool
	// partitioner.availability.timeout.ms, default 0: off. Records without a key avoid a partition whose broker has taken no
	// batch for this long. It has an effect only with PartitionerAdaptivePartitioning.
	PartitionerAvailabilityTimeout time.Duration
	// partitioner.rack.aware, default false. Records without a key go to partitions with a leader in ClientRack, while there
	// are any. It needs ClientRack.
	PartitionerRackAware bool

	// Metadata.

	// metadata.max.age.ms, default 5 min. Metadata of this age is asked for again, even if nothing went wrong.
	MetadataMaxAge time.Duration
	// metadata.max.idle.ms, default 5 min. A topic that nothing was sent to for this long is forgotten. At least 5 s.
	MetadataMaxIdle time.Duration
	// metadata.recovery.strategy, default rebootstrap. What to do when no known broker can be reached.
	MetadataRecoveryStrategy MetadataRecoveryStrategy
	// metadata.recovery.rebootstrap.trigger.ms, default 5 min. If no metadata came for this long, the producer starts over from
	// BootstrapServers.
	MetadataRecoveryRebootstrapTrigger time.Duration
	// metadata.cluster.check.enable, default true. The producer tells brokers which cluster and node it takes them for, so that
	// they refuse a misrouted connection (KIP-1242). No effect with MetadataRecoveryStrategy RecoveryNone.
	MetadataClusterCheck bool
	// allow.auto.create.topics (ours), default true, as Java always has it. The look-up of an unknown topic asks the broker to
	// create it, which the broker does if its own auto.create.topics.enable says so.
	AllowAutoTopicCreation bool
	// unknown.topic.grace.ms (ours), default no limit of its own. How long a topic that was never seen is looked up before it
	// counts as unknown. MaxBlock bounds that, or 5 s if MaxBlock is less. A broker that is creating a topic answers "unknown"
	// at first, so a topic that is being made looks like one that never will be. Set it where topics are made beforehand, to be
	// told sooner. No effect without AllowAutoTopicCreation: then the word of two brokers is enough.
	UnknownTopicGrace time.Duration
	// topic.recreation (ours), default follow. What happens to records when their topic was deleted and made again.
	TopicRecreation TopicRecreation

	// Connections.

	// connections.max.idle.ms, default 9 min. A connection without traffic is closed after this time. Negative: never. Not 0.
	ConnectionsMaxIdle time.Duration
	// reconnect.backoff.ms, default 50 ms. The wait before connecting to a broker again. It doubles with each failure, ±20 %.
	ReconnectBackoff time.Duration
	// reconnect.backoff.max.ms, default 1 s. The longest wait between attempts to connect. At least ReconnectBackoff.
	ReconnectBackoffMax time.Duration
	// socket.connection.setup.timeout.ms, default 10 s. How long it may take to open the socket. It doubles with each attempt
	// in a row that times out, ±20 %. The TLS handshake, ApiVersions and SASL have this time each, or RequestTimeout if that is
	// less.
	SocketConnectionSetupTimeout time.Duration
	// socket.connection.setup.timeout.max.ms, default 30 s. The longest such timeout. At least SocketConnectionSetupTimeout.
	SocketConnectionSetupTimeoutMax time.Duration
	// send.buffer.bytes, default 131072. SO_SNDBUF; -1 leaves it to the operating system. A request is written in pieces of
	// about this size. With hundreds of MB/s, 524288 saves wake-ups. A size also bounds what is on its way to a broker, so use
	// -1 for brokers that are far away. On Linux net.core.wmem_max bounds the size.
	SendBuffer int
	// receive.buffer.bytes, default 32768. SO_RCVBUF; -1 leaves it to the operating system.
	ReceiveBuffer int

	// max.api.versions (ours), default none. Caps the version of requests, by Kafka's name of each: {"Produce": 9, "Metadata":
	// 8}. It is for a broker, or a proxy before one, that hangs up on a version that it said it knows. In properties:
	// max.api.versions=Produce=9,Metadata=8. The producer itself lowers no version by a guess, but for that of ApiVersions.
	MaxAPIVersions map[string]int16

	// Around it.

	// enable.metrics.push, default true. Metrics go to brokers that have a receiver for them and subscribe to some (KIP-714).
	// docs/telemetry.md says what is pushed, and when. Records never wait for it, and nothing fails because of it.
	EnableMetricsPush bool
	// ours (Java: registerMetricForSubscription, KIP-1076), default none. Metrics of the program, pushed along with the
	// producer's own. Their names are made by the same rule: group "app-metrics" and name "orders-total" become
	// org.apache.kafka.app.orders.total. A metric with the name and the tags of one of the producer's own, or of an earlier
	// one, is left out.
	//
	// Each function is called for each push, one call at a time, on a goroutine of its own. A slow function holds up that push
	// and nothing else. If it panics, its metrics are left out. The producer owns what a function returns until the next call.
	ApplicationMetrics []func() []JavaMetric
	// interceptor.classes, default none. Called in this order for each record and for each outcome.
	Interceptors []Interceptor
	// ours, default none. Told what happens to records, batches, connections and transactions. Called in this order; see Hook.
	Hooks []Hook
	// ours, default nil: silent. It gets changes of state, never a record; docs/log.md has them all. The handler runs on a
	// goroutine of its own, so a slow one holds nothing up. Close waits for it for a second at most.
	Logger *slog.Logger
}

// forEver is what Java's Long.MAX_VALUE milliseconds become: as much as a Duration holds of them.
const forEver = math.MaxInt64 / time.Millisecond * time.Millisecond

// DefaultConfig returns the settings of a Java 4.4 producer that was given nothing but these bootstrap servers: acks=all,
// idempotence on, linger 5 ms, 5 requests in flight, 2 minutes to deliver, 32 MiB of memory.
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
