package producer

import (
	"time"

	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
	"github.com/epistle-kafka/epistle/wire"
)

// A SendError says why a record that was taken was not acknowledged. The record's callback gets it, or its future returns it.
// All records of a batch that fail together share one.
type SendError struct {
	Topic     string
	Partition int32
	Attempts  int           // how often the record's batch was sent; 0: never
	Elapsed   time.Duration // from the end of Send to the failure
	Err       error         // the cause; errors.Is finds a broker's protocol.ErrorCode in it, among others

	// MayBeWritten says that the record may be in the log all the same, since some attempt ended without a definite answer. To
	// send the record again could write it twice. If MayBeWritten is false, the record is certainly not in the log.
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
	Brokers []int32       // ids of the brokers that said so; negative: a bootstrap server
	After   time.Duration // the time from the first such answer to the last
}

func (e *UnknownTopicError) Error() string {
	return (&metadata.UnknownTopicError{Topic: e.Topic, Nodes: e.Brokers, After: e.After}).Error()
}

// Unwrap returns protocol.UnknownTopicOrPartition.
func (e *UnknownTopicError) Unwrap() error { return protocol.UnknownTopicOrPartition }

// A TopicError says that a broker refuses a topic, for the topic's name or for lack of permission.
type TopicError struct {
	Topic  string
	Broker int32              // id of the broker; negative: a bootstrap server
	Addr   string             // address of the broker, host:port; "": not known
	Code   protocol.ErrorCode // such as TopicAuthorizationFailed; errors.Is finds it
}

func (e *TopicError) Error() string {
	return (&metadata.TopicError{Topic: e.Topic, Node: e.Broker, Addr: e.Addr, Code: e.Code}).Error()
}

// Unwrap returns Code.
func (e *TopicError) Unwrap() error { return e.Code }

// An IdentityError says that the cluster refuses the producer id that idempotence needs, for lack of permission most often.
type IdentityError struct {
	Err error // the broker's answer
}

func (e *IdentityError) Error() string { return (&sender.IdentityError{Err: e.Err}).Error() }

// Unwrap returns the broker's answer.
func (e *IdentityError) Unwrap() error { return e.Err }

// A ThrottleError says that a broker has asked the producer to send nothing for a while, since a quota is used up (KIP-219).
// Errors that ErrDeliveryTimeout, ErrMaxBlock or ErrBufferFull is in wrap it, if that is what the record has waited for, most of
// the time at least.
type ThrottleError struct {
	Broker  int32         // id of the broker; negative: a bootstrap server
	Addr    string        // host:port
	Asked   time.Duration // what the broker asked for
	Granted time.Duration // how long the producer sends nothing: Asked, or delivery.timeout if that is less
	Lasted  time.Duration // how much of the wait it took, which is most of it, if it is over; 0: it goes on
}

func (e *ThrottleError) Error() string {
	return (&sender.ThrottleError{Broker: e.Broker, Addr: e.Addr, Asked: e.Asked, Granted: e.Granted, Lasted: e.Lasted}).Error()
}

// Stage is how far a connection to a broker had come when something failed.
type Stage uint8

// The stages of a connection, in their order.
const (
	StageResolve     Stage = iota + 1 // host name to addresses
	StageDial                         // TCP
	StageTLS                          // TLS handshake
	StageApiVersions                  // the question which requests the broker knows
	StageSASL                         // the login by Config.SASL
	StageRequest                      // a request on the established connection; BrokerError.API says which
)

// String returns the stage as error texts name it.
func (s Stage) String() string { return wire.Stage(s).String() }

// A BrokerError says what failed with a broker, where and why, and what can be done. SendError and AdmissionError wrap it, and
// so does the error of whatever else waited in vain. Stats and Brokers return the last one.
type BrokerError struct {
	Stage  Stage
	Broker int32  // id of the broker; negative: a bootstrap server
	Addr   string // host:port
	API    string // Kafka's name of the request, such as Produce; "" if no request failed
	Round  int    // which SaslAuthenticate of the login, from 1 on; 0 for all other requests
	Err    error  // the cause
	Hint   string // what to look at or to do, "" if the cause says all
}

// Error returns one line with all fields. Texts that come from the network are quoted or escaped, and cut.
func (e *BrokerError) Error() string {
	return (&wire.Error{
		Stage: wire.Stage(e.Stage), NodeID: e.Broker, Addr: e.Addr, API: e.API, Round: e.Round, Err: e.Err, Hint: e.Hint,
	}).Error()
}

// Unwrap returns the cause.
func (e *BrokerError) Unwrap() error { return e.Err }

// An UnsupportedVersionError says that a broker and this library have no version of a request in common, or none that
// Config.MaxAPIVersions allows.
type UnsupportedVersionError struct {
	API                  string // Kafka's name of the request
	Known                bool   // whether the broker knows the request at all; if not, BrokerMin and BrokerMax are 0
	BrokerMin, BrokerMax int16  // the versions that the broker speaks
	Min, Max             int16  // the versions that the producer speaks; Max is capped by Config.MaxAPIVersions
}

// Error names the request and both ranges of versions.
func (e *UnsupportedVersionError) Error() string {
	return (&wire.UnsupportedVersionError{
		API: e.API, Known: e.Known, BrokerMin: e.BrokerMin, BrokerMax: e.BrokerMax, Min: e.Min, Max: e.Max,
	}).Error()
}
