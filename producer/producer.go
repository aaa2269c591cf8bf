package producer

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/internal/tlsconf"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
	"github.com/epistle-kafka/epistle/wire"
)

// Producer sends records to Kafka. One producer serves a whole process. Its methods are safe for concurrent use by any number
// of goroutines, but for those of transactions: one goroutine at a time may call these. [New] makes a producer, and Close ends
// it.
type Producer struct {
	cfg         Config
	log         *slog.Logger
	partitioner partition.Partitioner
	keyless     bool // the partitioner leaves records without a key to Sticky
	murmur      bool // keyless, and the partitioner hashes keys as Java does
	watched     bool // there are interceptors, or hooks that are told of records
	surelyFits  int  // bytes of payload below which no limit is near
	sender      *sender.Sender
	initialised atomic.Bool // InitTransactions has succeeded
	transacting atomic.Bool // a Transact has not returned
	clock       *sender.Clock
	records     recordHooks
	timers      sync.Pool // of *time.Timer, for max.block
	topics      *registry
	unpublished map[string]*topic // the loop's: the topics that will be in topics; nil if nothing has changed
}

// New returns a producer with the given settings. The error is a *ConfigError with every rule that they break; if the Config
// does not start from DefaultConfig, that is the one violation. New reads the files of Config.TLSFiles. It opens no connection
// and looks up no name: both wait until the first topic is looked up. So New succeeds while no broker can be reached: call Ping
// or LoadTopics to find that out at the start. Close ends the producer.
func New(cfg Config) (*Producer, error) {
	if err := cfg.checkOrigin(); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	certificates, notices, err := cfg.openTLS()
	if err != nil {
		return nil, err
	}
	p := &Producer{cfg: cfg, partitioner: cfg.Partitioner, records: recordHooksOf(cfg.Hooks)}
	p.watched = len(cfg.Interceptors) > 0 || len(p.records) > 0
	switch {
	case cfg.Partitioner != nil:
	case cfg.PartitionerIgnoreKeys:
		p.partitioner, p.keyless = partition.IgnoreKeys(), true
	default:
		p.partitioner, p.keyless, p.murmur = partition.Default(partition.JavaMurmur2), true, true
	}
	const overhead = protocol.BatchHeaderSize + 8*maxVarint
	p.surelyFits = int(min(int64(cfg.MaxRequestSize), cfg.BufferMemory)) - overhead
	p.topics = newRegistry()
	p.clock = new(sender.Clock)
	settings := p.senderConfig()
	if cfg.EnableMetricsPush {
		settings.Metrics, settings.Rack = p.pushedMetrics, cfg.ClientRack
	}
	if certificates != nil {
		settings.Wire.Certificates = certificates.Prepare
	}
	p.sender = sender.New(settings)
	if cfg.TransactionalID != "" {
		p.enlist()
	}
	p.log = p.sender.Log()
	if certificates != nil {
		certificates.LogTo(p.log)
		tlsconf.LogNotices(p.log, notices)
	}
	return p, nil
}

// senderConfig hands each part of the settings to the part that needs it.
func (p *Producer) senderConfig() sender.Config {
	cfg := &p.cfg
	const jitter = 0.2
	return sender.Config{
		Bootstrap: cfg.BootstrapServers,
		Clock:     p.clock,
		Logger:    cfg.Logger,
		Hooks:     p.senderHooks(),
		Wire:      cfg.wireConfig(),
		Metadata: metadata.Config{
			MaxAge: cfg.MetadataMaxAge, MaxIdle: cfg.MetadataMaxIdle,
			RetryBackoff: cfg.RetryBackoff, RetryBackoffMax: cfg.RetryBackoffMax,
			AutoCreate:         cfg.AllowAutoTopicCreation,
			Rebootstrap:        cfg.MetadataRecoveryStrategy == RecoveryRebootstrap,
			RebootstrapTrigger: cfg.MetadataRecoveryRebootstrapTrigger,
			UnknownTopicGrace:  cfg.grace(),
			UnknownTopicMemory: metadata.DefaultUnknownTopicMemory,
		},
		BatchSize: cfg.BatchSize, MaxBatchBytes: p.maxBatchBytes(), MaxRequestSize: cfg.MaxRequestSize,
		Memory: cfg.BufferMemory, Linger: cfg.Linger,
		Even: !cfg.PartitionerAdaptivePartitioning,
		Acks: int16(cfg.Acks), Idempotent: cfg.EnableIdempotence,
		TransactionalID: cfg.TransactionalID, TransactionTimeout: cfg.TransactionTimeout,
		MaxInFlight: cfg.MaxInFlightRequestsPerConnection, Retries: cfg.Retries,
		DeliveryTimeout: cfg.DeliveryTimeout, RequestTimeout: cfg.RequestTimeout,
		RetryBackoff:   backoff.Policy{Base: cfg.RetryBackoff, Max: cfg.RetryBackoffMax, Jitter: jitter},
		Reconnect:      backoff.Policy{Base: cfg.ReconnectBackoff, Max: cfg.ReconnectBackoffMax, Jitter: jitter},
		ConnectTimeout: backoff.Policy{Base: cfg.SocketConnectionSetupTimeout, Max: cfg.SocketConnectionSetupTimeoutMax, Jitter: jitter},
		Codec:          protocol.Codec(cfg.Compression), CodecLevel: p.codecLevel(),
		FailRecreated:    cfg.TopicRecreation == FailRecords,
		ClusterCheck:     cfg.MetadataClusterCheck && cfg.MetadataRecoveryStrategy == RecoveryRebootstrap,
		OnTopic:          p.setTopic,
		OnForget:         p.topics.remove,
		Publish:          p.publish,
		Complete:         p.complete,
		Failed:           func(e *sender.Error) error { return translated(e) },
		CallbackPatience: max(cfg.MaxBlock, time.Second),
	}
}

// wireConfig returns the settings of each connection.
func (c *Config) wireConfig() wire.Config {
	return wire.Config{
		ClientID: c.ClientID, SoftwareName: softwareName, SoftwareVersion: Version,
		MaxInFlight: c.MaxInFlightRequestsPerConnection, RequestTimeout: c.RequestTimeout,
		ConnectionsMaxIdle: c.ConnectionsMaxIdle,
		SendBuffer:         c.SendBuffer, ReceiveBuffer: c.ReceiveBuffer,
		TLS: c.TLS, SASL: c.SASL, DialContext: c.DialContext,
		MaxVersions: c.maxVersions(),
	}
}

// grace is how long a topic is looked for before it counts as unknown. If max.block bounds that, the verdict comes just before
// those who wait give up.
func (c *Config) grace() time.Duration {
	wait := c.MaxBlock - min(time.Second, c.MaxBlock/10)
	return min(c.UnknownTopicGrace, max(wait, metadata.LeastGrace))
}

// maxBatchBytes leaves room in a request for what is around a single batch.
func (p *Producer) maxBatchBytes() int {
	const around = 1 << 10
	return max(min(p.cfg.MaxBatchBytes, p.cfg.MaxRequestSize-around), protocol.BatchHeaderSize)
}

// codecLevel is the level that Java's keys set for the codec in use.
func (p *Producer) codecLevel() int {
	switch p.cfg.Compression {
	case Gzip:
		return p.cfg.GzipLevel
	case LZ4:
		return p.cfg.LZ4Level
	case Zstd:
		return p.cfg.ZstdLevel
	}
	return protocol.LevelDefault
}

// Flush waits until every record that was sent before the call has its outcome and its callback has returned. It ends their
// linger. A record that fails is no error of Flush: its own outcome tells. Flush may be called while other goroutines send. It
// waits for what they send meanwhile only if that is in the same batches.
//
// Flush ends early only if ctx ends, or with ErrCallback. The error is then a *FlushError, which counts the records that are
// still under way: they go on. With nothing to wait for it is nil, though ctx has ended. If ctx does not end, Flush takes no
// longer than delivery.timeout and the callbacks.
func (p *Producer) Flush(ctx context.Context) error {
	began := time.Now()
	waiting, err := p.sender.Flush(ctx)
	p.sender.Called(callFlush, time.Since(began), err)
	if err != nil {
		return &FlushError{Waiting: Undelivered(waiting), Err: outward(err)}
	}
	return nil
}

// Close refuses further records, waits until those that were taken have an outcome and their callbacks have returned, and ends
// all connections and goroutines. It ends the linger of records, as Flush does. Calls of Send that wait are refused with
// ErrClosed.
//
// If ctx ends first, the records that are left fail with ErrClosed. The error is a *CloseError, which counts these records and
// says what they waited for. Close then waits for their callbacks, and for the log, for at most a second more. With nothing to
// wait for the error is nil, though ctx has ended.
//
// If ctx does not end, Close takes no longer than delivery.timeout, which bounds every record, and the callbacks. Within the
// same time it aborts a transaction that is open, and finishes a commit that is in progress. If the cluster gives no answer to
// that, the *CloseError wraps a *TransactionError. The cluster then aborts the transaction after TransactionTimeout, unless the
// error's Outcome is OutcomeUnknown: then its commit was asked for.
//
// Close may be called more than once, and concurrently: the records that were given up are in the error of one of the calls.
// Stats, Metrics, Brokers and Health work after Close.
func (p *Producer) Close(ctx context.Context) error {
	lost, err := p.sender.Close(ctx)
	p.delist()
	if err != nil {
		return &CloseError{Lost: Undelivered(lost), Err: outward(err)}
	}
	return nil
}

// LoadTopics looks topics up, all at once, within ctx and max.block, so that no Send has to wait for one of them. Without it
// the first record to each topic costs a round trip. Topics that are known already cost nothing. A topic that nothing was sent
// to for metadata.max.idle is forgotten again.
//
// The error wraps a *LoadError for each topic that could not be looked up; its text has the first twenty. The other topics are
// loaded all the same. After Close the error is ErrClosed. LoadTopics may be called concurrently.
func (p *Producer) LoadTopics(ctx context.Context, topics ...string) error {
	if p.sender.Closing() {
		return ErrClosed
	}
	var errs []error
	var missing []string
	seen := make(map[string]bool)
	for _, name := range topics {
		if p.topics.get(name) != nil || seen[name] {
			continue
		}
		seen[name] = true
		if err := checkTopic(name); err != nil {
			errs = append(errs, &LoadError{name, err})
			continue
		}
		missing = append(missing, name)
	}
	if len(missing) > 0 {
		w := wait{p: p, ctx: ctx, block: true}
		defer w.end()
		for i, err := range p.sender.LookupAll(w.begin(), missing) {
			if err != nil {
				errs = append(errs, &LoadError{missing[i], outward(err)})
			}
		}
	}
	return joined(errs)
}

// Partitions returns the number of partitions of a topic. It looks a topic that is not known up, within ctx and max.block. That
// spares the first Send the wait; LoadTopics does the same for many topics. For a topic that is known it asks nobody, so it
// does not tell whether the cluster is there: Ping does. After Close the error is ErrClosed.
func (p *Producer) Partitions(ctx context.Context, name string) (int, error) {
	if p.sender.Closing() {
		return 0, ErrClosed
	}
	t := p.topics.get(name)
	if t == nil {
		w := wait{p: p, ctx: ctx, block: true}
		defer w.end()
		var err error
		if t, err = p.lookup(&w, name); err != nil {
			return 0, outward(err)
		}
	}
	return len(t.queues), nil
}

// Ping asks a broker of the cluster, now, and returns nil when one has answered. It waits for that within ctx and max.block. If
// every broker that is known has failed to answer, it returns the reason before that. All other methods that tell something of
// the cluster tell what was heard last.
func (p *Producer) Ping(ctx context.Context) error {
	w := wait{p: p, ctx: ctx, block: true}
	defer w.end()
	if err := p.sender.Ping(w.begin()); err != nil {
		return fmt.Errorf("ping: %w", outward(err))
	}
	return nil
}

// Stats is a snapshot of a producer's counters since New. [Metrics] has more of them.
type Stats struct {
	BufferedBytes int64 // bytes of buffer.memory in use, for records that wait, are in flight, or have callbacks to come
	InFlight      int64 // records that were given to a connection, and have no outcome yet; those that wait for a retry count
	Sent          int64 // records that were written to a connection, each counted once
	Acknowledged  int64 // records that were acknowledged
	Failed        int64 // records that were taken and have failed
	MayBeWritten  int64 // those of Failed that may be in the log all the same
	Retried       int64 // records that were written again; one that was written three times counts twice
	BytesSent     int64 // bytes of batches as written: after compression, retries included

	Throttles    int64         // answers with which a broker asked the producer to send nothing for a while: a quota is used up
	ThrottleTime time.Duration // the sum of what these answers asked for, each up to delivery.timeout

	Reauthentications int64 // how often a connection was authenticated again before its session ended (KIP-368)

	// LastError is the last failure of any broker that is needed, and FailingSince the first failure of those that have given
	// no good answer since. So they tell a producer that sends nothing because nothing works from one that has nothing to send.
	// Both are zero while the last answer of every broker was good. Brokers tells which broker it is.
	LastError    error
	FailingSince time.Time
}

// BrokerStats is what a producer has seen of one broker, or of a bootstrap server that has not said which broker it is. A
// failure is counted where it shows: an attempt to connect or a connection that fails, a request without an answer, or an
// answer that is an error.
type BrokerStats struct {
	ID        int32 // negative: a bootstrap server, -1 the first of Config.BootstrapServers
	Addr      string
	Connected bool
	Since     time.Time // when Connected changed last; zero: nobody has tried to connect yet

	LastError    error     // the last failure; nil: there was none. It stays when all is well again
	LastErrorAt  time.Time // when LastError came
	FailingSince time.Time // the first failure after the last good answer; zero: all is well

	Failures int64 // all failures since New
	Retried  int64 // records that were written to this broker again
}

// Brokers returns what was seen of each broker: whether there is a connection, since when, what failed last, since when the
// broker fails, and how often. Bootstrap servers come first, with ids below 0, then brokers by their ids. A bootstrap server is
// asked before it is known which broker it is, by a connection of its own, so that broker is there twice: once with an id below
// 0, and once with its own. Health.Brokers counts it once. Brokers asks nobody.
func (p *Producer) Brokers() []BrokerStats {
	seen := p.sender.Brokers()
	brokers := make([]BrokerStats, len(seen))
	for i, b := range seen {
		brokers[i] = BrokerStats(b)
		brokers[i].LastError = outward(b.LastError)
	}
	return brokers
}

// Stats returns the counters as they are now. They are read one by one, so sums may be off by what happens meanwhile. Stats
// asks nobody, and never waits.
func (p *Producer) Stats() Stats {
	s := p.sender.Stats()
	stats := Stats{
		BufferedBytes: s.Buffered, InFlight: s.InFlight, Sent: s.Sent, Acknowledged: s.Acknowledged,
		Failed: s.Failed, MayBeWritten: s.MayBeWritten, Retried: s.Retried, BytesSent: s.BytesSent,
		Throttles: s.Throttles, ThrottleTime: s.ThrottleTime,
		Reauthentications: s.Reauthentications,
	}
	_, stats.FailingSince, stats.LastError = p.failing()
	return stats
}

// Version is the version of this library, as brokers are told it. Before a release it is the version that is released next.
const Version = "0.2.0"

const softwareName = "epistle"
