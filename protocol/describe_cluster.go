package protocol

import "time"

// DescribeClusterRequest asks which brokers there are, and what the client may do with the cluster (KIP-700).
type DescribeClusterRequest struct {
	IncludeClusterAuthorizedOperations bool
	EndpointType                       int8 // from v1; EndpointBrokers before it
	IncludeFencedBrokers               bool // from v2
}

// Values of EndpointType.
const (
	EndpointBrokers     int8 = 1
	EndpointControllers int8 = 2
)

func (*DescribeClusterRequest) API() API {
	return API{Name: "DescribeCluster", Key: 60, Min: 0, Max: 2, Flexible: 0}
}

func (*DescribeClusterRequest) NewResponse() Response { return new(DescribeClusterResponse) }

func (m *DescribeClusterRequest) encode(e *messageEncoder) {
	e.bool(m.IncludeClusterAuthorizedOperations)
	if e.version >= 1 {
		e.int8(m.EndpointType)
	}
	if e.version >= 2 {
		e.bool(m.IncludeFencedBrokers)
	}
	e.tags()
}

func (m *DescribeClusterRequest) decode(d *decoder) {
	*m = DescribeClusterRequest{EndpointType: EndpointBrokers}
	m.IncludeClusterAuthorizedOperations = d.bool()
	if d.version >= 1 {
		m.EndpointType = d.int8()
	}
	if d.version >= 2 {
		m.IncludeFencedBrokers = d.bool()
	}
	d.tags()
}

// DescribeClusterResponse is what one broker knows of its cluster.
type DescribeClusterResponse struct {
	ThrottleTime time.Duration
	ErrorCode    ErrorCode
	ErrorMessage *string
	EndpointType int8 // from v1; EndpointBrokers before it
	ClusterID    string
	ControllerID int32 // -1 = unknown; with KRaft any broker
	Brokers      []DescribeClusterBroker

	ClusterAuthorizedOperations int32 // a bit set; NoAuthorizedOperations if it was not asked for
}

// DescribeClusterBroker is where a broker listens.
type DescribeClusterBroker struct {
	BrokerID int32
	Host     string
	Port     int32
	Rack     *string
	IsFenced bool // from v2
}

func (*DescribeClusterResponse) API() API { return (*DescribeClusterRequest)(nil).API() }

func (m *DescribeClusterResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *DescribeClusterResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	e.errorCode(m.ErrorCode)
	e.nullableString(m.ErrorMessage)
	if e.version >= 1 {
		e.int8(m.EndpointType)
	}
	e.string(m.ClusterID)
	e.int32(m.ControllerID)
	encodeArray(e, m.Brokers)
	e.int32(m.ClusterAuthorizedOperations)
	e.tags()
}

func (m *DescribeClusterResponse) decode(d *decoder) {
	*m = DescribeClusterResponse{EndpointType: EndpointBrokers}
	m.ThrottleTime = d.millis()
	m.ErrorCode = d.errorCode()
	m.ErrorMessage = d.nullableString()
	if d.version >= 1 {
		m.EndpointType = d.int8()
	}
	m.ClusterID = d.string()
	m.ControllerID = d.int32()
	m.Brokers = decodeArray[DescribeClusterBroker](d, 11)
	m.ClusterAuthorizedOperations = d.int32()
	d.tags()
}

func (b *DescribeClusterBroker) encode(e *messageEncoder) {
	e.int32(b.BrokerID)
	e.string(b.Host)
	e.int32(b.Port)
	e.nullableString(b.Rack)
	if e.version >= 2 {
		e.bool(b.IsFenced)
	}
	e.tags()
}

func (b *DescribeClusterBroker) decode(d *decoder) {
	*b = DescribeClusterBroker{}
	b.BrokerID = d.int32()
	b.Host = d.string()
	b.Port = d.int32()
	b.Rack = d.nullableString()
	if d.version >= 2 {
		b.IsFenced = d.bool()
	}
	d.tags()
}
