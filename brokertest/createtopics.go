package brokertest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// createTopics answers CreateTopics. The caller holds c.mu.
func (c *Cluster) createTopics(m *protocol.CreateTopicsRequest) protocol.Response {
	times := map[string]int{}
	for i := range m.Topics {
		times[m.Topics[i].Name]++
	}
	resp := &protocol.CreateTopicsResponse{}
	for i := range m.Topics {
		asked := &m.Topics[i]
		switch n := times[asked.Name]; {
		case n == 0: // answered already
		case n > 1:
			resp.Topics = append(resp.Topics, notCreated(asked.Name, protocol.InvalidRequest, "Duplicate topic name."))
			times[asked.Name] = 0
		default:
			resp.Topics = append(resp.Topics, c.createAsked(asked, m.ValidateOnly))
		}
	}
	return resp
}

func (c *Cluster) createAsked(asked *protocol.CreatableTopic, validateOnly bool) protocol.CreatableTopicResult {
	refuse := func(code protocol.ErrorCode, format string, args ...any) protocol.CreatableTopicResult {
		return notCreated(asked.Name, code, fmt.Sprintf(format, args...))
	}
	partitions, replicas := int(asked.NumPartitions), int(asked.ReplicationFactor)
	up := 0
	for _, b := range c.brokers {
		if b.up {
			up++
		}
	}
	if d := c.denied[asked.Name]; d.describe || d.write {
		return refuse(protocol.TopicAuthorizationFailed, "Authorization failed.")
	}
	if reason := illegalTopicName(asked.Name); reason != "" {
		return refuse(protocol.InvalidTopicException, "Topic name is invalid: %s", reason)
	}
	if c.topics[asked.Name] != nil {
		return refuse(protocol.TopicAlreadyExists, "Topic '%s' already exists.", asked.Name)
	}
	if len(asked.Assignments) > 0 {
		return refuse(protocol.InvalidReplicaAssignment, "manual assignments are not taken by this broker")
	}
	if replicas == -1 {
		replicas = min(3, up)
	}
	if partitions == -1 {
		partitions = c.opts.partitions
	}
	if replicas <= 0 {
		return refuse(protocol.InvalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.")
	}
	if partitions <= 0 {
		return refuse(protocol.InvalidPartitions, "Number of partitions was set to an invalid non-positive value.")
	}
	if replicas > up {
		return refuse(protocol.InvalidReplicationFactor, "Unable to replicate the partition %d time(s): "+
			"The target replication factor of %d cannot be reached because only %d broker(s) are registered or some brokers have all their log directories cordoned.", replicas, replicas, up)
	}
	config, err := topicConfigFrom(c.opts.topicConfig(), asked.Configs)
	if err != nil {
		return refuse(protocol.InvalidConfig, "%v", err)
	}
	result := protocol.CreatableTopicResult{
		Name: asked.Name, NumPartitions: int32(partitions), ReplicationFactor: int16(replicas),
		Configs: []protocol.CreatableTopicConfigs{},
	}
	for name, value := range config.given {
		// Kafka lists every setting. Those that were given are what a client can compare.
		result.Configs = append(result.Configs, protocol.CreatableTopicConfigs{Name: name, Value: &value, ConfigSource: 1})
	}
	if !validateOnly {
		result.TopicID = c.create(asked.Name, partitions, replicas, config).id
	}
	return result
}

func notCreated(name string, code protocol.ErrorCode, text string) protocol.CreatableTopicResult {
	r := protocol.CreatableTopicResult{Name: name, ErrorCode: code, NumPartitions: -1, ReplicationFactor: -1, Configs: []protocol.CreatableTopicConfigs{}}
	if text != "" {
		r.ErrorMessage = &text
	}
	return r
}

// ignoredTopicConfigs are settings that a real broker knows, and that change nothing that a producer can see.
var ignoredTopicConfigs = []string{
	"compression.gzip.level", "compression.lz4.level", "compression.type", "compression.zstd.level", "delete.retention.ms",
	"file.delete.delay.ms", "flush.messages", "flush.ms", "follower.replication.throttled.replicas", "index.interval.bytes",
	"leader.replication.throttled.replicas", "local.retention.bytes", "local.retention.ms", "max.compaction.lag.ms",
	"min.cleanable.dirty.ratio", "min.compaction.lag.ms", "preallocate", "remote.log.copy.disable",
	"remote.log.delete.on.disable", "remote.storage.enable", "retention.bytes", "retention.ms", "segment.bytes",
	"segment.index.bytes", "segment.jitter.ms", "segment.ms", "unclean.leader.election.enable",
}

// topicConfigFrom reads the settings of a CreateTopics request, where t has the defaults.
func topicConfigFrom(t topicConfig, configs []protocol.CreatableTopicConfig) (topicConfig, error) {
	t.given = map[string]string{}
	for _, given := range configs {
		if given.Value == nil {
			return t, fmt.Errorf("Null value not supported for topic configs: %s", given.Name)
		}
		if err := t.set(given.Name, *given.Value); err != nil {
			return t, err
		}
		t.given[given.Name] = *given.Value
	}
	return t, nil
}

func (t *topicConfig) set(name, value string) (err error) {
	switch name {
	case "max.message.bytes":
		t.maxMessageBytes, err = number(value, 0)
	case "min.insync.replicas":
		t.minISR, err = number(value, 1)
	case "cleanup.policy":
		switch value {
		case "compact", "compact,delete", "delete,compact":
			t.compacted = true
		case "delete", "":
		default:
			err = errors.New("String must be one of: compact, delete")
		}
	case "message.timestamp.type":
		t.logAppendTime = value == "LogAppendTime"
		if !t.logAppendTime && value != "CreateTime" {
			err = errors.New("String must be one of: CreateTime, LogAppendTime")
		}
	case "message.timestamp.before.max.ms":
		t.before, err = milliseconds(value)
	case "message.timestamp.after.max.ms":
		t.after, err = milliseconds(value)
	default:
		if !slices.Contains(ignoredTopicConfigs, name) {
			return fmt.Errorf("Unknown topic config name: %s", name)
		}
	}
	if err != nil {
		return fmt.Errorf("Invalid value %s for configuration %s: %v", value, name, err)
	}
	return nil
}

// The texts of these errors are Kafka's.

func number(value string, least int) (int, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	switch {
	case err != nil:
		return 0, errors.New("Not a number of type INT")
	case n < int64(least):
		return 0, fmt.Errorf("Value must be at least %d", least)
	}
	return int(n), nil
}

func milliseconds(value string) (time.Duration, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil:
		return 0, errors.New("Not a number of type LONG")
	case n < 0:
		return 0, errors.New("Value must be at least 0")
	case n > forever.Milliseconds():
		return forever, nil
	}
	return time.Duration(n) * time.Millisecond, nil
}
