package tap

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Counts is what passed between one client and the brokers, as seen before the brokers.
type Counts struct {
	Connections, Open int64 // that were made, and those that are there
	Unanswered        int64 // of Connections, those that have ended before the client was sent its first answer
	Written, Read     int64 // bytes that the client has written, and that it was sent

	Requests map[string]int64  // whole requests, by the name of their API
	Answers  map[string]int64  // whole answers that it was sent, likewise
	Sizes    map[string][]int  // the size of each, with the four bytes that tell it
	Topics   map[string]*Topic // what it has produced, by topic

	ProduceRecords []int // the records of each request to produce
}

// A Topic is what a client has produced to it.
type Topic struct {
	Records, Batches, Bytes int64 // that the client has written, each time
	Again                   int64 // of Records, those that the client had written before
	Sizes                   []int // the bytes of each batch

	// What must be in the log: of batches that a broker has taken, or whose answer it did not give, each once.
	LoggedRecords, LoggedBytes int64
}

func (c *Counts) init() {
	c.Requests, c.Answers = make(map[string]int64), make(map[string]int64)
	c.Sizes, c.Topics = make(map[string][]int), make(map[string]*Topic)
}

func (c *Counts) topic(name string) *Topic {
	if c.Topics[name] == nil {
		c.Topics[name] = &Topic{}
	}
	return c.Topics[name]
}

// A sequence is the numbers that an idempotent producer gives the records of a partition, one after the other.
type sequence struct {
	topic     string
	partition int32
	producer  int64
	epoch     int16
}

// A batchID tells a batch from all others: the sequence, the first number, and how many there are.
type batchID struct {
	sequence
	first   int32
	records int64
}

// A batch is one of these, however often it came.
type batch struct {
	id             batchID
	client         string
	bytes          int64
	passed         bool // to a broker
	taken, refused bool // by a broker's answer
}

// Of is what passed between a client and all brokers so far.
func (w *Wire) Of(client string) *Counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := &Counts{}
	all.init()
	for _, c := range w.conns {
		if c.name != client {
			continue
		}
		all.Connections += c.counts.Connections
		switch open := !c.closed && !c.dead; {
		case open:
			all.Open++
		case c.counts.Connections > 0 && len(c.counts.Answers) == 0:
			all.Unanswered++
		}
		all.Written, all.Read = all.Written+c.counts.Written, all.Read+c.counts.Read
		for api, n := range c.counts.Requests {
			all.Requests[api] += n
			all.Answers[api] += c.counts.Answers[api]
			all.Sizes[api] = append(all.Sizes[api], c.counts.Sizes[api]...)
		}
		all.ProduceRecords = append(all.ProduceRecords, c.counts.ProduceRecords...)
		for name, t := range c.counts.Topics {
			of := all.topic(name)
			of.Records, of.Batches, of.Bytes = of.Records+t.Records, of.Batches+t.Batches, of.Bytes+t.Bytes
			of.Again, of.Sizes = of.Again+t.Again, append(of.Sizes, t.Sizes...)
		}
	}
	for _, b := range w.logged {
		if b.client == client && b.passed && (b.taken || !b.refused) {
			of := all.topic(b.id.topic)
			of.LoggedRecords, of.LoggedBytes = of.LoggedRecords+b.id.records, of.LoggedBytes+b.bytes
		}
	}
	return all
}

// Without is how many requests, or answers, there were, but for those of some APIs.
func Without(counts map[string]int64, apis ...string) (n int64) {
	for api, count := range counts {
		if !slices.Contains(apis, api) {
			n += count
		}
	}
	return n
}

// SizesWithout is the size of each request, but for those of some APIs.
func (c *Counts) SizesWithout(without ...string) (all []int) {
	for _, api := range slices.Sorted(maps.Keys(c.Sizes)) {
		if !slices.Contains(without, api) {
			all = append(all, c.Sizes[api]...)
		}
	}
	return all
}

// Of a batch's header: where what is, as the record format says.
const (
	atLength    = 8
	atEpoch     = 51
	atProducer  = 43
	atSequence  = 53
	atRecords   = 57
	headerBytes = 61
)

// produce counts the batches of a request. The caller holds mu.
func (c *conn) produce(a *asked, body []byte) {
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(a.version)
	if r.IsFlexible() {
		if body[0] != 0 {
			panic("tap: a request has tags in its header")
		}
		body = body[1:]
	}
	if err := r.ReadFrom(body); err != nil {
		panic(fmt.Sprintf("tap: %s: Produce, version %d: %v", c.name, a.version, err))
	}
	records := 0
	for _, topic := range r.Topics {
		name := topic.Topic
		if name == "" {
			name = c.wire.topics[topic.TopicID]
		}
		of := c.counts.topic(name)
		for _, p := range topic.Partitions {
			b := c.batch(name, p.Partition, p.Records)
			a.batches = append(a.batches, b)
			of.Records, of.Batches, of.Bytes = of.Records+b.id.records, of.Batches+1, of.Bytes+b.bytes
			of.Sizes = append(of.Sizes, int(b.bytes))
			records += int(b.id.records)
			first, next := int64(b.id.first), c.wire.next[b.id.sequence]
			of.Again += max(min(next, first+b.id.records)-first, 0)
			c.wire.next[b.id.sequence] = max(next, first+b.id.records)
			if known := c.wire.logged[b.id]; known != nil {
				a.batches[len(a.batches)-1] = known
			} else {
				c.wire.logged[b.id] = b
			}
		}
	}
	c.counts.ProduceRecords = append(c.counts.ProduceRecords, records)
}

// batch reads the header of the one batch that a client sends to a partition.
func (c *conn) batch(topic string, partition int32, b []byte) *batch {
	if len(b) < headerBytes || int(binary.BigEndian.Uint32(b[atLength:]))+atLength+4 != len(b) {
		panic(fmt.Sprintf("tap: %s sends %d bytes that are not one batch", c.name, len(b)))
	}
	of := sequence{topic, partition, int64(binary.BigEndian.Uint64(b[atProducer:])), int16(binary.BigEndian.Uint16(b[atEpoch:]))}
	id := batchID{of, int32(binary.BigEndian.Uint32(b[atSequence:])), int64(binary.BigEndian.Uint32(b[atRecords:]))}
	return &batch{id: id, client: c.name, bytes: int64(len(b))}
}

// produced notes what a broker says of batches. The caller holds mu.
func (c *conn) produced(a *asked, body []byte) {
	r := kmsg.NewPtrProduceResponse()
	r.SetVersion(a.version)
	if r.IsFlexible() {
		body = body[1:] // no tags in the header
	}
	if err := r.ReadFrom(body); err != nil {
		panic(fmt.Sprintf("tap: the answer to Produce, version %d: %v", a.version, err))
	}
	for _, topic := range r.Topics {
		name := topic.Topic
		if name == "" {
			name = c.wire.topics[topic.TopicID]
		}
		for _, p := range topic.Partitions {
			for _, b := range a.batches {
				if b.id.topic == name && b.id.partition == p.Partition {
					taken := p.ErrorCode == 0 || p.ErrorCode == kerr.DuplicateSequenceNumber.Code
					b.taken, b.refused = b.taken || taken, b.refused || !taken
				}
			}
		}
	}
}
