package brokertest

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/epistle-kafka/epistle/protocol"
)

// softwareName matches the names and versions that a client may give itself (KIP-511).
var softwareName = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$`)

// answerAPIVersions is api.answer for ApiVersions. It notes that the connection was told the versions, if it was.
func (k *conn) answerAPIVersions(r *Request, _ *Action) (protocol.Response, bool) {
	m, _ := r.Message.(*protocol.ApiVersionsRequest)
	resp := k.b.apiVersions(m, r.Version)
	k.session.versioned = k.session.versioned || resp.ErrorCode == protocol.NoError
	return resp, true
}

// apiVersions answers ApiVersions. m is nil if the request's version is not known: the answer is then one of version 0, which
// names the versions of ApiVersions alone (KIP-511).
func (b *broker) apiVersions(m *protocol.ApiVersionsRequest, version int16) *protocol.ApiVersionsResponse {
	o := &b.c.opts
	if m == nil {
		known := o.versions[ApiVersions]
		return &protocol.ApiVersionsResponse{
			ErrorCode: protocol.UnsupportedVersion, FinalizedFeaturesEpoch: -1,
			APIKeys: []protocol.ApiVersion{{APIKey: ApiVersions, MinVersion: known.min, MaxVersion: known.max}},
		}
	}
	resp := &protocol.ApiVersionsResponse{FinalizedFeaturesEpoch: -1}
	if version >= 3 && !(softwareName.MatchString(m.ClientSoftwareName) && softwareName.MatchString(m.ClientSoftwareVersion)) {
		resp.ErrorCode = protocol.InvalidRequest
		return resp
	}
	if version >= 5 && m.ClusterID != nil != (m.NodeID >= 0) {
		resp.ErrorCode = protocol.InvalidRequest
		return resp
	}
	if version >= 5 && m.ClusterID != nil && (*m.ClusterID != b.c.ClusterID() || m.NodeID != b.id) {
		resp.ErrorCode = protocol.RebootstrapRequired // KIP-1242
		return resp
	}
	for key, known := range o.versions {
		if !o.telemetry && (key == GetTelemetrySubscriptions || key == PushTelemetry) {
			continue
		}
		v := protocol.ApiVersion{APIKey: key, MinVersion: known.min, MaxVersion: known.max}
		if key == Produce {
			// Kafka says that it knows versions 0 to 2, for the sake of librdkafka, and refuses them all the same.
			v.MinVersion = 0
		}
		resp.APIKeys = append(resp.APIKeys, v)
	}
	slices.SortFunc(resp.APIKeys, func(x, y protocol.ApiVersion) int { return cmp.Compare(x.APIKey, y.APIKey) })
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	resp.FinalizedFeaturesEpoch = b.c.finalized
	for _, f := range b.c.features {
		if f.min > 0 || version >= 4 {
			// Before version 4, clients cannot read a lowest level of 0, so Kafka leaves such features out.
			resp.SupportedFeatures = append(resp.SupportedFeatures, protocol.SupportedFeature{
				Name: f.name, MinVersion: f.min, MaxVersion: f.max,
			})
		}
		if f.now > 0 {
			resp.FinalizedFeatures = append(resp.FinalizedFeatures, protocol.FinalizedFeature{
				Name: f.name, MaxVersionLevel: f.now, MinVersionLevel: f.now,
			})
		}
	}
	return resp
}

// answerVersion returns the version in which an answer is to be written.
func answerVersion(r *Request, resp protocol.Response) int16 {
	if _, ok := resp.(*protocol.ApiVersionsResponse); ok && r.Message == nil {
		return 0
	}
	return r.Version
}
