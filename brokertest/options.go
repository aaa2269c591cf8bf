package brokertest

import (
	"crypto/tls"
	"time"
)

// Option is a choice made when a cluster is started.
type Option func(*options)

type options struct {
	brokers     int
	memory      bool
	topics      []topicSpec
	autoCreate  bool
	partitions  int // partitions of a topic that is created automatically, or by CreateTopics with -1
	versions    map[int16]versionRange
	features    []feature
	seed        uint64
	delay       time.Duration
	now         func() time.Time
	sasl        bool
	mechanisms  []SASLMechanism
	lifetime    time.Duration // connections.max.reauth.ms
	failedDelay time.Duration // connection.failed.authentication.delay.ms
	tls         *tls.Config
	buffer      int // bytes of an in-memory connection, each way
	expiration  time.Duration
	keep        int // requests
	discard     bool
	after       time.Duration // log.message.timestamp.after.max.ms
	telemetry   bool

	markerDelay time.Duration
	old         bool // brokers behave as Kafka 3.9
}

// firstProducer is the number after which producer IDs begin.
func (o *options) firstProducer() int64 { return int64(o.seed) * 1000 % (1 << 40) }

// topicSpec is a topic's name and number of partitions.
type topicSpec struct {
	name       string
	partitions int
}

func defaults() options {
	return options{
		brokers: 1, autoCreate: true, partitions: 1, versions: kafka4_4(), features: features4_4(), seed: 1, now: time.Now,
		buffer: 1 << 20, expiration: 24 * time.Hour, keep: 10_000, after: time.Hour,
		failedDelay: 100 * time.Millisecond,
	}
}

// Brokers sets the number of brokers, whose node IDs begin with 1. The default is one broker. A topic has up to three replicas.
func Brokers(n int) Option { return func(o *options) { o.brokers = n } }

// InMemory makes the cluster reachable by Cluster.DialContext alone, over connections in memory. It can then live in a
// testing/synctest bubble. Without this option brokers listen on ports of 127.0.0.1.
func InMemory() Option { return func(o *options) { o.memory = true } }

// Topic makes a topic with that many partitions.
func Topic(name string, partitions int) Option {
	return func(o *options) { o.topics = append(o.topics, topicSpec{name, partitions}) }
}

// AutoCreate says whether a Metadata request may create a topic: auto.create.topics.enable. The default is true, as in Kafka.
func AutoCreate(on bool) Option { return func(o *options) { o.autoCreate = on } }

// DefaultPartitions sets num.partitions: the number of partitions of a topic whose creator does not say it. The default is 1.
func DefaultPartitions(n int) Option { return func(o *options) { o.partitions = n } }

// Versions makes brokers answer an API in these versions only. It can narrow what a broker knows, but not widen it.
func Versions(apiKey, minVersion, maxVersion int16) Option {
	return func(o *options) {
		known, ok := o.versions[apiKey]
		if !ok {
			return
		}
		o.versions[apiKey] = versionRange{max(known.min, minVersion), min(known.max, maxVersion)}
	}
}

// Without makes brokers that do not know an API.
func Without(apiKey int16) Option { return func(o *options) { delete(o.versions, apiKey) } }

// Kafka3_9 makes brokers that look like Apache Kafka 3.9.1. They have no topic IDs in Produce and no transaction.version, and
// take any timestamp in the future. A partition in a transaction takes a batch of its producer under a newer epoch, and the
// transaction can then not be ended there.
func Kafka3_9() Option {
	return func(o *options) {
		o.versions, o.features, o.after, o.old = kafka3_9(), features3_9(), forever, true
	}
}

// Feature sets the finalised level of a feature, such as transaction.version. 0 means that it is not finalised.
func Feature(name string, level int16) Option {
	return func(o *options) {
		for i := range o.features {
			if o.features[i].name == name {
				o.features[i].now = level
			}
		}
	}
}

// MarkerDelay delays the completion of each decided transaction by d, by the cluster's clock, as on a busy coordinator. A
// producer that asks meanwhile is told CONCURRENT_TRANSACTIONS.
func MarkerDelay(d time.Duration) Option { return func(o *options) { o.markerDelay = d } }

// Seed makes topic IDs, the cluster ID and producer IDs differ from those of another seed. Equal seeds make equal IDs.
func Seed(seed uint64) Option { return func(o *options) { o.seed = seed } }

// Delay answers each request d after it has arrived, as if the broker were that far away. The delays of requests in the
// pipeline overlap.
func Delay(d time.Duration) Option { return func(o *options) { o.delay = d } }

// Now sets the clock by which brokers judge and append timestamps, and forget producers. The default is time.Now.
func Now(now func() time.Time) Option { return func(o *options) { o.now = now } }

// Telemetry makes brokers advertise the telemetry APIs (KIP-714), as Kafka does if something receives metrics. They want
// nothing until SubscribeMetrics says what. Without this option they answer these APIs all the same.
func Telemetry() Option { return func(o *options) { o.telemetry = true } }

// TLS makes brokers speak TLS. For mutual TLS set config.ClientAuth to tls.RequireAndVerifyClientCert, and config.ClientCAs to
// the authorities of clients.
func TLS(config *tls.Config) Option { return func(o *options) { o.tls = config } }

// ConnBuffer bounds the unread bytes of an in-memory connection, each way. The default is 1 MiB.
func ConnBuffer(bytes int) Option { return func(o *options) { o.buffer = bytes } }

// ProducerIDExpiration sets producer.id.expiration.ms: how long after its last record a partition remembers a producer. The
// default is a day.
func ProducerIDExpiration(d time.Duration) Option { return func(o *options) { o.expiration = d } }

// KeepRequests bounds the list of Requests, which forgets the oldest. The default is 10,000.
func KeepRequests(n int) Option { return func(o *options) { o.keep = n } }

// DiscardRecords makes brokers check and count batches, but keep none of their bytes. It is for measurements of a client.
// Records, Batches and Committed then return nothing, and ListOffsets cannot search by timestamp.
func DiscardRecords() Option { return func(o *options) { o.discard = true } }
