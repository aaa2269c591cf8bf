package sender

import (
	"context"
	"errors"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// Why records fail, or are sent again, in a word by which metrics and the log count. Besides Kafka's names for its codes there
// are few of these words, so a time series for each does no harm.
const (
	ReasonTimeout         = "timeout"           // delivery.timeout has passed; of what is sent again: request.timeout
	ReasonTooLarge        = "too_large"         // the batch, or the record, is too large for its topic
	ReasonAuthorization   = "authorization"     // this client may not do that
	ReasonAuthentication  = "authentication"    // no broker lets this client in
	ReasonFenced          = "fenced"            // another producer has the transactional id
	ReasonClosed          = "closed"            // Close has given the records up
	ReasonAborted         = "aborted"           // their transaction was aborted, or can only be
	ReasonDisconnected    = "disconnected"      // the connection has ended, or there was none
	ReasonCanceled        = "canceled"          // the caller's context has ended
	ReasonTopicRecreated  = "topic_recreated"   // the topic was deleted and made again
	ReasonClusterReplaced = "cluster_replaced"  // so was the cluster
	ReasonPartitionGone   = "partition_gone"    // the topic has fewer partitions than before
	ReasonIdentity        = "producer_id_taken" // another producer writes with this one's id
	ReasonOther           = "other"             // none of these
)

// marks are errors that say what has happened, whatever else is inside them. The first that matches counts.
var marks = []struct {
	err    error
	reason string
}{
	{txn.ErrFenced, ReasonFenced},
	{protocol.ProducerFenced, ReasonFenced},
	{txn.ErrAborted, ReasonAborted},
	{errEnded, ReasonAborted},
	{ErrClosed, ReasonClosed},
	{ErrClusterReplaced, ReasonClusterReplaced},
	{ErrTopicRecreated, ReasonTopicRecreated},
	{ErrPartitionGone, ReasonPartitionGone},
	{errStranger, ReasonIdentity},
	{ErrDeliveryTimeout, ReasonTimeout},
	{context.Canceled, ReasonCanceled},
	{context.DeadlineExceeded, ReasonTimeout},
	{wire.ErrTimeout, ReasonTimeout},
}

// Reason is what err is counted as.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	for _, mark := range marks {
		if errors.Is(err, mark.err) {
			return mark.reason
		}
	}
	if code := protocol.ErrorCode(0); errors.As(err, &code) {
		return reasonOfCode(code)
	}
	var unsupported *wire.UnsupportedVersionError
	var broker *wire.Error
	switch {
	case sasl.IsFinal(err):
		return ReasonAuthentication
	case errors.As(err, &unsupported):
		return protocol.UnsupportedVersion.Name()
	case errors.As(err, &broker) && broker.Stage == wire.StageSASL:
		return ReasonAuthentication
	case errors.As(err, &broker), errors.Is(err, wire.ErrClosed):
		return ReasonDisconnected
	}
	return ReasonOther
}

// reasonOfCode returns a broker's code as a reason. A code that is not known here has no name of its own: there are too many.
func reasonOfCode(code protocol.ErrorCode) string {
	if tooLarge(code) {
		return ReasonTooLarge
	}
	switch code {
	case protocol.TopicAuthorizationFailed, protocol.GroupAuthorizationFailed, protocol.ClusterAuthorizationFailed,
		protocol.TransactionalIDAuthorizationFailed, protocol.DelegationTokenAuthorizationFailed:
		return ReasonAuthorization
	case protocol.UnsupportedSaslMechanism, protocol.IllegalSaslState, protocol.SaslAuthenticationFailed:
		return ReasonAuthentication
	}
	if name := code.Name(); !strings.HasPrefix(name, "ERROR_") {
		return name
	}
	return ReasonOther
}
