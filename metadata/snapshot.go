package metadata

import (
	"strconv"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Snapshot is the cluster as last heard of, less the topics that are there: see [Cluster.Topic]. It and all it refers to is
// immutable and safe for concurrent use.
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

// Addr returns host:port, an IPv6 host in brackets, whether or not the broker has put it in brackets already.
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
	Leader      int32 // node id, in Snapshot.Brokers save after a rebootstrap; -1 if it has no leader now
	LeaderEpoch int32 // -1 if unknown
}

// failure is an answer that is remembered for a moment.
type failure struct {
	err   error
	until time.Time
}

// Failure returns why topic failed if that was a moment ago (Config.UnknownTopicMemory), else nil: an *UnknownTopicError or
// a *TopicError. A send that finds the topic missing can fail with it at once.
func (s *Snapshot) Failure(now time.Time, topic string) error {
	if f, ok := s.failures[topic]; ok && now.Before(f.until) {
		return f.err
	}
	return nil
}

// LastFailure is Failure for one who does not wait for a look-up: it goes on telling what the last one said, for
// metadata.max.idle at most, until the topic is there.
func (s *Snapshot) LastFailure(topic string) error { return s.failures[topic].err }

// Waiting returns what the last answer said of a topic that is looked for and not there yet, nil if there was none. It
// is what to tell a caller who gave up.
func (s *Snapshot) Waiting(topic string) error { return s.waiting[topic] }
