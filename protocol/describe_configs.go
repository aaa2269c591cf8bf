package protocol

import "time"

// DescribeConfigsRequest asks for settings of topics or brokers.
type DescribeConfigsRequest struct {
	Resources            []DescribeConfigsResource
	IncludeSynonyms      bool // where the value of each would come from otherwise
	IncludeDocumentation bool // from v3
}

// DescribeConfigsResource is what has settings, and those that are asked for.
type DescribeConfigsResource struct {
	ResourceType      int8
	ResourceName      string   // a topic, or the node ID of the broker that is asked
	ConfigurationKeys []string // nil = all of them
}

// Values of ResourceType.
const (
	ResourceTopic  int8 = 2
	ResourceBroker int8 = 4
)

func (*DescribeConfigsRequest) API() API {
	return API{Name: "DescribeConfigs", Key: 32, Min: 1, Max: 4, Flexible: 4, ClientThrottled: 2}
}

func (*DescribeConfigsRequest) NewResponse() Response { return new(DescribeConfigsResponse) }

func (m *DescribeConfigsRequest) encode(e *messageEncoder) {
	encodeArray(e, m.Resources)
	e.bool(m.IncludeSynonyms)
	if e.version >= 3 {
		e.bool(m.IncludeDocumentation)
	}
	e.tags()
}

func (m *DescribeConfigsRequest) decode(d *decoder) {
	*m = DescribeConfigsRequest{}
	m.Resources = decodeArray[DescribeConfigsResource](d, 4)
	m.IncludeSynonyms = d.bool()
	if d.version >= 3 {
		m.IncludeDocumentation = d.bool()
	}
	d.tags()
}

func (r *DescribeConfigsResource) encode(e *messageEncoder) {
	e.int8(r.ResourceType)
	e.string(r.ResourceName)
	if r.ConfigurationKeys == nil {
		e.length(-1)
	} else {
		e.strings(r.ConfigurationKeys)
	}
	e.tags()
}

func (r *DescribeConfigsResource) decode(d *decoder) {
	r.ResourceType = d.int8()
	r.ResourceName = d.string()
	r.ConfigurationKeys = d.nullableStrings()
	d.tags()
}

// DescribeConfigsResponse has the settings of each resource.
type DescribeConfigsResponse struct {
	ThrottleTime time.Duration
	Results      []DescribeConfigsResult
}

// DescribeConfigsResult is the answer for one resource.
type DescribeConfigsResult struct {
	ErrorCode    ErrorCode
	ErrorMessage *string
	ResourceType int8
	ResourceName string
	Configs      []DescribeConfigsResourceResult
}

// DescribeConfigsResourceResult is one setting.
type DescribeConfigsResourceResult struct {
	Name          string
	Value         *string
	ReadOnly      bool
	ConfigSource  int8 // where the value comes from; -1 = unknown
	IsSensitive   bool // Value is then null
	Synonyms      []DescribeConfigsSynonym
	ConfigType    int8    // from v3
	Documentation *string // from v3
}

// DescribeConfigsSynonym is another place that the value could come from.
type DescribeConfigsSynonym struct {
	Name   string
	Value  *string
	Source int8
}

func (*DescribeConfigsResponse) API() API { return (*DescribeConfigsRequest)(nil).API() }

func (m *DescribeConfigsResponse) ThrottleFor() time.Duration { return m.ThrottleTime }

func (m *DescribeConfigsResponse) encode(e *messageEncoder) {
	e.millis(m.ThrottleTime)
	encodeArray(e, m.Results)
	e.tags()
}

func (m *DescribeConfigsResponse) decode(d *decoder) {
	m.ThrottleTime = d.millis()
	m.Results = decodeArray[DescribeConfigsResult](d, 7)
	d.tags()
}

func (r *DescribeConfigsResult) encode(e *messageEncoder) {
	e.errorCode(r.ErrorCode)
	e.nullableString(r.ErrorMessage)
	e.int8(r.ResourceType)
	e.string(r.ResourceName)
	encodeArray(e, r.Configs)
	e.tags()
}

func (r *DescribeConfigsResult) decode(d *decoder) {
	r.ErrorCode = d.errorCode()
	r.ErrorMessage = d.nullableString()
	r.ResourceType = d.int8()
	r.ResourceName = d.string()
	r.Configs = decodeArray[DescribeConfigsResourceResult](d, 9)
	d.tags()
}

func (r *DescribeConfigsResourceResult) encode(e *messageEncoder) {
	e.string(r.Name)
	e.nullableString(r.Value)
	e.bool(r.ReadOnly)
	e.int8(r.ConfigSource)
	e.bool(r.IsSensitive)
	encodeArray(e, r.Synonyms)
	if e.version >= 3 {
		e.int8(r.ConfigType)
		e.nullableString(r.Documentation)
	}
	e.tags()
}

func (r *DescribeConfigsResourceResult) decode(d *decoder) {
	*r = DescribeConfigsResourceResult{}
	r.Name = d.string()
	r.Value = d.nullableString()
	r.ReadOnly = d.bool()
	r.ConfigSource = d.int8()
	r.IsSensitive = d.bool()
	r.Synonyms = decodeArray[DescribeConfigsSynonym](d, 4)
	if d.version >= 3 {
		r.ConfigType = d.int8()
		r.Documentation = d.nullableString()
	}
	d.tags()
}

func (s *DescribeConfigsSynonym) encode(e *messageEncoder) {
	e.string(s.Name)
	e.nullableString(s.Value)
	e.int8(s.Source)
	e.tags()
}

func (s *DescribeConfigsSynonym) decode(d *decoder) {
	s.Name = d.string()
	s.Value = d.nullableString()
	s.Source = d.int8()
	d.tags()
}
