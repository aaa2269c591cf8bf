package producer

import "time"

// Broker is where a connection leads.
type Broker struct {
	ID   int32  // negative: a bootstrap server, which has not said which broker it is
	Addr string // host:port
}

// NoBroker is the ID of a Broker that there is none of: what is told has not been with any. Bootstrap servers have others.
const NoBroker int32 = -1 << 31

// BrokerConnectedHook is told that an attempt to connect has ended, in vain if Err is set. A connection counts when it is of
// use: names resolved, TLS and SASL done, versions known. An attempt that another was faster than is not told of, nor is one
// that Close has ended. A broker has a connection for records and another for all else, so that two attempts are usual. It
// runs on the producer's own goroutine.
type BrokerConnectedHook interface{ OnBrokerConnected(e BrokerConnected) }

// BrokerConnected is the end of an attempt to connect.
type BrokerConnected struct {
	Broker  Broker
	Control bool          // the connection is for metadata and transactions; false: for records
	Took    time.Duration // all stages of it
	Err     error         // nil: there is a connection now; else as a rule a *BrokerError
}

// BrokerDisconnectedHook is told that a connection is over: once for each that OnBrokerConnected has told of, without an error.
// It runs on the producer's own goroutine; within Close it may be the last that does.
type BrokerDisconnectedHook interface{ OnBrokerDisconnected(e BrokerDisconnected) }

// BrokerDisconnected is the end of a connection.
type BrokerDisconnected struct {
	Broker  Broker
	Control bool
	Lasted  time.Duration
	// Err is nil if the producer closed the connection, and nothing was wrong with it: it was idle for connections.max.idle.ms,
	// the broker has another address now, or Close was called.
	Err error
}

// RequestEndedHook is told that a request has ended, with an answer or without. The handshake of a connection is not told of.
// It runs on the producer's own goroutine, before what the answer says is applied.
type RequestEndedHook interface{ OnRequestEnded(e RequestEnded) }

// RequestEnded is the end of a request.
type RequestEnded struct {
	Broker  Broker
	API     string // Kafka's name of the request, such as Produce
	Key     int16  // and its number
	Version int16

	RequestBytes, ResponseBytes int // on the wire, with the length prefix; 0: none

	// Queued is how long the request has waited for those before it on its connection; all of its time if it was never
	// written. Latency is from the beginning of its write to the end of its answer; with acks=0, of its write.
	Queued, Latency time.Duration

	Written bool  // some of it may have reached the broker
	Err     error // nil: there is an answer, which may say that something failed, or none was to come (acks=0)
}

// BrokerThrottledHook is told that an answer asks for being sent nothing for a while, since a quota is used up (KIP-219). It
// runs on the producer's own goroutine.
type BrokerThrottledHook interface{ OnBrokerThrottled(e BrokerThrottled) }

// BrokerThrottled is a broker's wish to be sent nothing.
type BrokerThrottled struct {
	Broker  Broker
	Control bool
	Asked   time.Duration
	Granted time.Duration // of that; delivery.timeout.ms at most
}

// LeaderMovedHook is told that a partition has another leader, or none, or one again. The first that a producer hears of is
// not told. It runs on the producer's own goroutine.
type LeaderMovedHook interface{ OnLeaderMoved(e LeaderMoved) }

// LeaderMoved is a change of a partition's leader.
type LeaderMoved struct {
	Topic     string
	Partition int32
	From, To  int32 // ids of brokers; -1: none
}

// EpochRenewedHook is told that the records of a partition go on under a new producer epoch, or id, as numbers of the one before
// went to records that failed, or may be somebody else's. With a transactional id it is told, too, when the producer as a
// whole gets another: after each transaction, in the protocol of KIP-890. The first is not told. It runs on the producer's own
// goroutine.
type EpochRenewedHook interface{ OnEpochRenewed(e EpochRenewed) }

// EpochRenewed is a new identity.
type EpochRenewed struct {
	Topic      string // "" with Partition -1: that of the whole producer
	Partition  int32
	ProducerID int64
	Epoch      int16
}

// TransactionBegunHook is told that a transaction has begun, before BeginTransaction returns. It runs on the producer's own
// goroutine.
type TransactionBegunHook interface{ OnTransactionBegun(e TransactionBegun) }

// Transaction is a transaction as hooks are told of it.
type Transaction struct {
	ID         string // the transactional id
	Number     int64  // among those of this producer, from 1 on
	ProducerID int64
	Epoch      int16
	Began      time.Time
}

// TransactionBegun is the beginning of a transaction.
type TransactionBegun struct{ Transaction Transaction }

// TransactionEndedHook is told how a transaction has ended: once for each that has begun, whether or not somebody waits for that
// end. It runs on the producer's own goroutine, before CommitTransaction or AbortTransaction return.
type TransactionEndedHook interface{ OnTransactionEnded(e TransactionEnded) }

// TransactionEnded is the end of a transaction.
type TransactionEnded struct {
	Transaction Transaction
	Outcome     TransactionOutcome // never OutcomeOpen
	Err         error              // why it was not committed; nil: it was, or nothing was wrong and an abort was asked for
}
