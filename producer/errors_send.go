package producer

import (
	"time"

	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
	"github.com/epistle-kafka/epistle/wire"
)

// A SendError says why a record that was taken was not acknowledged. The record's callback or future gives it. All records of
// a batch that fail together have the same one.
type SendError struct {
	Topic     string
	Partition int32
	Attempts  int           // how often its batch was sent; 0: never
	Elapsed   time.Duration // from admission to the end
	Err       error         // the cause; errors.Is finds a broker's protocol.ErrorCode in it, among others

	// MayBeWritten says that the record may be in the log all the same: some attempt ended without a definite answer. To send
	// it again could write it twice. If it is false, the record is certainly not in the log.
	MayBeWritten bool
}

func (e *SendError) Error() string {
	return (&sender.Error{
		Topic: e.Topic, Partition: e.Partition, Attempts: e.Attempts, Elapsed: e.Elapsed, Err: e.Err, MayBeWritten: e.MayBeWritten,
	}).Error()
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// An UnknownTopicError says that a topic does not exist, as brokers have confirmed. errors.Is finds
// protocol.UnknownTopicOrPartition in it.
type UnknownTopicError struct {
	Topic   string
	Brokers []int32       // who said so, by their ids; negative: a bootstrap server
	After   time.Duration // from the first such answer to the last
}

func (e *UnknownTopicError) Error() string {
	return (&metadata.UnknownTopicError{Topic: e.Topic, Nodes: e.Brokers, After: e.After}).Error()
}

// Unwrap returns protocol.UnknownTopicOrPartition.
func (e *UnknownTopicError) Unwrap() error { return protocol.UnknownTopicOrPartition }

// A TopicError says that a broker refuses a topic, for its name or for lack of permission.
type TopicError struct {
	Topic  string
	Broker int32              // its id; negative: a bootstrap server
	Addr   string             // of the broker, host:port; "": not known
	Code   protocol.ErrorCode // such as TopicAuthorizationFailed; errors.Is finds it
}

func (e *TopicError) Error() string {
	return (&metadata.TopicError{Topic: e.Topic, Node: e.Broker, Addr: e.Addr, Code: e.Code}).Error()
}

// Unwrap returns Code.
func (e *TopicError) Unwrap() error { return e.Code }

// An IdentityError says that the cluster refuses the producer id that idempotence needs.
type IdentityError struct {
	Err error // the broker's answer
}

func (e *IdentityError) Error() string { return (&sender.IdentityError{Err: e.Err}).Error() }

// Unwrap returns the broker's answer.
func (e *IdentityError) Unwrap() error { return e.Err }

// A ThrottleError says that a broker has asked to be sent nothing for a while, since a quota is used up (KIP-219). It is
// among the reasons of ErrDeliveryTimeout, ErrMaxBlock and ErrBufferFull.
type ThrottleError struct {
	Broker  int32 // its id; -1: a bootstrap server
	Addr    string
	Asked   time.Duration
	Granted time.Duration // how much of it is heeded: delivery.timeout at most, then the broker is tried again
}

func (e *ThrottleError) Error() string {
	return (&sender.ThrottleError{Broker: e.Broker, Addr: e.Addr, Asked: e.Asked, Granted: e.Granted}).Error()
}

// Stage is how far a connection to a broker had got when it failed.
type Stage uint8

// The stages of a connection, in their order.
const (
	StageResolve     Stage = iota + 1 // host name to addresses
	StageDial                         // TCP
	StageTLS                          // TLS handshake
	StageApiVersions                  // which requests both sides know
	StageSASL                         // Config.SASL
	StageRequest                      // established: API says which request
)

// String returns the stage as error texts name it.
func (s Stage) String() string { return wire.Stage(s).String() }

// A BrokerError says what failed with a broker, where and why, and what can be done. It is among the reasons of SendError, of
// AdmissionError, and of whatever else ends a wait; Stats and Brokers have the last one.
type BrokerError struct {
	Stage  Stage
	Broker int32  // its id; -1: a bootstrap server
	Addr   string // host:port
	API    string // Kafka's name of the request concerned, "" if none is
	Round  int    // of SaslAuthenticate, from 1; 0 elsewhere
	Err    error  // the cause
	Hint   string // what to look at or to do, "" if the cause says all
}

// Error returns one line with all fields. What in them comes from the network is quoted or escaped, and cut.
func (e *BrokerError) Error() string {
	return (&wire.Error{
		Stage: wire.Stage(e.Stage), NodeID: e.Broker, Addr: e.Addr, API: e.API, Round: e.Round, Err: e.Err, Hint: e.Hint,
	}).Error()
}

// Unwrap returns the cause.
func (e *BrokerError) Unwrap() error { return e.Err }

// An UnsupportedVersionError says that a broker and this library have no version of a request in common, or none below the
// cap that Config.MaxAPIVersions sets.
type UnsupportedVersionError struct {
	API                  string // Kafka's name of the request
	Known                bool   // whether the broker knows it at all; if not, BrokerMin and BrokerMax are 0
	BrokerMin, BrokerMax int16  // what the broker speaks
	Min, Max             int16  // what the producer speaks, with the cap
}

// Error returns both ranges.
func (e *UnsupportedVersionError) Error() string {
	return (&wire.UnsupportedVersionError{
		API: e.API, Known: e.Known, BrokerMin: e.BrokerMin, BrokerMax: e.BrokerMax, Min: e.Min, Max: e.Max,
	}).Error()
}
