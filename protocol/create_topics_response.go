package protocol

import "time"

// CreateTopicsResponse tells for each topic whether it was created.
type CreateTopicsResponse struct {
	ThrottleTime time.Duration
	Topics       []CreatableTopicResult
}

// CreatableTopicResult is the answer for one topic.
type CreatableTopicResult struct {
	Name         string
	TopicID      UUID // from v7
	ErrorCode    ErrorCode
	ErrorMessage *string

	// From v5.
	TopicConfigErrorCode ErrorCode               // why Configs are not told
	NumPartitions        int32                   // -1 = not told
	ReplicationFactor    int16                   // -1 = not told
	Configs              []CreatableTopicConfigs // nil = null, not told
}

// CreatableTopicConfigs is one setting of the new topic.
type CreatableTopicConfigs struct {
	Name         string
	Value        *string
	ReadOnly     bool
	ConfigSource int8 // where the value comes from; -1 = unknown
	IsSensitive  bool // Value is then null
}

func (*CreateTopicsResponse) API() API { return (*CreateTopicsRequest)(nil).API() }

func (m *CreateTopicsResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *CreateTopicsResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	encodeArray(e, m.Topics)
	e.tags()
}

func (m *CreateTopicsResponse) decode(d *decoder) {
	m.ThrottleTime = d.millis()
	m.Topics = decodeArray[CreatableTopicResult](d, 6)
	d.tags()
}

func (t *CreatableTopicResult) encode(e *messageEncoder) {
	e.string(t.Name)
	if e.version >= 7 {
		e.uuid(t.TopicID)
	}
	e.errorCode(t.ErrorCode)
	e.nullableString(t.ErrorMessage)
	if e.version >= 5 {
		e.int32(t.NumPartitions)
		e.int16(t.ReplicationFactor)
		encodeNullableArray(e, t.Configs)
	}
	e.taggedFields(
		tagged(0, t.TopicConfigErrorCode != NoError, func() { e.errorCode(t.TopicConfigErrorCode) }),
	)
}

func (t *CreatableTopicResult) decode(d *decoder) {
	*t = CreatableTopicResult{NumPartitions: -1, ReplicationFactor: -1, Configs: []CreatableTopicConfigs{}}
	t.Name = d.string()
	if d.version >= 7 {
		t.TopicID = d.uuid()
	}
	t.ErrorCode = d.errorCode()
	t.ErrorMessage = d.nullableString()
	if d.version >= 5 {
		t.NumPartitions = d.int32()
		t.ReplicationFactor = d.int16()
		t.Configs = decodeNullableArray[CreatableTopicConfigs](d, 6)
	}
	d.taggedFields(func(tag uint32) bool {
		if tag != 0 {
			return false
		}
		t.TopicConfigErrorCode = d.errorCode()
		return true
	})
}

func (c *CreatableTopicConfigs) encode(e *messageEncoder) {
	e.string(c.Name)
	e.nullableString(c.Value)
	e.bool(c.ReadOnly)
	e.int8(c.ConfigSource)
	e.bool(c.IsSensitive)
	e.tags()
}

func (c *CreatableTopicConfigs) decode(d *decoder) {
	c.Name = d.string()
	c.Value = d.nullableString()
	c.ReadOnly = d.bool()
	c.ConfigSource = d.int8()
	c.IsSensitive = d.bool()
	d.tags()
}
