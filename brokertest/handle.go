package brokertest

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// handle lets a request take effect and returns its answer, nil if there is none. It reports false if the connection must
// be closed.
func (b *broker) handle(k *conn, r *Request, a *Action) (protocol.Response, bool) {
	switch k.admits(r.APIKey) {
	case shutOut:
		return nil, false
	case outOfTurn:
		k.session.failed, k.session.late = true, true
		a = &Action{handle: true, code: protocol.IllegalSaslState, index: -1}
	}
	if m, ok := r.Message.(*protocol.ProduceRequest); ok {
		return b.produce(r, m, a)
	}
	if a.code == protocol.NoError {
		return b.handleControl(k, r)
	}
	if _, ok := r.Message.(*protocol.MetadataRequest); ok {
		return b.refuseMetadata(r, a)
	}
	if a.after {
		if _, goOn := b.handleControl(k, r); !goOn {
			return nil, false
		}
	}
	k.session.refusedSASL(r, a.code)
	return refuse(r, a), true
}

// handleControl handles everything but Produce.
func (b *broker) handleControl(k *conn, r *Request) (protocol.Response, bool) {
	c := b.c
	if r.APIKey == ApiVersions {
		m, _ := r.Message.(*protocol.ApiVersionsRequest)
		resp := b.apiVersions(m, r.Version)
		k.session.versioned = k.session.versioned || resp.ErrorCode == protocol.NoError
		return resp, true
	}
	switch m := r.Message.(type) {
	case *protocol.SaslHandshakeRequest:
		return k.saslHandshake(m, r.Version), true
	case *protocol.SaslAuthenticateRequest:
		return k.saslAuthenticate(m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.up {
		return nil, false
	}
	c.settle()
	if r.former && forCoordinator(r.Message) {
		return refuse(r, &Action{code: protocol.NotCoordinator, index: -1}), true
	}
	switch m := r.Message.(type) {
	case *protocol.MetadataRequest:
		return c.metadata(m, r.Version, c.opts.autoCreate), true
	case *protocol.AddPartitionsToTxnRequest:
		return b.addPartitionsToTxn(m, r.Version), true
	case *protocol.AddOffsetsToTxnRequest:
		return b.addOffsetsToTxn(m, r.Version), true
	case *protocol.EndTxnRequest:
		return b.endTxn(m, r.Version), true
	case *protocol.TxnOffsetCommitRequest:
		return b.txnOffsetCommit(m, r.Version), true
	case *protocol.InitProducerIDRequest:
		return b.initProducerID(m, r.Version), true
	case *protocol.FindCoordinatorRequest:
		return c.findCoordinator(m, r.Version), true
	case *protocol.ListOffsetsRequest:
		return b.listOffsets(m, r.Version), true
	case *protocol.CreateTopicsRequest:
		return c.createTopics(m), true
	case *protocol.GetTelemetrySubscriptionsRequest:
		return b.telemetrySubscriptions(m), true
	case *protocol.PushTelemetryRequest:
		return b.pushTelemetry(r, m), true
	}
	panic("brokertest: an API that is advertised and not handled: " + r.Message.API().Name)
}

// refuse answers any request but Produce and Metadata with a scripted code.
func refuse(r *Request, a *Action) protocol.Response {
	code := a.code
	if r.APIKey == ApiVersions {
		return &protocol.ApiVersionsResponse{ErrorCode: code, FinalizedFeaturesEpoch: -1}
	}
	switch m := r.Message.(type) {
	case *protocol.InitProducerIDRequest:
		return &protocol.InitProducerIDResponse{ErrorCode: code, ProducerID: -1, ProducerEpoch: -1}
	case *protocol.AddPartitionsToTxnRequest:
		return refuseToAdd(m, a)
	case *protocol.AddOffsetsToTxnRequest:
		return &protocol.AddOffsetsToTxnResponse{ErrorCode: code}
	case *protocol.EndTxnRequest:
		return &protocol.EndTxnResponse{ErrorCode: code, ProducerID: -1, ProducerEpoch: -1}
	case *protocol.TxnOffsetCommitRequest:
		return committedOffsets(m, func(*protocol.TxnOffsetCommitTopic, int32) protocol.ErrorCode { return code })
	case *protocol.FindCoordinatorRequest:
		return refuseCoordinator(m, r.Version, code, "")
	case *protocol.SaslHandshakeRequest:
		return &protocol.SaslHandshakeResponse{ErrorCode: code}
	case *protocol.SaslAuthenticateRequest:
		return &protocol.SaslAuthenticateResponse{ErrorCode: code}
	case *protocol.ListOffsetsRequest:
		return refuseOffsets(m, code)
	case *protocol.CreateTopicsRequest:
		resp := &protocol.CreateTopicsResponse{}
		for i := range m.Topics {
			resp.Topics = append(resp.Topics, notCreated(m.Topics[i].Name, code, ""))
		}
		return resp
	case *protocol.GetTelemetrySubscriptionsRequest:
		return &protocol.GetTelemetrySubscriptionsResponse{ErrorCode: code}
	case *protocol.PushTelemetryRequest:
		return &protocol.PushTelemetryResponse{ErrorCode: code}
	}
	panic("brokertest: no answer for " + r.Message.API().Name)
}

// throttleFor returns how long a client is told to pause after a request.
func (c *Cluster) throttleFor(r *Request, a *Action) time.Duration {
	if a.throttle > 0 {
		return a.throttle
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.throttles[r.APIKey]
}

// setThrottle sets a response's throttle time, where it has one.
func setThrottle(resp protocol.Response, d time.Duration) {
	switch m := resp.(type) {
	case *protocol.ProduceResponse:
		m.ThrottleTime = d
	case *protocol.MetadataResponse:
		m.ThrottleTime = d
	case *protocol.ApiVersionsResponse:
		m.ThrottleTime = d
	case *protocol.InitProducerIDResponse:
		m.ThrottleTime = d
	case *protocol.AddPartitionsToTxnResponse:
		m.ThrottleTime = d
	case *protocol.AddOffsetsToTxnResponse:
		m.ThrottleTime = d
	case *protocol.EndTxnResponse:
		m.ThrottleTime = d
	case *protocol.TxnOffsetCommitResponse:
		m.ThrottleTime = d
	case *protocol.FindCoordinatorResponse:
		m.ThrottleTime = d
	case *protocol.ListOffsetsResponse:
		m.ThrottleTime = d
	case *protocol.CreateTopicsResponse:
		m.ThrottleTime = d
	case *protocol.GetTelemetrySubscriptionsResponse:
		m.ThrottleTime = d
	case *protocol.PushTelemetryResponse:
		m.ThrottleTime = d
	}
}
