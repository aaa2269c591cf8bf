package protocol

import "time"

// ProduceRequest carries record batches, one for each partition.
type ProduceRequest struct {
	TransactionalID *string       // nil = not in a transaction
	Acks            int16         // 0 = no answer at all, 1 = the leader's, -1 = of all in-sync replicas
	Timeout         time.Duration // that the leader waits for other replicas, in whole milliseconds
	Topics          []ProduceTopic
}

// ProduceTopic is what goes to one topic, which has its name up to v12 and its ID from v13 on.
type ProduceTopic struct {
	Name       string
	TopicID    UUID
	Partitions []ProducePartition
}

// ProducePartition is what goes to one partition.
type ProducePartition struct {
	Index int32
	// Records is one record batch as a chain of chunks; nil = null. FrameRequest refers to the chunks and copies none. Decoding
	// gives a single chunk, which aliases the frame.
	Records [][]byte
}

func (*ProduceRequest) API() API {
	return API{Name: "Produce", Key: 0, Min: 3, Max: 13, Flexible: 9, ClientThrottled: 6}
}

func (*ProduceRequest) NewResponse() Response { return new(ProduceResponse) }

func (m *ProduceRequest) encode(e *messageEncoder) {
	e.nullableString(m.TransactionalID)
	e.int16(m.Acks)
	e.millis(m.Timeout)
	// Not encodeArray: its calls through a type parameter would put the encoder on the heap, in each request.
	e.length(len(m.Topics))
	for i := range m.Topics {
		m.Topics[i].encode(e)
	}
	e.tags()
}

func (m *ProduceRequest) decode(d *decoder) {
	*m = ProduceRequest{}
	m.TransactionalID = d.nullableString()
	m.Acks = d.int16()
	m.Timeout = d.millis()
	m.Topics = decodeArray[ProduceTopic](d, 3)
	d.tags()
}

func (t *ProduceTopic) encode(e *messageEncoder) {
	if e.version >= 13 {
		e.uuid(t.TopicID)
	} else {
		e.string(t.Name)
	}
	e.length(len(t.Partitions))
	for i := range t.Partitions {
		t.Partitions[i].encode(e)
	}
	e.tags()
}

func (t *ProduceTopic) decode(d *decoder) {
	if d.version >= 13 {
		t.TopicID = d.uuid()
	} else {
		t.Name = d.string()
	}
	t.Partitions = decodeArray[ProducePartition](d, 6)
	d.tags()
}

func (p *ProducePartition) encode(e *messageEncoder) {
	e.int32(p.Index)
	e.records(p.Records)
	e.tags()
}

func (p *ProducePartition) decode(d *decoder) {
	p.Index = d.int32()
	p.Records = d.records()
	d.tags()
}
