package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Admin changes topics and brokers. Its methods return when the cluster shows the change, as far as
// one broker's metadata can show it. They may be called from several goroutines.
type Admin struct {
	client *kadm.Client
	conn   *kgo.Client // what client sends by
}

// NewAdmin is an Admin for the cluster of a bootstrap list; it connects with its first call.
func NewAdmin(bootstrap string) (*Admin, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds(bootstrap)...), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &Admin{client: kadm.NewClient(client), conn: client}, nil
}

func seeds(bootstrap string) []string { return strings.Split(bootstrap, ",") }

// Close ends the connections.
func (a *Admin) Close() { a.client.Close() }

// Client is franz-go's own, for what is not here.
func (a *Admin) Client() *kadm.Client { return a.client }

// CreateTopic makes a topic and waits until each of its partitions has a leader. replicas may be -1
// for the brokers' default; configs are topic settings such as "max.message.bytes", or nil.
func (a *Admin) CreateTopic(ctx context.Context, topic string, partitions int32, replicas int16, configs map[string]string) error {
	settings := make(map[string]*string, len(configs))
	for key, value := range configs {
		settings[key] = &value
	}
	// A topic of that name may be on its way out still.
	err := poll(ctx, func() (bool, error) {
		_, err := a.client.CreateTopic(ctx, partitions, replicas, settings, topic)
		return !errors.Is(err, kerr.TopicAlreadyExists), err
	})
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	return a.awaitPartitions(ctx, topic, int(partitions))
}

// awaitPartitions waits until the topic has that many partitions, all with a leader that serves them:
// brokers publish a new leader a moment before it has made its log, and what is written with acks=0 in
// between is dropped without a word.
func (a *Admin) awaitPartitions(ctx context.Context, topic string, partitions int) error {
	err := poll(ctx, func() (bool, error) {
		leaders, err := a.Leaders(ctx, topic)
		if err != nil || len(leaders) != partitions {
			return false, err
		}
		for _, leader := range leaders {
			if leader < 0 {
				return false, fmt.Errorf("a partition has no leader")
			}
		}
		_, err = a.Ends(ctx, topic)
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("topic %s with %d partitions: %w", topic, partitions, err)
	}
	return nil
}

// DeleteTopic removes a topic and waits until it is no longer known.
func (a *Admin) DeleteTopic(ctx context.Context, topic string) error {
	if _, err := a.client.DeleteTopic(ctx, topic); err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	return poll(ctx, func() (bool, error) {
		_, err := a.Leaders(ctx, topic)
		return errors.Is(err, kerr.UnknownTopicOrPartition), nil
	})
}

// SetPartitions raises a topic's number of partitions and waits until the new ones have leaders.
func (a *Admin) SetPartitions(ctx context.Context, topic string, partitions int) error {
	responses, err := a.client.UpdatePartitions(ctx, partitions, topic)
	if err == nil {
		err = responses.Error()
	}
	if err != nil {
		return fmt.Errorf("partitions of topic %s: %w", topic, err)
	}
	return a.awaitPartitions(ctx, topic, partitions)
}

// SetTopicConfig sets one setting of a topic.
func (a *Admin) SetTopicConfig(ctx context.Context, topic, key, value string) error {
	responses, err := a.client.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, topic)
	if err == nil {
		for _, r := range responses {
			err = errors.Join(err, r.Err)
		}
	}
	if err != nil {
		return fmt.Errorf("set %s of topic %s: %w", key, topic, err)
	}
	return nil
}

// Leaders is the node ID of each partition's leader, -1 where there is none now.
func (a *Admin) Leaders(ctx context.Context, topic string) (map[int32]int32, error) {
	details, err := a.describe(ctx, topic)
	if err != nil {
		return nil, err
	}
	leaders := make(map[int32]int32)
	for _, p := range details.Partitions {
		leaders[p.Partition] = p.Leader
	}
	return leaders, nil
}

// Ends is the offset after the last record of each partition of the topics.
func (a *Admin) Ends(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
	return offsets(ctx, a.client.ListEndOffsets, topics...)
}

// CommittedEnds is the offset of each partition of the topics up to which no transaction is open.
func (a *Admin) CommittedEnds(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
	return offsets(ctx, a.client.ListCommittedOffsets, topics...)
}

// offsets asks the leaders of the topics with list, again while one of them cannot say yet: elected a
// moment ago, it does not know how far its followers are (OFFSET_NOT_AVAILABLE), or that it leads.
func offsets(ctx context.Context, list func(context.Context, ...string) (kadm.ListedOffsets, error), topics ...string) (listed kadm.ListedOffsets, err error) {
	err = poll(ctx, func() (bool, error) {
		var err error
		if listed, err = list(ctx, topics...); err == nil {
			err = listed.Error()
		}
		return !kerr.IsRetriable(err), err
	})
	return listed, err
}

// AwaitInSync waits until each partition of the topic has that many in-sync replicas, and all brokers agree on its leader. A
// broker that stood still tells of what was before, and answers as the leader that it was.
func (a *Admin) AwaitInSync(ctx context.Context, topic string, replicas int) error {
	return poll(ctx, func() (bool, error) {
		brokers, err := a.client.ListBrokers(ctx)
		if err != nil {
			return false, err
		}
		leaders := make(map[int32]int32)
		for _, broker := range brokers {
			if err := a.inSyncAt(ctx, broker.NodeID, topic, replicas, leaders); err != nil {
				return false, err
			}
		}
		return len(leaders) > 0, nil
	})
}

// inSyncAt demands that a broker knows of so many in-sync replicas of each partition, and of those leaders. Partitions that
// leaders does not have yet are put there.
func (a *Admin) inSyncAt(ctx context.Context, broker int32, topic string, replicas int, leaders map[int32]int32) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &topic
	req.Topics = append(req.Topics, asked)
	resp, err := req.RequestWith(ctx, a.conn.Broker(int(broker)))
	if err != nil {
		return fmt.Errorf("broker %d: %w", broker, err)
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return fmt.Errorf("broker %d: topic %s: %w", broker, topic, err)
		}
		for _, p := range t.Partitions {
			if len(p.ISR) != replicas {
				return fmt.Errorf("partition %d of topic %s has %d in-sync replicas as broker %d sees it, want %d", p.Partition, topic, len(p.ISR), broker, replicas)
			}
			if leader, known := leaders[p.Partition]; known && leader != p.Leader {
				return fmt.Errorf("partition %d of topic %s is led by %d as broker %d sees it, and by %d as another does", p.Partition, topic, p.Leader, broker, leader)
			}
			leaders[p.Partition] = p.Leader
		}
	}
	return nil
}

func (a *Admin) describe(ctx context.Context, topic string) (kadm.TopicDetail, error) {
	topics, err := a.client.ListTopics(ctx, topic)
	if err != nil {
		return kadm.TopicDetail{}, err
	}
	return topics[topic], topics[topic].Err
}

// MoveLeaders makes the next replica of each partition its leader, and returns when that is so. The
// topic needs two in-sync replicas at least.
func (a *Admin) MoveLeaders(ctx context.Context, topic string) error {
	details, err := a.describe(ctx, topic)
	if err != nil {
		return fmt.Errorf("move the leaders of %s: %w", topic, err)
	}
	var moves kadm.AlterPartitionAssignmentsReq
	var partitions kadm.TopicsSet
	wanted := make(map[int32]int32)
	for _, p := range details.Partitions {
		i := slices.Index(p.Replicas, p.Leader)
		turned := slices.Concat(p.Replicas[i+1:], p.Replicas[:i+1])
		moves.Assign(topic, p.Partition, turned)
		partitions.Add(topic, p.Partition)
		wanted[p.Partition] = turned[0]
	}
	if answers, err := a.client.AlterPartitionAssignments(ctx, moves); err != nil {
		return fmt.Errorf("move the leaders of %s: %w", topic, err)
	} else if err := answers.Error(); err != nil {
		return fmt.Errorf("move the leaders of %s: %w", topic, err)
	}
	return poll(ctx, func() (bool, error) {
		// Fails for a partition until its new order of replicas is in force.
		_, err := a.client.ElectLeaders(ctx, kadm.ElectPreferredReplica, partitions)
		if err != nil {
			return false, err
		}
		leaders, err := a.Leaders(ctx, topic)
		for partition, leader := range wanted {
			if leaders[partition] != leader {
				return false, errors.Join(err, fmt.Errorf("partition %d of %s is led by %d, want %d", partition, topic, leaders[partition], leader))
			}
		}
		return true, err
	})
}

// pollTimeout is how long a change may take to show, the seconds included in which a cluster notices
// that a broker is gone.
const pollTimeout = time.Minute

// poll asks again until done, the context's end or pollTimeout, and then returns the last error.
func poll(ctx context.Context, ask func() (done bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	for {
		done, err := ask()
		if done {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
