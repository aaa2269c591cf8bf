package protocol

import (
	"math"
	"time"
)

// MetadataResponse is what one broker knows of its cluster.
type MetadataResponse struct {
	ThrottleTime time.Duration // from v3
	Brokers      []MetadataBroker
	ClusterID    *string // from v2
	ControllerID int32   // from v1; -1 = unknown
	Topics       []MetadataTopic

	ClusterAuthorizedOperations int32     // v8 to v10: a bit set; NoAuthorizedOperations if it was not asked for
	ErrorCode                   ErrorCode // from v13
}

// NoAuthorizedOperations stands in place of a bit set of operations that was not asked for.
const NoAuthorizedOperations int32 = math.MinInt32

// MetadataBroker is where a broker listens.
type MetadataBroker struct {
	NodeID int32
	Host   string
	Port   int32
	Rack   *string // from v1
}

// MetadataTopic is what the broker knows of one topic.
type MetadataTopic struct {
	ErrorCode                 ErrorCode
	Name                      *string // nil from v12 on only: the answer to an ID that the broker does not know
	TopicID                   UUID    // from v10; zero for a name that the broker does not know
	IsInternal                bool    // from v1
	Partitions                []MetadataPartition
	TopicAuthorizedOperations int32 // from v8: a bit set, or NoAuthorizedOperations
}

// MetadataPartition is what the broker knows of one partition.
type MetadataPartition struct {
	ErrorCode       ErrorCode
	PartitionIndex  int32
	LeaderID        int32 // -1 = none now
	LeaderEpoch     int32 // from v7; -1 = unknown
	ReplicaNodes    []int32
	ISRNodes        []int32
	OfflineReplicas []int32 // from v5
}

func (*MetadataResponse) API() API { return (*MetadataRequest)(nil).API() }

func (m *MetadataResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *MetadataResponse) encode(e *messageEncoder) {
	if e.version >= 3 {
		e.millis(m.ThrottleTime)
	}
	encodeArray(e, m.Brokers)
	if e.version >= 2 {
		e.nullableString(m.ClusterID)
	}
	if e.version >= 1 {
		e.int32(m.ControllerID)
	}
	encodeArray(e, m.Topics)
	if e.version >= 8 && e.version <= 10 {
		e.int32(m.ClusterAuthorizedOperations)
	}
	if e.version >= 13 {
		e.errorCode(m.ErrorCode)
	}
	e.tags()
}

func (m *MetadataResponse) decode(d *decoder) {
	*m = MetadataResponse{ControllerID: -1, ClusterAuthorizedOperations: NoAuthorizedOperations}
	if d.version >= 3 {
		m.ThrottleTime = d.millis()
	}
	m.Brokers = decodeArray[MetadataBroker](d, 10)
	if d.version >= 2 {
		m.ClusterID = d.nullableString()
	}
	if d.version >= 1 {
		m.ControllerID = d.int32()
	}
	m.Topics = decodeArray[MetadataTopic](d, 8)
	if d.version >= 8 && d.version <= 10 {
		m.ClusterAuthorizedOperations = d.int32()
	}
	if d.version >= 13 {
		m.ErrorCode = d.errorCode()
	}
	d.tags()
}

func (b *MetadataBroker) encode(e *messageEncoder) {
	e.int32(b.NodeID)
	e.string(b.Host)
	e.int32(b.Port)
	if e.version >= 1 {
		e.nullableString(b.Rack)
	}
	e.tags()
}

func (b *MetadataBroker) decode(d *decoder) {
	b.NodeID = d.int32()
	b.Host = d.string()
	b.Port = d.int32()
	if d.version >= 1 {
		b.Rack = d.nullableString()
	}
	d.tags()
}

func (t *MetadataTopic) encode(e *messageEncoder) {
	e.errorCode(t.ErrorCode)
	if e.version >= 12 {
		e.nullableString(t.Name)
	} else {
		e.string(orEmpty(t.Name))
	}
	if e.version >= 10 {
		e.uuid(t.TopicID)
	}
	if e.version >= 1 {
		e.bool(t.IsInternal)
	}
	encodeArray(e, t.Partitions)
	if e.version >= 8 {
		e.int32(t.TopicAuthorizedOperations)
	}
	e.tags()
}

func (t *MetadataTopic) decode(d *decoder) {
	t.TopicAuthorizedOperations = NoAuthorizedOperations
	t.ErrorCode = d.errorCode()
	if d.version >= 12 {
		t.Name = d.nullableString()
	} else {
		name := d.string()
		t.Name = &name
	}
	if d.version >= 10 {
		t.TopicID = d.uuid()
	}
	if d.version >= 1 {
		t.IsInternal = d.bool()
	}
	t.Partitions = decodeArray[MetadataPartition](d, 18)
	if d.version >= 8 {
		t.TopicAuthorizedOperations = d.int32()
	}
	d.tags()
}

func (p *MetadataPartition) encode(e *messageEncoder) {
	e.errorCode(p.ErrorCode)
	e.int32(p.PartitionIndex)
	e.int32(p.LeaderID)
	if e.version >= 7 {
		e.int32(p.LeaderEpoch)
	}
	e.int32s(p.ReplicaNodes)
	e.int32s(p.ISRNodes)
	if e.version >= 5 {
		e.int32s(p.OfflineReplicas)
	}
	e.tags()
}

func (p *MetadataPartition) decode(d *decoder) {
	p.LeaderEpoch = -1
	p.ErrorCode = d.errorCode()
	p.PartitionIndex = d.int32()
	p.LeaderID = d.int32()
	if d.version >= 7 {
		p.LeaderEpoch = d.int32()
	}
	p.ReplicaNodes = d.int32s()
	p.ISRNodes = d.int32s()
	if d.version >= 5 {
		p.OfflineReplicas = d.int32s()
	}
	d.tags()
}
