package protocol

// MetadataRequest asks which brokers there are, and who leads the partitions of some topics.
type MetadataRequest struct {
	Topics                             []MetadataRequestTopic // nil = all topics; empty = none, which v0 cannot say
	AllowAutoTopicCreation             bool                   // from v4; before it brokers do as configured
	IncludeClusterAuthorizedOperations bool                   // v8 to v10
	IncludeTopicAuthorizedOperations   bool                   // from v8
}

// MetadataRequestTopic names a topic, from v12 on by its ID or its name.
type MetadataRequestTopic struct {
	TopicID UUID    // from v10; brokers heed it from v12 on
	Name    *string // nil from v10 on only; before that nil is sent as an empty name
}

func (*MetadataRequest) API() API {
	return API{Name: "Metadata", Key: 3, Min: 0, Max: 13, Flexible: 9, ClientThrottled: 6}
}

func (*MetadataRequest) NewResponse() Response { return new(MetadataResponse) }

func (m *MetadataRequest) encode(e *messageEncoder) {
	if e.version >= 1 {
		encodeNullableArray(e, m.Topics)
	} else {
		encodeArray(e, m.Topics)
	}
	if e.version >= 4 {
		e.bool(m.AllowAutoTopicCreation)
	}
	if e.version >= 8 && e.version <= 10 {
		e.bool(m.IncludeClusterAuthorizedOperations)
	}
	if e.version >= 8 {
		e.bool(m.IncludeTopicAuthorizedOperations)
	}
	e.tags()
}

func (m *MetadataRequest) decode(d *decoder) {
	*m = MetadataRequest{AllowAutoTopicCreation: true}
	if d.version >= 1 {
		m.Topics = decodeNullableArray[MetadataRequestTopic](d, 2)
	} else {
		m.Topics = decodeArray[MetadataRequestTopic](d, 2)
	}
	if d.version >= 4 {
		m.AllowAutoTopicCreation = d.bool()
	}
	if d.version >= 8 && d.version <= 10 {
		m.IncludeClusterAuthorizedOperations = d.bool()
	}
	if d.version >= 8 {
		m.IncludeTopicAuthorizedOperations = d.bool()
	}
	d.tags()
}

func (t *MetadataRequestTopic) encode(e *messageEncoder) {
	if e.version >= 10 {
		e.uuid(t.TopicID)
		e.nullableString(t.Name)
	} else {
		e.string(orEmpty(t.Name))
	}
	e.tags()
}

func (t *MetadataRequestTopic) decode(d *decoder) {
	if d.version >= 10 {
		t.TopicID = d.uuid()
		t.Name = d.nullableString()
	} else {
		name := d.string()
		t.Name = &name
	}
	d.tags()
}

// orEmpty returns what is written in a version that has no null.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
