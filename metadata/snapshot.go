package metadata

import (
	"strconv"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Snapshot is the cluster as last heard of, without the topics that are there: see [Cluster.Topic]. It is immutable, with all
// that it refers to, and safe for concurrent use.
type Snapshot struct {
	ClusterID string           // "" until a broker has told
	Brokers   map[int32]Broker // by node id; empty before the first answer and after a rebootstrap

	failures map[string]failure
	waiting  map[string]error
}

// Broker is where a node of the cluster is.
type Broker struct {
	ID   int32
	Host string
	Port int32
	Rack string // "" if it has none
}

// Addr returns host:port, with an IPv6 host in brackets. The broker may have put it in brackets already.
func (b Broker) Addr() string {
	host := b.Host
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(b.Port))
}

// Topic is one topic. It is immutable.
type Topic struct {
	Name       string
	ID         protocol.UUID // zero if the brokers have no topic ids
	Partitions []Partition   // the index is the partition; at least one
}

// Partition says who leads it.
type Partition struct {
	Leader      int32 // node id, in Snapshot.Brokers except after a rebootstrap; -1 if there is no leader now
	LeaderEpoch int32 // -1 if unknown
}

// failure is an answer that is remembered for a moment.
type failure struct {
	err   error
	until time.Time
}

// Failure returns the error with which topic failed a moment ago (Config.UnknownTopicMemory): an *UnknownTopicError or a
// *TopicError. Otherwise it returns nil. A send that finds the topic missing can fail with it at once.
func (s *Snapshot) Failure(now time.Time, topic string) error {
	if f, ok := s.failures[topic]; ok && now.Before(f.until) {
		return f.err
	}
	return nil
}

// LastFailure is Failure for a caller who does not wait for a look-up. It returns the last failure for up to metadata.max.idle,
// until the topic is there.
func (s *Snapshot) LastFailure(topic string) error { return s.failures[topic].err }

// Waiting returns what the last answer said of a topic that is looked for and not there yet; nil if there was no answer. A
// caller who gives up is told this.
func (s *Snapshot) Waiting(topic string) error { return s.waiting[topic] }
