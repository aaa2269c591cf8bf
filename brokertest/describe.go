package brokertest

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// SetTopicConfig sets one of a topic's settings by Kafka's name, as kafka-configs.sh does. These have an effect:
// max.message.bytes, min.insync.replicas, cleanup.policy, message.timestamp.type, message.timestamp.before.max.ms and
// message.timestamp.after.max.ms. Others are only told to clients that ask.
func (c *Cluster) SetTopicConfig(name, key, value string) error {
	return c.configure(name, func(t *topic) error {
		config := t.config
		if err := config.set(key, value); err != nil {
			return fmt.Errorf("topic %q: %w", name, err)
		}
		config.given = maps.Clone(config.given)
		if config.given == nil {
			config.given = map[string]string{}
		}
		config.given[key] = value
		t.config = config
		return nil
	})
}

// The types of settings (ConfigDef.Type).
const (
	boolSetting   int8 = 1
	stringSetting int8 = 2
	intSetting    int8 = 3
	longSetting   int8 = 5
	listSetting   int8 = 7
)

// Where a setting comes from (ConfigSource).
const (
	ofTopic   int8 = 1
	ofBroker  int8 = 4
	byDefault int8 = 5
)

// setting is a setting that DescribeConfigs tells.
type setting struct {
	name, value, normal string // normal is the default
	kind                int8
	fixed               bool // only a restart changes it
}

// settings lists a topic's settings that DescribeConfigs tells, in the order of their names.
func (t *topicConfig) settings(o *options) []setting {
	normal := o.topicConfig()
	all := []setting{
		{"cleanup.policy", t.cleanupPolicy(), "delete", listSetting, false},
		{"max.message.bytes", strconv.Itoa(t.maxMessageBytes), strconv.Itoa(normal.maxMessageBytes), intSetting, false},
		{"message.timestamp.after.max.ms", shownMillis(t.after), shownMillis(normal.after), longSetting, false},
		{"message.timestamp.before.max.ms", shownMillis(t.before), shownMillis(normal.before), longSetting, false},
		{"message.timestamp.type", t.timestampType(), "CreateTime", stringSetting, false},
		{"min.insync.replicas", strconv.Itoa(t.minISR), strconv.Itoa(normal.minISR), intSetting, false},
	}
	for name, value := range t.given {
		if slices.Contains(ignoredTopicConfigs, name) {
			all = append(all, setting{name, value, "", stringSetting, false})
		}
	}
	if _, ok := t.given["compression.type"]; !ok {
		all = append(all, setting{"compression.type", "producer", "producer", stringSetting, false})
	}
	slices.SortFunc(all, func(x, y setting) int { return cmp.Compare(x.name, y.name) })
	return all
}

func (t *topicConfig) cleanupPolicy() string {
	given := t.given["cleanup.policy"]
	switch {
	case !t.compacted:
		return "delete"
	case given != "" && given != "delete":
		return given
	}
	return "compact"
}

func (t *topicConfig) timestampType() string {
	if t.logAppendTime {
		return "LogAppendTime"
	}
	return "CreateTime"
}

func shownMillis(d time.Duration) string {
	if d == forever {
		return strconv.FormatInt(math.MaxInt64, 10)
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}

// brokerSettings lists a broker's settings that DescribeConfigs tells.
func (o *options) brokerSettings() []setting {
	return []setting{
		{"auto.create.topics.enable", strconv.FormatBool(o.autoCreate), "true", boolSetting, true},
		{"connections.max.reauth.ms", shownMillis(o.lifetime), "0", longSetting, true},
		{"message.max.bytes", strconv.Itoa(o.topicConfig().maxMessageBytes), "1048588", intSetting, false},
		{"num.partitions", strconv.Itoa(o.partitions), "1", intSetting, true},
		{"producer.id.expiration.ms", shownMillis(o.expiration), "86400000", intSetting, false},
		{"transaction.max.timeout.ms", shownMillis(maxTransactionTimeout), "900000", intSetting, true},
	}
}

// describeConfigs answers DescribeConfigs. The caller holds c.mu.
func (b *broker) describeConfigs(m *protocol.DescribeConfigsRequest) protocol.Response {
	resp := &protocol.DescribeConfigsResponse{}
	for i := range m.Resources {
		asked := &m.Resources[i]
		result := protocol.DescribeConfigsResult{ResourceType: asked.ResourceType, ResourceName: asked.ResourceName}
		found, code, text := b.settingsOf(asked)
		result.ErrorCode, result.ErrorMessage = code, &text
		for _, s := range found {
			if asked.ConfigurationKeys != nil && !slices.Contains(asked.ConfigurationKeys, s.name) {
				continue
			}
			source := byDefault
			if s.value != s.normal {
				source = ofTopic
				if asked.ResourceType == protocol.ResourceBroker {
					source = ofBroker
				}
			}
			result.Configs = append(result.Configs, protocol.DescribeConfigsResourceResult{
				Name: s.name, Value: &s.value, ConfigSource: source, ConfigType: s.kind, ReadOnly: s.fixed,
			})
		}
		resp.Results = append(resp.Results, result)
	}
	return resp
}

// settingsOf returns the settings of a topic or of the broker, or why there are none. The texts are Kafka's.
func (b *broker) settingsOf(asked *protocol.DescribeConfigsResource) ([]setting, protocol.ErrorCode, string) {
	c := b.c
	switch asked.ResourceType {
	case protocol.ResourceTopic:
		if c.rights.noSettings || c.denied[asked.ResourceName].describe {
			return nil, protocol.TopicAuthorizationFailed, "Topic authorization failed."
		}
		if reason := illegalTopicName(asked.ResourceName); reason != "" {
			return nil, protocol.InvalidTopicException, "Topic name is invalid: " + reason
		}
		t := c.topics[asked.ResourceName]
		if t == nil {
			return nil, protocol.UnknownTopicOrPartition, ""
		}
		return t.config.settings(&c.opts), protocol.NoError, ""
	case protocol.ResourceBroker:
		if c.rights.noSettings {
			return nil, protocol.ClusterAuthorizationFailed, "Cluster authorization failed."
		}
		if asked.ResourceName != "" && asked.ResourceName != strconv.Itoa(int(b.id)) {
			return nil, protocol.InvalidRequest, fmt.Sprintf("Unexpected broker id, expected %d or empty string, but received %s", b.id, asked.ResourceName)
		}
		return c.opts.brokerSettings(), protocol.NoError, ""
	}
	return nil, protocol.InvalidRequest, malformed
}

// refuseConfigs answers DescribeConfigs with a code for everything.
func refuseConfigs(m *protocol.DescribeConfigsRequest, code protocol.ErrorCode) protocol.Response {
	resp := &protocol.DescribeConfigsResponse{}
	for i := range m.Resources {
		resp.Results = append(resp.Results, protocol.DescribeConfigsResult{
			ErrorCode: code, ResourceType: m.Resources[i].ResourceType, ResourceName: m.Resources[i].ResourceName,
		})
	}
	return resp
}

// describeCluster answers DescribeCluster. The caller holds c.mu.
func (c *Cluster) describeCluster(m *protocol.DescribeClusterRequest) protocol.Response {
	resp := &protocol.DescribeClusterResponse{
		EndpointType: protocol.EndpointBrokers, ClusterID: c.id, ControllerID: -1, ClusterAuthorizedOperations: noOperations,
	}
	if m.EndpointType != protocol.EndpointBrokers {
		code, text := protocol.MismatchedEndpointType, "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
		if m.EndpointType != protocol.EndpointControllers {
			code, text = protocol.UnsupportedEndpointType, fmt.Sprintf("Unsupported endpoint type %d", m.EndpointType)
		}
		resp.ErrorCode, resp.ErrorMessage, resp.ClusterID = code, &text, ""
		return resp
	}
	for _, b := range c.brokers {
		if b.up || m.IncludeFencedBrokers {
			resp.Brokers = append(resp.Brokers, protocol.DescribeClusterBroker{BrokerID: b.id, Host: b.host, Port: b.port, IsFenced: !b.up})
		}
		if b.up && resp.ControllerID < 0 {
			resp.ControllerID = b.id
		}
	}
	if m.IncludeClusterAuthorizedOperations {
		resp.ClusterAuthorizedOperations = c.clusterOperations()
	}
	return resp
}
