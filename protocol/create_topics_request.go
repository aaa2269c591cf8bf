package protocol

import "time"

// CreateTopicsRequest creates topics.
type CreateTopicsRequest struct {
	Topics       []CreatableTopic
	Timeout      time.Duration // that the broker waits for the topics to exist, in whole milliseconds
	ValidateOnly bool          // check, and create nothing
}

// CreatableTopic is a topic to be created.
type CreatableTopic struct {
	Name              string
	NumPartitions     int32 // -1 = as Assignments say; without them, from v4 on, the broker's default
	ReplicationFactor int16 // -1 likewise
	Assignments       []CreatableReplicaAssignment
	Configs           []CreatableTopicConfig
}

// CreatableReplicaAssignment says which brokers hold a partition.
type CreatableReplicaAssignment struct {
	PartitionIndex int32
	BrokerIDs      []int32 // the first is the preferred leader
}

// CreatableTopicConfig sets one of the topic's settings.
type CreatableTopicConfig struct {
	Name  string
	Value *string
}

func (*CreateTopicsRequest) API() API {
	return API{Name: "CreateTopics", Key: 19, Min: 2, Max: 7, Flexible: 5, ClientThrottled: 3}
}

func (*CreateTopicsRequest) NewResponse() Response { return new(CreateTopicsResponse) }

func (m *CreateTopicsRequest) encode(e *messageEncoder) {
	encodeArray(e, m.Topics)
	e.millis(m.Timeout)
	e.bool(m.ValidateOnly)
	e.tags()
}

func (m *CreateTopicsRequest) decode(d *decoder) {
	m.Topics = decodeArray[CreatableTopic](d, 10)
	m.Timeout = d.millis()
	m.ValidateOnly = d.bool()
	d.tags()
}

func (t *CreatableTopic) encode(e *messageEncoder) {
	e.string(t.Name)
	e.int32(t.NumPartitions)
	e.int16(t.ReplicationFactor)
	encodeArray(e, t.Assignments)
	encodeArray(e, t.Configs)
	e.tags()
}

func (t *CreatableTopic) decode(d *decoder) {
	t.Name = d.string()
	t.NumPartitions = d.int32()
	t.ReplicationFactor = d.int16()
	t.Assignments = decodeArray[CreatableReplicaAssignment](d, 6)
	t.Configs = decodeArray[CreatableTopicConfig](d, 3)
	d.tags()
}

func (a *CreatableReplicaAssignment) encode(e *messageEncoder) {
	e.int32(a.PartitionIndex)
	e.int32s(a.BrokerIDs)
	e.tags()
}

func (a *CreatableReplicaAssignment) decode(d *decoder) {
	a.PartitionIndex = d.int32()
	a.BrokerIDs = d.int32s()
	d.tags()
}

func (c *CreatableTopicConfig) encode(e *messageEncoder) {
	e.string(c.Name)
	e.nullableString(c.Value)
	e.tags()
}

func (c *CreatableTopicConfig) decode(d *decoder) {
	c.Name = d.string()
	c.Value = d.nullableString()
	d.tags()
}
