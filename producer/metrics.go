package producer

import (
	"time"

	"github.com/epistle-kafka/epistle/sender"
)

// Metrics is what a producer has counted and measured. It counts since New, and what it counts never goes back. Everything
// else says how things are at the time of At. Sizes are in bytes. The snapshot is the caller's: nothing changes it later.
//
// [Metrics.Java] has the same numbers under the names that Java's producer gives them. docs/metrics.md lists both.
type Metrics struct {
	At      time.Time // when the snapshot was taken
	Started time.Time // when New was called

	Records  RecordMetrics // of all topics, with those that were forgotten
	InFlight int64         // records that have left their queue and have no outcome yet; as Stats.InFlight

	// OldestAge is the age of the oldest record that has no outcome, of any topic: the time since Send took it. 0: every record
	// has its outcome. It is the best number to raise an alarm on, since it grows whatever the trouble is. It reaches
	// delivery.timeout at most.
	OldestAge time.Duration

	Topics   []TopicMetrics   // by name. A topic is forgotten when nothing was sent to it for metadata.max.idle
	Brokers  []BrokerMetrics  // in the order of Brokers
	Requests []RequestMetrics // by API, over all brokers
	Failures []FailureMetrics // records that were taken, and failed; by topic, reason and MayBeWritten
	Refusals []RefusalMetrics // records that were not taken; by reason
	Retries  []RetryMetrics   // records that were sent again; by topic and reason

	Throttles    int64         // answers with which a broker asked to be sent nothing for a while; as Stats.Throttles
	ThrottleTime time.Duration // what these have asked for, each up to delivery.timeout; as Stats.ThrottleTime

	Connections  ConnectionMetrics // to all brokers
	Buffer       BufferMetrics
	Metadata     MetadataMetrics
	Idempotence  IdempotenceMetrics
	Transactions TransactionMetrics
	Flushes      CallMetrics // calls of Flush; Close is none
	Callbacks    CallbackMetrics

	// Where the time of records goes, in seconds. AdmissionWait has each call of Send that had to wait before it could take its
	// record, for the topic's metadata or for room in buffer.memory. The others have each batch, by its oldest record.
	AdmissionWait Histogram
	QueueTime     Histogram // from admission until the batch is first given to a connection: linger, and everything that it waited for
	ThrottleWait  Histogram // the part of QueueTime in which the batch's broker had asked to be sent nothing; only batches that had one
	InFlightTime  Histogram // from the beginning of the write to the answer, or to the end of the connection; every attempt counts
	DeliveryTime  Histogram // from admission to the acknowledgement; batches that have failed are in Failures alone

	// What is written. Every batch counts each time that it is written, as in RecordMetrics.Batches.
	BatchBytes       Histogram // bytes, as written
	BatchRecords     Histogram // records
	CompressionRatio Histogram // bytes as written, divided by bytes before compression; 1 where nothing was compressed

	seen *sender.Metrics // that all of it is from, with what Java measures over time; nil of the zero value
}

// RecordMetrics counts records and their batches.
type RecordMetrics struct {
	Sent         int64 // records that were written, each once
	Acknowledged int64 // records that were acknowledged
	Failed       int64 // records that were taken and have failed
	MayBeWritten int64 // of Failed, those that may be in the log all the same
	Retried      int64 // records that were written again; one that was written three times counts twice

	Batches        int64 // batches that were written, each time
	BatchesSplit   int64 // batches that were split, since they were too large for their topic
	BatchesExpired int64 // batches that have failed since delivery.timeout passed

	Bytes    int64 // of batches as written, each time: after compression
	RawBytes int64 // of the same batches before compression
}

// TopicMetrics is what was counted of one topic since it became known. A topic that is forgotten and comes back counts from 0.
type TopicMetrics struct {
	Topic string
	RecordMetrics
	OldestAge time.Duration // the age of its oldest record that has no outcome; 0: there is none
}

// FailureMetrics counts records that were taken, and failed.
type FailureMetrics struct {
	Topic        string // "": topics that were forgotten
	Reason       string // as FailureReason tells it
	MayBeWritten bool   // the records may be in the log all the same, as SendError.MayBeWritten says
	Records      int64
}

// RefusalMetrics counts records that were not taken: their AdmissionError, or what TrySend has returned.
type RefusalMetrics struct {
	Reason  string // as FailureReason tells it
	Records int64
}

// RetryMetrics counts what was written again, by what the attempt before had failed with.
type RetryMetrics struct {
	Topic            string // "": topics that were forgotten
	Reason           string // as FailureReason tells it
	Records, Batches int64
}

// BrokerMetrics is what was counted of one broker, or of a bootstrap server that has not said which broker it is.
type BrokerMetrics struct {
	ID        int32 // negative: a bootstrap server
	Addr      string
	Connected bool

	BytesWritten, BytesRead int64            // of Kafka's protocol, before TLS and after it; with handshakes
	InFlight                int64            // requests that have no answer yet
	Requests                []RequestMetrics // by API
	Retried                 int64            // records that were written to it again; as BrokerStats.Retried

	Throttles    int64         // answers with which it asked to be sent nothing for a while
	ThrottleTime time.Duration // what these have asked for, each up to delivery.timeout

	Connections ConnectionMetrics
}

// RequestMetrics counts the requests of one API. What belongs to a handshake is none of them: ApiVersions, SaslHandshake and
// SaslAuthenticate.
type RequestMetrics struct {
	API      string // Kafka's name, such as Produce
	Sent     int64  // requests that were given to a connection
	Answered int64  // of these, those with an answer, also one that is an error; with acks=0 those that were written
	Failed   int64  // of these, those without one: the connection has ended, or request.timeout passed
	InFlight int64  // of these, those that have not ended

	BytesWritten, BytesRead int64 // of those that have ended, and of their answers

	Latency Histogram // seconds from the beginning of the write to the answer, of those that were answered
}

// ConnectionMetrics counts connections. One is made once the broker has answered ApiVersions and has let this client in.
type ConnectionMetrics struct {
	Open    int64 // now
	Created int64
	Closed  int64               // by either side, for whatever reason
	Failed  []ConnectionFailure // attempts to make one; by stage

	Handshake Histogram // seconds from the beginning of an attempt to the connection

	Authentications         int64 // connections that were let in by SASL
	AuthenticationsFailed   int64 // attempts that have failed in the stage of SASL
	Reauthentications       int64 // connections that were let in again before their session ended (KIP-368), each time
	ReauthenticationsFailed int64 // attempts at that which have failed
}

// ConnectionFailure counts attempts to make a connection that have failed.
type ConnectionFailure struct {
	Stage Stage // where
	Count int64
}

// BufferMetrics is about buffer.memory.
type BufferMetrics struct {
	Bytes     int64         // reserved: for records that wait, that are in flight, or that have callbacks to come
	Limit     int64         // buffer.memory
	Waiters   int64         // calls that wait for room now
	Waits     int64         // calls that had to wait for room
	WaitTime  time.Duration // how long they have waited, all together
	Exhausted int64         // records that were not taken since there was no room
}

// MetadataMetrics is about what is known of the cluster.
type MetadataMetrics struct {
	Refreshed time.Time     // when a broker last gave an answer of use; zero: none has yet
	Age       time.Duration // the time since; 0 before the first answer
	Refreshes int64         // answers of use
	Errors    int64         // requests without an answer, and answers of no use
	Topics    int           // topics that are known
	Brokers   int           // brokers that are known
	Waits     int64         // calls of Send that had to wait for a topic
	WaitTime  time.Duration // how long they have waited, all together
}

// IdempotenceMetrics is about the numbers that idempotent producers give their batches.
type IdempotenceMetrics struct {
	ProducerIDs int64 // ids that the cluster has given, the first included
	EpochBumps  int64 // how often a partition was given a new epoch, since numbers were left behind (KIP-360); not those that the coordinator gives
}

// TransactionMetrics counts transactions. All of it is 0 without a transactional id.
type TransactionMetrics struct {
	Begun     int64
	Committed int64
	Aborted   int64
	Unknown   int64 // a commit was asked for, and nobody will tell any more whether it was done

	// The methods, and what Transact does in their place.
	Init, Begin, SendOffsets, Commit, Abort CallMetrics
}

// CallMetrics counts calls of a method that waits.
type CallMetrics struct {
	Calls  int64         // that have returned
	Errors int64         // of these, those with an error
	Time   time.Duration // that they have taken, all together
}

// CallbackMetrics is about callbacks of records that were taken. They run one after the other, so that a slow one holds up those
// behind it.
type CallbackMetrics struct {
	Time    Histogram     // seconds that all callbacks of a batch have taken
	Waiting int64         // batches whose callbacks have not run yet
	Running time.Duration // how long those of the batch at hand have been running; 0: none are
}

// A Histogram counts values by how large they are. It is cumulative since New.
type Histogram struct {
	Bounds []float64 // upper bounds, which belong to their bucket, in base units: seconds, bytes, records or a ratio. Not to be changed
	Counts []uint64  // values in each bucket; one more than Bounds, for values above the last
	Sum    float64   // of all values
	Count  uint64    // how many values there were
}

// A JavaMetric is a metric of Java's producer, under Java's name and in Java's unit.
type JavaMetric struct {
	Group string            // such as producer-topic-metrics
	Name  string            // such as record-send-rate
	Tags  map[string]string // such as topic, or node-id; client-id is left out, since it is the same for all. nil: none
	Value float64
	Total bool // it counts since New, and never goes back: Java's names of such metrics end in -total
}
