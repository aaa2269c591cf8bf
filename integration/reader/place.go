package reader

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// PlaceTopic is CreateTopic with the brokers of each partition, the leader first, by their node IDs.
func (a *Admin) PlaceTopic(ctx context.Context, topic string, replicas [][]int32, configs map[string]string) error {
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = topic, -1, -1
	for partition, brokers := range replicas {
		assigned := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		assigned.Partition, assigned.Replicas = int32(partition), brokers
		wanted.ReplicaAssignment = append(wanted.ReplicaAssignment, assigned)
	}
	for key, value := range configs {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = key, kmsg.StringPtr(value)
		wanted.Configs = append(wanted.Configs, config)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = int32(pollTimeout.Milliseconds())
	request.Topics = append(request.Topics, wanted)
	response, err := request.RequestWith(ctx, a.conn)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	for _, made := range response.Topics {
		if err := kerr.ErrorForCode(made.ErrorCode); err != nil {
			return fmt.Errorf("create topic %s: %w", topic, err)
		}
	}
	return a.awaitPartitions(ctx, topic, len(replicas))
}

// TopicID is what newer requests name a topic by.
func (a *Admin) TopicID(ctx context.Context, topic string) ([16]byte, error) {
	details, err := a.describe(ctx, topic)
	return details.ID, err
}

// LogBytes is how many bytes the leaders of a topic have in their logs, all partitions together.
func (a *Admin) LogBytes(ctx context.Context, topic string) (bytes int64, err error) {
	leaders, err := a.Leaders(ctx, topic)
	if err != nil {
		return 0, err
	}
	var partitions kadm.TopicsSet
	for partition := range leaders {
		partitions.Add(topic, partition)
	}
	brokers, err := a.client.DescribeAllLogDirs(ctx, partitions)
	if err != nil {
		return 0, err
	}
	found := 0
	brokers.Each(func(dir kadm.DescribedLogDir) {
		dir.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			if leaders[p.Partition] == p.Broker {
				bytes += p.Size
				found++
			}
		})
	})
	if found != len(leaders) {
		return 0, fmt.Errorf("%d of %d leaders of topic %s have told the size of their logs", found, len(leaders), topic)
	}
	return bytes, nil
}
