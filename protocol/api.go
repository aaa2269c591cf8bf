package protocol

import (
	"math"
	"time"
)

// API names one of Kafka's request types and the versions of it that this package can encode and decode.
type API struct {
	Name string // Kafka's name, such as "InitProducerId"
	Key  int16  // the number in the request header

	Min, Max int16 // versions, both inclusive
	Flexible int16 // first version with compact lengths and tagged fields, or NeverFlexible

	// ClientThrottled is the first version under which a client has to wait out the throttle time of an answer. Before it, the
	// broker has waited before it answered, and a client that waits again is throttled twice (KIP-219, Kafka 2.0).
	ClientThrottled int16
}

// NeverFlexible is API.Flexible of an API none of whose versions is flexible.
const NeverFlexible int16 = math.MaxInt16

func (a API) flexible(version int16) bool { return version >= a.Flexible }

// Message is a request or a response. All of them are in this package.
type Message interface {
	API() API
	encode(*messageEncoder)
	decode(*decoder)
}

// Request is a message from a client to a broker.
type Request interface {
	Message
	// NewResponse returns an empty response of the same API, to decode the answer into.
	NewResponse() Response
}

// Response is a broker's answer.
type Response interface {
	Message
	// ThrottleFor is how long the broker asks the client not to send on this connection (KIP-219); 0 where the message has no
	// such field.
	ThrottleFor() time.Duration
}

// SelfContained is a response that refers to nothing of the frame from which it was read, so that the frame's memory may be
// used again at once. As long as any other response is in use, no byte of its frame may change.
type SelfContained interface {
	Response
	selfContained()
}

// newRequests has a constructor for every API, in the order of API keys.
var newRequests = []func() Request{
	func() Request { return new(ProduceRequest) },
	func() Request { return new(ListOffsetsRequest) },
	func() Request { return new(MetadataRequest) },
	func() Request { return new(FindCoordinatorRequest) },
	func() Request { return new(SaslHandshakeRequest) },
	func() Request { return new(ApiVersionsRequest) },
	func() Request { return new(CreateTopicsRequest) },
	func() Request { return new(InitProducerIDRequest) },
	func() Request { return new(AddPartitionsToTxnRequest) },
	func() Request { return new(AddOffsetsToTxnRequest) },
	func() Request { return new(EndTxnRequest) },
	func() Request { return new(TxnOffsetCommitRequest) },
	func() Request { return new(DescribeConfigsRequest) },
	func() Request { return new(SaslAuthenticateRequest) },
	func() Request { return new(DescribeClusterRequest) },
	func() Request { return new(GetTelemetrySubscriptionsRequest) },
	func() Request { return new(PushTelemetryRequest) },
}

var newRequestByKey, apiByKey = func() (map[int16]func() Request, map[int16]API) {
	requests, apis := make(map[int16]func() Request, len(newRequests)), make(map[int16]API, len(newRequests))
	for _, newRequest := range newRequests {
		api := newRequest().API()
		requests[api.Key], apis[api.Key] = newRequest, api
	}
	return requests, apis
}()

// APIByKey returns the API with that key, and whether this package knows it.
func APIByKey(apiKey int16) (API, bool) {
	api, ok := apiByKey[apiKey]
	return api, ok
}

// NewRequest returns an empty request of the API with that key, nil if this package does not know it.
func NewRequest(apiKey int16) Request {
	if newRequest := newRequestByKey[apiKey]; newRequest != nil {
		return newRequest()
	}
	return nil
}

// APIs lists all that this package speaks, in the order of their keys. The slice is the caller's.
func APIs() []API {
	apis := make([]API, len(newRequests))
	for i, newRequest := range newRequests {
		apis[i] = newRequest().API()
	}
	return apis
}
