package producer

import (
	"time"

	"github.com/epistle-kafka/epistle/sender"
)

// Metrics is what a producer has counted and measured. Counts are since New, and never go down. Everything else says how things
// are at the time At. Sizes are in bytes. The snapshot belongs to the caller: nothing changes it later.
//
// [Metrics.Java] has the same numbers under the names that Java's producer gives them. docs/metrics.md lists both.
type Metrics struct {
	At      time.Time // when the snapshot was taken
	Started time.Time // when New was called

	Records  RecordMetrics // all topics together, also those that were forgotten
	InFlight int64         // records that were given to a connection, and have no outcome yet; as Stats.InFlight

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

	Throttles    int64         // answers with which a broker asked the producer to send nothing for a while; as Stats.Throttles
	ThrottleTime time.Duration // the sum of what these answers asked for, each up to delivery.timeout; as Stats.ThrottleTime

	Connections  ConnectionMetrics // to all brokers
	Buffer       BufferMetrics
	Metadata     MetadataMetrics
	Idempotence  IdempotenceMetrics
	Transactions TransactionMetrics
	Flushes      CallMetrics // calls of Flush, without those of Close
	Callbacks    CallbackMetrics

	// Where the time of records goes, in seconds. AdmissionWait has a value for each call of Send that had to wait for the
	// topic's metadata or for room in buffer.memory. The others have a value for each batch, that of its oldest record.
	AdmissionWait Histogram
	QueueTime     Histogram // from the end of Send until the batch is first given to a connection
	ThrottleWait  Histogram // the part of QueueTime that the broker asked for, by a quota; batches without it do not count
	InFlightTime  Histogram // from the beginning of the write to the answer or the end of the connection; for each attempt
	DeliveryTime  Histogram // from the end of Send to the acknowledgement; batches that have failed are not in it

	// What is written. Every batch counts each time that it is written, as in RecordMetrics.Batches.
	BatchBytes       Histogram // bytes, as written
	BatchRecords     Histogram // records
	CompressionRatio Histogram // bytes as written, divided by bytes before compression; 1 where nothing was compressed

	seen *sender.Metrics // the source of all fields, with what Java measures over time; nil in the zero value
}

// RecordMetrics counts records and their batches.
type RecordMetrics struct {
	Sent         int64 // records that were written to a connection, each counted once
	Acknowledged int64 // records that were acknowledged
	Failed       int64 // records that were taken and have failed
	MayBeWritten int64 // those of Failed that may be in the log all the same
	Retried      int64 // records that were written again; one that was written three times counts twice

	Batches        int64 // batches that were written, counted each time
	BatchesSplit   int64 // batches that were split, since they were too large for their topic
	BatchesExpired int64 // batches that have failed since delivery.timeout passed

	Bytes    int64 // bytes of these batches as written: after compression
	RawBytes int64 // bytes of these batches before compression
}

// TopicMetrics is what was counted of one topic since it became known. A topic that was forgotten and comes back counts from 0.
type TopicMetrics struct {
	Topic string
	RecordMetrics
	OldestAge time.Duration // the age of the topic's oldest record that has no outcome; 0: there is none
}

// FailureMetrics counts records that were taken, and failed.
type FailureMetrics struct {
	Topic        string // "": all topics that were forgotten
	Reason       string // as FailureReason returns it
	MayBeWritten bool   // the records may be in the log all the same, as SendError.MayBeWritten says
	Records      int64
}

// RefusalMetrics counts records that were not taken: those that got an *AdmissionError.
type RefusalMetrics struct {
	Reason  string // as FailureReason returns it
	Records int64
}

// RetryMetrics counts what was written again, by the failure of the attempt before.
type RetryMetrics struct {
	Topic            string // "": all topics that were forgotten
	Reason           string // as FailureReason returns it
	Records, Batches int64
}

// BrokerMetrics is what was counted of one broker, or of a bootstrap server that has not said which broker it is.
type BrokerMetrics struct {
	ID        int32 // negative: a bootstrap server
	Addr      string
	Connected bool

	// Bytes of Kafka's protocol, without TLS, handshakes included. Those of a failed write count that may have reached the broker.
	BytesWritten, BytesRead int64

	InFlight int64            // requests that have no answer yet
	Requests []RequestMetrics // by API
	Retried  int64            // records that were written to this broker again; as BrokerStats.Retried

	Throttles    int64         // answers with which the broker asked the producer to send nothing for a while
	ThrottleTime time.Duration // the sum of what these answers asked for, each up to delivery.timeout

	Connections ConnectionMetrics
}

// RequestMetrics counts the requests of one API. The requests of a connection's handshake do not count: ApiVersions,
// SaslHandshake and SaslAuthenticate.
type RequestMetrics struct {
	API      string // Kafka's name, such as Produce
	Sent     int64  // requests that were given to a connection
	Answered int64  // those of Sent with an answer, also one that is an error; with acks=0 those that were written
	Failed   int64  // those of Sent without an answer: the connection has ended, or request.timeout passed
	InFlight int64  // those of Sent that have not ended

	BytesWritten, BytesRead int64 // bytes of the requests that have ended, and of their answers

	Latency Histogram // seconds from the beginning of the write to the answer; one value for each of Answered
}

// ConnectionMetrics counts connections. A connection counts once the broker has answered ApiVersions and has let this client
// in.
type ConnectionMetrics struct {
	Open    int64               // connections that are open now
	Created int64               // connections that were made
	Closed  int64               // connections that have ended, by either side and for whatever reason
	Failed  []ConnectionFailure // attempts to make one that have failed, by stage

	Handshake Histogram // seconds that it took to make a connection

	Authentications         int64 // connections that were let in by SASL
	AuthenticationsFailed   int64 // attempts that have failed in the stage of SASL
	Reauthentications       int64 // how often a connection was authenticated again before its session ended (KIP-368)
	ReauthenticationsFailed int64 // how often that has failed
}

// ConnectionFailure counts attempts to make a connection that have failed.
type ConnectionFailure struct {
	Stage Stage // where the attempt has failed
	Count int64
}

// BufferMetrics is about buffer.memory.
type BufferMetrics struct {
	Bytes     int64         // bytes in use, for records that wait, are in flight, or have callbacks to come
	Limit     int64         // buffer.memory, in bytes
	Waiters   int64         // calls that wait for room now
	Waits     int64         // calls that had to wait for room
	WaitTime  time.Duration // the sum of the time that these calls have waited
	Exhausted int64         // records that were not taken since there was no room
}

// MetadataMetrics is about what is known of the cluster.
type MetadataMetrics struct {
	Refreshed time.Time     // when a broker last gave a usable answer; zero: none has yet
	Age       time.Duration // the time since Refreshed; 0 before the first answer
	Refreshes int64         // usable answers
	Errors    int64         // requests without a usable answer
	Topics    int           // topics that are known
	Brokers   int           // brokers that are known
	Waits     int64         // calls of Send that had to wait for a topic
	WaitTime  time.Duration // the sum of the time that these calls have waited
}

// IdempotenceMetrics is about producer ids and epochs.
type IdempotenceMetrics struct {
	ProducerIDs int64 // ids that the cluster has given, the first included
	EpochBumps  int64 // how often the producer gave a partition a new epoch, since sequence numbers were left unused (KIP-360)
}

// TransactionMetrics counts transactions. All of it is 0 without a transactional id.
type TransactionMetrics struct {
	Begun     int64
	Committed int64
	Aborted   int64
	Unknown   int64 // transactions whose commit was asked for, and nobody will tell any more whether it was done

	// Calls of the methods, also those that Transact makes.
	Init, Begin, SendOffsets, Commit, Abort CallMetrics
}

// CallMetrics counts calls of a method that waits.
type CallMetrics struct {
	Calls  int64         // calls that have returned
	Errors int64         // those of Calls that have returned an error
	Time   time.Duration // the sum of the time that Calls have taken
}

// CallbackMetrics is about callbacks of records that were taken. They run one after the other, so a slow one holds up those
// behind it.
type CallbackMetrics struct {
	Time    Histogram     // seconds that the callbacks of a batch have taken together; one value a batch
	Waiting int64         // batches whose callbacks have not begun yet
	Running time.Duration // how long the callbacks of the current batch have been running; 0: none are running
}

// A Histogram counts values by how large they are. It counts since New.
type Histogram struct {
	Bounds []float64 // upper bounds of the buckets, inclusive, in seconds, bytes, records or as a ratio. Must not be changed
	Counts []uint64  // number of values in each bucket; the last, one more than Bounds, is for values above all bounds
	Sum    float64   // sum of all values
	Count  uint64    // number of all values
}

// A JavaMetric is a metric of Java's producer, under Java's name and in Java's unit.
type JavaMetric struct {
	Group string            // such as producer-topic-metrics
	Name  string            // such as record-send-rate
	Tags  map[string]string // such as topic, or node-id; client-id is left out, since it is the same for all. nil: none
	Value float64
	Total bool // the metric counts since New, and never goes down: Java's names of such metrics end in -total
}
