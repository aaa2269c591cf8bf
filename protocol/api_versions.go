package protocol

import "time"

// ApiVersionsRequest asks a broker which APIs and versions it speaks. It is the first request on every connection.
type ApiVersionsRequest struct {
	ClientSoftwareName    string  // from v3: letters, digits, '-' and '.'
	ClientSoftwareVersion string  // from v3, likewise
	ClusterID             *string // from v5: the cluster that the client means to reach, nil = unknown (KIP-1242)
	NodeID                int32   // from v5: the broker that the client means to reach, -1 = unknown
}

func (*ApiVersionsRequest) API() API {
	return API{Name: "ApiVersions", Key: 18, Min: 0, Max: 5, Flexible: 3, ClientThrottled: 2}
}

func (*ApiVersionsRequest) NewResponse() Response { return new(ApiVersionsResponse) }

func (m *ApiVersionsRequest) encode(e *messageEncoder) {
	if e.version >= 3 {
		e.string(m.ClientSoftwareName)
		e.string(m.ClientSoftwareVersion)
	}
	if e.version >= 5 {
		e.nullableString(m.ClusterID)
		e.int32(m.NodeID)
	}
	e.tags()
}

func (m *ApiVersionsRequest) decode(d *decoder) {
	*m = ApiVersionsRequest{NodeID: -1}
	if d.version >= 3 {
		m.ClientSoftwareName = d.string()
		m.ClientSoftwareVersion = d.string()
	}
	if d.version >= 5 {
		m.ClusterID = d.nullableString()
		m.NodeID = d.int32()
	}
	d.tags()
}

// ApiVersionsResponse tells what the broker speaks, and which features its cluster has finalised (KIP-584).
//
// A broker that does not know the request's version answers UnsupportedVersion in v0, and says in APIKeys which versions of
// ApiVersions it does know (KIP-511; brokers before 2.4 leave it empty). DecodeResponse expects that.
type ApiVersionsResponse struct {
	ErrorCode    ErrorCode
	APIKeys      []ApiVersion
	ThrottleTime time.Duration // from v1

	// From v3.
	SupportedFeatures      []SupportedFeature
	FinalizedFeaturesEpoch int64 // -1 = unknown; FinalizedFeatures then says nothing
	FinalizedFeatures      []FinalizedFeature
	ZkMigrationReady       bool
}

// ApiVersion is the range of versions of one API that a broker speaks, both ends inclusive.
type ApiVersion struct{ APIKey, MinVersion, MaxVersion int16 }

// SupportedFeature is the range of levels of a feature that a broker could take part in.
type SupportedFeature struct {
	Name                   string
	MinVersion, MaxVersion int16
}

// FinalizedFeature is the level of a feature, such as transaction.version, that the cluster runs at.
type FinalizedFeature struct {
	Name                             string
	MaxVersionLevel, MinVersionLevel int16
}

func (*ApiVersionsResponse) API() API { return (*ApiVersionsRequest)(nil).API() }

func (m *ApiVersionsResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *ApiVersionsResponse) encode(e *messageEncoder) {
	e.errorCode(m.ErrorCode)
	encodeArray(e, m.APIKeys)
	if e.version >= 1 {
		e.millis(m.ThrottleTime)
	}
	e.taggedFields(
		tagged(0, len(m.SupportedFeatures) > 0, func() { encodeArray(e, m.SupportedFeatures) }),
		tagged(1, m.FinalizedFeaturesEpoch != -1, func() { e.int64(m.FinalizedFeaturesEpoch) }),
		tagged(2, len(m.FinalizedFeatures) > 0, func() { encodeArray(e, m.FinalizedFeatures) }),
		tagged(3, m.ZkMigrationReady, func() { e.bool(m.ZkMigrationReady) }),
	)
}

func (m *ApiVersionsResponse) decode(d *decoder) {
	*m = ApiVersionsResponse{FinalizedFeaturesEpoch: -1}
	m.ErrorCode = d.errorCode()
	m.APIKeys = decodeArray[ApiVersion](d, 6)
	if d.version >= 1 {
		m.ThrottleTime = d.millis()
	}
	d.taggedFields(func(tag uint32) bool {
		switch tag {
		case 0:
			m.SupportedFeatures = decodeArray[SupportedFeature](d, 6)
		case 1:
			m.FinalizedFeaturesEpoch = d.int64()
		case 2:
			m.FinalizedFeatures = decodeArray[FinalizedFeature](d, 6)
		case 3:
			m.ZkMigrationReady = d.bool()
		default:
			return false
		}
		return true
	})
}

func (v *ApiVersion) encode(e *messageEncoder) {
	e.int16(v.APIKey)
	e.int16(v.MinVersion)
	e.int16(v.MaxVersion)
	e.tags()
}

func (v *ApiVersion) decode(d *decoder) {
	v.APIKey = d.int16()
	v.MinVersion = d.int16()
	v.MaxVersion = d.int16()
	d.tags()
}

func (f *SupportedFeature) encode(e *messageEncoder) {
	e.string(f.Name)
	e.int16(f.MinVersion)
	e.int16(f.MaxVersion)
	e.tags()
}

func (f *SupportedFeature) decode(d *decoder) {
	f.Name = d.string()
	f.MinVersion = d.int16()
	f.MaxVersion = d.int16()
	d.tags()
}

func (f *FinalizedFeature) encode(e *messageEncoder) {
	e.string(f.Name)
	e.int16(f.MaxVersionLevel)
	e.int16(f.MinVersionLevel)
	e.tags()
}

func (f *FinalizedFeature) decode(d *decoder) {
	f.Name = d.string()
	f.MaxVersionLevel = d.int16()
	f.MinVersionLevel = d.int16()
	d.tags()
}
