package brokertest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// What a broker tells of settings and of rights was written down, too. It is held and written down anew as the long conversation
// is: see TestAnswersAsKafka.
func TestDescribesAsKafka(t *testing.T) {
	c := &conversation{addr: realOrOurs(t, 1)[0], ids: map[string]protocol.UUID{}, began: time.Now()}
	c.client = &client{t: t}
	c.redial()
	c.settings()
	c.rights()
	compare(t, "testdata/kafka-4.4.0-describe.txt", c.notes.String())
}

// toldTopicSettings are the settings of a topic that ours tells, too.
var toldTopicSettings = []string{
	"cleanup.policy", "compression.type", "max.message.bytes", "message.timestamp.after.max.ms", "message.timestamp.before.max.ms",
	"message.timestamp.type", "min.insync.replicas",
}

func (c *conversation) settings() {
	plain, given := "described", "described-otherwise"
	value := func(s string) *string { return &s }
	create := &protocol.CreateTopicsRequest{Timeout: 10 * time.Second, Topics: []protocol.CreatableTopic{
		{Name: plain, NumPartitions: 1, ReplicationFactor: 1},
		{Name: given, NumPartitions: 1, ReplicationFactor: 1, Configs: []protocol.CreatableTopicConfig{
			{Name: "max.message.bytes", Value: value("100000")}, {Name: "cleanup.policy", Value: value("compact,delete")},
			{Name: "message.timestamp.type", Value: value("LogAppendTime")}, {Name: "compression.type", Value: value("lz4")},
		}},
	}}
	made := &protocol.CreateTopicsResponse{}
	c.try(5, create, made)
	for _, t := range made.Topics {
		c.notef("created %s: %s", t.Name, t.ErrorCode.Name())
	}
	for v := int16(1); v <= 4; v++ {
		c.describe(v, "topic", protocol.ResourceTopic, plain, toldTopicSettings)
	}
	c.describe(4, "topic with settings", protocol.ResourceTopic, given, toldTopicSettings)
	c.describe(4, "a key that nobody knows", protocol.ResourceTopic, plain, []string{"no.such.key"})
	c.describe(4, "a topic that is not there", protocol.ResourceTopic, "no-such-topic", toldTopicSettings)
	c.describe(4, "a topic that cannot be", protocol.ResourceTopic, "no such topic", toldTopicSettings)
	c.describe(4, "what there is not", 99, plain, nil)
	id, _ := c.who()
	keys := []string{"auto.create.topics.enable", "message.max.bytes", "transaction.max.timeout.ms"}
	c.describe(4, "the broker", protocol.ResourceBroker, strconv.Itoa(int(id)), keys)
	c.describe(4, "another broker", protocol.ResourceBroker, strconv.Itoa(int(id)+1), keys)
}

// describe asks for settings, and notes what is told of them. Where they come from depends on how the broker was started.
func (c *conversation) describe(version int16, title string, kind int8, name string, keys []string) {
	resp := &protocol.DescribeConfigsResponse{}
	m := &protocol.DescribeConfigsRequest{Resources: []protocol.DescribeConfigsResource{{ResourceType: kind, ResourceName: name, ConfigurationKeys: keys}}}
	if !c.try(version, m, resp) {
		c.notef("DescribeConfigs v%d, %s: %s", version, title, c.lost)
		return
	}
	for _, r := range resp.Results {
		text := "null"
		if r.ErrorMessage != nil {
			text = strconv.Quote(*r.ErrorMessage)
		}
		c.notef("DescribeConfigs v%d, %s: %s %s, type %d, %s", version, title, r.ErrorCode.Name(), text, r.ResourceType, r.ResourceName)
		slices.SortFunc(r.Configs, func(x, y protocol.DescribeConfigsResourceResult) int { return strings.Compare(x.Name, y.Name) })
		for _, s := range r.Configs {
			value := "null"
			if s.Value != nil {
				value = *s.Value
			}
			c.notef("  %s = %s, of the topic %t, type %d, read only %t, sensitive %t, synonyms %d", s.Name, value, s.ConfigSource == ofTopic,
				s.ConfigType, s.ReadOnly, s.IsSensitive, len(s.Synonyms))
		}
	}
}

// who returns the broker's id and that of the cluster.
func (c *conversation) who() (int32, string) {
	resp := &protocol.MetadataResponse{}
	c.try(9, &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{}}, resp)
	return resp.Brokers[0].NodeID, *resp.ClusterID
}

func (c *conversation) rights() {
	told := func(ops int32) string { return fmt.Sprintf("%#x", uint32(ops)) }
	for _, v := range []int16{7, 8, 10, 11, 13} {
		resp := &protocol.MetadataResponse{}
		described, missing := "described", "no-such-topic"
		m := &protocol.MetadataRequest{
			Topics:                             []protocol.MetadataRequestTopic{{Name: &described}, {Name: &missing}},
			IncludeClusterAuthorizedOperations: true, IncludeTopicAuthorizedOperations: true,
		}
		c.try(v, m, resp)
		c.notef("Metadata v%d: cluster %s", v, told(resp.ClusterAuthorizedOperations))
		for _, t := range resp.Topics {
			c.notef("  %s: %s, %s", *t.Name, t.ErrorCode.Name(), told(t.TopicAuthorizedOperations))
		}
	}
	id, cluster := c.who()
	for _, asked := range []struct {
		version  int16
		ops      bool
		endpoint int8
	}{{0, true, 1}, {1, false, 1}, {1, true, 2}, {2, true, 1}, {2, true, 9}} {
		resp := &protocol.DescribeClusterResponse{}
		m := &protocol.DescribeClusterRequest{IncludeClusterAuthorizedOperations: asked.ops, EndpointType: asked.endpoint}
		title := fmt.Sprintf("DescribeCluster v%d, endpoint %d, rights %t", asked.version, asked.endpoint, asked.ops)
		if !c.try(asked.version, m, resp) {
			c.notef("%s: %s", title, c.lost)
			continue
		}
		text := "null"
		if resp.ErrorMessage != nil {
			text = strconv.Quote(*resp.ErrorMessage)
		}
		c.notef("%s: %s %s, endpoint %d, cluster known %t, controller known %t, %d brokers, %s", title, resp.ErrorCode.Name(), text,
			resp.EndpointType, resp.ClusterID == cluster, resp.ControllerID == id, len(resp.Brokers), told(resp.ClusterAuthorizedOperations))
	}
}
