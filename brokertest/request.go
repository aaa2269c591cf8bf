package brokertest

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Request is a request as a broker got it.
type Request struct {
	Broker        int32 // node ID
	Connection    int   // the number of the connection, from 1 in the cluster
	APIKey        int16
	Version       int16
	CorrelationID int32
	ClientID      string
	At            time.Time // when the broker had read all of it
	Size          int       // bytes, without the length in front

	// Message is what was asked, to be read only. It is nil if the version is not known, and, to save memory, for a
	// Produce request in the list of Requests: there only Batches tells.
	Message protocol.Request

	// Batches are those of a Produce request.
	Batches []ProducedBatch

	former bool // it came to where the broker is no more
}

// ProducedBatch is a batch as a Produce request has it. What cannot be read leaves Header zero.
type ProducedBatch struct {
	Topic     string // by the topic ID since version 13, empty if there is no such topic
	TopicID   protocol.UUID
	Partition int32
	Header    protocol.BatchHeader
	Size      int // bytes
}

// parse makes a Request of what arrived. It returns nil if a broker would close the connection. An ApiVersions request
// in a version that the broker does not know has no message.
func (k *conn) parse(a *arrival) *Request {
	c, h := k.b.c, a.header
	r := &Request{
		Broker: k.b.id, Connection: k.serial, At: a.at, Size: len(a.frame),
		APIKey: h.APIKey, Version: h.Version, CorrelationID: h.CorrelationID,
	}
	if h.ClientID != nil {
		r.ClientID = *h.ClientID
	}
	c.mu.Lock()
	r.former = k.at != k.b.addr()
	c.mu.Unlock()
	known, ok := c.opts.versions[r.APIKey]
	switch {
	case len(a.frame) < 8 || !ok:
		return nil
	case r.Version < known.min || r.Version > known.max:
		if r.APIKey == ApiVersions {
			return r
		}
		return nil
	case a.err != nil:
		return nil
	}
	r.Message = a.message
	if p, ok := a.message.(*protocol.ProduceRequest); ok {
		r.Batches = c.describe(p, r.Version)
	}
	return r
}

// describe lists the batches of a Produce request.
func (c *Cluster) describe(m *protocol.ProduceRequest, version int16) (batches []ProducedBatch) {
	for i := range m.Topics {
		t := &m.Topics[i]
		name := t.Name
		if version >= 13 {
			c.mu.Lock()
			if known := c.topicIDs[t.TopicID]; known != nil {
				name = known.name
			}
			c.mu.Unlock()
		}
		for j := range t.Partitions {
			records := contiguous(t.Partitions[j].Records)
			h, _ := protocol.ReadBatchHeader(records)
			batches = append(batches, ProducedBatch{
				Topic: name, TopicID: t.TopicID, Partition: t.Partitions[j].Index, Header: h, Size: len(records),
			})
		}
	}
	return batches
}

// names reports whether the request is about a topic, and a partition of it unless index is negative.
func (r *Request) names(topic string, index int32) bool {
	switch m := r.Message.(type) {
	case *protocol.ProduceRequest:
		return slices.ContainsFunc(r.Batches, func(b ProducedBatch) bool {
			return b.Topic == topic && (index < 0 || b.Partition == index)
		})
	case *protocol.MetadataRequest:
		return m.Topics == nil || slices.ContainsFunc(m.Topics, func(t protocol.MetadataRequestTopic) bool {
			return t.Name != nil && *t.Name == topic
		})
	case *protocol.AddPartitionsToTxnRequest:
		return slices.ContainsFunc(m.Topics, func(t protocol.AddPartitionsToTxnTopic) bool {
			return t.Name == topic && (index < 0 || slices.Contains(t.Partitions, index))
		})
	case *protocol.CreateTopicsRequest:
		return slices.ContainsFunc(m.Topics, func(t protocol.CreatableTopic) bool { return t.Name == topic })
	case *protocol.ListOffsetsRequest:
		return slices.ContainsFunc(m.Topics, func(t protocol.ListOffsetsTopic) bool { return t.Name == topic })
	case *protocol.DescribeConfigsRequest:
		return slices.ContainsFunc(m.Resources, func(r protocol.DescribeConfigsResource) bool {
			return r.ResourceType == protocol.ResourceTopic && r.ResourceName == topic
		})
	}
	return false
}

// history is what brokers were asked. Guarded by Cluster.mu.
type history struct {
	keep     int
	requests []Request // the last ones, at most keep
	counts   map[int16]int
	deepest  int // the most requests without an answer on one connection
}

func newHistory(keep int) history { return history{keep: max(keep, 1), counts: map[int16]int{}} }

func (h *history) add(r Request) {
	h.counts[r.APIKey]++
	if _, ok := r.Message.(*protocol.ProduceRequest); ok {
		r.Message = nil
	}
	if len(h.requests) >= 2*h.keep {
		h.requests = append(h.requests[:0], h.requests[h.keep:]...)
	}
	h.requests = append(h.requests, r)
}

// Requests returns the requests that brokers have begun to handle, in that order, the oldest first.
func (c *Cluster) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.seen.requests
	return slices.Clone(all[max(0, len(all)-c.seen.keep):])
}

// Count returns how many requests of an API brokers have begun to handle.
func (c *Cluster) Count(apiKey int16) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.counts[apiKey]
}

// MaxUnanswered returns the most requests that any one connection had without an answer at any time. A paused broker
// reads none, so it counts those of the pause when it resumes. It cannot see more than about 130.
func (c *Cluster) MaxUnanswered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.deepest
}

// ForgetRequests empties Requests, Count and MaxUnanswered.
func (c *Cluster) ForgetRequests() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = newHistory(c.seen.keep)
}

// arrives counts a request as one without an answer.
func (c *Cluster) arrives(k *conn, a *arrival) {
	if !a.asks() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k.unanswered++
	c.seen.deepest = max(c.seen.deepest, k.unanswered)
}

// answers counts a request as answered.
func (c *Cluster) answers(k *conn, a *arrival) {
	if !a.asks() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k.unanswered--
}
