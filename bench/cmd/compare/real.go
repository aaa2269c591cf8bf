package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/bench/internal/counted"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// realTarget is a topic of a real Kafka, which is made for a scenario and deleted after it. An independent client reads its end
// offsets: what they have grown by has arrived.
type realTarget struct {
	client  *kgo.Client
	servers string
	name    string
	before  int64
}

const realPartitions = 12

func openReal(servers string, s *scenario) (*realTarget, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(servers, ",")...), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	t := &realTarget{client: client, servers: servers, name: fmt.Sprintf("epistle-bench-%s-%d", s.name, time.Now().UnixMilli())}
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = t.name, realPartitions, -1
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, topic), 30_000
	resp, err := req.RequestWith(t.context(), client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("creating topic %s: %w", t.name, err)
	}
	// The controller has the topic. The brokers learn of it a moment later.
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if _, err = t.ends(); err == nil {
			return t, nil
		}
		if time.Now().After(until) {
			return nil, errors.Join(err, t.close())
		}
	}
}

// context bounds a request. Its timer is left to run out: there are few.
func (t *realTarget) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	time.AfterFunc(time.Minute, cancel)
	return ctx
}

func (t *realTarget) bootstrap() string { return t.servers }
func (t *realTarget) topic() string     { return t.name }

func (t *realTarget) begin() (err error) {
	t.before, err = t.ends()
	return err
}

func (t *realTarget) arrived(clientID string) (counted.Client, error) {
	after, err := t.ends()
	return counted.Client{Client: clientID, Records: after - t.before}, err
}

// ends is the sum of the partitions' end offsets.
func (t *realTarget) ends() (int64, error) {
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = t.name
	for i := range int32(realPartitions) {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = i, -1
		topic.Partitions = append(topic.Partitions, p)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.Topics = append(req.Topics, topic)
	var sum int64
	// One answer for each broker that leads some of them.
	for _, shard := range t.client.RequestSharded(t.context(), req) {
		if shard.Err != nil {
			return 0, shard.Err
		}
		for _, topic := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range topic.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return 0, fmt.Errorf("end of partition %d: %w", p.Partition, err)
				}
				sum += p.Offset
			}
		}
	}
	return sum, nil
}

func (t *realTarget) close() error {
	defer t.client.Close()
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = kmsg.StringPtr(t.name)
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Topics, req.TopicNames, req.TimeoutMillis = append(req.Topics, topic), []string{t.name}, 30_000
	_, err := req.RequestWith(t.context(), t.client)
	return err
}
