package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// CreateTopic makes a topic, with as many replicas as the cluster gives by default. One that exists by that name is left as it
// is, without an error; then made is false.
func (c *Client) CreateTopic(ctx context.Context, name string, partitions int32) (made bool, err error) {
	const patience = 30 * time.Second
	conn, err := c.controller(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close(errDone)
	req := &protocol.CreateTopicsRequest{
		Topics:  []protocol.CreatableTopic{{Name: name, NumPartitions: partitions, ReplicationFactor: -1}},
		Timeout: patience,
	}
	resp := new(protocol.CreateTopicsResponse)
	if err := ask(ctx, conn, req, resp); err != nil {
		return false, err
	}
	made = true
	for _, t := range resp.Topics {
		switch {
		case t.ErrorCode == protocol.TopicAlreadyExists:
			made = false
		case t.ErrorCode != protocol.NoError && t.ErrorMessage != nil:
			return false, fmt.Errorf("creating topic %s: %w: %s", protocol.Quoted(name), t.ErrorCode, protocol.Quoted(*t.ErrorMessage))
		case t.ErrorCode != protocol.NoError:
			return false, fmt.Errorf("creating topic %s: %w", protocol.Quoted(name), t.ErrorCode)
		}
	}
	return made, nil
}

// controller connects to the broker that changes the cluster. With KRaft any broker passes the request on.
func (c *Client) controller(ctx context.Context) (*wire.Conn, error) {
	cluster, _, err := c.describe(ctx)
	if err != nil {
		return nil, err
	}
	if addr, ok := cluster.brokers[cluster.controller]; ok {
		return c.dial(ctx, addr, cluster.controller)
	}
	return c.anyServer(ctx)
}

// Range is the part of a partition's log that can be read: First up to End-1.
type Range struct{ First, End int64 }

// Offsets asks the leader of each partition of a topic how far its log goes. The index is the partition.
func (c *Client) Offsets(ctx context.Context, topic string) ([]Range, error) {
	cluster, resp, err := c.describe(ctx, topic)
	if err != nil {
		return nil, err
	}
	leaders := make(map[int32][]int32)
	count := 0
	for _, t := range resp.Topics {
		if err := t.ErrorCode.Err(); err != nil {
			return nil, fmt.Errorf("topic %q: %w", topic, err)
		}
		count = len(t.Partitions)
		for _, p := range t.Partitions {
			leaders[p.LeaderID] = append(leaders[p.LeaderID], p.PartitionIndex)
		}
	}
	ranges := make([]Range, count)
	for node, partitions := range leaders {
		addr, ok := cluster.brokers[node]
		if !ok {
			return nil, fmt.Errorf("topic %q: partitions %v have no leader: %w", topic, partitions, protocol.LeaderNotAvailable)
		}
		if err := c.offsetsAt(ctx, addr, node, topic, partitions, ranges); err != nil {
			return nil, err
		}
	}
	return ranges, nil
}

// offsetsAt fills in the ranges of the partitions that one broker leads.
func (c *Client) offsetsAt(ctx context.Context, addr string, node int32, topic string, partitions []int32, ranges []Range) error {
	conn, err := c.dial(ctx, addr, node)
	if err != nil {
		return err
	}
	defer conn.Close(errDone)
	for _, timestamp := range []int64{protocol.EarliestTimestamp, protocol.LatestTimestamp} {
		want := protocol.ListOffsetsTopic{Name: topic}
		for _, p := range partitions {
			want.Partitions = append(want.Partitions, protocol.ListOffsetsPartition{PartitionIndex: p, CurrentLeaderEpoch: -1, Timestamp: timestamp})
		}
		resp := new(protocol.ListOffsetsResponse)
		if err := ask(ctx, conn, &protocol.ListOffsetsRequest{ReplicaID: -1, Topics: []protocol.ListOffsetsTopic{want}}, resp); err != nil {
			return err
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := p.ErrorCode.Err(); err != nil {
					return fmt.Errorf("offsets of %s-%d: %w", topic, p.PartitionIndex, err)
				}
				if p.PartitionIndex < 0 || int(p.PartitionIndex) >= len(ranges) {
					return fmt.Errorf("offsets of %s: the answer has partition %d, which was not asked for", topic, p.PartitionIndex)
				}
				if timestamp == protocol.EarliestTimestamp {
					ranges[p.PartitionIndex].First = p.Offset
				} else {
					ranges[p.PartitionIndex].End = p.Offset
				}
			}
		}
	}
	return nil
}
