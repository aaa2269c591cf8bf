package reader

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// GroupOffsets is what a consumer group has committed of the partitions of some topics, once no transaction that could
// change it is open. A partition of which it has committed nothing is not there.
func (a *Admin) GroupOffsets(ctx context.Context, group string, topics ...string) (kadm.Offsets, error) {
	// Each partition is asked for: of one that a transaction is about to commit the first offset of, a question for
	// everything says nothing at all.
	asked := kmsg.NewOffsetFetchRequestGroup()
	asked.Group = group
	for _, topic := range topics {
		leaders, err := a.Leaders(ctx, topic)
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", topic, err)
		}
		one := kmsg.NewOffsetFetchRequestGroupTopic()
		one.Topic = topic
		for partition := range leaders {
			one.Partitions = append(one.Partitions, partition)
		}
		asked.Topics = append(asked.Topics, one)
	}
	request := kmsg.NewPtrOffsetFetchRequest()
	request.RequireStable = true
	request.Groups = append(request.Groups, asked)

	offsets := make(kadm.Offsets)
	err := poll(ctx, func() (bool, error) {
		clear(offsets)
		response, err := request.RequestWith(ctx, a.conn)
		if err != nil {
			return false, err
		}
		for _, g := range response.Groups {
			err = errors.Join(err, kerr.ErrorForCode(g.ErrorCode))
			for _, topic := range g.Topics {
				for _, p := range topic.Partitions {
					err = errors.Join(err, kerr.ErrorForCode(p.ErrorCode))
					if p.Offset >= 0 {
						offsets.Add(kadm.Offset{Topic: topic.Topic, Partition: p.Partition, At: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: *p.Metadata})
					}
				}
			}
		}
		return !errors.Is(err, kerr.UnstableOffsetCommit), err
	})
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	return offsets, nil
}
