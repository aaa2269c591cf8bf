package sender

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/internal/telemetry"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// Config is what a Sender needs. All of it is checked by its caller.
type Config struct {
	Bootstrap []string     // host:port
	Wire      wire.Config  // New sets its Logger
	Logger    *slog.Logger // nil: there is no log
	Hooks     *Hooks       // nil: nobody is told
	Clock     *Clock       // that the loop publishes the time by
	Metadata  metadata.Config

	BatchSize      int   // bytes (batch.size)
	MaxBatchBytes  int   // bytes, not above what a request can carry
	MaxRequestSize int   // bytes (max.request.size)
	Memory         int64 // bytes (buffer.memory)
	Linger         time.Duration
	Even           bool // keyless records go to all partitions alike: see accumulator.Config

	Acks            int16 // 0, 1 or -1 for all
	Idempotent      bool
	MaxInFlight     int // unanswered requests of a connection
	Retries         int32
	DeliveryTimeout time.Duration
	RequestTimeout  time.Duration
	RetryBackoff    backoff.Policy
	Reconnect       backoff.Policy
	ConnectTimeout  backoff.Policy

	TransactionalID    string // "" for none; with one, Idempotent is set
	TransactionTimeout time.Duration

	Codec      protocol.Codec
	CodecLevel int

	// FailRecreated fails the records that wait for a topic that was deleted and made again. Otherwise those that cannot be in
	// the old log go to the new one.
	FailRecreated bool
	// ClusterCheck sends the cluster's id and the node's on each new connection, so that a misrouted one is refused (KIP-1242).
	ClusterCheck bool

	// OnTopic is told of a topic's queues and metadata, when it is first known and whenever they change. It runs on the loop:
	// it must not block.
	OnTopic func(*accumulator.Topic, *metadata.Topic, *metadata.Snapshot)
	// OnForget is told of a topic that was idle for metadata.max.idle. Its queues take no more records: they refuse them with
	// ErrForgotten. On the loop, too.
	OnForget func(topic string)
	// Publish follows one or more calls of OnTopic: callers that wait for these topics go on right after it. On the loop, too.
	Publish func()
	// Complete runs the callbacks of an outcome that has ended, and calls next before each. It runs on the completion goroutine
	// and may take its time.
	Complete func(o *accumulator.Outcome, next func())
	// Failed returns the error that callers get for records that failed with e. It runs once for each batch that fails, on the
	// loop. Nil: they get e itself.
	Failed func(e *Error) error
	// Metrics returns what is pushed to brokers that ask for it (KIP-714); nil: nothing is, and no broker is asked. Of two with
	// one name the first counts. It runs on a goroutine of its own, one call at a time, and may take its time.
	Metrics func() []telemetry.Metric
	// Rack is where the client runs, for the metrics; "" if that is not known.
	Rack string
	// CallbackPatience is how long one callback may run before Flush and Close no longer wait for it.
	CallbackPatience time.Duration
}

// Stats is a snapshot of a sender's counters. Records unless said otherwise.
type Stats struct {
	InFlight     int64 // drained and without an outcome
	Sent         int64 // first attempts
	Acknowledged int64
	Failed       int64
	MayBeWritten int64 // of Failed: no answer has told what became of them
	Retried      int64 // records of batches sent again
	BytesSent    int64 // bytes of batches, as written, retries included
	Buffered     int64 // bytes reserved of buffer.memory
	Throttles    int64 // answers with which a broker asked to be sent nothing for a while
	ThrottleTime time.Duration

	Reauthentications int64 // that have succeeded
}

// published is what the loop writes and anyone reads.
type published struct {
	inFlight, sent, acknowledged, failed, retried, bytes atomic.Int64
	mayBeWritten                                         atomic.Int64 // of failed
	throttles, throttleTime                              atomic.Int64 // the time is in nanoseconds, as far as it is granted
	renewed                                              atomic.Int64 // re-authentications, by connections
	callers                                              callers

	// trouble is what last kept the loop from reaching the cluster.
	trouble  atomic.Pointer[error]
	refused  atomic.Pointer[error]  // why nobody has ever let this client in, if the last attempt ended so
	dialing  atomic.Pointer[string] // address of the last dial, until some dial has ended
	snapshot atomic.Pointer[metadata.Snapshot]
	brokers  atomic.Pointer[[]*health]   // replaced by the loop, never changed
	txn      atomic.Pointer[Transaction] // nil without a transactional id
}
