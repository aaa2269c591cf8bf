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

// Producer sends records to Kafka. All its methods are safe for concurrent use
// by any number of goroutines; one producer for a process is usually right.
type Producer struct {
	cfg         Config
	log         *slog.Logger
	partitioner partition.Partitioner
	keyless     bool // the partitioner leaves records without a key to Sticky
	murmur      bool // and hashes keys as Java does
	watched     bool // by interceptors, or by hooks that are told of records
	surelyFits  int  // bytes of payload below which no limit is near
	sender      *sender.Sender
	initialised atomic.Bool // InitTransactions has succeeded
	transacting atomic.Bool // a Transact has not returned
	clock       *sender.Clock
	records     recordHooks
	timers      sync.Pool // of *time.Timer, for max.block
	topics      *registry
	unpublished map[string]*topic // the loop's: what will be in topics; nil if nothing has changed
}

// New returns a producer with the given settings, or a *ConfigError with every
// rule that they break; with one alone if they are not from DefaultConfig. It does no I/O: names are resolved and connections
// made when the first topic is looked up. Close ends it.
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

// senderConfig hands each part of the settings to whom it concerns.
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
			UnknownTopicGrace:  p.grace(),
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

// wireConfig is what concerns each connection.
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

// grace is how long a topic is looked for before it counts as unknown. Where max.block bounds that, the verdict comes just
// before those who wait give up.
func (p *Producer) grace() time.Duration {
	wait := p.cfg.MaxBlock - min(time.Second, p.cfg.MaxBlock/10)
	return min(p.cfg.UnknownTopicGrace, max(wait, metadata.LeastGrace))
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

// Flush waits until every record sent before the call has its outcome and its
// callback has returned, and sends them without further linger. That a record has
// failed is no error of Flush: its own outcome tells. Flush ends early only with
// ctx, or with ErrCallback; what is still under way then goes on, and the error is
// a *FlushError, which counts it.
func (p *Producer) Flush(ctx context.Context) error {
	began := time.Now()
	waiting, err := p.sender.Flush(ctx)
	p.sender.Called(callFlush, time.Since(began), err)
	if err != nil {
		return &FlushError{Waiting: Undelivered(waiting), Err: outward(err)}
	}
	return nil
}

// Close refuses further records, waits until those it has are delivered or
// have failed and their callbacks have returned, and ends all connections and
// goroutines. When ctx ends first, what is left fails with ErrClosed, and the error
// is a *CloseError, which counts these records and says what they waited for. Their
// callbacks, and the log, it then awaits for a second at most. It is safe to call it
// more than once, and concurrently: one of the calls counts.
//
// Without an end of ctx it takes no longer than delivery.timeout, which bounds
// every record, and the callbacks. A transaction that is open it aborts, and a
// commit in progress it finishes, within the same time: if the cluster gives no
// answer to that, Close gives up with a *TransactionError. The cluster then
// aborts the transaction after TransactionTimeout, unless its commit was asked
// for; the error's Outcome says that.
func (p *Producer) Close(ctx context.Context) error {
	lost, err := p.sender.Close(ctx)
	p.delist()
	if err != nil {
		return &CloseError{Lost: Undelivered(lost), Err: outward(err)}
	}
	return nil
}

// LoadTopics looks topics up, all at once, within ctx and max.block
// (max.block.ms), so that no Send has to wait for one of them: the first record
// to each of many topics costs a round trip else. A topic that is known already
// costs nothing. A topic that nothing was sent to for metadata.max.idle.ms is
// forgotten again. The error has a *LoadError for each topic that could not be
// looked up, once, however often it is named; its text has the first twenty. The others are there all the same. LoadTopics
// may be called concurrently.
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

// Partitions returns the number of partitions of a topic, looking it up if
// need be within ctx and max.block. Calling it beforehand spares the first
// Send the wait; LoadTopics does so for many topics. Of a topic that is known
// it asks nobody, so that it does not tell whether the cluster is there: Ping
// does. After Close it is ErrClosed.
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

// Ping asks some broker of the cluster for a word, now: it returns nil when one has answered, which is neither remembered nor
// taken from what is remembered. It waits for that within ctx and max.block, and ends before them with the reason if every
// broker known has failed to answer. All other methods that tell something of the cluster tell what was last heard of it.
func (p *Producer) Ping(ctx context.Context) error {
	w := wait{p: p, ctx: ctx, block: true}
	defer w.end()
	if err := p.sender.Ping(w.begin()); err != nil {
		return fmt.Errorf("ping: %w", outward(err))
	}
	return nil
}

// Stats is a snapshot of a producer's counters since New.
type Stats struct {
	BufferedBytes int64 // of buffer.memory in use: waiting, in flight, or with callbacks to come
	InFlight      int64 // records drained to a connection, or waiting for a retry
	Sent          int64 // records sent, each counted once
	Acknowledged  int64 // records that were acknowledged
	Failed        int64 // records that ended with an error after they were admitted
	MayBeWritten  int64 // of Failed, those that may be in the log all the same
	Retried       int64 // records sent again; one sent three times counts twice
	BytesSent     int64 // bytes of batches as written, compressed, retries included

	Throttles    int64         // answers with which a broker asked to be sent nothing for a while: a quota is used up
	ThrottleTime time.Duration // the time that they asked for, each up to delivery.timeout

	Reauthentications int64 // connections that were authenticated again before their session ended, each time (KIP-368)

	// What went wrong last with any broker, and since when: a producer that sends nothing because nothing works has these, and
	// one that has nothing to send does not. Both are zero while every broker's last answer was as it should be. Brokers tells
	// them apart.
	LastError    error
	FailingSince time.Time // the first failure of those that still have given no such answer
}

// BrokerStats is what a producer has seen of one broker, or of a bootstrap server that has not said which broker it is. What goes
// wrong is counted where it shows: an attempt to connect or a connection that fails, a request without an answer, and an answer
// that is an error.
type BrokerStats struct {
	ID        int32 // negative: a bootstrap server
	Addr      string
	Connected bool
	Since     time.Time // of Connected, or of its end; zero: it was never tried to connect

	LastError    error     // what failed last; nil: nothing ever did. It stays when all is well again
	LastErrorAt  time.Time // when it did
	FailingSince time.Time // when the first failure came after the last answer as it should be; zero: all is well

	Failures int64 // in all
	Retried  int64 // records sent to it again
}

// Brokers returns what was seen of each broker: whether there is a connection, since when, what failed last, since when it
// fails, and how often. Bootstrap servers come first, by ids below 0, then brokers by their ids. It asks nobody.
func (p *Producer) Brokers() []BrokerStats {
	seen := p.sender.Brokers()
	brokers := make([]BrokerStats, len(seen))
	for i, b := range seen {
		brokers[i] = BrokerStats(b)
		brokers[i].LastError = outward(b.LastError)
	}
	return brokers
}

// Stats returns the counters as they are now. They are read one by one, so
// sums may be off by what happens meanwhile.
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

// Version is this library's, as brokers see it. Before a release it is the version that is released next.
const Version = "0.2.0"

const softwareName = "epistle"
