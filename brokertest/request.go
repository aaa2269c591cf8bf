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
	Size          int       // bytes, without the length field

	// Message is the request itself, which must not be changed. It is nil if the version is not known. To save memory it is
	// also nil for a Produce request in the list of Requests: there, look at Batches.
	Message protocol.Request

	// Batches are the batches of a Produce request; nil for all others.
	Batches []ProducedBatch

	former bool // it came to an address that the broker has left
}

// ProducedBatch is a batch in a Produce request. Header is zero if it cannot be read.
type ProducedBatch struct {
	Topic     string // since version 13 found by TopicID; "" if there is no such topic
	TopicID   protocol.UUID
	Partition int32
	Header    protocol.BatchHeader
	Size      int // bytes
}

// parse makes a Request of what arrived. It returns nil if a broker would close the connection. An ApiVersions request in a
// version that the broker does not know has no message.
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

// names reports whether the request is about a topic, and about a partition of it unless index is negative.
func (r *Request) names(topic string, index int32) bool {
	names := apis[r.APIKey].names
	return names != nil && names(r, topic, index)
}

// history is what brokers were asked. Guarded by Cluster.mu.
type history struct {
	keep     int
	requests []Request // the last ones, at most keep
	counts   map[int16]int
	deepest  int // the largest number of requests without an answer on one connection
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

// Requests returns the requests that brokers have begun to handle, in that order, the oldest first. KeepRequests bounds their
// number.
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

// MaxUnanswered returns the largest number of requests that any connection had without an answer at one time. A paused broker
// reads none, so it counts those of the pause when it resumes. The number cannot be larger than about 130.
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
