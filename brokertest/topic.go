package brokertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// topic is a topic of the cluster. Guarded by Cluster.mu.
type topic struct {
	name       string
	id         protocol.UUID
	partitions []*partition
	config     topicConfig
}

// partition is a partition and its log, which stands for all of its replicas. Guarded by Cluster.mu.
type partition struct {
	leader   int32 // -1: none now
	epoch    int32 // the leader epoch
	replicas []int32
	isr      []int32
	log      log
}

// topicConfig has the topic settings that these brokers obey.
type topicConfig struct {
	maxMessageBytes int
	compacted       bool
	minISR          int
	logAppendTime   bool
	before, after   time.Duration     // how far a timestamp may be before, or after, the broker's clock
	given           map[string]string // as CreateTopics gave them
}

const forever = time.Duration(1<<63 - 1)

func (o *options) topicConfig() topicConfig {
	return topicConfig{maxMessageBytes: 1_048_588, minISR: 1, before: forever, after: o.after}
}

// CreateTopic makes a topic. The brokers that are up lead its partitions in turn.
func (c *Cluster) CreateTopic(name string, partitions int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if reason := illegalTopicName(name); reason != "" {
		return fmt.Errorf("topic %q: %s", name, reason)
	}
	if partitions < 1 {
		return fmt.Errorf("topic %q: %d partitions, want at least 1", name, partitions)
	}
	if c.topics[name] != nil {
		return fmt.Errorf("topic %q: %w", name, protocol.TopicAlreadyExists)
	}
	c.create(name, partitions, min(3, len(c.brokers)), c.opts.topicConfig())
	return nil
}

// create makes a topic. The caller holds c.mu, or is Start, and has checked the arguments.
func (c *Cluster) create(name string, partitions, replicas int, config topicConfig) *topic {
	t := &topic{name: name, id: c.newID(), config: config}
	c.topics[name], c.topicIDs[t.id] = t, t
	c.grow(t, partitions, replicas)
	return t
}

// grow adds partitions to t until it has n. The caller holds c.mu.
func (c *Cluster) grow(t *topic, n, replicas int) {
	for i := len(t.partitions); i < n; i++ {
		p := &partition{leader: -1, log: newLog()}
		for r := range replicas {
			id := c.brokers[(i+r)%len(c.brokers)].id
			p.replicas = append(p.replicas, id)
			if c.broker(id).up {
				p.isr = append(p.isr, id)
			}
		}
		if len(p.isr) > 0 {
			p.leader = p.isr[0]
		}
		t.partitions = append(t.partitions, p)
	}
}

// DeleteTopic deletes a topic and its log.
func (c *Cluster) DeleteTopic(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.topics[name]
	if t == nil {
		return fmt.Errorf("topic %q: %w", name, protocol.UnknownTopicOrPartition)
	}
	delete(c.topics, name)
	delete(c.topicIDs, t.id)
	return nil
}

// RecreateTopic deletes a topic and makes it again, with a new topic ID, as many partitions, the same settings, and an empty
// log.
func (c *Cluster) RecreateTopic(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.topics[name]
	if t == nil {
		return fmt.Errorf("topic %q: %w", name, protocol.UnknownTopicOrPartition)
	}
	delete(c.topicIDs, t.id)
	c.create(name, len(t.partitions), len(t.partitions[0].replicas), t.config)
	return nil
}

// AddPartitions gives a topic more partitions. partitions is their new number.
func (c *Cluster) AddPartitions(name string, partitions int) error {
	return c.configure(name, func(t *topic) error {
		if partitions <= len(t.partitions) {
			return fmt.Errorf("topic %q has %d partitions, want more than that, not %d", name, len(t.partitions), partitions)
		}
		c.grow(t, partitions, len(t.partitions[0].replicas))
		return nil
	})
}

// TopicID returns a topic's ID; zero if there is no such topic.
func (c *Cluster) TopicID(name string) protocol.UUID {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.topics[name]; t != nil {
		return t.id
	}
	return protocol.UUID{}
}

// Partitions returns a topic's number of partitions; 0 if there is no such topic.
func (c *Cluster) Partitions(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.topics[name]; t != nil {
		return len(t.partitions)
	}
	return 0
}

// SetTopicMaxBytes sets max.message.bytes: the size of the largest batch that a topic takes. The default is 1,048,588.
func (c *Cluster) SetTopicMaxBytes(name string, bytes int) error {
	return c.configure(name, func(t *topic) error { t.config.maxMessageBytes = bytes; return nil })
}

// SetCompacted makes a topic compacted, or ends that. A compacted topic refuses records without a key.
func (c *Cluster) SetCompacted(name string, on bool) error {
	return c.configure(name, func(t *topic) error { t.config.compacted = on; return nil })
}

// SetLogAppendTime makes brokers set the timestamps of a topic's records, by the cluster's clock.
func (c *Cluster) SetLogAppendTime(name string, on bool) error {
	return c.configure(name, func(t *topic) error { t.config.logAppendTime = on; return nil })
}

// SetMinISR sets min.insync.replicas. If fewer of a partition's brokers are up, acks=all gets NOT_ENOUGH_REPLICAS. As in Kafka,
// a topic with one replica never needs more than one, so a cluster of one broker never answers so: use Error for that.
func (c *Cluster) SetMinISR(name string, n int) error {
	return c.configure(name, func(t *topic) error { t.config.minISR = n; return nil })
}

// configure changes a topic under the lock.
func (c *Cluster) configure(name string, f func(*topic) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.topics[name]
	if t == nil {
		return fmt.Errorf("topic %q: %w", name, protocol.UnknownTopicOrPartition)
	}
	return f(t)
}

// change changes a partition under the lock.
func (c *Cluster) change(name string, index int32, f func(*partition) error) error {
	return c.configure(name, func(t *topic) error {
		if index < 0 || int(index) >= len(t.partitions) {
			return fmt.Errorf("partition %d of topic %q, which has %d", index, name, len(t.partitions))
		}
		return f(t.partitions[index])
	})
}

// illegalTopicName returns what is wrong with a topic's name; "" if nothing is.
func illegalTopicName(name string) string {
	switch {
	case name == "":
		return "the empty string is not allowed"
	case name == "." || name == "..":
		return "'" + name + "' is not allowed"
	case len(name) > 249:
		return "the length of '" + name + "' is longer than the max allowed length 249"
	case strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-')
	}) >= 0:
		return "'" + name + "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
	}
	return ""
}

// sortedTopics returns all topics by name. The caller holds c.mu.
func (c *Cluster) sortedTopics() []*topic {
	all := make([]*topic, 0, len(c.topics))
	for _, t := range c.topics {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *topic) int { return strings.Compare(a.name, b.name) })
	return all
}
