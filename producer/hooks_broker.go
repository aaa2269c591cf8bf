package producer

import "time"

// Broker is a broker at an address, as hooks are told of it.
type Broker struct {
	ID   int32  // negative: a bootstrap server, which has not said which broker it is
	Addr string // host:port
}

// NoBroker is the ID in a Broker field if no broker is concerned. It is the ID of no broker and of no bootstrap server.
const NoBroker int32 = -1 << 31

// BrokerConnectedHook is told that an attempt to connect has ended: it failed if Err is set. The attempt has succeeded once the
// connection can be used: names resolved, TLS and SASL done, versions known. A broker has a connection for records and another
// for all else, so two attempts are usual. The hook is not told of an attempt that was slower than another one, nor of one that
// Close has ended. It is called on the producer's own goroutine.
type BrokerConnectedHook interface{ OnBrokerConnected(e BrokerConnected) }

// BrokerConnected is the end of an attempt to connect.
type BrokerConnected struct {
	Broker  Broker
	Control bool          // the connection is for metadata and transactions; false: for records
	Took    time.Duration // the time of all stages
	Err     error         // nil: there is a connection now; else a *BrokerError as a rule
}

// BrokerDisconnectedHook is told that a connection has ended: once for each for which OnBrokerConnected was called without an
// error. It is called on the producer's own goroutine. Close may return before the last such call.
type BrokerDisconnectedHook interface{ OnBrokerDisconnected(e BrokerDisconnected) }

// BrokerDisconnected is the end of a connection.
type BrokerDisconnected struct {
	Broker  Broker
	Control bool          // as in BrokerConnected
	Lasted  time.Duration // from the end of the attempt to connect
	// Err is nil if the producer closed the connection, and nothing was wrong with it: it was idle for connections.max.idle.ms,
	// the broker has another address now, or Close was called.
	Err error
}

// RequestEndedHook is told that a request has ended, with an answer or without, before the answer takes effect. It is not told
// of the requests of a connection's handshake. It is called on the producer's own goroutine.
type RequestEndedHook interface{ OnRequestEnded(e RequestEnded) }

// RequestEnded is the end of a request.
type RequestEnded struct {
	Broker  Broker
	API     string // Kafka's name of the request, such as Produce
	Key     int16  // Kafka's number of the request
	Version int16

	RequestBytes, ResponseBytes int // on the wire, with the length prefix; 0: none

	// Queued is how long the request has waited for those before it on its connection: all of its time if it was never written.
	// Latency is the time from the beginning of its write to the end of its answer; with acks=0, to the end of its write.
	Queued, Latency time.Duration

	Written bool  // some of the request may have reached the broker
	Err     error // why there is no answer; nil: there is one, which may be an error code, or none was to come (acks=0)
}

// BrokerThrottledHook is told that a broker has asked the producer to send nothing for a while, since a quota is used up
// (KIP-219). It is called on the producer's own goroutine.
type BrokerThrottledHook interface{ OnBrokerThrottled(e BrokerThrottled) }

// BrokerThrottled is an answer by which a broker asks the producer to send nothing for a while.
type BrokerThrottled struct {
	Broker  Broker
	Control bool          // as in BrokerConnected
	Asked   time.Duration // what the broker asked for
	Granted time.Duration // how long the producer sends nothing: Asked, or delivery.timeout if that is less
}

// LeaderMovedHook is told that a partition has another leader, or none, or one again. It is not told of the first leader that
// the producer hears of. It is called on the producer's own goroutine.
type LeaderMovedHook interface{ OnLeaderMoved(e LeaderMoved) }

// LeaderMoved is a change of a partition's leader.
type LeaderMoved struct {
	Topic     string
	Partition int32
	From, To  int32 // ids of brokers; -1: no leader
}

// EpochRenewedHook is told that the records of a partition go on under a new producer epoch, or id. That happens if numbers of
// the epoch before went to records that failed, or may be somebody else's. With a transactional id the hook is also told when
// the producer as a whole gets a new one: after each transaction, in the protocol of KIP-890. It is not told of the first. It
// is called on the producer's own goroutine.
type EpochRenewedHook interface{ OnEpochRenewed(e EpochRenewed) }

// EpochRenewed is the new producer id and epoch of a partition, or of the whole producer.
type EpochRenewed struct {
	Topic      string // "", with Partition -1: the whole producer is concerned
	Partition  int32
	ProducerID int64
	Epoch      int16
}

// TransactionBegunHook is told that a transaction has begun, before BeginTransaction returns. It is called on the producer's
// own goroutine.
type TransactionBegunHook interface{ OnTransactionBegun(e TransactionBegun) }

// Transaction is a transaction, as hooks are told of it.
type Transaction struct {
	ID         string // the transactional id
	Number     int64  // counts the transactions of this producer, from 1 on
	ProducerID int64
	Epoch      int16
	Began      time.Time
}

// TransactionBegun is the beginning of a transaction.
type TransactionBegun struct{ Transaction Transaction }

// TransactionEndedHook is told how a transaction has ended: once for each that has begun, also if nobody waits for the end. It
// is called on the producer's own goroutine, before CommitTransaction or AbortTransaction returns.
type TransactionEndedHook interface{ OnTransactionEnded(e TransactionEnded) }

// TransactionEnded is the end of a transaction.
type TransactionEnded struct {
	Transaction Transaction
	Asked       time.Time          // when its commit or abort began, the last if there were several; zero: the end came unasked
	Commit      bool               // that was a commit
	Outcome     TransactionOutcome // never OutcomeOpen
	Err         error              // why it was not committed; nil: it was, or an abort was asked for without a failure
}
